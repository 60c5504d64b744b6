"""Whether channels are told anything, and who paused that until when."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from shared.compliance.summary import AlertState
from shared.operations.pause import read_pause
from shared.store.tables import Tables


async def read_alert_state(tables: Tables, now: datetime) -> AlertState:
    """One request."""
    pause = await read_pause(tables)
    state: Literal["on", "paused"] = "paused" if pause is not None and pause.until > now else "on"
    if pause is None or state == "on":
        return AlertState(state="on", paused_until=None, paused_by=None)
    return AlertState(state=state, paused_until=pause.until, paused_by=pause.by or None)
