"""A partner of any size, for measurements: seeded, plain, without stories."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from .model import Customer, DirectoryRole, GdapRelationship, Group, People, Registration
from .people import BILLING_ADMINISTRATOR, GLOBAL_ADMINISTRATOR

_ROLES = (
    "f2ef992c-3afb-46b9-b7cf-a126ee74c451",
    "729827e3-9c14-49f7-bb1b-9608f156bbb8",
    "fe930be7-5e62-47db-91af-98c3a49a38b1",
    "29232cdf-9323-42fd-ade2-1d097af3e4de",
    "69091246-20e8-4a56-aa4d-066075b2a7a8",
    "f28a1f50-f6e7-4571-818b-6a12f2af6b6c",
    "3a2c62db-5318-420d-8d74-23affee5d9d5",
    "194ae4cb-b126-40b2-bd5b-6091b380977d",
)


def make_crowd(accounts: int, customers: int, groups: int, now: datetime, seed: int = 7) -> People:
    """That many accounts (a tenth of them technicians), customers with a relationship each (and a tenth with one that
    is over), and groups: three DAP groups, the rest with shares in relationships, members and eligible members."""
    rng = random.Random(seed)

    def guid() -> str:
        return str(uuid.UUID(int=rng.getrandbits(128), version=4))

    everybody = [guid() for _ in range(accounts)]
    technicians = everybody[: max(1, accounts // 10)]
    names = ["AdminAgents", "HelpdeskAgents", "SalesAgents", *(f"GDAP team {n}" for n in range(groups - 3))]
    sizes = [min(len(technicians), size) for size in (200, 2500, 50, *([40] * (groups - 3)))]
    made = []
    for name, size in zip(names, sizes, strict=False):
        inside = rng.sample(technicians, size)
        eligible = tuple(rng.sample(technicians, min(5, len(technicians))))
        made.append(Group(guid(), name, tuple(inside), () if name.endswith("Agents") else eligible))
    teams = [group.group_id for group in made[3:]] or [made[0].group_id]
    tenants = [Customer(guid(), f"Customer number {n}") for n in range(customers)]
    links = [_link(rng, guid, customer, teams, now) for customer in tenants]
    links += [_link(rng, guid, customer, teams, now, over=True) for customer in tenants[::10]]
    return People(
        partner_tenant_id=guid(),
        partner_name="Crowd",
        managed_domain="crowd.example",
        federated_domain="fed.crowd.example",
        technicians=(),
        employees=(),
        customers=tuple(tenants),
        groups=tuple(made),
        roles=(
            DirectoryRole(guid(), GLOBAL_ADMINISTRATOR, "Global Administrator", tuple(technicians[:5])),
            DirectoryRole(guid(), BILLING_ADMINISTRATOR, "Billing Administrator", tuple(technicians[5:8])),
        ),
        relationships=tuple(links),
        registrations=tuple(_registration(rng, person, n, now) for n, person in enumerate(everybody)),
    )


def _link(
    rng: random.Random,
    guid: Callable[[], str],
    customer: Customer,
    teams: list[str],
    now: datetime,
    *,
    over: bool = False,
) -> GdapRelationship:
    activated = now - timedelta(days=rng.randrange(400 if over else 40, 700 if over else 400))
    return GdapRelationship(
        relationship_id=f"{guid()}-{guid()}",
        display_name=f"Managed services {customer.display_name}",
        customer_tenant_id=customer.tenant_id,
        customer_display_name=customer.display_name,
        status="expired" if over else "active",
        activated=activated,
        ends=activated + timedelta(days=180) if over else now + timedelta(days=rng.randrange(10, 300)),
        role_definition_ids=_ROLES,
        assignments=tuple((team, _ROLES) for team in rng.sample(teams, min(3, len(teams)))),
    )


def _registration(rng: random.Random, person: str, number: int, now: datetime) -> Registration:
    registered = rng.random() < 0.9
    guest = rng.random() < 0.05
    methods = ("microsoftAuthenticatorPush", "softwareOneTimePasscode", "mobilePhone") if registered else ()
    return Registration(
        user_id=person,
        user_principal_name=f"given{number}.family{number}@crowd.example",
        is_admin=False,
        is_mfa_registered=registered,
        is_mfa_capable=registered and rng.random() < 0.98,
        methods_registered=methods,
        user_type="guest" if guest else "member",
        last_updated=now - timedelta(hours=5),
    )
