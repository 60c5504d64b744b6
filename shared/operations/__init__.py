"""What an operator's verbs do: slices read again, released or accepted, alerts paused, and the register of it all.

Use cases over the app; the routes (functions/ops.py) and `python -m local ops` call them.
"""
