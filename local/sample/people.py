"""The partner, its technicians and employees, its customers, and what Graph's directory would say of them."""

from __future__ import annotations

import random
import uuid
from datetime import datetime, timedelta

from .catalog import CUSTOMER_NAMES, CUSTOMER_TRADES, FAMILY_NAMES, GIVEN_NAMES
from .model import (
    Customer,
    DirectoryRole,
    Employee,
    GdapRelationship,
    Group,
    People,
    Registration,
    Technician,
    whole_days,
)

PARTNER_NAME = "Northbridge Cloud Services"
MANAGED_DOMAIN = "northbridge.example"
FEDERATED_DOMAIN = "wing.northbridge.example"
GUEST_DOMAIN = "subcontractor.example"

FEDERATED = frozenset({"trent", "farid", "kaya", "oskar", "umar", "yusuf", "dalia", "emil"})
DORMANT = "gustav"
LEAVER = "igor"
JOINER = "hanna"
GUEST = "nora"
SERVICE_ACCOUNT = "svc-backup"
NOT_REGISTERED = frozenset({SERVICE_ACCOUNT, "john", GUEST})
REGISTERED_NOT_CAPABLE = frozenset({"cyril"})

_METHODS = (
    "Mobile app notification",
    "FIDO2 security key",
    "Windows Hello for Business",
    "Text message",
    "Mobile app verification code",
    "Passkey (device-bound)",
    "Passwordless phone sign-in",
)
_REGISTERED_AS = {
    "Mobile app notification": ("microsoftAuthenticatorPush", "softwareOneTimePasscode"),
    "FIDO2 security key": ("fido2SecurityKey",),
    "Windows Hello for Business": ("windowsHelloForBusiness",),
    "Text message": ("mobilePhone",),
    "Mobile app verification code": ("softwareOneTimePasscode",),
    "Passkey (device-bound)": ("passKeyDeviceBound",),
    "Passwordless phone sign-in": ("microsoftAuthenticatorPasswordless",),
    "Federated": ("mobilePhone",),
}

# Role template ids of Microsoft Entra's built-in roles.
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
BILLING_ADMINISTRATOR = "b0f54661-2d74-4c50-afa3-1ec803f12efe"
_TIER_1_ROLES = ("f2ef992c-3afb-46b9-b7cf-a126ee74c451", "729827e3-9c14-49f7-bb1b-9608f156bbb8")
MFA_EXCLUSIONS = "MFA exclusions (temporary)"
_TIER_2_ROLES = ("fe930be7-5e62-47db-91af-98c3a49a38b1", "29232cdf-9323-42fd-ade2-1d097af3e4de")


def guid(rng: random.Random) -> str:
    """A GUID from the seed, in the form that Entra writes."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def make_people(seed: int, start: datetime, end: datetime) -> People:
    """The people of a sample. One technician leaves and one joins in the middle of `start`…`end` (UTC)."""
    rng = random.Random(f"{seed}:people")
    partner, subcontractor = guid(rng), guid(rng)
    # The midnight of a working day, so that whole working days lie on either side of it, also in a short log.
    days = whole_days(start, end)
    middle = days[len(days) // 2]

    technicians = tuple(_technician(rng, name, i, partner, subcontractor, middle) for i, name in enumerate(GIVEN_NAMES))
    customers = tuple(_customer(rng, i, middle) for i in range(60))
    employees = tuple(
        Employee(guid(rng), f"office{n}@{MANAGED_DOMAIN}", f"Office Worker {n}", partner) for n in range(1, 9)
    )
    groups = _groups(rng, technicians)
    return People(
        partner_tenant_id=partner,
        partner_name=PARTNER_NAME,
        managed_domain=MANAGED_DOMAIN,
        federated_domain=FEDERATED_DOMAIN,
        technicians=technicians,
        employees=employees,
        customers=customers,
        groups=groups,
        roles=_directory_roles(rng, technicians),
        relationships=tuple(_relationship(rng, c, groups, start, end) for c in customers),
        registrations=tuple(_registration(t, end) for t in technicians),
    )


def _technician(
    rng: random.Random, name: str, index: int, partner: str, subcontractor: str, middle: datetime
) -> Technician:
    federated, guest = name in FEDERATED, name == GUEST
    domain = FEDERATED_DOMAIN if federated else GUEST_DOMAIN if guest else MANAGED_DOMAIN
    family = FAMILY_NAMES[index % len(FAMILY_NAMES)]
    return Technician(
        user_id=guid(rng),
        user_principal_name=f"{name}@{domain}",
        display_name=f"{name.capitalize()} {family}",
        home_tenant_id=subcontractor if guest else partner,
        roles=_roles(index),
        federated=federated,
        guest=guest,
        method="Federated" if federated else _METHODS[index % len(_METHODS)],
        valid_from=middle if name == JOINER else None,
        valid_to=middle if name == LEAVER else None,
    )


def _roles(index: int) -> tuple[str, ...]:
    roles = ["AdminAgents" if index % 3 == 0 else "SalesAgents" if index % 10 == 7 else "HelpdeskAgents"]
    roles.append("GDAP Tier 2" if index % 4 == 1 else "GDAP Tier 1")
    if index in (0, 12):
        roles.append("Global Administrator")
    if index == 7:
        roles.append("Billing Administrator")
    return tuple(roles)


def _customer(rng: random.Random, index: int, middle: datetime) -> Customer:
    name = f"{CUSTOMER_NAMES[index % len(CUSTOMER_NAMES)]} {CUSTOMER_TRADES[index // len(CUSTOMER_NAMES)]}"
    return Customer(
        tenant_id=guid(rng),
        display_name=name,
        valid_from=middle if index == 57 else None,
        valid_to=middle if index == 58 else None,
    )


def _groups(rng: random.Random, technicians: tuple[Technician, ...]) -> tuple[Group, ...]:
    groups = []
    for name in ("AdminAgents", "HelpdeskAgents", "SalesAgents", "GDAP Tier 1", "GDAP Tier 2"):
        inside = tuple(t.user_id for t in technicians if name in t.roles)
        # Tier 2 is stepped into when it is needed: all but its first two are only eligible.
        standing = inside[:2] if name == "GDAP Tier 2" else inside
        groups.append(Group(guid(rng), name, standing, inside[len(standing) :]))
    # Whom the partner lets in without MFA: an id of its own, so that nobody else's changes.
    outside = tuple(t.user_id for t in technicians if t.user_principal_name.startswith("aisha@"))
    groups.append(Group(str(uuid.uuid5(uuid.NAMESPACE_DNS, f"exclusions.{MANAGED_DOMAIN}")), MFA_EXCLUSIONS, outside))
    return tuple(groups)


def _directory_roles(rng: random.Random, technicians: tuple[Technician, ...]) -> tuple[DirectoryRole, ...]:
    templates = {"Global Administrator": GLOBAL_ADMINISTRATOR, "Billing Administrator": BILLING_ADMINISTRATOR}
    return tuple(
        DirectoryRole(guid(rng), template, name, tuple(t.user_id for t in technicians if name in t.roles))
        for name, template in templates.items()
    )


def _relationship(
    rng: random.Random, customer: Customer, groups: tuple[Group, ...], start: datetime, end: datetime
) -> GdapRelationship:
    by_name = {group.display_name: group.group_id for group in groups}
    activated = customer.valid_from or start - timedelta(days=rng.randrange(40, 400))
    return GdapRelationship(
        relationship_id=f"{guid(rng)}-{guid(rng)}",
        display_name=f"Managed services {customer.display_name}",
        customer_tenant_id=customer.tenant_id,
        customer_display_name=customer.display_name,
        status="terminated" if customer.valid_to else "active",
        activated=activated,
        ends=customer.valid_to or end + timedelta(days=rng.randrange(30, 300)),
        role_definition_ids=_TIER_1_ROLES + _TIER_2_ROLES,
        assignments=((by_name["GDAP Tier 1"], _TIER_1_ROLES), (by_name["GDAP Tier 2"], _TIER_2_ROLES)),
    )


def _registration(person: Technician, end: datetime) -> Registration:
    name = person.user_principal_name.partition("@")[0]
    registered = name not in NOT_REGISTERED
    return Registration(
        user_id=person.user_id,
        user_principal_name=person.user_principal_name,
        is_admin=any(role.endswith("Administrator") for role in person.roles),
        is_mfa_registered=registered,
        is_mfa_capable=registered and name not in REGISTERED_NOT_CAPABLE,
        methods_registered=_REGISTERED_AS[person.method] if registered else (),
        user_type="guest" if person.guest else "member",
        last_updated=end - timedelta(hours=9),
    )
