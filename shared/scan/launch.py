"""Sending a tenant's next slice: the flight is taken for it, and its day is looked at by the next plans."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from shared.app.app import App
from shared.ledger.flight import Flight
from shared.ledger.slices import Slice
from shared.scan.messages import SliceMessage
from shared.store.agenda import stir
from shared.store.flights import change_flight
from shared.store.tables import Tables


async def launch(
    app: App, tables: Tables, flight: Flight, slices: Sequence[Slice], *, chain_until: datetime | None = None
) -> str | None:
    """Take the tenant's flight for the first of the slices; the others follow it until that time. Returns the message
    to send, or None when somebody was first."""
    send_id = uuid4().hex
    taken = await change_flight(
        tables.control,
        flight,
        beside=[stir(flight.tenant, slices[0].start)],
        send_id=send_id,
        slice_id=slices[0].id,
        until=app.clock() + app.lease,
    )
    return SliceMessage.of([*slices], send_id, chain_until).model_dump_json(by_alias=True) if taken else None
