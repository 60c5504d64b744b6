"""What sessions proved, and which slices asked.

A partition a person: `<session>-root-<record>` rows say what an interactive sign-in proved, `<session>-ask-<slice>`
rows which slices went by it. Whoever asks leaves the row first and reads then; whoever changes a root writes it first
and reads the askers then: so neither can miss the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import batched
from typing import Any, Final

from shared.basics.spelling import key_part
from shared.ledger.slices import Slice, slice_named
from shared.signin.evidence import MISSING, SATISFIED, Evidence
from shared.signin.sessions import Proof, SessionKey
from shared.store.swap import swap, until_settled
from shared.store.tables import (
    MAX_BATCH,
    SCHEMA,
    Conflict,
    Row,
    Table,
    etag_of,
    is_newer,
    keys,
    upsert,
    utc,
)

SATISFIES: Final = "satisfied"
LACKS: Final = "missing"
NOTHING: Final = ""  # the record was corrected and proves nothing now; the row stays, so that no older read revives it


class Root:
    """An interactive sign-in and what it proved: SATISFIES, LACKS or NOTHING."""

    __slots__ = ("at", "proves", "record")

    def __init__(self, record: str, at: datetime, own: Evidence) -> None:
        self.record = record
        self.at = at
        self.proves = SATISFIES if own in SATISFIED else LACKS if own in MISSING else NOTHING


def person_partition(person: str) -> str:
    """The partition of a person's sessions."""
    return f"person-{key_part(person)}"


def renamed(row: Row, person: str, session: Callable[[str], str]) -> dict[str, Any]:
    """A row of a session as it stands under another person and another id of the session."""
    name, _, rest = str(row["RowKey"]).partition("-")
    return {**row, **keys(person_partition(person), f"{key_part(session(name))}-{rest}")}


@dataclass(frozen=True, slots=True)
class RootChange:
    """What has to be written so that a session's roots are as a read found them, and whether that changes its proof."""

    session: SessionKey
    changes_proof: bool
    writes: list[tuple[dict[str, Any], Row | None]]


async def roots_to_change(
    table: Table, session: SessionKey, slice_: Slice, generation: str, roots: Iterable[Root], *, rewrite: bool
) -> RootChange:
    """Compare what a read found with what stands. A root that proves nothing is written only over one that did; one
    that a newer generation wrote stays. `rewrite`: an older worker may still be writing, so that every row gets the new
    generation, even one that is equal or proves nothing."""
    partition, prefix = _names(session)
    known: dict[str, Row] = {str(row["RowKey"]): row async for row in table.prefixed(partition, f"{prefix}-root-")}
    after = dict(known)
    writes: list[tuple[dict[str, Any], Row | None]] = []
    for root in roots:
        row = {
            **keys(partition, f"{prefix}-root-{key_part(root.record)}"),
            "v": SCHEMA,
            "at": root.at,
            "proves": root.proves,
            "slice": slice_.id,
            "generation": generation,
        }
        old = known.get(row["RowKey"])
        if old is None and root.proves == NOTHING and not rewrite:
            continue
        if old is not None and _is_ahead(old, generation):
            continue
        if old is not None and not rewrite and (old["proves"], utc(old["at"])) == (root.proves, root.at):
            continue
        writes.append((row, old))
        after[row["RowKey"]] = row
    return RootChange(session, _proof(known.values()) != _proof(after.values()), writes)


async def change_roots(table: Table, change: RootChange) -> None:
    """Write them. Raises Conflict when others change one all the time."""
    for row, read in change.writes:
        await until_settled(f"root {row['RowKey']}", _RootWrite(table, row, read))


class _RootWrite:
    """One try after the other to write a root; a newer read of its slice that was here first is left to stand."""

    def __init__(self, table: Table, row: Row, read: Row | None) -> None:
        self._table = table
        self._row = row
        self._old = read

    async def __call__(self) -> None:
        row = self._row
        try:
            await swap(
                self._table,
                row,
                etag_of(self._old) if self._old is not None else None,
                is_mine=lambda stands: _is_ahead(stands, row["generation"], or_same=True),
            )
        except Conflict:
            self._old = await self._table.get(row["PartitionKey"], row["RowKey"])
            raise


def _is_ahead(row: Row, generation: str, *, or_same: bool = False) -> bool:
    if is_newer(row):
        return True
    written = str(row["generation"])
    return written > generation or (or_same and written == generation)


async def proof_of(table: Table, session: SessionKey) -> Proof:
    """What the roots of a session proved."""
    partition, prefix = _names(session)
    return _proof([row async for row in table.prefixed(partition, f"{prefix}-root-", select=["at", "proves", "v"])])


async def ask(table: Table, person: str, asked: Iterable[str], slice_: Slice) -> dict[SessionKey, Proof]:
    """Leave word that the slice goes by these sessions of a person, then say what each proved."""
    sessions = [(person, session_id) for session_id in asked]
    named = [_names(session) for session in sessions]
    rows = [upsert({**keys(partition, f"{prefix}-ask-{slice_.id}"), "v": SCHEMA}) for partition, prefix in named]
    for batch in batched(rows, MAX_BATCH, strict=False):
        await table.transact(batch) if len(batch) > 1 else await table.write(batch[0])
    return {key: await proof_of(table, key) for key in sessions}


async def slices_asked(table: Table, person: str, slices: Iterable[str]) -> set[str] | None:
    """The slices with roots of the sessions that these slices asked for, of one person; None when they asked none."""
    wanted = set(slices)
    asked: set[str] = set()
    roots: dict[str, set[str]] = {}
    rows = table.prefixed(person_partition(person), "", select=["RowKey", "slice"])
    async for row in rows:
        session, kind, rest = str(row["RowKey"]).split("-", 2)
        if kind == "ask" and rest in wanted:
            asked.add(session)
        elif kind == "root":
            roots.setdefault(session, set()).add(str(row.get("slice", "")))
    return {slice_ for session in asked for slice_ in roots.get(session, ())} if asked else None


async def askers(table: Table, session: SessionKey) -> list[Slice]:
    """The slices that went by this session."""
    partition, prefix = _names(session)
    named = f"{prefix}-ask-"
    rows = table.prefixed(partition, named, select=["RowKey"])
    return [_slice_of(str(row["RowKey"]).removeprefix(named)) async for row in rows]


def _slice_of(id_: str) -> Slice:
    tenant, day, start, width = id_.split("-")
    return slice_named(tenant, datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC), f"{start}-{width}")


def _proof(rows: Iterable[Row]) -> Proof:
    proof = Proof()
    for row in rows:
        proves, at = row.get("proves"), row.get("at")  # a newer version may have named them otherwise
        if proves and at:
            proof.add(utc(at), Evidence.PROVEN if proves == SATISFIES else Evidence.NONE)
    return proof


def _names(session: SessionKey) -> tuple[str, str]:
    person, session_id = session
    return person_partition(person), key_part(session_id)
