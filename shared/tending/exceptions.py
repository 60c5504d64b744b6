"""What time does to technical exceptions (the timer `tend_exceptions`): notes that they are over, reminds of their end,
silences incidents and opens them again.

Each step can be cut off anywhere and done again: a reminder has the same webhook-id each time, an incident's step is a
compare-and-swap, and whether all incidents were looked at since the exceptions last changed is noted afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Final

from shared.alerts.hours import is_quiet
from shared.alerts.outgoing import message_id, new_delivery
from shared.app.app import App
from shared.app.channels import Channel
from shared.basics.events import log_event
from shared.exceptions.life import reminded, reminder_due, with_time
from shared.exceptions.model import TechnicalException, accepting
from shared.incidents.tending import apply_exceptions
from shared.ledger.slices import DAY
from shared.messages.message import ExceptionFacts, ExceptionMessage
from shared.store import alerts
from shared.store.exceptions import Stored, read_exceptions, write_step
from shared.store.incidents import take_step, unresolved
from shared.store.notes import AppNote, read_note, write_note
from shared.store.tables import Conflict, Tables, utc
from shared.wire.text import clean

# Incidents that a scan wrote while the exceptions changed are found within this time.
_EVERY: Final = timedelta(minutes=15)
_URGENT: Final = 3


async def tend_exceptions(app: App) -> None:
    """Everything that is due now."""
    tables = await app.tables()
    for stored in await read_exceptions(tables.control):
        try:
            await _tend(app, tables, stored)
        except Conflict:
            continue  # somebody did something with it just now: the next minute looks again
    await silence_incidents(app, tables, only_when_due=True)


async def _tend(app: App, tables: Tables, stored: Stored) -> None:
    now = app.clock()
    over = with_time(stored.exception, now)
    if over:
        await write_step(tables.control, over, stored.etag)
        log_event("exception_expired", exception=over.after.id)
        return
    days = reminder_due(stored.exception, now)
    if not days:
        return
    told = await _remind(app, tables, stored.exception, days)
    if told is not None:
        detail = f"{days} days before its end; {f'told {", ".join(told)}' if told else 'no channel to tell'}"
        await write_step(tables.control, reminded(stored.exception, days, detail, now), stored.etag)
        log_event("exception_reminded", exception=stored.exception.id, days=days, channels=len(told))


# --- reminders --------------------------------------------------------------------------------------------------------


async def _remind(app: App, tables: Tables, exception: TechnicalException, days: int) -> list[str] | None:
    """Make the deliveries. Returns the channels, or None while some wait for the end of their quiet hours."""
    now = app.clock()
    wanted = {name: c for name, c in app.settings.channels.items() if _wants(c, exception)}
    for name, channel in wanted.items():
        if is_quiet(channel, now):
            continue
        message = _message(app, exception, days, message_id(name, "exception", exception.id, str(days)))
        delivery = new_delivery(app, name, message)
        if await alerts.read_delivery(tables.alerts, delivery.id):
            continue
        try:
            await alerts.add_delivery(tables.alerts, delivery)
        except Conflict:
            continue  # another instance made it
    return None if any(is_quiet(channel, now) for channel in wanted.values()) else sorted(wanted)


def _wants(channel: Channel, exception: TechnicalException) -> bool:
    """A channel for some customers alone hears of their exceptions alone."""
    return channel.alerts and (not channel.customers or exception.covers.customer in channel.customer_keys)


def _message(app: App, exception: TechnicalException, days: int, key: str) -> ExceptionMessage:
    address = app.settings.address
    return ExceptionMessage(
        type="exception.expiring",
        idempotency_key=key,
        timestamp=exception.ends - days * DAY,
        severity="high" if days <= _URGENT else "medium",
        data=ExceptionFacts(
            id=exception.id,
            url=f"{address}/exceptions/{exception.id}" if address else None,
            title=clean(exception.title),
            owner=clean(exception.owner),
            ticket=clean(exception.ticket) or None,
            expires=exception.ends,
            what_to_do="Have the sign-ins made with MFA by then, or ask for a new exception. At its end its incidents "
            "open again.",
        ),
    )


# --- incidents --------------------------------------------------------------------------------------------------------


async def silence_incidents(app: App, tables: Tables, *, only_when_due: bool = False) -> int:
    """Have every incident that is not resolved be as the exceptions say. Returns how many changed.

    `only_when_due`: not when that was done a short while ago and other exceptions did not come to hold since.
    """
    now = app.clock()
    exceptions = [stored.exception for stored in await read_exceptions(tables.control)]
    mark = _mark([e for e in exceptions if e.is_in_effect(now)])
    last = await read_note(tables.control, AppNote.EXCEPTIONS_TENDED)
    if only_when_due and last is not None and last["mark"] == mark and utc(last["at"]) > now - _EVERY:
        return 0
    accepts = accepting(exceptions, now)
    stepped, overtaken = 0, False
    async for incident, etag in unresolved(tables.incidents):
        step = apply_exceptions(incident, accepts, now)
        if step is None:
            continue
        try:
            await take_step(tables.incidents, step, etag, now)
        except Conflict:
            overtaken = True  # something happened to it just now: the next minute looks again
            continue
        stepped += 1
    await write_note(tables.control, AppNote.EXCEPTIONS_TENDED, mark="" if overtaken else mark, at=now)
    if stepped:
        log_event("incidents_silenced_or_opened", incidents=stepped)
    return stepped


def _mark(holding: Sequence[TechnicalException]) -> str:
    return sha256("\n".join(sorted(f"{e.id} {e.revision}" for e in holding)).encode()).hexdigest()[:32]
