"""Judges the records of a log as they come, and remembers what speaks for a session until all were read.

A record that says nothing of MFA asks its session, and any record of the log may tell: so each record is judged once,
when it is read, for every answer that its session may give; what is said of it waits until all were read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final

from shared.rules.assess import Assessment, assess
from shared.rules.rule import Policy
from shared.signin.directory import Directory
from shared.signin.model import SignIn
from shared.signin.sessions import Proof, Root, Session, SessionKey, root_of, session_of

type Line = Callable[[SignIn, Assessment], str]

# In the order of the choices of a waiting line.
_ANSWERS: Final = (Session.SATISFIED, Session.MISSING, Session.MIXED, Session.UNSEEN)


class Judge:
    """Judges records file by file, and remembers the roots of their sessions."""

    def __init__(self, directory: Directory, policy: Policy, line: Line, *, sessions: bool) -> None:
        """`line` makes the text of a judged record."""
        self._directory, self._policy, self._line, self._sessions = directory, policy, line, sessions
        # By id, because only the version of a record that was served last counts.
        self._roots: dict[str, Root] = {}
        self._of_this_file: dict[str, Root | None] = {}  # None: no root any more

    def line(self, sign_in: SignIn) -> str:
        """What is said of a record: a JSON object, or a list that waits for its session (`settled`)."""
        judged = assess(sign_in, self._directory, self._policy)
        if not self._sessions:
            return self._line(sign_in, judged)
        self._note(sign_in)
        if not judged.asks_session or (key := session_of(sign_in, self._directory)) is None:
            return self._line(sign_in, judged)
        choices = [
            self._line(sign_in, assess(sign_in, self._directory, self._policy, answer)) for answer in _ANSWERS[:-1]
        ]
        return json.dumps([*key, sign_in.instant.isoformat(), *choices, self._line(sign_in, judged)])

    def _note(self, sign_in: SignIn) -> None:
        if root := root_of(sign_in, self._directory):
            self._of_this_file[sign_in.id] = root
        elif sign_in.id in self._roots or sign_in.id in self._of_this_file:
            self._of_this_file[sign_in.id] = None

    def accept_file(self) -> None:
        """The file that was read counts."""
        for record, root in self._of_this_file.items():
            if root:
                self._roots[record] = root
            else:
                self._roots.pop(record, None)
        self._of_this_file.clear()

    def refuse_file(self) -> None:
        """The file that was read counts nothing."""
        self._of_this_file.clear()

    def proofs(self) -> dict[SessionKey, Proof]:
        """What the sessions proved, once all files were read."""
        proofs: dict[SessionKey, Proof] = {}
        for root in self._roots.values():
            proofs.setdefault(root.session, Proof()).add(root.at, root.own)
        return proofs


def settled(lines: Iterable[str], proofs: dict[SessionKey, Proof]) -> Iterator[str]:
    """The lines with what waited for a session decided."""
    for line in lines:
        if line.startswith("["):
            user, session, at, *choices = json.loads(line)
            proof = proofs.get((user, session))
            answer = proof.at(datetime.fromisoformat(at)) if proof else Session.UNSEEN
            yield choices[_ANSWERS.index(answer)]
        else:
            yield line
