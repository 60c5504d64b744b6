"""What was read of the logs, and what was counted: slices and their heads, counts, days.

Pure: may import rules, signin and basics. Rows are in `shared/store` (ledger, rollups, days).
"""
