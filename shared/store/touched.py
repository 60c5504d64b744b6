"""Which incidents a slice is about to change: notes beside its head, which a worker that dies leaves to the next.

A note holds many incidents; an older version of the app wrote one for each, whose key ends with the incident's. That
version, where it works on beside this one, sees no notes of this kind: else it would take them for its own and remove
them, undone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import batched
from typing import Final

from shared.ledger.slices import Slice
from shared.store.packing import pack, packed_columns, unpack
from shared.store.tables import SCHEMA, Operation, Table, delete, is_newer, keys, upsert

_INCIDENTS: Final = "incidents"
_NOTE, _OLD_NOTE, _END = ".", "-", "/"  # behind the slice's name, in the order of keys: - . /
_A_ROW: Final = 5_000  # about 90 KB, of which several share a batch


@dataclass(frozen=True, slots=True)
class Touched:
    """The keys of incidents that were noted, and those of the rows that say so."""

    incidents: Set[str] = frozenset()
    rows: Sequence[str] = ()


async def touched_of(table: Table, slice_: Slice) -> Touched:
    """What workers noted that did not get to their end."""
    incidents: set[str] = set()
    rows: list[str] = []
    place, select = _place(slice_), ["RowKey", "v", *packed_columns(_INCIDENTS)]
    async for row in table.range(slice_.partition, place + _OLD_NOTE, place + _END, select):
        if not is_newer(row):
            key = str(row["RowKey"])
            incidents.update(unpack(_INCIDENTS, row) or [key.removeprefix(place + _OLD_NOTE)])
            rows.append(key)
    return Touched(incidents, rows)


def notes_of(slice_: Slice, incidents: Collection[str], generation: str) -> Iterator[Operation]:
    """The writes that note these beside what was noted; `generation` is that of the read."""
    for number, some in enumerate(batched(sorted(incidents), _A_ROW, strict=False)):
        row = keys(slice_.partition, f"{_place(slice_)}{_NOTE}{generation}-{number:03d}")
        yield upsert({**row, "v": SCHEMA, **pack(_INCIDENTS, some)})


def no_longer(slice_: Slice, noted: Touched) -> Iterator[Operation]:
    """The writes that remove the notes: what they say was done."""
    return (delete(keys(slice_.partition, row)) for row in noted.rows)


def _place(slice_: Slice) -> str:
    return f"touch-{slice_.name}"
