"""Technical exceptions and their histories: one partition of the table `control`, since there are few.

An exception and the new line of its history change in one transaction, with If-Match; lines are only ever inserted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from shared.exceptions.life import Line, Step
from shared.exceptions.model import Covers, Papers, TechnicalException
from shared.store.packing import pack, unpack
from shared.store.tables import SCHEMA, Conflict, Row, Table, etag_of, insert, is_newer, keys, merge, utc

_PARTITION: Final = "exceptions"
_EXCEPTION: Final = "exception-"
_HISTORY: Final = "history-"
_TIMES: Final = ("starts", "ends", "requested_at", "approved_at", "withdrawn_at")


@dataclass(frozen=True, slots=True)
class Stored:
    """An exception and its row's etag."""

    exception: TechnicalException
    etag: str


async def read_exceptions(table: Table) -> list[Stored]:
    """All of them, the one asked for last first."""
    rows = table.prefixed(_PARTITION, _EXCEPTION)
    found = [Stored(_exception(row), etag_of(row)) async for row in rows if not is_newer(row)]
    return sorted(found, key=lambda s: (s.exception.requested_at, s.exception.id), reverse=True)


async def read_exception(table: Table, id_: str) -> Stored | None:
    """One of them; None when there is none, or a newer version of the app wrote it."""
    row = await table.get(_PARTITION, _EXCEPTION + id_)
    return None if row is None or is_newer(row) else Stored(_exception(row), etag_of(row))


async def read_history(table: Table, id_: str) -> list[Line]:
    """What happened to it, the oldest first."""
    prefix = f"{_HISTORY}{id_}-"
    return [
        Line(int(str(row["RowKey"]).removeprefix(prefix)), utc(row["at"]), row["by"], row["action"], row["detail"])
        async for row in table.prefixed(_PARTITION, prefix)
    ]


async def write_step(table: Table, step: Step, etag: str | None) -> None:
    """Write what happened, if the exception is still the one with that etag (None: new). Raises Conflict where somebody
    else was first; our own write that came back as a conflict is none."""
    row, line = _row(step.after), step.line
    note = {
        **keys(_PARTITION, f"{_HISTORY}{step.after.id}-{line.number:08d}"),
        "v": SCHEMA,
        "at": line.at,
        "by": line.by,
        "action": line.action,
        "detail": line.detail,
    }
    try:
        await table.transact([merge(row, etag) if etag else insert(row), insert(note)])
    except Conflict:
        if line not in await read_history(table, step.after.id):
            raise


def _row(exception: TechnicalException) -> dict[str, Any]:
    value = asdict(exception)
    value["covers"]["rules"] = sorted(exception.covers.rules)
    for name in _TIMES:
        value[name] = getattr(exception, name).isoformat()
    return {
        **keys(_PARTITION, _EXCEPTION + exception.id),
        "v": SCHEMA,
        "state": exception.state,
        "ends": exception.ends,
        **pack("record", value),
    }


def _exception(row: Row) -> TechnicalException:
    value: Mapping[str, Any] = unpack("record", row)
    covers, papers = value["covers"], value["papers"]
    return TechnicalException(
        **{
            **value,
            **{name: datetime.fromisoformat(value[name]) for name in _TIMES},
            "covers": Covers(**{**covers, "rules": frozenset(covers["rules"])}),
            "papers": Papers(**{**papers, "others": tuple(papers["others"])}),
        }
    )
