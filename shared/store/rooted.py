"""Under whose sessions a slice ever left a root: rows beside its head.

A root stands in the partition of its person (shared/store/sessions.py). Where the log, or a new roster, gives a record
to another person or session, nothing there leads back to the slice; so it notes whom it wrote to, before it does. A
note is never taken back: that nothing stands under one of its names any more is harmless.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from hashlib import sha256
from itertools import batched, groupby
from typing import Any, Final, NamedTuple

from shared.ledger.slices import Slice
from shared.signin.sessions import SessionKey
from shared.store.packing import pack, unpack
from shared.store.tables import SCHEMA, Operation, Table, is_newer, keys, upsert

ROOTED: Final = "rooted-"
ROOTS: Final = "roots"
_A_ROW: Final = 5_000  # about 150 KB, of which several share a batch


class Rooted(NamedTuple):
    """That a record, by a digest of its id, left a root for a session."""

    session: SessionKey
    digest: str


def digest_of(record: str) -> str:
    """What a note keeps of a record's id."""
    return sha256(record.encode("utf-8", "surrogatepass")).hexdigest()[:16]


async def rooted_of(table: Table, slice_: Slice) -> frozenset[Rooted]:
    """What a slice noted; what a newer version of the app noted is left to it."""
    rows = [row async for row in table.prefixed(slice_.partition, _prefix(slice_))]
    return frozenset(rooted for row in rows if not is_newer(row) for rooted in _noted(unpack(ROOTS, row) or []))


def note_rooted(slice_: Slice, rooted: Collection[Rooted], generation: str) -> list[Operation]:
    """The writes that note these beside what was noted; `generation` is that of the read."""
    return [
        upsert(
            {
                **keys(slice_.partition, f"{_prefix(slice_)}{generation}-{number:03d}"),
                "v": SCHEMA,
                **pack(ROOTS, _lines(some)),
            }
        )
        for number, some in enumerate(batched(sorted(rooted), _A_ROW, strict=False))
    ]


def lines_without(lines: list[Any], person: str) -> list[Any]:
    """What a row packs, without a person: the next read of the slice notes them anew, under the name they have then."""
    return [line for line in lines if line[0] != person]


def _prefix(slice_: Slice) -> str:
    return f"{ROOTED}{slice_.name}-"


def _lines(rooted: Iterable[Rooted]) -> list[Any]:
    return [[*session, [r.digest for r in of]] for session, of in groupby(rooted, key=lambda r: r.session)]


def _noted(lines: Iterable[Any]) -> Iterable[Rooted]:
    return (Rooted((person, session), digest) for person, session, digests in lines for digest in digests)
