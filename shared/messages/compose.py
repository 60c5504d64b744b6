"""From what there is to tell to the message that tells it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from shared.incidents.model import Event, EventKind, Facts, Incident, Telling, Who
from shared.messages.message import (
    MOST_LISTED,
    MOST_LISTED_BYTES,
    Application,
    Customer,
    GroupMessage,
    IncidentFacts,
    IncidentMessage,
    IncidentType,
    ListedIncident,
    ManyIncidents,
    OneIncident,
    Person,
    RuleFacts,
)
from shared.rules import RULE, RULES
from shared.rules.rule import Severity
from shared.wire.models import severity_name
from shared.wire.text import clean, hyphenated, minute

type GroupType = Literal["incidents.storm", "incidents.ahead", "incidents.first-scan", "incidents.withdrawn"]

_TYPES: Final[dict[EventKind, IncidentType]] = {
    EventKind.OPENED: "incident.opened",
    EventKind.RAISED: "incident.raised",
    EventKind.LOWERED: "incident.lowered",
    EventKind.ONGOING: "incident.ongoing",
    EventKind.WITHDRAWN: "incident.withdrawn",
}
_ORDER: Final = {rule.id: place for place, rule in enumerate(RULES)}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a message needs that the incident does not hold: the app's own address, and customers' names by key."""

    address: str | None
    tenant_names: Mapping[str, str]


def one(telling: Telling, key: str, around: Surroundings) -> IncidentMessage:
    """The message about one incident, under that idempotency key."""
    return IncidentMessage(
        type=_TYPES[telling.event.kind],
        idempotency_key=key,
        timestamp=telling.at,
        severity=severity_name(telling.event.severity),
        data=OneIncident(incident=facts_of(telling, around)),
    )


def many(
    tellings: Sequence[Telling],
    type_: GroupType,
    key: str,
    around: Surroundings,
    told_before: int = 0,
    to_follow: int = 0,
) -> GroupMessage:
    """One message for many incidents, the worst first. It is as severe as the worst; so many were told before, and so
    many more the next message tells."""
    ordered = sorted(tellings, key=lambda t: (-t.event.severity, t.incident.facts.first, t.incident.key))
    counted = Counter(severity_name(telling.event.severity) for telling in ordered)
    listed = _listed(ordered, around)
    rules = {rule for incident in listed for rule in incident.rules}
    return GroupMessage(
        type=type_,
        idempotency_key=key,
        timestamp=max(telling.at for telling in ordered),
        severity=severity_name(ordered[0].event.severity),
        data=ManyIncidents(
            total=len(ordered),
            listed=len(listed),
            told_before=told_before,
            to_follow=to_follow,
            by_severity=dict(counted),
            url=f"{around.address}/incidents" if around.address else None,
            rules=[_rule(rule) for rule in _worst_first(rules)],
            incidents=listed,
        ),
    )


def _listed(ordered: Sequence[Telling], around: Surroundings) -> list[ListedIncident]:
    """The first of them, as many as a message takes."""
    listed: list[ListedIncident] = []
    left = MOST_LISTED_BYTES
    for telling in ordered[:MOST_LISTED]:
        facts = facts_of(telling, around)
        incident = ListedIncident.model_validate(
            {**dict(facts), "rules": [rule.id for rule in facts.rules]}, by_name=True
        )
        left -= len(incident.model_dump_json(by_alias=True).encode())
        if left < 0:
            break
        listed.append(incident)
    return listed


def made_up_message(key: str, now: datetime, around: Surroundings) -> IncidentMessage:
    """A made-up incident, marked as a test, so that a receiver can be tried with what it will get."""
    incident = Incident(
        key="0" * 32,
        who=Who("0" * 32, "test@partner.example", "0" * 32, "0" * 32, "Test application"),
        facts=Facts(1, now, now, frozenset({"interactive-without-mfa"}), int(Severity.HIGH), int(Severity.HIGH)),
    )
    telling = Telling(Event(key, EventKind.OPENED, incident.key, int(Severity.HIGH)), incident, now, first_scan=False)
    return one(telling, key, around).model_copy(update={"test": True})


def facts_of(telling: Telling, around: Surroundings) -> IncidentFacts:
    """What a message says of an incident."""
    incident, facts = telling.incident, telling.incident.facts
    who = incident.who
    rules = [_rule(rule) for rule in _worst_first(facts.rules)]
    name = around.tenant_names.get(who.customer)
    return IncidentFacts(
        id=incident.key,
        url=f"{around.address}/incidents/{incident.key}" if around.address else None,
        state=incident.state,
        opening=incident.opening,
        severity=severity_name(telling.event.severity),
        rules=rules,
        user=Person(id=hyphenated(who.user), name=clean(who.user_name) or None),
        customer=Customer(tenant_id=hyphenated(who.customer), display_name=clean(name or "") or None)
        if who.customer
        else None,
        application=Application(id=hyphenated(who.app), name=clean(who.app_name) or None)
        if who.app or who.app_name
        else None,
        evidence=_evidence(facts.count, facts.first, facts.last, rules),
        first_seen=facts.first,
        last_seen=facts.last,
        count=facts.count,
        what_to_do=[*dict.fromkeys(rule.what_to_do for rule in rules)],
        reason=clean(incident.reason) or None,
        unread_slices=telling.unread,
    )


def _worst_first(rules: Iterable[str]) -> list[str]:
    return sorted(rules, key=lambda rule: (_ORDER.get(rule, len(_ORDER)), rule))


def _rule(rule_id: str) -> RuleFacts:
    rule = RULE.get(rule_id)
    if rule is None:  # of a newer version of the app
        return RuleFacts(id=rule_id, title=rule_id, attack=None, common_issue=None, meaning="", what_to_do="")
    return RuleFacts(
        id=rule.id,
        title=rule.title,
        attack=rule.attack,
        common_issue=rule.common_issue,
        meaning=rule.meaning,
        what_to_do=rule.what_to_do,
    )


def _evidence(count: int, first: datetime, last: datetime, rules: Sequence[RuleFacts]) -> str:
    if count == 0:
        return "Its records were corrected in the log, and nothing is left of it."
    when = f"at {minute(first)}" if first == last else f"from {minute(first)} to {minute(last)}"
    what = rules[0].meaning if rules else ""
    return f"{count} sign-in{'' if count == 1 else 's'} {when}: {what}".rstrip(": ")
