"""What a check says, and the last answers kept for the coverage."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum

from pydantic import Field

from shared.store.notes import AppNote, read_note, write_note
from shared.store.packing import pack, unpack
from shared.store.tables import Table, is_newer
from shared.wire.models import Answer


class CheckKind(StrEnum):
    """What is checked."""

    IDENTITY = "identity"
    PERMISSION = "permission"
    LICENCE = "licence"
    STORAGE = "storage"
    QUEUE = "queue"
    WEBHOOK = "webhook"
    DIRECTORY = "directory"
    RULES = "rules"


class CheckState(StrEnum):
    """`unknown`: it could not be found out, which is no proof of anything."""

    OK = "ok"
    MISSING = "missing"
    UNKNOWN = "unknown"


class Check(Answer):
    """One check: of what, what was found, and, where it is not ok, what to do and which command does it."""

    kind: CheckKind
    name: str
    state: CheckState
    detail: str
    to_do: str | None = None
    command: str | None = None


class Preflight(Answer):
    """All checks. `ready`: nothing is missing and nothing unknown."""

    checked_at: datetime
    ready: bool
    missing: int
    unknown: int
    rules_versions: list[str] | None = Field(
        default=None,
        description="Versions of the rules that judged the last 30 days; two ask for a rescan. Null: not looked up.",
    )
    checks: list[Check]


def preflight_of(checks: Sequence[Check], now: datetime, rules_versions: Collection[str] | None = None) -> Preflight:
    """The checks with their totals."""
    missing = sum(check.state is CheckState.MISSING for check in checks)
    unknown = sum(check.state is CheckState.UNKNOWN for check in checks)
    return Preflight(
        checked_at=now,
        ready=not missing and not unknown,
        missing=missing,
        unknown=unknown,
        rules_versions=None if rules_versions is None else [*rules_versions],
        checks=[*checks],
    )


async def save_preflight(table: Table, said: Preflight) -> None:
    """Keep the last answers."""
    await write_note(table, AppNote.PREFLIGHT, at=said.checked_at, **pack("said", said.model_dump(mode="json")))


async def kept_preflight(table: Table) -> Preflight | None:
    """What was found last; None when nobody ever looked."""
    row = await read_note(table, AppNote.PREFLIGHT)
    return None if row is None or is_newer(row) else Preflight.model_validate(unpack("said", row))


async def last_preflight(table: Table) -> Preflight | None:
    """What was found last, but for what is ok; None when nobody ever looked."""
    said = await kept_preflight(table)
    return said and said.model_copy(
        update={"checks": [check for check in said.checks if check.state is not CheckState.OK]}
    )
