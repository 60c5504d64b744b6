"""The states in which an overview says more than figures: nothing read yet, no permission, paused, the first day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NamedTuple

from shared.answers.alert_state import alert_state_of
from shared.app.app import App
from shared.compliance.summary import AlertState
from shared.ledger.flight import Flight
from shared.operations.pause import pause_of
from shared.preflight.model import Preflight, last_preflight
from shared.store.flights import flights_and_note
from shared.store.notes import AppNote
from shared.store.once import made_once

# How long after the installation the page still begins with what to do first.
FIRST_HOURS: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class State:
    """`sentence` says what is wrong and what to do next; "" where nothing is. `cannot_read`: it is that a
    log cannot be read. `is_first_run`: the app was installed not
    long ago. `preflight` is what was not ok when it was last looked."""

    sentence: str
    cannot_read: bool
    is_first_run: bool
    preflight: Preflight | None


class Running(NamedTuple):
    """How the scan of each tenant stands, and whether channels are told."""

    flights: Sequence[Flight]
    alerts: AlertState


async def running_of(app: App) -> Running:
    """One request a page."""

    async def read() -> Running:
        flights, pause = await flights_and_note((await app.tables()).control, AppNote.PAUSE)
        return Running(flights, alert_state_of(pause_of(pause), app.clock()))

    return await made_once(("running", id(app)), read)


async def state_of(app: App) -> State:
    """How the app stands: one request beside the frame's."""
    tables = await app.tables()
    now = app.clock()
    flights, alerts = await running_of(app)
    preflight = await last_preflight(tables.control)
    seen = [flight.first_seen for flight in flights if flight.first_seen]
    first_run = not seen or now - min(seen) < FIRST_HOURS
    told = _cannot_read(flights)
    cannot_read = bool(told)
    if not told and alerts.paused_until is not None:
        by = f" by {alerts.paused_by}" if alerts.paused_by else ""
        told = (
            f"Alerts are paused until {alerts.paused_until:%d %b %Y %H:%M} UTC{by}: nobody is told until then. "
            "Findings and incidents go on. To end it sooner: python -m local ops pause with a time that has passed."
        )
    return State(told, cannot_read, first_run, preflight)


def _cannot_read(flights: Sequence[Flight]) -> str:
    flight = next((f for f in flights if f.problem), None)
    if flight is None:
        return ""
    since = f" since {flight.problem_since:%d %b %H:%M} UTC" if flight.problem_since else ""
    then = (
        "Waiting does not help: look at Setup for what is missing and the command that grants it."
        if flight.refused
        else "It is tried again by itself; if it stays, look at Setup."
    )
    return f"The sign-in log cannot be read{since}: {flight.problem} {then}"
