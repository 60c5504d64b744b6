"""The people and customers to look at first, for a page that is read in ten seconds: from the days' own worst and the
lists alone, so that thousands of them cost no more than a few.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from shared.answers.customers import days_left
from shared.answers.directories import tenant_names
from shared.answers.period import Span, read_standing
from shared.app.app import App
from shared.basics.spelling import id_key
from shared.compliance.coverage import percent
from shared.ledger.tallies import Verdicts
from shared.people.lists import CustomerEntry, Technician, from_kept, is_current, named
from shared.signin.traits import Scope
from shared.store.people import CUSTOMERS, TECHNICIANS, load_lists
from shared.wire.models import Answer, shown_id


class PersonAtRisk(Answer):
    """A delegated admin at risk, and why in a few words. `customers_reachable` is null where it is not known."""

    user_id: str
    user_principal_name: str | None
    why: list[str]
    non_compliant: int
    customers_reachable: int | None


class WorstCustomer(Answer):
    """A customer with sign-ins. `is_listed`: a relationship lists it. Names are hostile text."""

    customer_id: str
    customer_name: str | None
    non_compliant: int
    unknown: int
    compliance_percent: float | None
    is_listed: bool
    days_left: int | None = Field(description="Whole days until the relationship ends; null where it extends itself.")


class Worst(Answer):
    """People at risk and customers, the worst first, tenants that no relationship lists before all. `at_least`: some
    days keep only their worst, so that a number may be too low. `has_roster`: the lists were made already."""

    people: list[PersonAtRisk]
    customers: list[WorstCustomer]
    at_least: bool
    has_roster: bool


def _worst_first(customer: WorstCustomer) -> tuple[bool, int, int, float, str]:
    share = 100 if customer.compliance_percent is None else customer.compliance_percent
    return customer.is_listed, -customer.non_compliant, -customer.unknown, share, customer.customer_id


async def read_worst(app: App, span: Span, scopes: Sequence[str], most: int) -> Worst:
    """At most so many of each. Raises BadParameter."""
    standing = await read_standing(app, span)
    tables = await app.tables()
    kept, technicians = await load_lists(tables.directory, CUSTOMERS, TECHNICIANS)
    names = tenant_names(await app.known_directory())
    tops = standing.figures.tops
    partner = id_key(app.settings.partner_tenant_id)
    of_reached = [e for e in kept.entries if named(CustomerEntry, e)["key"] in tops.customers] if kept else []
    listed = {c.key: c for c in (from_kept(CustomerEntry, entry) for entry in of_reached)}
    reached = {key: line.of_scopes([Scope.CUSTOMER]) for key, line in tops.customers.items() if key != partner}
    customers = [
        _customer(key, verdicts, listed.get(key), names.get(key), span)
        for key, verdicts in reached.items()
        if verdicts.total
    ]
    people = []
    for entry in technicians.entries if technicians else ():  # thousands, of whom few are made whole
        members = named(Technician, entry)
        line = tops.users.get(members["key"])
        verdicts = line.of_scopes(scopes) if line else Verdicts()
        if why := _why(members, verdicts):
            technician = from_kept(Technician, entry)
            if is_current(technician, span.now):
                people.append(_person(technician, verdicts, why))
    return Worst(
        people=sorted(people, key=lambda p: (-p.non_compliant, -(p.customers_reachable or 0), p.user_id))[:most],
        customers=sorted(customers, key=_worst_first)[:most],
        at_least=bool(tops.left_out),
        has_roster=technicians is not None,
    )


def _customer(key: str, verdicts: Verdicts, entry: CustomerEntry | None, name: str | None, span: Span) -> WorstCustomer:
    return WorstCustomer(
        customer_id=shown_id(key),
        customer_name=(entry.display_name if entry else None) or name,
        non_compliant=verdicts.non_compliant,
        unknown=verdicts.unknown,
        compliance_percent=percent(verdicts.compliant, verdicts.non_compliant),
        is_listed=entry is not None or name is not None,  # the dated directory may know more than the last list
        days_left=days_left(entry, span.now) if entry and not entry.auto_extends else None,
    )


def _person(technician: Technician, verdicts: Verdicts, why: list[str]) -> PersonAtRisk:
    return PersonAtRisk(
        user_id=shown_id(technician.key),
        user_principal_name=technician.user_principal_name,
        why=why,
        non_compliant=verdicts.non_compliant,
        customers_reachable=technician.reachable,
    )


def _why(entry: Mapping[str, Any], verdicts: Verdicts) -> list[str]:
    return why_at_risk(
        verdicts,
        registered=entry.get("registered"),
        guest=entry.get("guest"),
        dormant=entry.get("dormant"),
        off_boarded=entry.get("off_boarded"),
    )


def why_at_risk(
    verdicts: Verdicts,
    *,
    registered: bool | None,
    guest: bool | None,
    dormant: bool | None,
    off_boarded: bool | None,
) -> list[str]:
    """Why somebody is at risk, in a few words each; nothing for who is not. None is what is not known."""
    unregistered = registered is False
    told = (
        (unregistered, "not registered for MFA"),
        (bool(verdicts.non_compliant and not verdicts.compliant), "never used MFA in the period"),
        (bool(verdicts.non_compliant and verdicts.compliant), "signed in without MFA"),
        (guest is True and (unregistered or bool(verdicts.non_compliant)), "a guest"),
        (dormant is True, "not seen for four weeks"),
        (off_boarded is True, "account disabled or gone, still in a group"),
    )
    return [text for is_so, text in told if is_so]
