"""A small partner on the local Graph, and a rig that refreshes, scans and asks, with a clock of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from local.graph_server import LocalGraph, PartnerDirectory
from local.graph_server.control import Control, Fault, StatusFault
from local.sample.model import Customer, DirectoryRole, GdapRelationship, Group, People, Registration
from local.sample.people import BILLING_ADMINISTRATOR, GLOBAL_ADMINISTRATOR
from shared.basics.spelling import id_key
from shared.people.lists import AccountEntry, CustomerEntry, Technician, from_kept
from shared.people.refresh import refresh_directory
from shared.rules.rule import PARTNER
from shared.signin.directory import DirectoryFile
from shared.store.directory import DirectoryMissing, load_directory, save_directory
from shared.store.people import ACCOUNTS, CUSTOMERS, TECHNICIANS, load_list
from shared.store.refresh import RefreshState, read_state
from tests.scan.harness import Rig
from tests.settings import settings_for

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
_KINDS: dict[str, type[Technician | CustomerEntry | AccountEntry]] = {
    TECHNICIANS: Technician,
    CUSTOMERS: CustomerEntry,
    ACCOUNTS: AccountEntry,
}
READER_ROLE = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"


def user(n: int) -> str:
    """A person's id."""
    return f"aaaaaaaa-0000-4000-8000-{n:012d}"


def group(n: int) -> str:
    """A group's id."""
    return f"bbbbbbbb-0000-4000-8000-{n:012d}"


def tenant(n: int) -> str:
    """A customer's id."""
    return f"cccccccc-0000-4000-8000-{n:012d}"


def relationship(
    n: int,
    groups: Iterable[str] = (group(1),),
    *,
    of: int | None = None,
    status: str = "active",
    activated: datetime = NOON - 100 * DAY,
    ends: datetime = NOON + 100 * DAY,
) -> GdapRelationship:
    """The n-th relationship, with customer n unless another is named."""
    customer = of or n
    return GdapRelationship(
        relationship_id=f"dddddddd-0000-4000-8000-{n:012d}-eeeeeeee-0000-4000-8000-{n:012d}",
        display_name=f"Relationship {n}",
        customer_tenant_id=tenant(customer),
        customer_display_name=f"Customer {customer}",
        status=status,
        activated=activated,
        ends=ends,
        role_definition_ids=(READER_ROLE,),
        assignments=tuple((each, (READER_ROLE,)) for each in groups),
    )


def registration(n: int, *, registered: bool = True, capable: bool | None = None, guest: bool = False) -> Registration:
    """What the report says of person n."""
    able = registered if capable is None else capable
    kind = "guest" if guest else "member"
    name = f"user{n}@partner.example"
    return Registration(user(n), name, False, registered, able, ("mobilePhone",) if registered else (), kind, NOON)


def people(
    groups: Mapping[int, Sequence[str]] | None = None,
    *,
    eligible: Mapping[int, Sequence[str]] | None = None,
    names: Mapping[int, str] | None = None,
    relationships: Sequence[GdapRelationship] = (relationship(1), relationship(2)),
    roles: Mapping[str, Sequence[str]] | None = None,
    registrations: Sequence[Registration] | None = None,
) -> People:
    """A partner with two customers, whose group 1 holds persons 1 and 2 and has a share in both, and AdminAgents
    (group 9) with person 1; person 1 is Global Administrator."""
    inside = groups if groups is not None else {1: [user(1), user(2)], 9: [user(1)]}
    called = {9: "AdminAgents", **(names or {})}
    may = eligible or {}
    held = roles if roles is not None else {GLOBAL_ADMINISTRATOR: [user(1)], BILLING_ADMINISTRATOR: []}
    known = registrations if registrations is not None else [registration(n) for n in (1, 2, 3, 4)]
    tenants = sorted({r.customer_tenant_id: r.customer_display_name for r in relationships}.items())
    return People(
        partner_tenant_id=PARTNER,
        partner_name="Partner",
        managed_domain="partner.example",
        federated_domain="fed.partner.example",
        technicians=(),
        employees=(),
        customers=tuple(Customer(tenant_id, name) for tenant_id, name in tenants),
        groups=tuple(
            Group(group(n), called.get(n, f"Group {n}"), tuple(inside.get(n, ())), tuple(may.get(n, ())))
            for n in sorted({*inside, *may})
        ),
        roles=tuple(DirectoryRole(role, role, role, tuple(members)) for role, members in held.items()),
        relationships=tuple(relationships),
        registrations=tuple(known),
    )


@dataclass
class Office:
    """What a test drives: the rig of the scan, and the directory that Graph serves."""

    rig: Rig
    directory: PartnerDirectory

    @property
    def now(self) -> datetime:
        """The time of all."""
        return self.rig.now

    def pass_time(self, by: timedelta) -> None:
        """Let time pass for all."""
        self.rig.pass_time(by)

    def serve(self, changed: People) -> None:
        """Have Graph serve that from now on."""
        self.directory.people = changed

    def fail(self, *faults: Fault) -> None:
        """Have Graph answer its next requests so."""
        self.rig.graph.control(Control(faults=[*faults]))

    def heal(self) -> None:
        """Have Graph answer again."""
        self.rig.graph.control(Control(clear_faults=True))

    def asked(self) -> list[str]:
        """The paths that Graph was asked since the last time, without those of the identity endpoint."""
        paths = [str(r["path"]) for r in self.rig.graph.requests() if str(r["path"]).startswith("/v1.0/")]
        self.rig.graph.control(Control(clear_requests=True))
        return paths

    async def refresh(self, *, scheduled: bool = True) -> None:
        """Refresh."""
        await refresh_directory(self.rig.app, scheduled=scheduled)

    async def state(self, source: str = "roster") -> RefreshState:
        """How a source stands."""
        return await read_state((await self.rig.tables()).directory, source)

    async def file(self) -> DirectoryFile | None:
        """The directory as the scan reads it; None while there is none."""
        try:
            return (await load_directory((await self.rig.tables()).directory)).file
        except DirectoryMissing:
            return None

    async def roster(self) -> dict[str, list[tuple[datetime | None, datetime | None]]]:
        """The periods of everybody on the roster, by the end of their id."""
        file = await self.file()
        found: dict[str, list[tuple[datetime | None, datetime | None]]] = {}
        for admin in file.delegated_admins if file else []:
            found.setdefault(admin.user_id[-2:], []).append((admin.from_, admin.to))
        return found

    async def customers(self) -> dict[str, list[tuple[datetime | None, datetime | None]]]:
        """The periods of every customer, by the end of their id."""
        file = await self.file()
        found: dict[str, list[tuple[datetime | None, datetime | None]]] = {}
        for customer in file.customers if file else []:
            found.setdefault(customer.tenant_id[-2:], []).append((customer.from_, customer.to))
        return found

    async def lists(self) -> dict[str, Any]:
        """The entries of every list, by key."""
        table = (await self.rig.tables()).directory
        found: dict[str, Any] = {}
        for name, kind in _KINDS.items():
            kept = await load_list(table, name)
            entries = [from_kept(kind, entry) for entry in kept.entries] if kept else []
            found[name] = None if kept is None else {entry.key[-2:]: entry for entry in entries}
        return found


def broken(skip: int = 0, *, status: int = 500, path: str = "/v1.0/", times: int = 1) -> StatusFault:
    """A fault at the next request but so many. 500 is not sent again by the SDK."""
    return StatusFault.model_validate({"kind": "status", "status": status, "path": path, "skip": skip, "times": times})


@asynccontextmanager
async def office(
    azurite: str,
    monkeypatch: pytest.MonkeyPatch,
    served: People | None = None,
    *,
    now: datetime = NOON,
    page_size: int = 1000,
    file: DirectoryFile | None = None,
    **settings: Any,
) -> AsyncIterator[Office]:
    """An office with empty tables of its own (or that directory file loaded), a day of lookback, slices of an hour."""
    graph = LocalGraph([], tenant_id=PARTNER, now=now)
    directory = PartnerDirectory(graph, served or people(), page_size=page_size)
    async with graph:
        monkeypatch.setenv("IDENTITY_ENDPOINT", graph.identity_url)
        monkeypatch.setenv("IDENTITY_HEADER", graph.identity.header)
        values = {
            "graph_base_url": graph.url,
            "lookback_days": 1,
            "slice_minutes": 60,
            "graph_requests_per_10_seconds": 1000,
            "directory_requests_per_10_seconds": 10_000,
            "report_requests_per_10_seconds": 10_000,
            **settings,
        }
        rig = Rig(settings_for(azurite, **values), graph, azurite, "t" + uuid4().hex[:20])
        rig.set_time(now)
        try:
            tables = await rig.tables()
            if file is not None:
                await save_directory(tables.directory, file, now)
            yield Office(rig, directory)
        finally:
            await rig.close()


def key(n: int) -> str:
    """A person's key."""
    return id_key(user(n))


def without(served: People, *ids: str) -> People:
    """The same, but those persons are in no group and no role."""
    return replace(
        served,
        groups=tuple(
            replace(
                g,
                member_ids=tuple(m for m in g.member_ids if m not in ids),
                eligible_member_ids=tuple(m for m in g.eligible_member_ids if m not in ids),
            )
            for g in served.groups
        ),
        roles=tuple(replace(r, member_ids=tuple(m for m in r.member_ids if m not in ids)) for r in served.roles),
    )
