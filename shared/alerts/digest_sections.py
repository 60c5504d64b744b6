"""Parts of a digest beside its numbers. Each looks at the period and says something, or nothing; another part is one
more function in SECTIONS.

Closing by quiet and what people do are told here alone: a channel hears of an incident what it may have to act on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.app.channels import Channel
from shared.basics.times import MICROSECOND
from shared.incidents.history import SYSTEM
from shared.incidents.model import Ending, Incident, IncidentState
from shared.ledger.days import Day
from shared.ledger.tallies import Tally, add
from shared.messages.message import MOST_IN_SECTION, DigestSection
from shared.posture.gaps import title_of
from shared.rules.assess import Verdict
from shared.rules.cause import Cause
from shared.signin.traits import HEADLINE
from shared.store.days import days_of_groups
from shared.store.incidents import history
from shared.store.statements import FinalMonth, final_months
from shared.store.tables import Tables
from shared.wire.text import clean

_MOST_READ: Final = 50  # incidents whose history is read


@dataclass(frozen=True, slots=True)
class DigestView:
    """What a section looks at: the days from `begin` to `end` (UTC, excluded), and the incidents that the channel may
    hear of as they stand now; where people reach the app, and the fingerprint of the key of evidence packs."""

    tables: Tables
    channel: Channel
    begin: datetime
    end: datetime
    days: Sequence[Day]
    incidents: Sequence[Incident]
    address: str | None = None
    pack_key_id: str | None = None

    def holds(self, at: datetime | None) -> bool:
        """Whether a time lies within the period."""
        return at is not None and self.begin <= at < self.end


type Section = Callable[[DigestView], Awaitable[DigestSection | None]]


async def acts_of_people(view: DigestView) -> DigestSection | None:
    """What people did with incidents: who, what, with which."""
    times = ((i, (i.acted_at, i.resolved_at, i.woken_at, i.grew_at)) for i in view.incidents)
    touched = [i for i, at in times if any(view.holds(one) for one in at)]
    lines: list[tuple[datetime, str]] = []
    for incident in touched[:_MOST_READ]:
        for line in await history(view.tables.incidents, incident.key):
            if line.by != SYSTEM and view.holds(line.at):
                lines.append((line.at, f"{line.action} by {clean(line.by, 60)}: {named(incident)}"))
    return section("acts", "What people did", [text for _, text in sorted(lines)])


async def closed_by_quiet(view: DigestView) -> DigestSection | None:
    """The incidents that closed because nothing more was found."""
    closed = [
        incident
        for incident in view.incidents
        if incident.state is IncidentState.RESOLVED
        and incident.ending is Ending.QUIET
        and view.holds(incident.resolved_at)
    ]
    return section("closed", "Closed by quiet", [named(incident) for incident in closed])


async def unreadable_records(view: DigestView) -> DigestSection | None:
    """Records of the log that could not be read, and nobody accepted that."""
    lacking = [reach for day in view.days for reach in day.reach if reach.lacks_quarantined]
    n = sum(reach.quarantined - reach.accepted for reach in lacking)
    what = f"{n} record{'' if n == 1 else 's'} in {len(lacking)} slice{'' if len(lacking) == 1 else 's'} of the log"
    return section("quarantine", "Records that could not be read", [what] if n else [])


async def mixed_rules(view: DigestView) -> DigestSection | None:
    """Two versions of the rules judged the period, so that its figures are of two measures."""
    slices: Tally = {}
    for day in view.days:
        add(slices, day.rules_versions)
    if len(slices) < 2:
        return None
    told = [f"version {version}: {n} slices" for version, n in sorted(slices.items())]
    return section("rules", "Judged by different rules: run a rescan (python -m local ops rescan)", told)


async def final_statements(view: DigestView) -> DigestSection | None:
    """The months whose statement became final: where it is, and by what it and its evidence packs are checked."""
    told = [final for final in await final_months(view.tables.control) if view.holds(final.at)]
    lines = [f"{final.month:%B %Y}: {_address_of(final, view)} (SHA-256 {final.sha256})" for final in told]
    if lines and view.pack_key_id:
        lines.append(f"Key of evidence packs: {view.pack_key_id}")
    return section("statements", "Statements that are final now", lines)


def _address_of(final: FinalMonth, view: DigestView) -> str:
    return f"{view.address or ''}/api/statement?month={final.month:%Y-%m}&format=html"


async def gaps_of_sign_ins(view: DigestView) -> DigestSection | None:
    """The gaps behind the period's delegated sign-ins without MFA, those of the most first; of a channel's customers
    alone where it names some."""
    customers = view.channel.customer_keys
    counted: Counter[Cause] = Counter()
    people: dict[Cause, set[str]] = {}
    async for day in days_of_groups(view.tables.rollups, view.begin, view.end - MICROSECOND):
        for group, n in day.lines.items():
            if (
                group.cause is not None
                and group.verdict == Verdict.NON_COMPLIANT
                and group.scope in HEADLINE
                and (not customers or group.customer in customers)
            ):
                counted[group.cause] += n
                people.setdefault(group.cause, set()).update({group.user} - {""})
    worst = sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))
    lines = [f"{clean(title_of(cause), 160)}: {n} of {counted.total()}, {_of(people[cause])}" for cause, n in worst]
    return section("causes", "Why sign-ins without MFA were possible", lines)


def _of(people: Collection[str]) -> str:
    return "1 person" if len(people) == 1 else f"{len(people)} people"


SECTIONS: Final[tuple[Section, ...]] = (
    *(gaps_of_sign_ins, acts_of_people, closed_by_quiet, final_statements),
    *(unreadable_records, mixed_rules),
)


async def sections_of(view: DigestView) -> list[DigestSection]:
    """The sections that have something to say."""
    made = [await make(view) for make in SECTIONS]
    return [one for one in made if one is not None]


def section(id_: str, title: str, lines: Iterable[str]) -> DigestSection | None:
    """A section of these lines, of which the first are told; None without any."""
    every = [*lines]
    return DigestSection(id=id_, title=title, total=len(every), lines=every[:MOST_IN_SECTION]) if every else None


def named(incident: Incident) -> str:
    """An incident in a few words; names are text of the log."""
    who = incident.who
    return " · ".join(filter(None, (clean(who.user_name or who.user, 60), clean(who.app_name, 60))))
