"""What a sample is made of: people, log records with their history, and the truth that was planted.

An independent party: nothing here comes from `shared/`. Records are the JSON that Graph beta gives
(docs/entra-facts.md), as plain dicts. Times are aware datetimes in UTC; in JSON they are ISO 8601 with Z.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

type JsonObject = dict[str, object]

SCOPES = ("customer", "partner-center", "partner-tenant", "guest")


def iso(moment: datetime) -> str:
    """The text of a time as Graph writes it: UTC, seconds, Z (a fraction only where there is one)."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Technician:
    """One person on the roster. `valid_from` and `valid_to` (half-open) are None where the source gives none."""

    user_id: str
    user_principal_name: str
    display_name: str
    home_tenant_id: str
    roles: tuple[str, ...]
    federated: bool = False
    guest: bool = False
    method: str = "Mobile app notification"
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    @property
    def masked_name(self) -> str:
        """The user name that a customer's log shows instead (docs/entra-facts.md, "Who is a delegated admin")."""
        return f"user_{self.user_id.replace('-', '')}@{self.user_principal_name.partition('@')[2]}"


@dataclass(frozen=True, slots=True)
class Employee:
    """Someone of the partner, or of a customer, who is not on the roster."""

    user_id: str
    user_principal_name: str
    display_name: str
    home_tenant_id: str


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer tenant, with the (half-open) time in which it was one; None where the source gives no bound."""

    tenant_id: str
    display_name: str
    valid_from: datetime | None = None
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A security group of the partner: who is in it, and who may step into it (PIM)."""

    group_id: str
    display_name: str
    member_ids: tuple[str, ...]
    eligible_member_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DirectoryRole:
    """An activated directory role of the partner tenant."""

    role_id: str
    template_id: str
    display_name: str
    member_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GdapRelationship:
    """A delegatedAdminRelationship with the assignments of partner groups to its roles."""

    relationship_id: str
    display_name: str
    customer_tenant_id: str
    customer_display_name: str
    status: str
    activated: datetime
    ends: datetime
    role_definition_ids: tuple[str, ...]
    assignments: tuple[tuple[str, tuple[str, ...]], ...]
    """(group id, role definition ids) pairs."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What userRegistrationDetails says of one account."""

    user_id: str
    user_principal_name: str
    is_admin: bool
    is_mfa_registered: bool
    is_mfa_capable: bool
    methods_registered: tuple[str, ...]
    user_type: str
    last_updated: datetime


@dataclass(frozen=True, slots=True)
class People:
    """Everyone and every tenant of the sample."""

    partner_tenant_id: str
    partner_name: str
    managed_domain: str
    federated_domain: str
    technicians: tuple[Technician, ...]
    employees: tuple[Employee, ...]
    customers: tuple[Customer, ...]
    groups: tuple[Group, ...]
    roles: tuple[DirectoryRole, ...]
    relationships: tuple[GdapRelationship, ...]
    registrations: tuple[Registration, ...]

    def technician(self, name: str) -> Technician:
        """The technician whose user name begins with `name`@; KeyError when nobody's does."""
        for person in self.technicians:
            if person.user_principal_name.partition("@")[0] == name:
                return person
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One sign-in of one tenant's log and its history in that log.

    `tenant_id` owns the log. The log serves `record` from `available_at` on, and `late_record` instead from `late_at`
    on. `scope` and `verdict` are what the story meant, for the last version; "" where the story says nothing.
    """

    tenant_id: str
    available_at: datetime
    record: JsonObject
    late_at: datetime | None = None
    late_record: JsonObject | None = None
    scope: str = ""
    verdict: str = ""

    @property
    def id(self) -> str:
        """The record's key."""
        return str(self.record["id"])

    @property
    def final(self) -> JsonObject:
        """What the log says in the end."""
        return self.record if self.late_record is None else self.late_record

    @property
    def is_unicode(self) -> bool:
        """Whether all that the record says in the end is Unicode, which some parsers insist on."""
        try:
            json.dumps(self.final, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return False
        return True

    def to_json(self) -> JsonObject:
        """One line of `log.jsonl.gz`."""
        line: JsonObject = {"tenantId": self.tenant_id, "availableAt": iso(self.available_at), "record": self.record}
        if self.late_at is not None and self.late_record is not None:
            line["lateDetails"] = {"at": iso(self.late_at), "record": self.late_record}
        return line


@dataclass(frozen=True, slots=True)
class Violation:
    """Records of one user, customer and application that break the same rules, as the story planted them. `cause` says
    why that was possible, by which policy and which rule of it; None where the story says nothing of it."""

    story: str
    record_ids: tuple[str, ...]
    log_tenant_id: str
    user_id: str
    user_principal_name: str
    customer_tenant_id: str | None
    app_id: str
    scope: str
    rules: tuple[str, ...]
    severity: str
    verdict: str
    cause: str | None = None
    cause_policy: str | None = None
    cause_rule: str | None = None

    def to_json(self) -> JsonObject:
        """One entry of `violations` in `truth.json`."""
        return {
            "story": self.story,
            "recordIds": list(self.record_ids),
            "logTenantId": self.log_tenant_id,
            "userId": self.user_id,
            "userPrincipalName": self.user_principal_name,
            "customerTenantId": self.customer_tenant_id,
            "appId": self.app_id,
            "scope": self.scope,
            "rules": list(self.rules),
            "severity": self.severity,
            "verdict": self.verdict,
            "cause": self.cause,
            "causePolicy": self.cause_policy,
            "causeRule": self.cause_rule,
        }


@dataclass(frozen=True, slots=True)
class Quiet:
    """Planted records that look like trouble and must raise nothing."""

    reason: str
    record_ids: tuple[str, ...]
    log_tenant_id: str
    verdict: str

    def to_json(self) -> JsonObject:
        """One entry of `quiet` in `truth.json`."""
        return {
            "reason": self.reason,
            "recordIds": list(self.record_ids),
            "logTenantId": self.log_tenant_id,
            "verdict": self.verdict,
        }


@dataclass(frozen=True, slots=True)
class Sample:
    """A whole sample: `log` is ordered by time and id, and holds the partner's log and one customer's."""

    seed: int
    start: datetime
    end: datetime
    people: People
    customer_log_tenant_id: str
    log: tuple[LogRecord, ...]
    violations: tuple[Violation, ...]
    quiet: tuple[Quiet, ...]

    def directory(self) -> JsonObject:
        """The directory file of `assess` (README, "Judge a log you already have")."""
        people = self.people
        return {
            "partnerTenantId": people.partner_tenant_id,
            "customers": [
                {"tenantId": c.tenant_id, "displayName": c.display_name} | _validity(c.valid_from, c.valid_to)
                for c in people.customers
            ],
            "delegatedAdmins": [
                {"userId": t.user_id, "userPrincipalName": t.user_principal_name, "roles": list(t.roles)}
                | _validity(t.valid_from, t.valid_to)
                for t in people.technicians
            ],
            "federatedDomains": [people.federated_domain],
        }

    def truth(self) -> JsonObject:
        """What a reader of the final log must find. `counts` is of the partner's log: scope → verdict → sign-ins."""
        return {
            "seed": self.seed,
            "from": iso(self.start),
            "to": iso(self.end),
            "partnerTenantId": self.people.partner_tenant_id,
            "customerLogTenantId": self.customer_log_tenant_id,
            "counts": self.counts(self.people.partner_tenant_id),
            "violations": [v.to_json() for v in self.violations],
            "quiet": [q.to_json() for q in self.quiet],
        }

    def counts(self, tenant_id: str) -> Mapping[str, Mapping[str, int]]:
        """How many successful user sign-ins of this tenant's log the stories meant, by scope and verdict."""
        numbers = {scope: {"compliant": 0, "nonCompliant": 0, "unknown": 0} for scope in SCOPES}
        names = {"compliant": "compliant", "non-compliant": "nonCompliant", "unknown": "unknown"}
        for entry in self.log:
            if entry.tenant_id == tenant_id and entry.scope in numbers and entry.verdict in names:
                numbers[entry.scope][names[entry.verdict]] += 1
        return numbers


def _validity(begin: datetime | None, end: datetime | None) -> JsonObject:
    return {name: iso(moment) for name, moment in (("from", begin), ("to", end)) if moment is not None}


def whole_days(start: datetime, end: datetime) -> list[datetime]:
    """The midnights (UTC) of the working days that lie wholly between `start` and `end`."""
    day = start.replace(hour=0, minute=0, second=0, microsecond=0)
    days = []
    while day + timedelta(days=1) <= end:
        if day >= start and day.weekday() < 5:
            days.append(day)
        day += timedelta(days=1)
    return days
