"""A message as people read it, before it is put into the form of a channel. Pure.

`title` is the app's own words; all other texts may hold text of the log and are for each form to escape.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.alerts.message import (
    Digest,
    DigestMessage,
    ExceptionMessage,
    GroupMessage,
    IncidentFacts,
    IncidentMessage,
    Message,
)

# How many incidents people see in one message; the JSON lists more.
MOST_SHOWN: Final = 20
_LONGEST_IN_LINE: Final = 60  # so that twenty lines fit a card, which Teams takes up to 28 KB
_KINDS: Final = {
    "incident.opened": "",
    "incident.raised": "Severity rose",
    "incident.ongoing": "Still going on",
    "incident.withdrawn": "Withdrawn",
}
_SCHEME: Final = re.compile(r"(?i)\b(ht)tp(s?):(?=//)")


@dataclass(frozen=True, slots=True)
class View:
    """What to show. `facts` are label and value; `lines` are a list under `heading`."""

    title: str
    severity: str
    test: bool
    facts: tuple[tuple[str, str], ...]
    paragraphs: tuple[str, ...]
    heading: str = ""
    lines: tuple[str, ...] = ()
    url: str | None = None
    footer: str = ""


def view(message: Message) -> View:
    """The message for people."""
    match message:
        case IncidentMessage():
            return _incident(message)
        case GroupMessage():
            return _group(message)
        case DigestMessage():
            return _digest(message)
        case ExceptionMessage():
            return _exception(message)


def defanged(text: str) -> str:
    """Text in which no client finds an address to make a link of, as analysts write it: hxxps://…"""
    return _SCHEME.sub(r"hxxp\2:", text)


def _incident(message: IncidentMessage) -> View:
    incident = message.data.incident
    kind = _KINDS[message.type]
    what = incident.rules[0].title if incident.rules else "Incident"
    facts = [
        ("User", incident.user.name or incident.user.id),
        ("Customer", _customer(incident)),
        ("Application", _application(incident)),
        ("First seen", _minute(incident.first_seen)),
        ("Last seen", _minute(incident.last_seen)),
        ("Sign-ins", str(incident.count)),
        ("Rules", ", ".join(f"{r.id}{f' ({r.attack})' if r.attack else ''}" for r in incident.rules)),
    ]
    advice = [] if message.type == "incident.withdrawn" else [f"What to do: {text}" for text in incident.what_to_do]
    return View(
        title=f"{kind}{': ' if kind else ''}{what}",
        severity=message.severity,
        test=message.test,
        facts=tuple((label, defanged(value)) for label, value in facts if value),
        paragraphs=tuple(defanged(text) for text in (incident.evidence, *advice)),
        url=incident.url,
        footer=f"Incident {incident.id}",
    )


def _group(message: GroupMessage) -> View:
    data = message.data
    titles = {
        "incidents.storm": f"Storm: {data.total} incidents at once",
        "incidents.first-scan": f"First scan: {data.total} incidents in the days before the installation",
        "incidents.withdrawn": f"Withdrawn: {data.total} incidents",
    }
    shown = data.incidents[:MOST_SHOWN]
    rest = data.total - len(shown)
    lines = [f"{i.severity}: {_line(i)}" for i in shown] + ([f"and {rest} more"] if rest else [])
    return View(
        title=titles[message.type],
        severity=message.severity,
        test=message.test,
        facts=tuple((name.capitalize(), str(n)) for name, n in data.by_severity.items()),
        paragraphs=(),
        heading="Incidents, the worst first",
        lines=tuple(defanged(line) for line in lines),
    )


def _line(incident: IncidentFacts) -> str:
    parts = [incident.user.name or incident.user.id, _customer(incident), _application(incident)]
    rules = ", ".join(rule.id for rule in incident.rules)
    return " · ".join(part[:_LONGEST_IN_LINE] for part in (*parts, rules) if part)


def _digest(message: DigestMessage) -> View:
    data = message.data
    length = "Daily" if message.type == "digest.daily" else "Weekly"
    facts = [
        ("Compliance", _compliance(data)),
        ("With MFA", str(data.compliance.compliant)),
        ("Without", str(data.compliance.non_compliant)),
        ("Unknown", str(data.compliance.unknown)),
        ("Log read", "nothing was expected" if data.coverage.percent is None else f"{data.coverage.percent:g} %"),
        ("Incidents", f"{data.incidents.new} new, {data.incidents.open} open, {data.incidents.resolved} resolved"),
    ]
    facts += [("Expires", f"{e.title}, {_minute(e.expires)}") for e in data.exceptions]
    return View(
        title=f"{length} digest, {data.period_from:%Y-%m-%d} to {data.period_to:%Y-%m-%d}",
        severity=message.severity,
        test=message.test,
        facts=tuple((label, defanged(value)) for label, value in facts),
        paragraphs=(),
        heading="What helps most" if data.to_do else "",
        lines=tuple(data.to_do),
    )


def _exception(message: ExceptionMessage) -> View:
    data = message.data
    facts = [
        ("Exception", data.title),
        ("Owner", data.owner),
        ("Ticket", data.ticket or ""),
        ("Ends", _minute(data.expires)),
    ]
    return View(
        title=f"A technical exception ends on {data.expires:%Y-%m-%d}",
        severity=message.severity,
        test=message.test,
        facts=tuple((label, defanged(value)) for label, value in facts if value),
        paragraphs=(data.what_to_do,),
        footer=f"Exception {data.id}",
    )


def _compliance(data: Digest) -> str:
    numbers = data.compliance
    if numbers.percent is None:
        return "not measurable"
    change = "" if numbers.change is None else f" ({numbers.change:+g} points)"
    return f"{numbers.percent:g} %{change}"


def _customer(incident: IncidentFacts) -> str:
    customer = incident.customer
    return (customer.display_name or customer.tenant_id) if customer else ""


def _application(incident: IncidentFacts) -> str:
    application = incident.application
    return (application.name or application.id) if application else ""


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
