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


type RootRow = tuple[str, str, str, int, str]  # record, person, session, microseconds since 1970, own grade


class Roots:
    """The roots of all files; those of a file count once it is accepted."""

    def __init__(self) -> None:
        """Start without any."""
        # "": a file that is nobody's, and that goes with the connection.
        self._rows = sqlite3.connect("", isolation_level=None)
        self._rows.execute("PRAGMA journal_size_limit = 0")
        self._rows.execute("CREATE TABLE roots (number INTEGER PRIMARY KEY, id, person, session, at, own)")
        # Ids that may have been read before: of their roots only those from this number on count. An index of all ids
        # would take longer than the rest, and hardly any id is read twice.
        self._rows.execute("CREATE TABLE again (id PRIMARY KEY, number) WITHOUT ROWID")
        self._number = self._number_before = 0  # of the last root; that before this file
        self._bits = bytearray(_BITS >> 3)
        self._ended = False
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
        self._number_before = self._number

    def accept_file(self) -> None:
        """The file counts."""
        self._rows.execute("COMMIT")

    def refuse_file(self) -> None:
        """The file counts nothing."""
        self._rows.execute("ROLLBACK")
        self._number = self._number_before

    def add(self, rows: Sequence[RootRow], others: Iterable[str]) -> None:
        """Take the roots of a part (`row_of`), and the ids of its records that are none."""
        self._void(record for record in others if self._may_be_known(record))
        if rows:
            self._void(row[0] for row in rows if self._may_be_known(row[0], note=True))
            self._rows.executemany("INSERT INTO roots (id, person, session, at, own) VALUES (?, ?, ?, ?, ?)", rows)
            self._number += len(rows)

    def _void(self, records: Iterable[str]) -> None:
        """Roots of these ids that were read so far count no more."""
        rows = [(record, self._number) for record in records]
        if rows:
            self._rows.executemany("INSERT OR REPLACE INTO again VALUES (?, ?)", rows)

    def _may_be_known(self, record: str, *, note: bool = False) -> bool:
        place = hash(record) % _BITS
        bit = 1 << (place & 7)
        known = bool(self._bits[place >> 3] & bit)
        if note and not known:
            self._bits[place >> 3] |= bit
        return known

    def proved(self, session: SessionKey, at: datetime) -> Session:
        """What the roots of a session proved at that time, once all files were read."""
        return self._proof(session).at(at)

    def _read_proof(self, session: SessionKey) -> Proof:
        if not self._ended:
            self._rows.execute("DELETE FROM roots WHERE number <= (SELECT number FROM again WHERE again.id = roots.id)")
            self._rows.execute("CREATE INDEX by_session ON roots (person, session, own, at)")
            self._ended = True
        proof = Proof()
        found = self._rows.execute(
            "SELECT own, min(at) FROM roots WHERE person = ? AND session = ? GROUP BY own", session
        )
        for own, micros in found:
            proof.add(_EPOCH + micros * _MICROSECOND, Evidence(own))
        return proof


def row_of(root: Root) -> RootRow:
    """A root as it is kept."""
    return root.record, *root.session, (root.at - _EPOCH) // _MICROSECOND, str(root.own)
