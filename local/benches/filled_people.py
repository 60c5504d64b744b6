"""Who works at a filled partner: roster and customers as the directory and the lists have them, and open incidents."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from local.benches.filled_partner import APP, Size, keys_of_people, keys_of_tenants
from shared.basics.well_known import GLOBAL_ADMINISTRATOR
from shared.incidents.model import Facts, Incident, IncidentState, Who
from shared.ledger.slices import DAY
from shared.people.lists import AccountEntry, CustomerEntry, PostureFit, Technician, to_kept
from shared.posture.gdap import AccessGroup
from shared.rules.rule import PARTNER, Severity
from shared.signin.directory import Customer, DelegatedAdmin, DirectoryFile
from shared.store.directory import save_directory
from shared.store.incident_rows import incident_columns
from shared.store.people import ACCOUNTS, CUSTOMERS, TECHNICIANS, save_list
from shared.store.tables import Row, Table

_GROUPS = [f"{number:032x}" for number in range(1, 11)]
_ROLES = ["Admin agents", "Helpdesk agents"]
_FIT = PostureFit("mfa-not-registered", int(Severity.HIGH))


async def fill_people(directory: Table, size: Size, now: datetime) -> None:
    """Write directory and lists: one in fifty has no MFA registered, a customer is opened by two of ten groups."""
    people = [_technician(number, key, size, now) for number, key in enumerate(keys_of_people(size))]
    customers = [_customer(number, key, size, now) for number, key in enumerate(keys_of_tenants(size))]
    file = DirectoryFile(
        partner_tenant_id=PARTNER,
        customers=[Customer(tenant_id=c.id, display_name=c.display_name) for c in customers],
        delegated_admins=[
            DelegatedAdmin(user_id=p.id, user_principal_name=p.user_principal_name, roles=[*p.roles]) for p in people
        ],
    )
    await save_directory(directory, file, now)
    found = [
        AccountEntry(p.key, p.id, p.user_principal_name, p.display_name, registered=False, capable=False, fits=p.fits)
        for p in people
        if p.fits
    ]
    groups = {key: AccessGroup(f"Group {key[-2:]}", size.people // 5, False, True)._asdict() for key in _GROUPS}
    facts = {"groups": groups, "watchedSince": (now - 100 * DAY).isoformat()}
    await save_list(directory, TECHNICIANS, [to_kept(person) for person in people], {}, now)
    await save_list(directory, CUSTOMERS, [to_kept(customer) for customer in customers], facts, now)
    await save_list(directory, ACCOUNTS, [to_kept(account) for account in found], {}, now)


def rows_of_incidents(size: Size, now: datetime) -> Iterator[Row]:
    """One open incident for every ten people."""
    people, tenants = keys_of_people(size), keys_of_tenants(size)
    for number, user in enumerate(people[::10]):
        at = now - timedelta(hours=number % 700)
        customer = tenants[number % len(tenants)]
        facts = Facts(3, at - timedelta(hours=1), at, frozenset({"interactive-without-mfa"}), 4, 4)
        who = Who(user, f"user{10 * number}@partner.example", customer, APP, "App 0")
        incident = Incident(
            f"{number * 2654435761 % 2**128:032x}"[::-1], who, facts, state=IncidentState.OPEN, grew_at=at
        )
        yield incident_columns(incident)


def _technician(number: int, key: str, size: Size, now: datetime) -> Technician:
    registered = number % 50 != 1
    return Technician(
        key=key,
        id=str(UUID(hex=key)),
        user_principal_name=f"user{number}@partner.example",
        display_name=f"Person {number}",
        guest=number % 100 == 3,
        roles=_ROLES[: 1 + number % 2],
        eligible=["Global administrator"] if number % 40 == 0 else [],
        reachable=size.customers // 5,
        start=(now - 300 * DAY).isoformat(),
        registered=registered,
        capable=registered,
        methods=["microsoftAuthenticatorPush", "softwareOneTimePasscode"] if registered else [],
        off_boarded=number % 200 == 7,
        seen=f"{now - DAY:%Y-%m-%d}",
        dormant=number % 30 == 9,
        fits=[] if registered else [_FIT],
    )


def _customer(number: int, key: str, size: Size, now: datetime) -> CustomerEntry:
    return CustomerEntry(
        key=key,
        id=str(UUID(hex=key)),
        display_name=f"Customer {number}",
        roles=[str(UUID(int=number % 7)), *([GLOBAL_ADMINISTRATOR] if number % 60 == 0 else [])],
        start=(now - 300 * DAY).isoformat(),
        end=(now + (number % 700) * DAY).isoformat(),
        auto_extends=number % 2 == 0,
        groups=[_GROUPS[number % 10], _GROUPS[(number + 3) % 10]],
        people=size.people // 3,
        seen=f"{now - DAY:%Y-%m-%d}",
    )
