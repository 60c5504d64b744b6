"""Why the month's sign-ins without MFA were possible, by kind of gap and without a name. Pure.

Names of policies are text that people wrote: `GET causes` has them, and a statement, which is kept for ever, does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.ledger.days import DayGroups
from shared.ledger.tallies import NOT_RECORDED
from shared.rules.assess import Verdict
from shared.rules.cause import CauseKind
from shared.signin.traits import HEADLINE
from shared.statement.model import StatementCause
from shared.statement.texts import CAUSES


@dataclass(slots=True)
class _Counted:
    sign_ins: int = 0
    gaps: set[str] = field(default_factory=set)
    people: set[str] = field(default_factory=set)
    told: bool = True  # whose each is


def statement_causes(days: Iterable[DayGroups], of_all: int) -> list[StatementCause]:
    """The kinds of gaps behind the headline's sign-ins without MFA (`of_all`), those of the most first; what nobody
    recorded stands as one of its own, so that they add up."""
    counted: dict[str, _Counted] = {}
    for day in days:
        for group, n in day.lines.items():
            if group.verdict != Verdict.NON_COMPLIANT or group.scope not in HEADLINE:
                continue
            kind = group.cause.kind if group.cause and group.cause.kind in {*CauseKind} else NOT_RECORDED
            found = counted.setdefault(kind, _Counted())
            found.sign_ins += n
            found.gaps.add(group.cause.key if group.cause else "")
            found.people.add(group.user)
            found.told &= bool(group.user)
    lacks = of_all - sum(found.sign_ins for found in counted.values())
    if lacks > 0:  # days that an older version added up, or that are no longer kept
        rest = counted.setdefault(NOT_RECORDED, _Counted(gaps={""}))
        rest.sign_ins, rest.told = rest.sign_ins + lacks, False
    return [
        StatementCause(
            kind=kind,
            meaning=CAUSES[kind],
            sign_ins=found.sign_ins,
            gaps=None if kind == NOT_RECORDED else len(found.gaps),
            people=len(found.people) if found.told else None,
        )
        for kind, found in sorted(counted.items(), key=lambda entry: (-entry[1].sign_ins, entry[0]))
    ]
