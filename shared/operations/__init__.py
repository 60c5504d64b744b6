"""What an operator's verbs do: slices read again, released or accepted, alerts paused, and the register of it all.

The routes (functions/ops.py) and `python -m local ops` call them. Imports app, store, graph and what stands below.
"""

from shared.operations.pause import is_paused, pause_alerts
from shared.operations.register import Actor, note_act
from shared.operations.slices import accept, release, replay, rescan

__all__ = ["Actor", "accept", "is_paused", "note_act", "pause_alerts", "release", "replay", "rescan"]
