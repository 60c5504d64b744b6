"""What the interactive roots of a session proved, for the silent sign-ins that come from them: step 8 of the evidence
(docs/semantics.md, "Evidence").

A `sessionId` is made at the interactive root authentication and carried by every token that comes from it, so the root
can speak for children that say nothing of MFA themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from shared.signin.directory import Directory
from shared.signin.evidence import MISSING, SATISFIED, Evidence, own_grade, stated_evidence
from shared.signin.model import SignIn
from shared.signin.outcome import Outcome, outcome_of, result_code
from shared.signin.traits import Identity, is_partner_user, person_key, told_by_log

type SessionKey = tuple[str, str]  # person, session id

_SAYS_SOMETHING: Final = SATISFIED | MISSING
# "Another device", "stay signed in?" and "is it you?" come after the factors: what was proved stands on their row, and
# the success that follows says no more than "first factor by claim".
_INTERRUPTED_AFTER_THE_FACTORS: Final = {50097, 50140, 50199}


class Session(StrEnum):
    """What the roots of a session proved at a time."""

    SATISFIED = "satisfied"
    MISSING = "missing"
    MIXED = "mixed"
    UNSEEN = "unseen"


class Root(NamedTuple):
    """An interactive sign-in that speaks for its session. `own` is a grade that is satisfied or missing."""

    session: SessionKey
    record: str
    at: datetime
    own: Evidence


def session_of(sign_in: SignIn, directory: Directory) -> SessionKey | None:
    """The session a record belongs to; None when it names no session or no person."""
    if not sign_in.session_key:
        return None
    person = person_key(sign_in, directory)
    return (person, sign_in.session_key) if person else None


def session_it_may_root(sign_in: SignIn, directory: Directory) -> SessionKey | None:
    """The session that a record would speak for if it proved something: that of an interactive sign-in of a partner
    user; else None. Such a record may have proved something when it was read before."""
    if not sign_in.session_key or told_by_log(sign_in) != (Identity.USER, True):
        return None
    return session_of(sign_in, directory) if is_partner_user(sign_in, directory) else None


def root_of(sign_in: SignIn, directory: Directory, own: Evidence | None = None) -> Root | None:
    """What a record says for its session; None where it is no root. The one definition of a root. `own` is the grade
    that the record itself gives, where somebody knows it of a success already."""
    session = session_it_may_root(sign_in, directory)
    if session is None:
        return None
    own = own or _proves(sign_in, directory)
    return Root(session, sign_in.id, sign_in.at, own) if own in _SAYS_SOMETHING else None


def _proves(sign_in: SignIn, directory: Directory) -> Evidence | None:
    code = result_code(sign_in)
    if outcome_of(code) is Outcome.SUCCESS:
        return own_grade(sign_in, directory).evidence
    stated = stated_evidence(sign_in) if code in _INTERRUPTED_AFTER_THE_FACTORS else None
    return stated if stated in SATISFIED else None


@dataclass(slots=True)
class Proof:
    """The earliest root of a session that proved MFA and the earliest that did not. Times are UTC."""

    satisfied: datetime | None = None
    missing: datetime | None = None

    def add(self, at: datetime, own: Evidence) -> None:
        """Count a root of that time and grade; any other grade than satisfied or missing counts nothing."""
        if own in SATISFIED and (self.satisfied is None or at < self.satisfied):
            self.satisfied = at
        elif own in MISSING and (self.missing is None or at < self.missing):
            self.missing = at

    def at(self, at: datetime) -> Session:
        """What the roots at or before that time prove."""
        satisfied = self.satisfied is not None and self.satisfied <= at
        missing = self.missing is not None and self.missing <= at
        if satisfied and missing:
            return Session.MIXED
        if satisfied:
            return Session.SATISFIED
        return Session.MISSING if missing else Session.UNSEEN
