"""The demo: the whole product on one machine, and what it runs on.

`azurite` (the storage), `stack` (all parts together), `receivers` (webhooks that take alerts), `demo` (the command).
May import every other room of local/.
"""
