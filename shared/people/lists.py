"""The lists about people that answers show, made when a refresh is done: roster, registrations and use together. Pure.

An entry holds JSON values and is kept as an object by name. Times are ISO 8601, days are dates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from shared.basics.spelling import id_key
from shared.people.activity import Activity
from shared.people.fetched import Account
from shared.people.roster import RosterPerson, Tenant
from shared.rules.posture import AccountSignals, fitting_posture
from shared.signin.directory import Customer, DelegatedAdmin, DirectoryFile

DORMANT_AFTER: Final = timedelta(days=28)
# How long those who left stay in the lists: as long as an answer may look back.
_LEFT_FOR: Final = timedelta(days=90)
# The registration report is up to a day late with a new account; only then does its absence mean something.
_REPORT_DELAY: Final = timedelta(days=2)


class PostureFit(NamedTuple):
    """A rule about the registration that an account breaks, and how severe that is."""

    rule: str
    severity: int


type Fits = Sequence[PostureFit]


class Technician(NamedTuple):
    """A delegated admin, or somebody who was one not long ago (`end` is past). `registered` and `capable` are None
    where the registration report has not the account, `off_boarded` and `dormant` where it cannot be said.
    `memberships` are keys of groups and directory roles, of those that policies name."""

    key: str
    id: str
    user_principal_name: str | None = None
    display_name: str | None = None
    guest: bool | None = None
    roles: Sequence[str] = ()
    eligible: Sequence[str] = ()
    reachable: int | None = None
    start: str | None = None
    end: str | None = None
    registered: bool | None = None
    capable: bool | None = None
    methods: Sequence[str] = ()
    off_boarded: bool | None = None
    seen: str | None = None
    dormant: bool | None = None
    fits: Fits = ()
    memberships: Sequence[str] = ()


class CustomerEntry(NamedTuple):
    """A customer, or a tenant that was one not long ago (`valid_to` is past). `start` and `end` are those of its
    relationships in effect, `roles` their template ids, `groups` the keys of the partner's groups that share in them,
    `people` how many are in these or may be, `seen` the UTC day of the last sign-in to it that was ever noted."""

    key: str
    id: str
    display_name: str | None = None
    roles: Sequence[str] = ()
    start: str | None = None
    end: str | None = None
    auto_extends: bool = False
    valid_from: str | None = None
    valid_to: str | None = None
    groups: Sequence[str] = ()
    people: int | None = None
    seen: str | None = None


class AccountEntry(NamedTuple):
    """An account that breaks posture rules."""

    key: str
    id: str
    user_principal_name: str | None = None
    display_name: str | None = None
    guest: bool = False
    delegated_admin: bool = False
    administrator: bool = False
    registered: bool | None = None
    capable: bool | None = None
    fits: Fits = ()


_MEMBERS: Final[Mapping[type, frozenset[str]]] = {
    kind: frozenset(kind._fields) for kind in (Technician, CustomerEntry, AccountEntry)
}


def to_kept(entry: Technician | CustomerEntry | AccountEntry) -> dict[str, Any]:
    """An entry as it is kept."""
    made = entry._asdict()
    return {**made, "fits": [fit._asdict() for fit in made["fits"]]} if "fits" in made else made


def named[E: Technician | CustomerEntry | AccountEntry](kind: type[E], kept: Any) -> Mapping[str, Any]:
    """The members of an entry that to_kept wrote, by name, without making it one: there are thousands.

    Version 1 of the app kept the values alone, in the order of the members.
    """
    return kept if isinstance(kept, Mapping) else dict(zip(kind._fields, kept, strict=False))


def from_kept[E: Technician | CustomerEntry | AccountEntry](kind: type[E], kept: Any) -> E:
    """The entry that to_kept wrote. A member that it lacks has its default; one that is not known here is passed over.

    Of what fits, later versions than the first kept the values alone too:

    >>> from_kept(CustomerEntry, ["k", "id", "Contoso"]) == from_kept(CustomerEntry, {"key": "k", "id": "id",
    ...     "display_name": "Contoso", "colour": "blue"})
    True
    """
    members = named(kind, kept)
    if not members.get("fits") and members.keys() <= _MEMBERS[kind]:  # as nearly all are, and there are thousands
        return kind(**members)
    made = {name: members[name] for name in kind._fields if name in members}
    if "fits" in made:
        made["fits"] = [PostureFit(**fit) if isinstance(fit, Mapping) else PostureFit(*fit[:2]) for fit in made["fits"]]
    return kind(**made)


@dataclass(frozen=True, slots=True)
class Sources:
    """What the lists are made of. `people`, `tenants` and `accounts` are None where they were not read this time; then
    `before` and `customers_before` speak for them. `wholly_read`: the log was read as far back as DORMANT_AFTER.
    `members` has the people's keys by those of the groups and roles that policies name; None as with `people`."""

    now: datetime
    people: Mapping[str, RosterPerson] | None
    tenants: Mapping[str, Tenant] | None
    accounts: Mapping[str, Account] | None
    activity: Activity
    wholly_read: bool
    members: Mapping[str, frozenset[str]] | None
    before: Mapping[str, Technician]
    customers_before: Mapping[str, CustomerEntry]


def technicians(file: DirectoryFile, sources: Sources) -> list[Technician]:
    """The delegated admins of now and those who left not long ago, in the order of their keys."""
    found = []
    for key, period in latest(((id_key(a.user_id), a) for a in file.delegated_admins), sources.now):
        found.append(_technician(key, period, sources))
    return found


class _Registration(NamedTuple):
    """What the registration report says of somebody, or said last."""

    guest: bool | None = None
    user_principal_name: str | None = None
    display_name: str | None = None
    registered: bool | None = None
    capable: bool | None = None
    methods: Sequence[str] = ()


class _Rights(NamedTuple):
    """What somebody holds, may take and reaches."""

    roles: Sequence[str]
    eligible: Sequence[str]
    reachable: int | None


def _technician(key: str, period: DelegatedAdmin, sources: Sources) -> Technician:
    current = period.to is None or period.to > sources.now
    old = sources.before.get(key)
    report = _registration(sources.accounts.get(key) if sources.accounts else None, old, sources)
    rights = _rights(sources.people.get(key) if sources.people else None, old, period, current=current)
    seen = last_day(old.seen if old else None, sources.activity.seen.get(key))
    dormant = _dormant(key, period, seen, sources) if current else None
    signals = AccountSignals(
        privileged=True,
        guest=bool(report.guest),
        registered=report.registered,
        capable=report.capable,
        dormant=dormant,
        proven=_proves_mfa(key, sources),
    )
    return Technician(
        key=key,
        id=period.user_id,
        user_principal_name=report.user_principal_name
        or period.user_principal_name
        or (old and old.user_principal_name),
        display_name=report.display_name or (old and old.display_name),
        guest=report.guest,
        roles=[*rights.roles],
        eligible=[*rights.eligible],
        reachable=rights.reachable,
        start=iso(period.from_),
        end=iso(period.to),
        registered=report.registered,
        capable=report.capable,
        methods=[*report.methods],
        off_boarded=_off_boarded(key, period, sources, current=current),
        seen=seen,
        dormant=dormant,
        fits=_fits(signals) if current else [],
        memberships=_memberships(key, old, sources),
    )


def _proves_mfa(key: str, sources: Sources) -> bool:
    """Whether a sign-in of the last weeks was made with MFA."""
    line = sources.activity.anywhere.get(key)
    return line is not None and line.compliant > 0


def _memberships(key: str, old: Technician | None, sources: Sources) -> Sequence[str]:
    if sources.members is None:
        return old.memberships if old else ()
    return sorted(of for of, users in sources.members.items() if key in users)


def _registration(account: Account | None, old: Technician | None, sources: Sources) -> _Registration:
    """Of the report where it was read and has the account. Else the names and the kind that were known stay; whether
    somebody is registered stays only where no report was read."""
    if account is not None:
        return _Registration(
            account.guest,
            account.user_principal_name,
            account.display_name,
            account.registered,
            account.capable,
            account.methods,
        )
    if old is None:
        return _Registration()
    if sources.accounts is not None:
        return _Registration(guest=old.guest, display_name=old.display_name)
    return _Registration(old.guest, None, old.display_name, old.registered, old.capable, old.methods)


def _rights(person: RosterPerson | None, old: Technician | None, period: DelegatedAdmin, *, current: bool) -> _Rights:
    """Of the roster where it was read and names them, else as it was known."""
    if person is not None:
        return _Rights(person.roles, person.eligible, person.reachable)
    if old is not None:
        return _Rights(old.roles, old.eligible, old.reachable if current else None)
    return _Rights(period.roles, (), None)


def _off_boarded(key: str, period: DelegatedAdmin, sources: Sources, *, current: bool) -> bool | None:
    """Whether a delegated admin has no enabled account any more; None where the report cannot tell yet."""
    if sources.accounts is None:
        old = sources.before.get(key)
        return old.off_boarded if old else None
    if not current:
        return None
    if key in sources.accounts:
        return False
    settled = period.from_ is None or period.from_ <= sources.now - _REPORT_DELAY
    return True if settled else None


def _dormant(key: str, period: DelegatedAdmin, seen: str | None, sources: Sources) -> bool | None:
    """Whether the person had the rights for so long and signed in not once; None where that cannot be said."""
    since = sources.now - DORMANT_AFTER
    if seen and seen >= since.date().isoformat():
        return False
    if period.from_ and period.from_ > since:
        return False
    return True if sources.wholly_read and not sources.activity.trimmed_users else None


def accounts_with_findings(sources: Sources, admins: Iterable[Technician]) -> list[AccountEntry]:
    """The accounts that break posture rules, in the order of their keys. Needs the registration report."""
    current = {admin.key: admin for admin in admins if is_current(admin, sources.now)}
    found = []
    accounts = sources.accounts or {}
    for key in sorted({*accounts, *current}):
        account, admin = accounts.get(key), current.get(key)
        if admin is not None:
            fits = admin.fits
        elif account is not None:
            fits = _fits(
                AccountSignals(account.admin, account.guest, account.registered, account.capable, dormant=False)
            )
        if not fits:
            continue
        known = account or admin
        assert known is not None  # noqa: S101 - the key is of one of them
        found.append(
            AccountEntry(
                key=key,
                id=known.id,
                user_principal_name=known.user_principal_name,
                display_name=known.display_name,
                guest=bool(known.guest),
                delegated_admin=admin is not None,
                administrator=account.admin if account else False,
                registered=known.registered,
                capable=known.capable,
                fits=fits,
            )
        )
    return found


def _fits(signals: AccountSignals) -> Fits:
    return [PostureFit(rule, int(severity)) for rule, severity in fitting_posture(signals)]


def latest[E: (Customer, DelegatedAdmin)](entries: Iterable[tuple[str, E]], now: datetime) -> list[tuple[str, E]]:
    """Of each key its last period, unless that is over for long; in the order of the keys."""
    last: dict[str, E] = {}
    for key, entry in entries:
        best = last.get(key)
        if best is None or (best.to is not None and (entry.to is None or entry.to > best.to)):
            last[key] = entry
    return sorted((key, e) for key, e in last.items() if e.to is None or e.to > now - _LEFT_FOR)


def is_current(admin: Technician, now: datetime) -> bool:
    """Whether somebody has delegated rights at that time."""
    return admin.end is None or datetime.fromisoformat(admin.end) > now


def last_day(first: str | None, second: object) -> str | None:
    """The later of two dates."""
    days = [day for day in (first, str(second) if second else None) if day]
    return max(days, default=None)


def iso(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None
