"""What the summary says of the technical exceptions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.compliance.beside import ExceptionNumbers
from shared.exceptions.model import ExceptionState, TechnicalException, accepts_sign_ins
from shared.ledger.finding_groups import FindingGroup
from shared.store.exceptions import read_exceptions
from shared.store.tables import Table


@dataclass(frozen=True, slots=True)
class Accepted:
    """The exceptions as they stand."""

    exceptions: Sequence[TechnicalException]

    @property
    def may_accept(self) -> bool:
        """Whether any was ever approved, so that it may accept sign-ins."""
        return any(e.approved_by for e in self.exceptions)

    def accepts(self, day: datetime, group: FindingGroup) -> bool:
        """Whether an exception accepts these sign-ins of that day."""
        return accepts_sign_ins(self.exceptions, day, group)

    def numbers(self, now: datetime, accepted: int, unknown: int) -> ExceptionNumbers:
        """How many there are by state, when the next approved one ends, and that they accept so many sign-ins without
        MFA, and so many of which nothing is known."""
        states = Counter(e.state_at(now) for e in self.exceptions)
        ends = [e.ends.date() for e in self.exceptions if e.state_at(now) is ExceptionState.APPROVED]
        return ExceptionNumbers(
            **{state: states[state] for state in ExceptionState},
            next_expiry=min(ends, default=None),
            accepted_sign_ins=accepted,
            accepted_unknown=unknown,
        )


async def read_accepted(table: Table) -> Accepted:
    """Of the table `control`."""
    return Accepted([stored.exception for stored in await read_exceptions(table)])
