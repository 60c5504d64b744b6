"""What a session's interactive root proved, for the silent sign-ins that come from it (design.md, evidence step 8).

A `sessionId` is made at the interactive root authentication and carried by every token that comes from it, so the root
can speak for children that say nothing of MFA themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from shared.basics.spelling import id_key
from shared.signin.evidence import MISSING, SATISFIED, Evidence
from shared.signin.model import SignIn
from shared.signin.traits import is_interactive, user_key

_SAYS_SOMETHING: Final = SATISFIED | MISSING

type SessionKey = tuple[str, str]  # user key, session id


def session_of(sign_in: SignIn) -> SessionKey | None:
    """The session a record belongs to; None when it names no session or no user."""
    session = id_key(sign_in.session_id)
    user = user_key(sign_in) or (sign_in.user_principal_name or "").strip().lower()
    return (user, session) if session and user else None


def is_root(sign_in: SignIn, own: Evidence) -> bool:
    """Whether a record speaks for its session: interactive, and its own evidence says something."""
    return own in _SAYS_SOMETHING and is_interactive(sign_in)


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

    def at(self, at: datetime) -> Evidence:
        """What the roots at or before that time prove: SESSION, NONE, or UNKNOWN when mixed or none was seen."""
        satisfied = self.satisfied is not None and self.satisfied <= at
        missing = self.missing is not None and self.missing <= at
        if satisfied == missing:
            return Evidence.UNKNOWN
        return Evidence.SESSION if satisfied else Evidence.NONE


@dataclass(slots=True)
class Sessions:
    """All sessions of a log, with one small entry each."""

    proofs: dict[SessionKey, Proof] = field(default_factory=dict)

    def add(self, sign_in: SignIn, own: Evidence) -> None:
        """Note a root; anything else is no news."""
        if is_root(sign_in, own) and (key := session_of(sign_in)):
            self.proofs.setdefault(key, Proof()).add(sign_in.at, own)

    def evidence(self, sign_in: SignIn) -> Evidence:
        """What the record's session proved at its time; UNKNOWN when there is nothing to go by."""
        key = session_of(sign_in)
        proof = self.proofs.get(key) if key else None
        return proof.at(sign_in.at) if proof else Evidence.UNKNOWN
