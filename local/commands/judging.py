"""Judges the records of a log, part by part, for every answer that a record's session may give.

A record that says nothing of MFA asks its session, and any record of the log may tell: so each is judged once, when it
is read, and what is said of it waits (`spool`) until all were read and the roots of all sessions (`roots`) are known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from local.commands.lines import Pieces
from local.commands.roots import RootRow, row_of
from local.commands.shapes import Intake
from local.commands.spool import ANSWERS, Elsewhere, Frames, Waits
from local.commands.unread import Unread
from shared.rules.assess import Assessment, assess
from shared.rules.rule import Policy
from shared.signin.directory import Directory
from shared.signin.evidence import Strength, own_grade
from shared.signin.model import SignIn
from shared.signin.outcome import Outcome
from shared.signin.sessions import Root, root_of, session_of
from shared.signin.traits import is_interactive

_MOST_KNOWN: Final = 4096


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a part of a file: its frames, how many things it held, what they were, the roots among them, and
    the ids of the records that are none."""

    frames: bytes | Elsewhere
    count: int
    intake: Intake
    roots: list[RootRow]
    others: list[str]


class Judge:
    """Judges with one directory and one policy."""

    def __init__(self, directory: Directory, policy: Policy, pieces: Pieces, *, sessions: bool) -> None:
        """`pieces` makes the text of a judged record."""
        self._directory, self._policy, self._pieces, self._sessions = directory, policy, pieces, sessions
        self._known: dict[tuple[Assessment, bool, Strength | None], list[bytes]] = {}

    def judge(self, items: Iterable[SignIn | Unread], intake: Intake) -> Judged:
        """Judge all of a part. `intake` is the one that hears of the items while they are read."""
        frames = Frames()
        # The version of a record that comes last counts, also where it is no root any more.
        roots: dict[str, Root | None] = {}
        count = 0
        for item in items:
            if isinstance(item, SignIn):
                judged = self._judge(item, frames)
                if self._sessions:
                    own = judged.evidence if judged.outcome is Outcome.SUCCESS else None
                    roots[item.id] = root_of(item, self._directory, own)
            else:
                frames.add_unread(item.reason, count)
                if not item.is_object:
                    intake.note_text(item.reason)
            count += 1
        return Judged(
            frames.taken(),
            count,
            intake,
            [row_of(root) for root in roots.values() if root],
            [record for record, root in roots.items() if not root],
        )

    def _judge(self, sign_in: SignIn, frames: Frames) -> Assessment:
        """Judge a record by what it says itself; what its session may say of it waits."""
        judged = assess(sign_in, self._directory, self._policy)
        before, after = self._pieces.ends(sign_in, judged)
        session = session_of(sign_in, self._directory) if self._sessions and judged.asks_session else None
        if session is None:
            frames.add_line(b"%b%b%b" % (before, self._pieces.middle(judged), after))
        else:
            frames.add_waiting(Waits(session, sign_in.at, before, self._middles(sign_in, judged), after))
        return judged

    def _middles(self, sign_in: SignIn, judged: Assessment) -> list[bytes]:
        """The middles of a record that asks its session, for each answer.

        What an answer changes depends on nothing but these: such a record is a success by no legacy client or password
        flow, and whether it came by device code or another provider stands behind it shows in the rules that fit.
        """
        key = judged, is_interactive(sign_in), own_grade(sign_in, self._directory).strength
        middles = self._known.get(key)
        if middles is None:
            answered = [assess(sign_in, self._directory, self._policy, answer) for answer in ANSWERS[:-1]]
            middles = [self._pieces.middle(one) for one in (*answered, judged)]
            if len(self._known) < _MOST_KNOWN:
                self._known[key] = middles
        return middles
