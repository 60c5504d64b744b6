"""What a statement opens with: what keeps its figures from being all, and what cyber-insurers ask. Pure.

A "yes" needs the whole month: every day read and noted, nothing unknown. Where a night noted nothing the answer says
so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

from pydantic import JsonValue

from shared.statement.model import AnswerName, Sealed, StatementDay, StatementQuestion
from shared.statement.texts import GAP_WORDS
from shared.wire.text import percentage

_LEGACY: Final = ("legacy-auth", "password-flow")
_TRIED: Final = ("legacy-auth-attempt", "password-flow-attempt")


def heading(sealed: Sealed) -> str:
    """The title of a statement."""
    month = f"{date.fromisoformat(sealed.month + '-01'):%B %Y}"
    return f"Statement of {month}" if sealed.state == "final" else f"Provisional statement of {month}"


def first_page(sealed: Sealed) -> list[str]:
    """What a reader must know before any figure."""
    told = []
    if sealed.state == "provisional":
        told.append(
            "Provisional: the log of this month may still be read again, and the figures may change. It becomes final, "
            "and is then never changed, once no re-read is due any more: about a week after the end of the month."
        )
    told += [_gaps(sealed)] if _is_lacking(sealed) else []
    if sealed.coverage.quarantined:
        accepted = sealed.coverage.accepted_quarantine
        told.append(
            f"{_n(sealed.coverage.quarantined, 'record')} of the log could not be read and "
            f"{'is' if sealed.coverage.quarantined == 1 else 'are'} in no figure; an operator accepted "
            f"{'that' if accepted == sealed.coverage.quarantined else f'{accepted} of them'}."
        )
    if len(sealed.rules_versions) > 1:
        told.append("The month was judged by more than one version of the rules, so its figures are of two measures.")
    if sealed.incidents_left_out or sealed.customers_left_out:
        told.append("There are too many incidents or customers to list while it is provisional; the final one has all.")
    return told


def opening(sealed: Sealed) -> list[StatementQuestion]:
    """The four questions, answered from the figures and from what the nights noted."""
    return [_enforced(sealed), _legacy(sealed), _exclusions(sealed), _enrolled(sealed)]


def _is_lacking(sealed: Sealed) -> bool:
    return sealed.coverage.percent != 100 or any(day.gaps for day in sealed.days if day.gaps != ["quarantined"])


def _gaps(sealed: Sealed) -> str:
    lacking = [day for day in sealed.days if day.gaps]
    kinds = Counter(kind for day in lacking for kind in day.gaps)
    why = "; ".join(f"{GAP_WORDS.get(kind, kind)} ({_n(n, 'day')})" for kind, n in sorted(kinds.items()))
    read = sealed.coverage
    share = (
        "Nothing of the log was due yet" if read.percent is None else f"{_percent(read.percent)} of the log was read"
    )
    return (
        f"Gap in coverage: {share} ({read.complete_slices:,} of {read.expected_slices:,} pieces). "
        + (f"Why: {why}. " if why else "")
        + "What was not read may hold sign-ins without MFA; these figures say nothing of it."
    )


class _Noted(NamedTuple):
    """What the nights noted under one name, in order of time; of how many days there are."""

    values: Sequence[JsonValue]
    days: int

    @property
    def is_whole(self) -> bool:
        return bool(self.values) and len(self.values) == self.days


def _noted(days: Sequence[StatementDay], name: str) -> _Noted:
    values = [day.posture[name] for day in days if day.posture and day.posture.get(name) is not None]
    return _Noted(values, len(days))


def _enforced(sealed: Sealed) -> StatementQuestion:
    told, figures = _noted(sealed.days, "mfaEnforced"), sealed.figures
    counts = Counter(map(str, told.values))
    clean = not figures.non_compliant and not figures.unknown and not _is_lacking(sealed)
    answer: AnswerName = "partly"
    if not told.values:
        answer = "not-recorded"
    elif counts["yes"] == told.days and clean:
        answer = "yes"
    elif counts["no"] and counts["no"] == len(told.values):
        answer = "no"
    elif counts["cannot-tell"] == len(told.values):
        answer = "cannot-tell"
    policies = "Which policies demanded MFA was not recorded."
    if told.values:
        policies = (
            f"On {counts['yes']} of {told.days} days policies made everybody with delegated rights do MFA for every "
            "application" + ("" if told.is_whole else f" ({told.days - len(told.values)} days were not recorded)") + "."
        )
    judged = figures.compliant + figures.non_compliant
    log = (
        f" Of {_n(judged, 'delegated sign-in')} that could be judged, {_percent(figures.compliance_percent)} had MFA: "
        f"{figures.non_compliant:,} had not, and of {figures.unknown:,} more the log does not say."
        if figures.total
        else " There was no delegated sign-in."
    )
    return _question("mfa-enforced", "MFA is enforced, and not only registered.", answer, policies + log)


def _legacy(sealed: Sealed) -> StatementQuestion:
    question = "No sign-in used legacy authentication."
    by_rule = [judged.by_rule for judged in sealed.by_scope.values()]
    if any(rules is None for rules in by_rule):
        return _question("no-legacy-sign-ins", question, "not-recorded", "They were not counted by rule in this month.")
    found, tried = (
        sum((rules or {}).get(rule, 0) for rules in by_rule for rule in names) for names in (_LEGACY, _TRIED)
    )
    blocked = _noted(sealed.days, "legacyBlocked")
    answer: AnswerName = "no" if found else "partly" if _is_lacking(sealed) else "yes"
    sentence = f"{_n(found, 'sign-in')} succeeded over a protocol in which nobody can be asked for MFA"
    sentence += f", {tried:,} more were tried and did not succeed."
    if answer == "partly":
        sentence += " Part of the log was not read."
    days = sum(value == "yes" for value in blocked.values)
    sentence += (
        f" Policies blocked such protocols for everybody on {days} of {blocked.days} days."
        if blocked.values
        else " Whether policies block them was not recorded."
    )
    return _question("no-legacy-sign-ins", question, answer, sentence)


def _exclusions(sealed: Sealed) -> StatementQuestion:
    question = "There are no broad exclusions from MFA."
    broad, every = _noted(sealed.days, "broadExclusions"), _noted(sealed.days, "exclusions")
    numbers = [value for value in broad.values if isinstance(value, int)]
    if not numbers:
        told = any(day.posture for day in sealed.days)
        sentence = "The Conditional Access policies could not be read." if told else "It was not recorded."
        return _question("no-broad-exclusions", question, "cannot-tell" if told else "not-recorded", sentence)
    worst = max(numbers)
    all_ = max([value for value in every.values if isinstance(value, int)], default=worst)
    answer: AnswerName = "no" if worst else "yes" if broad.is_whole else "partly"
    sentence = (
        f"At most {_n(worst, 'exclusion')} of groups, roles, guests, applications, places or platforms stood in "
        f"policies that demand MFA, and {_n(all_ - worst, 'exclusion')} of single users."
    )
    return _question("no-broad-exclusions", question, answer, sentence + _unrecorded(broad))


def _enrolled(sealed: Sealed) -> StatementQuestion:
    question = "Everybody is enrolled."
    told = [
        (day.posture["registered"], day.posture["admins"])
        for day in sealed.days
        if day.posture and isinstance(day.posture.get("registered"), int) and isinstance(day.posture.get("admins"), int)
    ]
    whole = [(int(str(registered)), int(str(admins))) for registered, admins in told]
    if not whole:
        return _question("everybody-enrolled", question, "not-recorded", "Who is enrolled was not recorded.")
    full = sum(registered >= admins for registered, admins in whole)
    registered, admins = whole[-1]
    answer: AnswerName = "partly"
    if full == len(sealed.days):
        answer = "yes"
    elif registered == 0 and admins:
        answer = "no"
    sentence = (
        f"On {full} of {len(sealed.days)} days everybody with delegated rights had registered a method for MFA; on the "
        f"last day recorded {registered} of {admins} had."
    )
    return _question(
        "everybody-enrolled", question, answer, sentence + _unrecorded(_Noted([*range(len(whole))], len(sealed.days)))
    )


def _unrecorded(noted: _Noted) -> str:
    return "" if noted.is_whole else f" {_n(noted.days - len(noted.values), 'day')} not recorded."


def _question(id_: str, question: str, answer: AnswerName, sentence: str) -> StatementQuestion:
    return StatementQuestion(id=id_, question=question, answer=answer, sentence=sentence)


def _n(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _percent(value: float | None) -> str:
    return "no share that can be told" if value is None else percentage(value)
