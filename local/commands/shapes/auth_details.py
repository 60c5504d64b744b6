"""The steps of the portal's CSV download: AuthDetails, a file of its own with a row a step, joined by request id.

They wait in a small database on disk until the sign-ins come, so that memory does not grow with them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Final, Self

_STEP: Final = {
    "authentication method": "authenticationMethod",
    "authentication method detail": "authenticationMethodDetail",
    "result detail": "authenticationStepResultDetail",
    "requirement": "authenticationStepRequirement",
    "date (utc)": "authenticationStepDateTime",
    "date": "authenticationStepDateTime",
}
_YES: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def fits(columns: Sequence[str]) -> bool:
    """Whether these columns are those of steps."""
    return {"request id", "authentication method"} <= set(columns) and not {"succeeded", "result detail"}.isdisjoint(
        columns
    )


def step_of(row: dict[str, str]) -> dict[str, Any]:
    """The entry of authenticationDetails that a row is."""
    step: dict[str, Any] = {member: row[name] for name, member in _STEP.items() if row.get(name)}
    step["succeeded"] = _YES.get(row.get("succeeded", "").strip().lower())
    return step


class Steps:
    """All steps of the files that were given, by request id."""

    def __init__(self) -> None:
        """Start without any."""
        self._count = 0
        # "": a file that is nobody's, and that goes with the connection.
        self._rows = sqlite3.connect("", isolation_level=None)
        self._rows.execute("CREATE TABLE steps (request, step, at, PRIMARY KEY (request, step)) WITHOUT ROWID")

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Lets the steps go."""
        self._rows.close()

    def add(self, rows: Iterable[dict[str, str]]) -> None:
        """Keep the steps of a file; one that an overlapping download told already counts once."""
        self._rows.execute("BEGIN")
        for row in rows:
            self._count += 1
            kept = _key(row.get("request id", "")), json.dumps(step_of(row)), self._count
            self._rows.execute("INSERT OR IGNORE INTO steps VALUES (?, ?, ?)", kept)
        self._rows.execute("COMMIT")

    def of(self, request_id: str) -> list[dict[str, Any]] | None:
        """The steps of a sign-in in their order; None where no file told any of it."""
        if not self._count:
            return None
        found = self._rows.execute("SELECT step FROM steps WHERE request = ? ORDER BY at", (_key(request_id),))
        return [json.loads(step) for (step,) in found] or None


def _key(request_id: str) -> str:
    return request_id.strip().lower()
