"""What sessions proved, and which slices asked.

A partition a person: `<session>-root-<record>` rows say what an interactive sign-in proved, `<session>-ask-<slice>`
rows which slices went by it. Whoever asks leaves the row first and reads then; whoever changes a root writes it first
and reads the askers then: so neither can miss the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from typing import Any, Final

from shared.basics.spelling import key_part
from shared.ledger.slices import Slice, slice_with_id
from shared.signin.evidence import MISSING, SATISFIED, Evidence
from shared.signin.sessions import Proof, SessionKey
from shared.store.swap import swap, until_settled
from shared.store.tables import (
    MAX_BATCH,
    MOST_RANGES,
    SCHEMA,
    Conflict,
    Operation,
    Row,
    Table,
    etag_of,
    insert,
    is_newer,
    keys,
    merge,
    upsert,
    utc,
)

_ROOT: Final = "root"
_ASK: Final = "ask"
_APART: Final = "-at-"  # between a record and its time, where another has the same id; no record's part has a hyphen
_COLUMNS: Final = ("PartitionKey", "RowKey", "v", "at", "proves", "generation")
SATISFIES: Final = "satisfied"
LACKS: Final = "missing"
NOTHING: Final = ""  # the record was corrected and proves nothing now; the row stays, so that no older read revives it


class RootRow:
    """An interactive sign-in and what it proved: SATISFIES, LACKS or NOTHING."""

    __slots__ = ("at", "proves", "record")

    def __init__(self, record: str, at: datetime, own: Evidence) -> None:
        self.record = record
        self.at = at
        self.proves = SATISFIES if own in SATISFIED else LACKS if own in MISSING else NOTHING


FIRST_PARTITION: Final = "person-"
LAST_PARTITION: Final = "person-~"


def person_partition(person: str) -> str:
    """The partition of a person's sessions."""
    return f"person-{key_part(person)}"


def renamed(row: Row, person: str, session: Callable[[str], str]) -> dict[str, Any]:
    """A row of a session as it stands under another person and another id of the session."""
    name, _, rest = str(row["RowKey"]).partition("-")
    return {**row, **keys(person_partition(person), f"{key_part(session(name))}-{rest}")}


@dataclass(frozen=True, slots=True)
class SessionRows:
    """What stands of one session: its roots by row key, and the slices that went by it."""

    roots: dict[str, Row] = field(default_factory=dict)
    askers: list[Slice] = field(default_factory=list)

    @property
    def proof(self) -> Proof:
        """What its roots proved."""
        return _proof(self.roots.values())

    def was_asked_by(self, slice_: Slice) -> bool:
        """Whether a slice left word that it goes by this session; by id, since its row spells the tenant as a key."""
        return any(asker.id == slice_.id for asker in self.askers)


type PersonRows = dict[SessionKey, SessionRows]


async def read_person(table: Table, person: str, sessions: Iterable[str]) -> PersonRows:
    """What stands of some sessions of a person: one request for a few of them."""
    by_prefix = {key_part(session): (person, session) for session in sessions}
    found = {key: SessionRows() for key in by_prefix.values()}
    for prefixes in batched(by_prefix, MOST_RANGES, strict=False):
        ranges = [(f"{prefix}-", f"{prefix}-~") for prefix in prefixes]
        async for row in table.ranges(person_partition(person), ranges, _COLUMNS):
            prefix, kind, rest = str(row["RowKey"]).split("-", 2)
            rows = found[by_prefix[prefix]]
            if kind == _ROOT:
                rows.roots[str(row["RowKey"])] = row
            elif kind == _ASK:
                rows.askers.append(slice_with_id(rest))
    return found


@dataclass(frozen=True, slots=True)
class RootChange:
    """What has to be written so that a session's roots are as a read found them, and whether that changes its proof."""

    session: SessionKey
    changes_proof: bool
    writes: list[tuple[dict[str, Any], Row | None]]


def roots_to_change(
    session: SessionKey, stands: SessionRows, by: RootsOf, roots: Iterable[RootRow], *, rewrite: bool
) -> RootChange:
    """Compare what a read found with what stands. Pure.

    A root that proves nothing is written only over one that did; one that a newer generation wrote stays. `rewrite`: an
    older worker may still be writing, so that every row gets the new generation, even one that is equal or proves
    nothing.
    """
    after = dict(stands.roots)
    writes: list[tuple[dict[str, Any], Row | None]] = []
    for root in roots:
        plain = _root_row(session, by, root)
        row = {**plain, "RowKey": _own_key(plain, stands.roots, by.slice)}
        old = stands.roots.get(row["RowKey"])
        if _must_be_written(row, old, rewrite=rewrite):
            writes.append((row, old))
            after[row["RowKey"]] = row
    return RootChange(session, stands.proof != _proof(after.values()), writes)


@dataclass(frozen=True, slots=True)
class RootsOf:
    """Whose roots they are: the slice, and the generation of its read."""

    slice: Slice
    generation: str


def _root_row(session: SessionKey, by: RootsOf, root: RootRow) -> dict[str, Any]:
    partition, prefix = _names(session)
    return {
        **keys(partition, f"{prefix}-{_ROOT}-{key_part(root.record)}"),
        "v": SCHEMA,
        "at": root.at,
        "proves": root.proves,
        "slice": by.slice.id,
        "generation": by.generation,
    }


def _own_key(row: Row, stands: Mapping[str, Row], slice_: Slice) -> str:
    """The key of a root's row: that of its record, unless a record of the same id from another time has it. Then each
    has its own; else two slices would take the row from each other for ever."""
    key = str(row["RowKey"])
    same_id = [key, *(name for name in stands if name.startswith(f"{key}{_APART}"))]
    own = next((name for name in same_id if name in stands and _is_in(stands[name], slice_)), None)
    return own or (f"{key}{_APART}{row['at']:%Y%m%d%H%M%S}" if key in stands else key)


def _is_in(row: Row, slice_: Slice) -> bool:
    """Whether a root lies in a slice; what a newer version of the app wrote may not say."""
    return "at" not in row or slice_.start <= utc(row["at"]) < slice_.end


def _must_be_written(row: Row, old: Row | None, *, rewrite: bool) -> bool:
    if old is None:
        return rewrite or row["proves"] != NOTHING
    if _is_ahead(old, row["generation"]):
        return False
    return rewrite or (old["proves"], utc(old["at"])) != (row["proves"], row["at"])


async def write_person(table: Table, changes: Iterable[RootChange], asked: Iterable[SessionKey], slice_: Slice) -> None:
    """Write the roots of a person, and word that the slice goes by these sessions: all at once, as far as nobody else
    changes one. Raises Conflict when others change one all the time."""
    roots = [write for change in changes for write in change.writes]
    asks = [_ask(session, slice_) for session in asked]
    writes = [(merge(row, etag_of(old)) if old is not None else insert(row), (row, old)) for row, old in roots]
    for batch in batched(writes, MAX_BATCH, strict=False):
        try:
            await _together(table, [operation for operation, _ in batch])
        except Conflict:
            for _, (row, read) in batch:
                await until_settled(f"root {row['RowKey']}", _RootWrite(table, row, read))
    for some in batched(asks, MAX_BATCH, strict=False):
        await _together(table, some)


async def write_new(
    table: Table, roots: Mapping[SessionKey, Sequence[RootRow]], asked: Iterable[SessionKey], by: RootsOf
) -> bool:
    """Write the roots that a first read found of a person, even those that prove nothing, and word that its slice goes
    by these sessions, in one transaction. False, with nothing written, where one of the roots stands already or there
    are too many for one."""
    rows = [_root_row(session, by, root) for session, found in roots.items() for root in found]
    writes = [insert(row) for row in {row["RowKey"]: row for row in rows}.values()]
    writes += [_ask(session, by.slice) for session in asked]
    if not 0 < len(writes) <= MAX_BATCH:
        return False
    try:
        await _together(table, writes)
    except Conflict:  # or our own success, sent again: the usual way takes it for somebody else's and writes it anew
        return False
    return True


def _ask(session: SessionKey, slice_: Slice) -> Operation:
    partition, prefix = _names(session)
    return upsert({**keys(partition, f"{prefix}-{_ASK}-{slice_.id}"), "v": SCHEMA})


async def _together(table: Table, writes: Sequence[Operation]) -> None:
    if len(writes) > 1:
        await table.transact(writes)
    else:
        await table.write(writes[0])


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


async def slices_asked(table: Table, person: str, slices: Iterable[str]) -> set[str] | None:
    """The slices with roots of the sessions that these slices asked for, of one person; None when they asked none."""
    wanted = set(slices)
    asked: set[str] = set()
    roots: dict[str, set[str]] = {}
    rows = table.prefixed(person_partition(person), "", select=["RowKey", "slice"])
    async for row in rows:
        session, kind, rest = str(row["RowKey"]).split("-", 2)
        if kind == _ASK and rest in wanted:
            asked.add(session)
        elif kind == _ROOT:
            roots.setdefault(session, set()).add(str(row.get("slice", "")))
    return {slice_ for session in asked for slice_ in roots.get(session, ())} if asked else None


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


def is_of_before(row: Row, cutoff: datetime) -> bool:
    """Whether a row is a root of before that time, or the word of a slice of a day before it (UTC)."""
    if "at" in row:  # a root
        return utc(row["at"]) < cutoff
    _, asks, slice_id = str(row["RowKey"]).partition(f"-{_ASK}-")
    return bool(asks) and slice_id.split("-")[1] < f"{cutoff:%Y%m%d}"
