"""A message as people read it, before it is put into the form of a channel. Pure.

`title` is the app's own words; all other texts may hold text of the log and are for each form to escape. They are one
line each, with nothing in them that a client makes a link of.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from shared.incidents.model import IncidentState
from shared.messages.message import (
    Digest,
    DigestMessage,
    DigestSection,
    ExceptionMessage,
    GroupMessage,
    IncidentFacts,
    IncidentMessage,
    ListedIncident,
    ManyIncidents,
    Message,
)
from shared.rules.rule import SeverityName
from shared.wire.text import clean, minute

# How many incidents and exceptions people see in one message; the JSON lists more.
MOST_SHOWN: Final = 20
_MOST_EXCEPTIONS: Final = 5
_MOST_LINES: Final = 5  # of a section of a digest
_LONGEST: Final = 100
_LONGEST_NAME: Final = 60  # of an application, whose id stands behind it
_LONGEST_IN_LINE: Final = 50  # so that twenty lines fit a card, of which Teams takes 28 KB, in any script
_WORST_FIRST: Final[tuple[SeverityName, ...]] = ("critical", "high", "medium", "low")
_KINDS: Final = {
    "incident.opened": "",
    "incident.raised": "Severity rose",
    "incident.lowered": "Severity fell",
    "incident.ongoing": "Still going on",
    "incident.withdrawn": "Withdrawn",
}
_SCHEME: Final = re.compile(r"(?i)\b(ht)tp(s?):(?=//)")


@dataclass(frozen=True, slots=True)
class View:
    """What to show. `facts` are label and value; `lines` are a list under `heading`, and `left_out` is how many more
    there are. `link` is what the link to `url` says."""

    title: str
    severity: str
    test: bool
    facts: tuple[tuple[str, str], ...]
    paragraphs: tuple[str, ...]
    heading: str = ""
    lines: tuple[str, ...] = ()
    left_out: int = 0
    url: str | None = None
    link: str = "Open the incident"
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


def fitting(shown: View, size: Callable[[str], int] = lambda _: 0, room: int = 0) -> list[str]:
    """The lines that fit into that room, and one that says how many more there are."""
    lines: list[str] = []
    for line in shown.lines:
        room -= size(line)
        if room < 0:
            break
        lines.append(line)
    rest = shown.left_out + len(shown.lines) - len(lines)
    return [*lines, f"and {rest} more"] if rest else lines


def defanged(text: str) -> str:
    """Text in which no client finds an address to make a link of, as analysts write it: hxxps://…"""
    return _SCHEME.sub(r"hxxp\2:", text)


def _shown(text: str, longest: int = _LONGEST) -> str:
    """Text as people see it; what is cut off is marked."""
    whole = clean(text, longest + 1)
    return defanged(whole if len(whole) <= longest else f"{whole[: longest - 1]}…")


def _facts(*facts: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((label, _shown(value)) for label, value in facts if value)


def _incident(message: IncidentMessage) -> View:
    incident = message.data.incident
    kind = _KINDS[message.type]
    what = incident.rules[0].title if incident.rules else "Incident"
    facts = _facts(
        ("User", incident.user.name or incident.user.id),
        ("Customer", _customer(incident)),
        ("Application", _application(incident, _LONGEST_NAME)),
        ("First seen", minute(incident.first_seen)),
        ("Last seen", minute(incident.last_seen)),
        ("Sign-ins", str(incident.count)),
        (
            "State",
            "" if incident.state == IncidentState.OPEN else ": ".join(filter(None, (incident.state, incident.reason))),
        ),
    )
    rules = ", ".join(f"{r.id}{f' ({r.attack})' if r.attack else ''}" for r in incident.rules)
    advice = [] if message.type == "incident.withdrawn" else [f"What to do: {text}" for text in incident.what_to_do]
    return View(
        title=f"{kind}{': ' if kind else ''}{what}",
        severity=message.severity,
        test=message.test,
        facts=(*facts, *((("Rules", defanged(rules)),) if rules else ())),
        paragraphs=tuple(
            defanged(text) for text in (incident.evidence, _may_change(incident.unread_slices), *advice) if text
        ),
        url=incident.url,
        footer=f"Incident {incident.id}",
    )


def _state(incident: IncidentFacts) -> str:
    """Why it is in its state; nothing for one that is open as any other."""
    if incident.state == IncidentState.OPEN:
        return incident.reason or ""
    return ": ".join(filter(None, (incident.state, incident.reason)))


def _group(message: GroupMessage) -> View:
    data = message.data
    found = data.total + data.to_follow
    titles = {
        "incidents.storm": f"Storm: {found} incidents at once",
        "incidents.ahead": f"First scan so far: {data.total} certain incident{'' if data.total == 1 else 's'}",
        "incidents.first-scan": f"First scan: {found} incidents in the days before the installation",
        "incidents.withdrawn": f"Withdrawn: {data.total} incidents",
    }
    lines = [f"{i.severity}: {_line(i)}" for i in data.incidents[:MOST_SHOWN]]
    unread = max((i.unread_slices for i in data.incidents), default=0)
    return View(
        title=titles[message.type],
        severity=message.severity,
        test=message.test,
        facts=tuple((s.capitalize(), str(data.by_severity[s])) for s in _WORST_FIRST if s in data.by_severity),
        paragraphs=tuple(filter(None, (_told_before(data.told_before), _to_follow(data), _may_change(unread)))),
        heading="Incidents, the worst first",
        lines=tuple(lines),
        left_out=data.total - len(lines),
        url=data.url,
        link="Open the incidents",
    )


def _to_follow(data: ManyIncidents) -> str:
    if data.to_follow == 0:
        return ""
    return f"These are the worst {data.total}; the next message tells the other {data.to_follow}."


def _told_before(n: int) -> str:
    if n == 0:
        return ""
    return "One of them was told before." if n == 1 else f"{n} of them were told before."


def _may_change(unread: int) -> str:
    return f"May still change: {unread} slice{'' if unread == 1 else 's'} unread." if unread else ""


def _line(incident: ListedIncident) -> str:
    parts = [_shown(part, _LONGEST_IN_LINE) for part in (incident.user.name or incident.user.id, _customer(incident))]
    rules = _shown(", ".join(incident.rules), 2 * _LONGEST_IN_LINE)
    return " · ".join(filter(None, (*parts, _application(incident, _LONGEST_IN_LINE), rules)))


def _digest(message: DigestMessage) -> View:
    data = message.data
    length = "Daily" if message.type == "digest.daily" else "Weekly"
    numbers = data.incidents
    told = data.exceptions[:_MOST_EXCEPTIONS]
    facts = [
        ("Compliance", _compliance(data)),
        ("With MFA", str(data.compliance.compliant)),
        ("Without", str(data.compliance.non_compliant)),
        ("Unknown", str(data.compliance.unknown)),
        ("Log read", "nothing was expected" if data.coverage.percent is None else f"{data.coverage.percent:g} %"),
        (
            "Incidents",
            f"{numbers.new} new, {numbers.open} open, {numbers.acknowledged} acknowledged, {numbers.resolved} resolved",
        ),
    ]
    facts += [("Expires", f"{_shown(e.title, 60)}, {minute(e.expires)}") for e in told]
    if (rest := data.exceptions_total - len(told)) > 0:
        facts.append(("Expires", f"and {rest} more"))
    return View(
        title=f"{length} digest, {data.period_from:%Y-%m-%d} to {data.period_to:%Y-%m-%d}",
        severity=message.severity,
        test=message.test,
        facts=_facts(*facts),
        paragraphs=tuple(_section(section) for section in data.sections),
        heading="What helps most" if data.to_do else "",
        lines=tuple(data.to_do),
    )


def _section(section: DigestSection) -> str:
    lines = [_shown(line, _LONGEST) for line in section.lines[:_MOST_LINES]]
    rest = section.total - len(lines)
    return f"{section.title} ({section.total}): " + "; ".join([*lines, *([f"and {rest} more"] if rest else [])])


def _exception(message: ExceptionMessage) -> View:
    data = message.data
    return View(
        title=f"A technical exception ends on {data.expires:%Y-%m-%d}",
        severity=message.severity,
        test=message.test,
        facts=_facts(
            ("Exception", data.title),
            ("Owner", data.owner),
            ("Ticket", data.ticket or ""),
            ("Ends", minute(data.expires)),
        ),
        paragraphs=(data.what_to_do,),
        url=data.url,
        link="Open the exception",
        footer=f"Exception {data.id}",
    )


def _compliance(data: Digest) -> str:
    numbers = data.compliance
    if numbers.percent is None:
        return "not measurable"
    change = "" if numbers.change is None else f" ({numbers.change:+g} points)"
    return f"{numbers.percent:g} %{change}"


def _customer(incident: IncidentFacts | ListedIncident) -> str:
    customer = incident.customer
    return (customer.display_name or customer.tenant_id) if customer else ""


def _application(incident: IncidentFacts | ListedIncident, longest: int) -> str:
    """The application with its id, which is never cut off: anybody may call an application of his own "Azure"."""
    application = incident.application
    if application is None:
        return ""
    name, id_ = _shown(application.name or "", longest), _shown(application.id)
    return f"{name} ({id_})" if name and id_ else name or id_
