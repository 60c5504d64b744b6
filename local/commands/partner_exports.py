"""What a partner can export of itself: GDAP relationships, customers, members of groups; JSON or CSV, whoever wrote it.

Graph, its PowerShell module, Partner Center and the Entra admin center name the same things differently; what an entry
is, its members tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from local.commands.csv_log import Table, delimiter_of_cells
from local.commands.sources import read_text
from local.commands.unread import Fault
from shared.basics.spelling import id_key, is_key, squeezed
from shared.signin.careful import NotJson, load
from shared.signin.directory import Customer, DelegatedAdmin

# Names as `squeezed` leaves them, the best first.
_TENANT: Final = ("customertenantid", "tenantid", "microsoftid", "customermicrosoftid", "customerid", "customertenant")
_CUSTOMER: Final = ("customerdisplayname", "customername", "companyname", "customer", "displayname", "name")
_STATUS: Final = ("status", "relationshipstatus", "adminrelationshipstatus")
_FROM: Final = ("activateddatetime", "activationdate", "startdate", "starttime", "startdatetime")
_TO: Final = ("enddatetime", "enddate", "expirationdate", "expirydate", "expirationdatetime")
_CHANGED: Final = ("lastmodifieddatetime",)
_USER: Final = ("objectid", "userid", "id")
_USER_NAME: Final = ("userprincipalname", "upn", "username")
_KIND: Final = ("odatatype", "membertype", "objecttype")
_NEVER_ACTIVE: Final = ("created", "approvalpending", "approved", "pending", "rejected", "activating")
_ENDED: Final = ("terminated", "expired")
_LISTS: Final = ("value", "results", "items", "members")

type Entry = Mapping[str, Any]


class NotAnExport(Exception):  # noqa: N818 - what the file is
    """A file holds neither customers nor members of a group; the text says which file."""


@dataclass(slots=True)
class Found:
    """What the exports gave. `left_out` says in words what was in them and is not taken."""

    customers: dict[str, Customer] = field(default_factory=dict)
    admins: dict[str, DelegatedAdmin] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def add_customer(self, customer: Customer) -> None:
        """Take a customer; of several relationships with one, the time from the first to the last counts."""
        key = id_key(customer.tenant_id)
        known = self.customers.get(key)
        if known:
            customer = Customer(
                tenant_id=known.tenant_id,
                display_name=known.display_name or customer.display_name,
                from_=_outer(known.from_, customer.from_, min),
                to=_outer(known.to, customer.to, max),
            )
        self.customers[key] = customer

    def add_admin(self, admin: DelegatedAdmin) -> None:
        """Take a person; one in several groups has the roles of all."""
        key = id_key(admin.user_id)
        if known := self.admins.get(key):
            roles = [*known.roles, *(role for role in admin.roles if role not in known.roles)]
            admin = known.model_copy(update={"roles": roles})
        self.admins[key] = admin


def _outer(one: datetime | None, other: datetime | None, which: Any) -> datetime | None:
    return which(one, other) if one and other else None


def read_exports(paths: Iterable[str]) -> Found:
    """What the files hold together. Raises NotAnExport and Fault for one that cannot be taken."""
    found = Found()
    for path in paths:
        taken = [_take(entry, Path(path).stem, found) for entry in _entries(path)]
        if not any(taken):
            raise NotAnExport(
                f"{path} holds neither customers (a tenant id each) nor members of a group (an object id and a user "
                "principal name each)"
            )
    return found


def _entries(path: str) -> Iterator[Entry]:
    text = read_text(path)
    if delimiter := delimiter_of_cells(text[:65536]):
        for row in Table(iter((text,)), delimiter):
            if isinstance(row, dict):
                yield _flat(row)
        return
    try:
        document = load(text)
    except NotJson as error:
        raise Fault(f"{path} is neither JSON nor CSV: {error}") from None
    for entry in _listed(document):
        if isinstance(entry, dict):
            yield _flat(entry)


def _listed(document: Any) -> Sequence[Any]:
    """The entries of a page, of pages, or of a list."""
    if isinstance(document, dict):
        lists = [value for name, value in document.items() if name.lower() in _LISTS and isinstance(value, list)]
        return lists[0] if lists else [document]
    if not isinstance(document, list):
        return []
    return [one for entry in document for one in (_listed(entry) if isinstance(entry, dict) else [entry])]


def _flat(entry: Mapping[str, Any]) -> Entry:
    """The entry's members by their squeezed names; those of an object in it under both names together."""
    flat: dict[str, Any] = {}
    for name, value in entry.items():
        if isinstance(value, dict):
            flat.update({squeezed(name + inner): one for inner, one in value.items()})
        elif value not in (None, ""):
            flat[squeezed(name)] = value
    return flat


def _first(entry: Entry, names: Sequence[str]) -> str | None:
    value = next((entry[name] for name in names if name in entry), None)
    return str(value).strip() or None if value is not None else None


def _take(entry: Entry, file: str, found: Found) -> bool:
    """Take an entry into what was found; false where it is nothing that is looked for."""
    user, name = _first(entry, _USER), _first(entry, _USER_NAME)
    if user and name and is_key(id_key(user)):
        found.add_admin(DelegatedAdmin(user_id=user, user_principal_name=name, roles=[file]))
        return True
    if squeezed(_first(entry, _KIND) or "") in ("group", "microsoftgraphgroup"):
        group = _first(entry, ("displayname",)) or user
        found.left_out.append(f"{file}: the group {group} in it; export its members too")
        return True
    tenant = _first(entry, _TENANT)
    if not tenant or not is_key(id_key(tenant)):
        return False
    status = squeezed(_first(entry, _STATUS) or "")
    if status in _NEVER_ACTIVE:
        found.left_out.append(f"{file}: the relationship with {_first(entry, _CUSTOMER) or tenant}, which is {status}")
    else:
        found.add_customer(_customer(entry, tenant, status))
    return True


def _customer(entry: Entry, tenant: str, status: str) -> Customer:
    """A relationship that stands has no end: it may be prolonged. One that was terminated ended when it was changed."""
    ends = _time(entry, _CHANGED if status == "terminated" else _TO) if status in _ENDED else None
    return Customer(tenant_id=tenant, display_name=_first(entry, _CUSTOMER), from_=_time(entry, _FROM), to=ends)


def _time(entry: Entry, names: Sequence[str]) -> datetime | None:
    text = _first(entry, names)
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
