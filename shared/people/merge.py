"""The directory with its dates: what a complete read says, put on top of what was known. Pure.

How people are dated (docs/semantics.md, "What was reached: scope"): the first refresh gives no valid-from; whoever
appears later is valid from the previous complete refresh or the source's earlier date; valid-to is the first complete
refresh without them. The previous refresh counts from its beginning, since whoever came while it ran may have been
missed; this one counts at its end, since whoever left while it ran may have been seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from shared.basics.spelling import id_key
from shared.people.roster import Roster, RosterPerson, Span
from shared.signin.directory import Customer, DelegatedAdmin, DirectoryFile

# How far back the first refresh takes relationships that are over: no log reaches further.
_LONGEST_LOG: Final = timedelta(days=90)


class Shrunk(Exception):  # noqa: N818 - what happened to the roster
    """A read that would leave nobody or no customer, where there were some: that is no news but a fault."""


@dataclass(frozen=True, slots=True)
class Known:
    """The directory as it stands, and when the refresh that gave it began."""

    file: DirectoryFile
    began: datetime


@dataclass(frozen=True, slots=True)
class Merged:
    """The directory to publish. What was judged of `since` and later may be judged otherwise now (None: nothing)."""

    file: DirectoryFile
    since: datetime | None
    joined: int
    left: int


def merge(
    known: Known | None,
    roster: Roster,
    *,
    partner_tenant: str,
    names: Mapping[str, str],
    federated_domains: Sequence[str] | None,
    now: datetime,
) -> Merged:
    """Put a complete read on top of what was known. `names` are user names by user key; `federated_domains` replace
    those that were known; None leaves them. Raises Shrunk."""
    _check(known, roster)
    old = known.file if known else DirectoryFile(partner_tenant_id=partner_tenant)
    called = {id_key(a.user_id): a.user_principal_name for a in old.delegated_admins} | dict(names)
    named = {id_key(c.tenant_id): c.display_name for c in old.customers}
    people = {id_key(p.id): _Seen(_admin(p, called.get(id_key(p.id))), p.since) for p in roster.people}
    tenants = {
        id_key(t.id): _Seen(Customer(tenant_id=t.id, display_name=t.name or named.get(id_key(t.id))), t.start)
        for t in roster.customers
    }
    dating = _Dating(known.began if known else None, now)
    admins = dating.of(_grouped((id_key(a.user_id), a) for a in old.delegated_admins), people)
    customers = dating.of(_grouped((id_key(c.tenant_id), c) for c in old.customers), tenants)
    customers += dating.ended(customers, roster.ended)
    file = DirectoryFile(
        partner_tenant_id=partner_tenant,
        delegated_admins=admins,
        customers=sorted(customers, key=lambda entry: id_key(entry.tenant_id)),
        federated_domains=sorted(old.federated_domains if federated_domains is None else federated_domains),
    )
    return Merged(file, min(dating.changed, default=None), dating.joined, dating.left)


class _Seen[E](NamedTuple):
    entry: E  # without dates
    since: datetime | None


@dataclass(slots=True)
class _Dating:
    """Dates what was seen by what was known; notes from when on that changes how sign-ins are judged."""

    began: datetime | None
    now: datetime
    changed: list[datetime] = field(default_factory=list)
    joined: int = 0
    left: int = 0

    def of[E: (Customer, DelegatedAdmin)](self, known: Mapping[str, list[E]], seen: Mapping[str, _Seen[E]]) -> list[E]:
        """All periods, old and new, in the order of their keys."""
        periods: list[E] = []
        for key in sorted(known.keys() | seen.keys()):
            entries = known.get(key, [])
            current = [entry for entry in entries if entry.to is None or entry.to > self.now]
            periods += [entry for entry in entries if entry not in current]
            if key not in seen:
                self.left += bool(current)
                periods += [entry.model_copy(update={"to": self.now}) for entry in current]
            elif current:
                fresh = seen[key].entry
                periods += [fresh.model_copy(update={"from_": entry.from_, "to": entry.to}) for entry in current]
            else:
                self.joined += 1
                start = self._start(seen[key].since, max((e.to for e in entries if e.to), default=None))
                periods.append(seen[key].entry.model_copy(update={"from_": start}))
        return periods

    def ended(self, customers: Sequence[Customer], spans: Sequence[Span]) -> list[Customer]:
        """Periods of relationships that began and ended unseen: between two refreshes, or before the first one."""
        by_key = _grouped((id_key(c.tenant_id), c) for c in customers)
        horizon = self.began or self.now - _LONGEST_LOG
        found = []
        for span in spans:
            known = by_key.get(id_key(span.tenant), [])
            if span.end <= horizon or any(_overlap(entry, span) for entry in known):
                continue
            start = span.start if self.began else None
            entry = Customer(tenant_id=span.tenant, display_name=span.name, from_=start, to=span.end)
            by_key.setdefault(id_key(span.tenant), []).append(entry)
            found.append(entry)
            if start:
                self.changed.append(start)
        return found

    def _start(self, since: datetime | None, last_end: datetime | None) -> datetime | None:
        """When a new period begins; never before the one before it ended."""
        if self.began is None:
            return None
        start = max(filter(None, (min(filter(None, (self.began, since))), last_end)))
        self.changed.append(start)
        return start


def _overlap(entry: Customer, span: Span) -> bool:
    return (entry.from_ is None or entry.from_ < span.end) and (entry.to is None or span.start < entry.to)


def _admin(person: RosterPerson, name: str | None) -> DelegatedAdmin:
    roles = [*dict.fromkeys((*person.roles, *person.eligible))]
    return DelegatedAdmin(user_id=person.id, user_principal_name=name, roles=roles)


def _check(known: Known | None, roster: Roster) -> None:
    if not roster.people:
        raise Shrunk(
            "Graph names nobody who is a delegated admin or an administrator, which cannot be; the last good roster "
            "stays. Look whether the groups still have members and the app may read them."
        )
    if known and not roster.customers and any(customer.to is None for customer in known.file.customers):
        raise Shrunk(
            "Graph names no customer any more, where there were some; the last good list stays. If all of them really "
            "left, load a directory file without them (python -m local ops load-directory)."
        )


def _grouped[E](entries: Iterable[tuple[str, E]]) -> dict[str, list[E]]:
    grouped: dict[str, list[E]] = {}
    for key, entry in entries:
        grouped.setdefault(key, []).append(entry)
    return grouped
