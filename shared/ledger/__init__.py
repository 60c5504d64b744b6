"""What was read of the logs, and what was counted: slices and their heads, counts, days.

Pure: may import rules, signin and basics. Rows are in `shared/store` (ledger, rollups, days).
"""

from shared.ledger.counts import Counts
from shared.ledger.flight import Flight
from shared.ledger.head import Head, SliceState
from shared.ledger.slices import Slice

__all__ = ["Counts", "Flight", "Head", "Slice", "SliceState"]
