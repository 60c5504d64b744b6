"""Who accepted that quarantined records cannot be read, when and why: rows of `control`, only ever inserted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.basics.spelling import id_key
from shared.store.codec import Codec
from shared.store.tables import SCHEMA, Table, insert, is_newer, keys

_PARTITION: Final = "accepted-quarantine"


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What was accepted, in which period. Times are UTC. `busy` slices were left out, since a worker read them."""

    at: datetime
    by: str
    reason: str
    first: datetime
    end: datetime
    slices: int
    records: int
    busy: int = 0


_CODEC: Final = Codec(Acceptance, names={"first": "from", "end": "to"}, longest={"reason": 1000, "by": 200})


async def note_acceptance(table: Table, tenant: str, acceptance: Acceptance) -> None:
    """Keep an acceptance."""
    row_key = f"{id_key(tenant)}-{acceptance.at:%Y%m%d%H%M%S%f}"
    await table.write(insert({**keys(_PARTITION, row_key), "v": SCHEMA, **_CODEC.columns(acceptance)}))


async def acceptances(table: Table, tenant: str) -> list[Acceptance]:
    """All acceptances of a tenant, oldest first."""
    rows = table.prefixed(_PARTITION, f"{id_key(tenant)}-")
    return [_CODEC.value(row) async for row in rows if not is_newer(row)]
