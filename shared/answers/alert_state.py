"""Whether channels are told anything, and who paused that until when."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from shared.compliance.summary import AlertState
from shared.operations.pause import Pause, read_pause
from shared.store.tables import Tables


async def read_alert_state(tables: Tables, now: datetime) -> AlertState:
    """One request."""
    return alert_state_of(await read_pause(tables), now)


def alert_state_of(pause: Pause | None, now: datetime) -> AlertState:
    """What a pause says, or that there never was one."""
    state: Literal["on", "paused"] = "paused" if pause is not None and pause.until > now else "on"
    if pause is None or state == "on":
        return AlertState(state="on", paused_until=None, paused_by=None)
    return AlertState(state=state, paused_until=pause.until, paused_by=pause.by or None)
