"""What the interactive sign-ins of a log say for their sessions, kept on disk: memory does not grow with the log.

Of several versions of one sign-in the one that was read last counts, also where it says nothing any more.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, Self

from shared.signin.evidence import Evidence
from shared.signin.sessions import Proof, Root, Session, SessionKey

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
# One bit for each hash of an id that may be a root's, so that hardly any other id is looked up.
_BITS: Final = 1 << 25


class Roots:
    """The roots of all files; those of a file count once it is accepted."""

    def __init__(self) -> None:
        """Start without any."""
        # "": a file that is nobody's, and that goes with the connection.
        self._rows = sqlite3.connect("", isolation_level=None)
        self._rows.execute("PRAGMA journal_size_limit = 0")
        self._rows.execute("CREATE TABLE roots (id PRIMARY KEY, person, session, at, own) WITHOUT ROWID")
        self._bits = bytearray(_BITS >> 3)
        self._indexed = False
        self._proof = lru_cache(4096)(self._read_proof)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Lets all go."""
        self._rows.close()

    def begin_file(self) -> None:
        """What follows is of another file."""
        self._rows.execute("BEGIN")

    def accept_file(self) -> None:
        """The file counts."""
        self._rows.execute("COMMIT")

    def refuse_file(self) -> None:
        """The file counts nothing."""
        self._rows.execute("ROLLBACK")

    def add(self, roots: Sequence[Root], others: Iterable[str]) -> None:
        """Take the roots of a part, and the ids of its records that are none."""
        known = [(record,) for record in others if self._may_be_known(record)]
        if known:
            self._rows.executemany("DELETE FROM roots WHERE id = ?", known)
        if roots:
            for root in roots:
                place = hash(root.record) % _BITS
                self._bits[place >> 3] |= 1 << (place & 7)
            self._rows.executemany("INSERT OR REPLACE INTO roots VALUES (?, ?, ?, ?, ?)", map(_row, roots))

    def _may_be_known(self, record: str) -> bool:
        place = hash(record) % _BITS
        return bool(self._bits[place >> 3] & 1 << (place & 7))

    def proved(self, session: SessionKey, at: datetime) -> Session:
        """What the roots of a session proved at that time, once all files were read."""
        return self._proof(session).at(at)

    def _read_proof(self, session: SessionKey) -> Proof:
        if not self._indexed:
            self._rows.execute("CREATE INDEX by_session ON roots (person, session)")
            self._indexed = True
        proof = Proof()
        found = self._rows.execute(
            "SELECT own, min(at) FROM roots WHERE person = ? AND session = ? GROUP BY own", session
        )
        for own, micros in found:
            proof.add(_EPOCH + micros * _MICROSECOND, Evidence(own))
        return proof


def _row(root: Root) -> tuple[str, str, str, int, str]:
    return root.record, *root.session, (root.at - _EPOCH) // _MICROSECOND, str(root.own)
