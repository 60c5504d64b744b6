"""Who the partner's delegated admins are and which tenants are its customers, and since when.

Both are effective-dated with half-open periods: a sign-in is judged with those valid at its own time, so that somebody
who leaves the roster later changes nothing of the past (docs/semantics.md, "Who signed in: identity").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from shared.basics.spelling import id_key
from shared.basics.times import Instant

# What people read where a sign-in reached no customer's tenant.
OWN_TENANT: Final = "Partner's own tenant"


def _named(text: str) -> str:
    if not id_key(text):
        raise ValueError("must not be empty")
    return text


Id = Annotated[str, AfterValidator(_named)]


class _Entry(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")

    from_: Instant | None = Field(default=None, alias="from")
    to: Instant | None = None

    def valid(self, at: datetime) -> bool:
        """Whether the entry holds at that time: from <= at < to, an absent bound being open."""
        return (self.from_ is None or self.from_ <= at) and (self.to is None or at < self.to)


class Customer(_Entry):
    """A customer tenant and the time in which the partner had delegated access to it."""

    tenant_id: Id
    display_name: str | None = None


class DelegatedAdmin(_Entry):
    """A person (or guest) who held, or was eligible for, delegated admin rights in that time."""

    user_id: Id
    user_principal_name: str | None = None
    roles: list[str] = []


class DirectoryFile(BaseModel):
    """The directory file of `assess` (README, "Judge a log that you have"); also what the directory table holds."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")

    partner_tenant_id: Id
    customers: list[Customer] = []
    delegated_admins: list[DelegatedAdmin] = []
    federated_domains: list[str] = []

    @property
    def tenant_names(self) -> dict[str, str]:
        """The tenants' display names by `id_key`: of several periods of one customer, the last that has a name."""
        names = {id_key(c.tenant_id): c.display_name for c in self.customers if c.display_name}
        return {id_key(self.partner_tenant_id): OWN_TENANT, **names}


type Periods = Mapping[str, tuple[tuple[datetime | None, datetime | None], ...]]  # by id key: from, to


@dataclass(frozen=True, slots=True)
class Directory:
    """The roster and the customers in the form the verdict asks them. Keys are `id_key`s."""

    partner_tenant: str
    admins: Mapping[str, tuple[DelegatedAdmin, ...]] = field(default_factory=dict)
    customers: Mapping[str, tuple[Customer, ...]] = field(default_factory=dict)
    federated_domains: frozenset[str] = frozenset()
    # The same in the form that is asked for each record.
    _roster: Periods = field(default_factory=dict, init=False, repr=False)
    _known: Periods = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_roster", _periods(self.admins))
        object.__setattr__(self, "_known", _periods(self.customers))

    @classmethod
    def of(cls, file: DirectoryFile) -> Directory:
        """From the file's entries; somebody may have several periods."""
        return cls(
            partner_tenant=id_key(file.partner_tenant_id),
            admins=_grouped((id_key(a.user_id), a) for a in file.delegated_admins),
            customers=_grouped((id_key(c.tenant_id), c) for c in file.customers),
            federated_domains=frozenset(d.strip().lstrip("@").lower() for d in file.federated_domains) - {""},
        )

    def is_admin(self, user: str, at: datetime) -> bool:
        """Whether that user was on the roster at that time."""
        for start, end in self._roster.get(user, ()):
            if (start is None or start <= at) and (end is None or at < end):
                return True
        return False

    def admin_name(self, user: str) -> str:
        """The user name of somebody who is or was on the roster; "" where it is not known."""
        names = [entry.user_principal_name for entry in self.admins.get(user, ()) if entry.user_principal_name]
        return names[-1] if names else ""

    def is_customer(self, tenant: str, at: datetime) -> bool:
        """Whether that tenant was a customer at that time."""
        for start, end in self._known.get(tenant, ()):
            if (start is None or start <= at) and (end is None or at < end):
                return True
        return False


def _periods(entries: Mapping[str, tuple[_Entry, ...]]) -> Periods:
    return {key: tuple((entry.from_, entry.to) for entry in of_key) for key, of_key in entries.items()}


def _grouped[E](entries: Iterable[tuple[str, E]]) -> dict[str, tuple[E, ...]]:
    grouped: dict[str, tuple[E, ...]] = {}
    for key, entry in entries:
        grouped[key] = (*grouped.get(key, ()), entry)
    return grouped


def reason_of(error: ValidationError) -> str:
    """The first thing wrong with a directory file, by member; never the value, which may be anything."""

    def sentence(detail: ErrorDetails) -> str:
        where = ".".join(str(part) for part in detail["loc"])
        return f"{where}: {detail['msg']}" if where else detail["msg"]

    return sentence(error.errors(include_url=False, include_input=False, include_context=False)[0])[:300]
