"""A statement as a page to print and as comma-separated values. Everything that comes from a log is hostile text."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from shared.compliance.coverage import percent
from shared.compliance.numbers import Judged
from shared.ledger.tallies import Verdicts
from shared.rules import RULES
from shared.rules.rule import Severity
from shared.statement.model import CustomerFigures, Sealed, Statement, StatementDay
from shared.statement.texts import GAP_WORDS, GRADES, SCOPES, STRENGTHS, WHYS
from shared.wire.csv_text import csv_text
from shared.wire.models import Answer
from shared.wire.text import percentage

_HERE: Final = Path(__file__).parent / "templates"
_STYLE: Final = (_HERE / "statement.css").read_text(encoding="utf-8")
_STYLE_HASH: Final = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()
# One page by itself: its own style alone, no script, nothing from elsewhere.
HEADERS: Final = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
_MARKS: Final = {
    "yes": "✓ yes",
    "no": "✗ no",
    "partly": "◐ partly",
    "cannot-tell": "? cannot tell",
    "not-recorded": "– not recorded",
}
_MOST_ROWS: Final = 300
_ENDS: Final = {"quiet": "closed, nothing more was seen", "person": "resolved by a person", "corrected": "withdrawn"}
_RULES: Final = {rule.id: rule.title for rule in RULES}


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"


def _percent(value: float | None) -> str:
    return "–" if value is None else percentage(value)


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "–"


def _ordered(counts: Mapping[str, object], order: Iterable[str]) -> list[tuple[str, object]]:
    """In the order that people expect; what is sealed is in the order of names."""
    place = {str(key): at for at, key in enumerate(order)}
    return sorted(counts.items(), key=lambda entry: place.get(entry[0], len(place)))


def _share(n: int, whole: int) -> str:
    """Never all of it while there is a rest, as every percentage here."""
    return _percent(percent(n, whole - n))


_ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_ENVIRONMENT.filters |= {
    "time": _time,
    "day": _day,
    "percent": _percent,
    "number": _number,
    "share": _share,
    "ordered": _ordered,
}


def _worst_first(customer: CustomerFigures) -> tuple[int, int, int, str]:
    of = customer.figures
    badness = Verdicts(of.compliant, of.non_compliant, of.unknown).badness
    return *badness, (customer.customer_name or "~").lower()


def html_of(statement: Statement) -> str:
    """The statement as one HTML page that needs nothing else. Of thousands of customers or incidents it has the worst;
    the other forms have all."""
    sealed = statement.sealed
    by_severity = sorted(sealed.incidents, key=lambda i: (-Severity.of(i.severity), i.first_seen_at, i.id))
    page = _ENVIRONMENT.get_template("statement.html").render(
        page=statement,
        s=statement.sealed,
        style=_STYLE,
        scopes=SCOPES,
        rules=_RULES,
        marks=_MARKS,
        ends=_ENDS,
        gap_words=GAP_WORDS,
        orders={"grades": GRADES, "strengths": STRENGTHS, "whys": WHYS},
        nights=_changed_nights(sealed.days),
        customers=sorted(sealed.customers, key=_worst_first)[:_MOST_ROWS],
        incidents=by_severity[:_MOST_ROWS],
    )
    return page.lstrip()


def _changed_nights(days: Sequence[StatementDay]) -> list[StatementDay]:
    """The days whose notes differ from those of the day before."""
    shown: list[StatementDay] = []
    before: tuple[object, ...] = (None, None, None)
    for day in days:
        noted = (day.roster, day.policies, day.posture)
        if noted != before:
            shown.append(day)
        before = noted
    return shown


# --- comma-separated values -------------------------------------------------------------------------------------------


class StatementRow(Answer):
    """A line of the statement as CSV: in which section, what, how much, and what there is to say of it."""

    section: str
    name: str
    value: str
    note: str


def csv_of(statement: Statement) -> str:
    """The statement as comma-separated values: a line each, in sections."""
    return csv_text(StatementRow, _rows(statement))


def _rows(statement: Statement) -> Iterator[StatementRow]:
    sealed = statement.sealed
    customer = sealed.customer
    facts: Mapping[str, object] = {
        "state": statement.state,
        "partnerTenantId": sealed.partner_tenant_id,
        "customerId": customer.customer_id if customer else "",
        "customerName": (customer.customer_name or "") if customer else "",
        "from": sealed.period.from_.isoformat(),
        "to": sealed.period.to.isoformat(),
        "generatedAt": sealed.generated_at.isoformat(),
        "sha256": statement.sha256,
        "packKeyId": statement.pack_key_id or "",
    }
    for name, value in facts.items():
        yield _row("statement", name, value)
    for line in statement.first_page:
        yield _row("first-page", "", "", line)
    for question in statement.opening:
        yield _row("insurers", question.id, question.answer, f"{question.question} {question.sentence}")
    yield from _of_judged("headline", sealed.figures, sealed)
    for scope, judged in sealed.by_scope.items():
        yield from _of_judged(f"scope {scope}", judged, sealed)
    for entry in sealed.customers:
        numbers = entry.figures
        told = f"compliant {numbers.compliant}, without MFA {numbers.non_compliant}, unknown {numbers.unknown}"
        yield _row("customers", entry.customer_id, numbers.compliance_percent, f"{entry.customer_name or ''}: {told}")
    for cause in sealed.causes or ():
        whose = "" if cause.people is None else f" People: {cause.people}."
        yield _row("causes", cause.kind, cause.sign_ins, cause.meaning + whose)
    yield from _of_coverage(sealed)
    yield from _of_lists(statement)


def _of_judged(section: str, judged: Judged, sealed: Sealed) -> Iterator[StatementRow]:
    for name in ("total", "compliant", "non_compliant", "unknown", "compliance_percent", "worst_case_percent"):
        yield _row(section, name.replace("_", " "), getattr(judged, name))
    for kind, counts, texts in (
        ("evidence", judged.by_evidence, sealed.grades),
        ("strength", judged.by_strength, sealed.strengths),
        ("why unknown", judged.by_why, sealed.whys),
        ("rule", judged.by_rule, _RULES),
    ):
        if counts is None:
            yield _row(f"{section}, by {kind}", "", "", "not recorded")
        for key, n in (counts or {}).items():
            yield _row(f"{section}, by {kind}", key, n, texts.get(key, ""))


def _of_coverage(sealed: Sealed) -> Iterator[StatementRow]:
    for day in sealed.days:
        why = "; ".join(GAP_WORDS.get(kind, kind) for kind in day.gaps)
        yield _row("coverage", str(day.date), day.coverage_percent, why)
    for gap in sealed.gaps:
        until = gap.to.isoformat() if gap.to else "lasts"
        yield _row("gaps", gap.from_.isoformat(), until, f"{gap.kind}: {gap.detail}")
    yield _row("quarantine", "records", sealed.coverage.quarantined, f"accepted: {sealed.coverage.accepted_quarantine}")
    for version, n in sealed.rules_versions.items():
        yield _row("versions", f"rules {version}", n, "pieces of the log")
    yield _row("versions", "directory", sealed.directory.version or "", str(sealed.directory.refreshed_at or ""))
    yield _row("roster", "people", sealed.roster.people)
    for day in sealed.days:
        if day.roster is not None or day.posture is not None:
            told = "; ".join(f"{name} {value}" for name, value in (day.posture or {}).items())
            yield _row("nights", str(day.date), day.roster, told)


def _of_lists(statement: Statement) -> Iterator[StatementRow]:
    sealed = statement.sealed
    for i in sealed.incidents:
        where = f"{i.customer_name or i.customer_id or 'several'} · {i.app_name or i.app_id or 'several'}"
        end = f"{i.ended or i.state}{f' {i.resolved_at.isoformat()}' if i.resolved_at else ''}"
        what = f"{', '.join(i.rules)}; {i.first_seen_at.isoformat()} to {i.last_seen_at.isoformat()}; {end}"
        yield _row("incidents", i.id, i.severity, f"person {i.person} · {where}: {what}")
    for e in sealed.exceptions:
        who = f"person {e.person}" if e.person else "anybody"
        approved = f"person {e.approved_by_person}" if e.approved_by_person else "nobody"
        told = f"{who}; asked for by person {e.requested_by_person}, approved by {approved}"
        yield _row("exceptions", e.id, e.state, f"{e.starts_on} to {e.expires_on}; {told}")
    for person in statement.people:
        yield _row("names", str(person.person), person.user_name or "", person.user_id or "")
    if statement.today is not None:
        yield _row("today", "compliance percent", statement.today.figures.compliance_percent, statement.today.reason)
    for limit in sealed.limits:
        yield _row("limits", "", "", limit)


def _row(section: str, name: str, value: object, note: str = "") -> StatementRow:
    return StatementRow(section=section, name=name, value="" if value is None else str(value), note=note)
