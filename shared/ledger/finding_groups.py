"""Findings as they are counted: those alike are one group with a number. Pure."""

from __future__ import annotations

from typing import NamedTuple

from shared.rules.assess import Assessment, Verdict
from shared.rules.cause import Cause

_COUNTED = (Verdict.NON_COMPLIANT, Verdict.UNKNOWN)


class FindingGroup(NamedTuple):
    """What alike findings share. Ids are keys as counted, "" where a group stands for those that were trimmed: of one
    person (no customer and no application), or of a gap (nobody either).

    `rules` are all that fit, in the order of their table. `verdict` is "not-applicable" for attempts that did not
    succeed. `why` says why evidence is unknown, `cause` why the sign-in was possible (None where nobody recorded it).
    """

    scope: str
    user: str
    customer: str
    app: str
    rules: tuple[str, ...]
    verdict: str
    why: str | None = None
    cause: Cause | None = None

    @property
    def order(self) -> tuple[object, ...]:
        """What groups are sorted by, so that their order never hangs on how they were counted."""
        return (*self[:-2], self.why or "", self.cause or ())

    @property
    def is_whole(self) -> bool:
        """Whether it says who, where and with what: every sign-in has a tenant that it reached."""
        return bool(self.customer)

    @property
    def is_rest(self) -> bool:
        """Whether it names nobody: it says a scope, a verdict and perhaps a cause."""
        return not (self.user or self.customer or self.app)

    def of_person(self) -> FindingGroup:
        """The group that stands for this one where it is trimmed: without where and with what."""
        return self._replace(customer="", app="")

    def rest(self, *, cause: bool = False) -> FindingGroup:
        """The group that stands for this one where its person is trimmed too, with its cause or without."""
        return FindingGroup(self.scope, "", "", "", (), self.verdict, cause=self.cause if cause else None)


type Groups = dict[FindingGroup, int]


def group_of(
    assessment: Assessment, user: str, customer: str, app: str, cause: Cause | None = None
) -> FindingGroup | None:
    """The group of a watched sign-in; None where no rule fits and nothing lacks."""
    if not assessment.fits and assessment.verdict not in _COUNTED:
        return None
    why = assessment.why and str(assessment.why)
    verdict = str(assessment.verdict)
    return FindingGroup(str(assessment.scope), user, customer, app, assessment.rules, verdict, why, cause)


def lacking_group(text: str) -> FindingGroup | None:
    """The group that version 1 of the app wrote as "scope|user|customer|app|rule,rule"; None where hostile text made it
    ambiguous, or where it stands for those that were trimmed."""
    parts = text.split("|")
    if len(parts) != 5:
        return None
    scope, user, customer, app, rules = parts
    return FindingGroup(scope, user, customer, app, tuple(rules.split(",")), str(Verdict.NON_COMPLIANT))
