"""Publishing what a refresh read to its end: the directory by which sign-ins are judged, and the lists that answers
show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.app.app import App
from shared.basics.events import log_event
from shared.basics.spelling import id_key
from shared.compliance.coverage import Window
from shared.ledger.slices import DAY
from shared.operations.slices import rescan
from shared.people.activity import Activity, is_wholly_read
from shared.people.customer_list import customer_facts, customers
from shared.people.fetched import Account, Fetched
from shared.people.figures import posture_figures
from shared.people.lists import (
    DORMANT_AFTER,
    CustomerEntry,
    Sources,
    Technician,
    accounts_with_findings,
    from_kept,
    technicians,
    to_kept,
)
from shared.people.merge import Known, Merged, merge
from shared.people.named_groups import NamedGroups
from shared.people.roster import Roster, build_roster
from shared.signin.traits import Scope
from shared.store.days import days_of_customers, days_of_users, partner_days
from shared.store.directory import Loaded, load_directory_if_any, save_directory
from shared.store.people import ACCOUNTS, CUSTOMERS, TECHNICIANS, load_lists, save_list
from shared.store.refresh import Lease, RefreshState, write_state
from shared.store.tables import Tables


@dataclass(slots=True)
class CompleteSource:
    """A source that was read to its end, and how it stands."""

    state: RefreshState
    fetched: Fetched


async def publish_directory(
    app: App,
    lease: Lease,
    source: CompleteSource,
    loaded: Loaded | None,
    names: Mapping[str, str],
    federated: frozenset[str] | None = None,
) -> Roster:
    """Replace the directory and make the slices due that it judges otherwise. Returns the new roster.

    `loaded` is the directory as it stands, `names` are user names by user key, `federated` the domains that Graph calls
    federated (None: not read). Since when slices must be read again is noted before the directory is replaced, and
    forgotten when they are due, so that whoever goes on after a crash makes up for it. Raises Shrunk where the read can
    only be a fault, Conflict where a directory file was loaded or somebody erased meanwhile, LeaseLost.
    """
    settings, tables, now = app.settings, await app.tables(), app.clock()
    roster = build_roster(source.fetched, settings.further_group_ids)
    merged = merge(
        Known(loaded.file, loaded.began) if loaded else None,
        roster,
        partner_tenant=settings.partner_tenant_id,
        names=names,
        federated_domains=_federated_domains(settings.federated_domains, federated),
        now=now,
    )
    since = _due_since(app, source.state, merged, now)
    if since != source.state.due_since:
        source.state = replace(source.state, due_since=since)
        await write_state(tables.directory, source.state)
    await lease.renew(now)
    await save_directory(tables.directory, merged.file, now, began=source.state.began, after=loaded)
    if since:
        for tenant in settings.tenants:
            await lease.renew(app.clock())
            await rescan(app, tenant, since, now)
    log_event("directory_refreshed", joined=merged.joined, left=merged.left, requests=source.state.requests)
    return roster


def _federated_domains(named: Sequence[str], read: frozenset[str] | None) -> list[str] | None:
    """Those that the settings name and those that Graph calls so; None, which leaves what was known, for neither."""
    return sorted({*named, *read}) if read is not None else ([*named] or None)


def _due_since(app: App, state: RefreshState, merged: Merged, now: datetime) -> datetime | None:
    """Since when what was judged may be judged otherwise; no further back than the plan looks."""
    times = [at for at in (state.due_since, merged.since) if at]
    horizon = now - timedelta(days=max(app.settings.lookback_days, app.settings.retention_days)) - DAY
    return max(min(times), horizon) if times else None


@dataclass(frozen=True, slots=True)
class Registrations:
    """The registration report, and whether security defaults are on (None: not known)."""

    accounts: Mapping[str, Account]
    security_defaults: bool | None


@dataclass(frozen=True, slots=True)
class Read:
    """What was read this time; None of what was not. `named` are the groups and roles that policies name."""

    roster: Roster | None
    registrations: Registrations | None
    named: NamedGroups | None = None


async def publish_lists(app: App, lease: Lease, read: Read) -> bool:
    """Replace the lists by what was read; what was not read this time stays as it was.

    Returns False while there is no directory: registrations that came first wait for it. Raises LeaseLost.
    """
    tables, now = await app.tables(), app.clock()
    table, roster, registrations = tables.directory, read.roster, read.registrations
    loaded = await load_directory_if_any(tables.directory)
    if loaded is None:
        return False
    customers_before, technicians_before = await load_lists(table, CUSTOMERS, TECHNICIANS)
    activity, wholly_read = await _activity(app, tables, now)
    before = [from_kept(Technician, kept) for kept in technicians_before.entries] if technicians_before else []
    left = [from_kept(CustomerEntry, kept) for kept in customers_before.entries] if customers_before else []
    sources = Sources(
        now=now,
        people={id_key(p.id): p for p in roster.people} if roster else None,
        tenants={id_key(t.id): t for t in roster.customers} if roster else None,
        accounts=registrations.accounts if registrations else None,
        activity=activity,
        wholly_read=wholly_read,
        members=read.named.members if read.named else None,
        before={entry.key: entry for entry in before},
        customers_before={entry.key: entry for entry in left},
    )
    admins = technicians(loaded.file, sources)
    await lease.renew(now)
    of_admins = read.named.kept() if read.named else technicians_before.facts if technicians_before else {}
    of_customers = customer_facts(
        (customers_before.at, customers_before.facts) if customers_before else None, roster, sources
    )
    await save_list(table, TECHNICIANS, [to_kept(admin) for admin in admins], of_admins, now)
    await save_list(table, CUSTOMERS, [to_kept(entry) for entry in customers(loaded.file, sources)], of_customers, now)
    if registrations is not None:
        found = accounts_with_findings(sources, admins)
        defaults = registrations.security_defaults
        figures = posture_figures(registrations.accounts.values(), admins, found, security_defaults=defaults, now=now)
        await save_list(table, ACCOUNTS, [to_kept(entry) for entry in found], figures, now)
    return True


async def _activity(app: App, tables: Tables, now: datetime) -> tuple[Activity, bool]:
    """Who was seen in the time after which one counts as dormant, and whether all of it was read."""
    activity = Activity()
    begin = now - DORMANT_AFTER
    async for of_day in days_of_users(tables.rollups, begin, now):
        activity.add_users(of_day, ())
    async for of_customers in days_of_customers(tables.rollups, begin, now):
        activity.add_customers(of_customers, (Scope.CUSTOMER,))
    days = [day async for day in partner_days(tables.rollups, begin, now)]
    window = Window(begin, now, now, app.settings.slice_width)
    return activity, is_wholly_read(app.settings.tenants, days, window)
