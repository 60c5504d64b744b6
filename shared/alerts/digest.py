"""The daily or weekly digest of a channel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

from shared.alerts.digest_sections import DigestView, sections_of
from shared.alerts.hours import DigestPeriod, digest_period
from shared.alerts.outgoing import message_id, new_delivery
from shared.app.app import App
from shared.app.channels import Channel
from shared.basics.events import log_event
from shared.compliance.coverage import Measured, Window, measure, percent
from shared.exceptions.life import REMINDERS
from shared.incidents.model import Incident, IncidentState
from shared.ledger.days import Day
from shared.ledger.slices import DAY
from shared.ledger.tallies import ScopeCounts, Verdicts
from shared.messages.delivery import delivery_id
from shared.messages.message import (
    MOST_EXCEPTIONS,
    Compliance,
    Coverage,
    Digest,
    DigestMessage,
    ExpiringException,
    IncidentNumbers,
)
from shared.rules import RULES
from shared.rules.rule import SeverityName
from shared.signin.traits import HEADLINE
from shared.store.alerts import add_delivery, read_delivery
from shared.store.days import days_of_customers, partner_days
from shared.store.exceptions import read_exceptions
from shared.store.flights import read_flight
from shared.store.incidents import all_incidents
from shared.store.tables import Conflict, Tables
from shared.wire.models import severity_name
from shared.wire.text import clean

# A digest that was not made in time is still worth reading for a while; older ones, and those of the time before the
# installation, are left out.
_LATEST: Final = timedelta(hours=12)
_TO_DO: Final = 3
_IN_HAND: Final = (IncidentState.ACKNOWLEDGED, IncidentState.SNOOZED)
_GOING_ON: Final = (IncidentState.OPEN, *_IN_HAND)
_TYPES: Final[dict[str, Literal["digest.daily", "digest.weekly"]]] = {
    "daily": "digest.daily",
    "weekly": "digest.weekly",
}


async def make_digests(app: App, tables: Tables) -> None:
    """Make the deliveries of the digests that are due, each once however often it is called."""
    now = app.clock()
    digests = {name: (c, due) for name, c in app.settings.channels.items() if (due := digest_period(c, now))}
    if not digests:
        return
    flights = [await read_flight(tables.control, tenant) for tenant in app.settings.tenants]
    installed = min((f.first_seen for f in flights if f.first_seen is not None), default=now)
    for name, (channel, period) in digests.items():
        if now - period.due > _LATEST or period.due <= installed:
            continue
        key = message_id(name, "digest", period.due.isoformat())
        if await read_delivery(tables.alerts, delivery_id(period.due, name, key)):
            continue
        message = await _message(app, tables, channel, period, key)
        try:
            await add_delivery(tables.alerts, new_delivery(app, name, message))
        except Conflict:
            continue  # another instance made it
        log_event("digest_made", channel=name, type=message.type)


async def _message(app: App, tables: Tables, channel: Channel, period: DigestPeriod, key: str) -> DigestMessage:
    """It is about the whole UTC days that ended in its period, since those are what is counted; and, where the channel
    names customers, about those alone, but for how much of the log was read."""
    begin, end = period.begin, period.end
    length = end - begin
    days = [day async for day in partner_days(tables.rollups, begin - length, end - DAY)]
    before = [day for day in days if day.day < begin]
    these = [day for day in days if day.day >= begin]
    now = app.clock()
    customers = channel.customer_keys
    verdicts, left_out = await _verdicts(tables, these, customers, begin, end)
    verdicts_before, _ = await _verdicts(tables, before, customers, begin - length, begin)
    measured = measure(app.settings.tenants, these, Window(begin, end, now, app.settings.slice_width))
    expected, missing = sum(len(m.expected) for m in measured), sum(len(m.missing) for m in measured)
    incidents = [i async for i in all_incidents(tables.incidents) if not customers or i.who.customer in customers]
    expiring = await _expiring(app, tables, channel)
    coverage = Coverage(
        expected_slices=expected,
        complete_slices=expected - missing,
        percent=percent(expected - missing, missing),
    )
    return DigestMessage(
        type=_TYPES[channel.digest or "daily"],
        idempotency_key=key,
        timestamp=period.due,
        severity=_severity(incidents),
        data=Digest(
            period_from=begin,
            period_to=end,
            compliance=_compliance(verdicts, verdicts_before),
            coverage=coverage,
            incidents=_numbers(incidents, begin, end),
            exceptions=expiring[:MOST_EXCEPTIONS],
            exceptions_total=len(expiring),
            to_do=[
                *_to_mend(measured),
                *_at_least(left_out),
                *_to_do(these, incidents if customers else None),
            ][:_TO_DO],
            sections=await sections_of(
                DigestView(tables, channel, begin, end, these, incidents, app.settings.address, await app.pack_key_id())
            ),
        ),
    )


async def _expiring(app: App, tables: Tables, channel: Channel) -> list[ExpiringException]:
    """The technical exceptions that end soon and that the channel may hear of, the first to end first."""
    now = app.clock()
    customers = channel.customer_keys
    every = [stored.exception for stored in await read_exceptions(tables.control)]
    soon = [e for e in every if e.is_in_effect(now) and e.ends - now <= REMINDERS[0] * DAY]
    return [
        ExpiringException(id=e.id, title=clean(e.title), expires=e.ends)
        for e in sorted(soon, key=lambda e: (e.ends, e.id))
        if not customers or e.covers.customer in customers
    ]


def _compliance(these: Verdicts, before: Verdicts) -> Compliance:
    now = percent(these.compliant, these.non_compliant)
    then = percent(before.compliant, before.non_compliant)
    return Compliance(
        compliant=these.compliant,
        non_compliant=these.non_compliant,
        unknown=these.unknown,
        percent=now,
        change=None if now is None or then is None else round(now - then, 2),
    )


async def _verdicts(
    tables: Tables, days: Sequence[Day], customers: Collection[str], begin: datetime, end: datetime
) -> tuple[Verdicts, int]:
    """The headline of the days from `begin` to `end`, excluded; of some customers where they are named. And of how many
    days one of these is not among the lines that found room, so that it may have had sign-ins all the same."""
    whole, left_out = Verdicts(), 0
    if not customers:
        for counts in _headline(days):
            whole.merge(counts.by_verdict)
        return whole, 0
    async for day in days_of_customers(tables.rollups, begin, end - DAY):
        of_scopes = [day.lines.get(scope, {}) for scope in HEADLINE]
        for customer in customers:
            for lines in of_scopes:
                if (line := lines.get(customer)) is not None:
                    whole.merge(line.verdicts)
        left_out += day.trimmed and any(all(customer not in lines for lines in of_scopes) for customer in customers)
    return whole, left_out


def _at_least(left_out: int) -> list[str]:
    """What keeps the figures of some customers from being all there was."""
    if not left_out:
        return []
    days = "1 day" if left_out == 1 else f"{left_out} days"
    return [f"On {days} there were more customers than are counted one by one: the figures are the least there was."]


def _headline(days: Sequence[Day]) -> list[ScopeCounts]:
    return [day.counts.scopes[scope] for day in days for scope in HEADLINE if scope in day.counts.scopes]


def _numbers(incidents: Sequence[Incident], begin: datetime, end: datetime) -> IncidentNumbers:
    return IncidentNumbers(
        new=sum(_lies_within(i.opened_at, begin, end) for i in incidents),
        open=sum(i.state is IncidentState.OPEN for i in incidents),
        acknowledged=sum(i.state in _IN_HAND for i in incidents),
        resolved=sum(_lies_within(i.resolved_at, begin, end) for i in incidents),
    )


def _lies_within(at: datetime | None, begin: datetime, end: datetime) -> bool:
    return at is not None and begin <= at < end


def _severity(incidents: Sequence[Incident]) -> SeverityName:
    return severity_name(max((i.facts.severity for i in incidents if i.state in _GOING_ON), default=0))


def _to_mend(measured: Sequence[Measured]) -> list[str]:
    """What keeps the figures from being all there is to say; it comes before what they say."""
    expected, behind = sum(len(m.expected) for m in measured), sum(len(m.behind) for m in measured)
    if not behind:
        return []
    return [f"{behind} of {expected} pieces of the log were not read: see GET /api/coverage for why."]


def _to_do(days: Sequence[Day], of_customers: Sequence[Incident] | None) -> list[str]:
    """What helps most: the worst rules, those broken most often first.

    Sign-ins are not counted by rule and customer: for a channel of some customers their incidents are.
    """
    advice: list[str] = []
    broken: Counter[str] = Counter()
    if of_customers is None:
        for scope in _headline(days):
            broken.update(scope.rules)
    else:
        broken.update(rule for incident in of_customers if incident.state in _GOING_ON for rule in incident.facts.rules)
    unit = "time" if of_customers is None else "incident"
    worst = sorted((rule for rule in RULES if broken[rule.id]), key=lambda rule: -broken[rule.id])
    for rule in worst:
        n = broken[rule.id]
        advice.append(f"{rule.title} ({n} {unit}{'' if n == 1 else 's'}): {rule.what_to_do}")
    return advice
