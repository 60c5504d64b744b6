"""Technical exceptions and their histories: one partition of the table `control`, since there are few.

An exception and the new line of its history change in one transaction, with If-Match; lines are only ever inserted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from shared.exceptions.life import ExceptionStep
from shared.exceptions.model import TechnicalException
from shared.incidents.history import Line
from shared.store.codec import of_json, to_json
from shared.store.history import line_of, line_row
from shared.store.packing import pack, unpack
from shared.store.swap import swap
from shared.store.tables import SCHEMA, Row, Table, etag_of, insert, is_newer, keys, merge

_PARTITION: Final = "exceptions"
_EXCEPTION: Final = "exception-"
_HISTORY: Final = "history-"


@dataclass(frozen=True, slots=True)
class Stored:
    """An exception and its row's etag."""

    exception: TechnicalException
    etag: str


async def read_exceptions(table: Table) -> list[Stored]:
    """All exceptions, newest request first."""
    rows = table.prefixed(_PARTITION, _EXCEPTION)
    found = [Stored(_exception(row), etag_of(row)) async for row in rows if not is_newer(row)]
    return sorted(found, key=lambda s: (s.exception.requested_at, s.exception.id), reverse=True)


async def read_exception(table: Table, id_: str) -> Stored | None:
    """One of them; None when there is none, or a newer version of the app wrote it."""
    row = await table.get(_PARTITION, _EXCEPTION + id_)
    return None if row is None or is_newer(row) else Stored(_exception(row), etag_of(row))


async def read_history(table: Table, id_: str) -> list[Line]:
    """What happened to it, the oldest first."""
    return [line_of(row) async for row in table.prefixed(_PARTITION, f"{_HISTORY}{id_}-")]


async def write_step(table: Table, step: ExceptionStep, etag: str | None) -> None:
    """Write what happened, if the exception is still the one with that etag (None: new). Raises Conflict where somebody
    else was first; our own write that came back as a conflict counts as written."""
    row = _row(step.after)
    note = line_row(_PARTITION, f"{_HISTORY}{step.after.id}-", step.line)
    first = merge(row, etag) if etag else insert(row)
    await swap(table, note, None, beside=[first], is_mine=lambda stands: line_of(stands) == step.line)


def _row(exception: TechnicalException) -> dict[str, Any]:
    value = to_json(exception)
    return {
        **keys(_PARTITION, _EXCEPTION + exception.id),
        "v": SCHEMA,
        "state": exception.state,
        "ends": exception.ends,
        **pack("record", value),
    }


def _exception(row: Row) -> TechnicalException:
    return of_json(TechnicalException, unpack("record", row))
