"""What a file turned out to hold: whether it is a log of sign-ins at all, and one that can be graded."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from local.commands.shapes.foreign import GRAPH_V1, NOTHING
from local.commands.shapes.members import BETA_ONLY, V1

# A record that has so many members of v1.0 and none of beta's comes from v1.0; a shorter one may be anybody's.
_ENOUGH: Final = 5
_MEMBERS: Final = re.compile(rb'"([A-Za-z0-9_]+)"\s*:')
_V1_CONTEXT: Final = re.compile(rb'"@odata\.context"\s*:\s*"[^"]*/v1\.0\\?/')


class Intake:
    """Counts what a file gives, and says at its end whether anything of it may be judged."""

    def __init__(self) -> None:
        """Start with an unread file."""
        self._sign_ins = 0
        self._broken = 0  # were meant as sign-ins
        self._kinds: Counter[str] = Counter()  # what else there was, by the sentence that names it
        self._from_v1 = 0
        self._from_beta = False
        self._v1_context = False
        self._broke = ""  # why the last text that was no object could not be read

    def note_page(self, head: bytes) -> None:
        """See the beginning of a page, up to its list."""
        self._v1_context = self._v1_context or _V1_CONTEXT.search(head) is not None

    def note_plain(self, raw: bytes) -> None:
        """Count a sign-in as Graph or an envelope gives it. Quick once the file is known to come from beta."""
        self._sign_ins += 1
        if not self._from_beta:
            self._note_members({name.decode() for name in _MEMBERS.findall(raw)})
            self._v1_context = self._v1_context or _V1_CONTEXT.search(raw) is not None

    @property
    def is_of_beta(self) -> bool:
        """Whether the file is known to come from beta: nothing more has to be seen of its records."""
        return self._from_beta

    def note_more(self, count: int) -> None:
        """Count sign-ins of a file that is known to come from beta."""
        self._sign_ins += count

    def note_sign_in(self, members: set[str] | None) -> None:
        """Count a sign-in with its members, None where no version of Graph is in question."""
        self._sign_ins += 1
        if members is None:
            self._from_beta = True
        else:
            self._note_members(members)

    def _note_members(self, names: set[str]) -> None:
        if names & BETA_ONLY or "properties" in names:  # diagnostic settings give what beta gives
            self._from_beta = True
        elif len(names & V1) >= _ENOUGH:
            self._from_v1 += 1

    def note_broken(self) -> None:
        """Count something that was meant as a sign-in and could not be read."""
        self._broken += 1

    def note_other(self, sentence: str = NOTHING) -> None:
        """Count what is no sign-in, by the sentence that says what it is."""
        self._kinds[sentence] += 1

    def note_text(self, reason: str) -> None:
        """Count text that was no JSON object, or the place where the text broke, and remember why."""
        self.note_other()
        self._broke = reason

    def merge(self, other: Intake) -> None:
        """Take what another part of the same file held."""
        self._sign_ins += other._sign_ins
        self._broken += other._broken
        self._kinds.update(other._kinds)
        self._from_v1 += other._from_v1
        self._from_beta = self._from_beta or other._from_beta
        self._v1_context = self._v1_context or other._v1_context
        self._broke = other._broke or self._broke

    def refusal(self) -> str | None:
        """Why the file as a whole is refused; None where it is read."""
        if self._v1_context or (self._from_v1 and not self._from_beta):
            return GRAPH_V1
        if self._sign_ins or self._broken or not self._kinds:
            return None
        named = Counter({sentence: count for sentence, count in self._kinds.items() if sentence != NOTHING})
        if named:
            return named.most_common(1)[0][0]
        return f"{self._broke}; {NOTHING}" if self._broke else NOTHING
