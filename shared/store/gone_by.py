"""What a slice's last whole read went by of sessions: a row beside its head, so that the next read need not ask person
by person.

It is good while nobody made the slice due and the same is said and asked: whoever changes what a session proved makes
due who asked (shared/scan/sessions.py). It names nobody: a digest of what was said and asked, and times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.ledger.slices import Slice
from shared.signin.sessions import Proof
from shared.store.codec import Codec
from shared.store.packing import TooLong
from shared.store.tables import SCHEMA, Operation, Table, delete, is_newer, keys, upsert

_WENT: Final = "went-"
_ROOM: Final = 200_000  # beyond it the next read asks again


@dataclass(frozen=True, slots=True)
class GoneBy:
    """`generation` is that of the read, `digest` stands for what it said and asked, `proofs` are what the sessions that
    it asked had proved, in the order of their keys."""

    generation: str
    digest: str
    proofs: tuple[Proof, ...]


_CODEC: Final = Codec(GoneBy, packed=("proofs",))


async def read_gone_by(table: Table, slice_: Slice) -> GoneBy | None:
    """What the last whole read went by; None where nobody noted it."""
    row = await table.get(slice_.partition, _WENT + slice_.name)
    return None if row is None or is_newer(row) or "digest" not in row else _CODEC.value(row)


def note_gone_by(slice_: Slice, gone_by: GoneBy) -> list[Operation]:
    """The write that notes it; none where it is too large for a row."""
    try:
        return [upsert({**_keys(slice_), "v": SCHEMA, **_CODEC.columns(gone_by, room=_ROOM)})]
    except TooLong:
        return []


def forget_gone_by(slice_: Slice) -> Operation:
    """The write that removes a note that stands."""
    return delete(_keys(slice_))


def _keys(slice_: Slice) -> dict[str, str]:
    return keys(slice_.partition, _WENT + slice_.name)
