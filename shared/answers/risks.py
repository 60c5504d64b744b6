"""What is risky about the way to a customer, as the answers show it: the relationship's flags, the groups that open it,
and how far the account of each technician reaches."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from functools import cached_property
from heapq import nsmallest
from typing import Any, Final, Literal

from pydantic import Field

from shared.answers.people import time_of
from shared.people.activity import Activity
from shared.people.customer_list import access_groups_of
from shared.people.lists import CustomerEntry, Technician, named
from shared.posture.gdap import Access, AccessGroup, Risk, risks_of
from shared.store.people import Kept
from shared.wire.models import Answer, shown_id


class SeenTechnician(Answer):
    """A delegated admin who signed in there, and how far their account reaches: how many customers their groups open
    (null where that is not known), and how many they signed in to."""

    user_id: str
    user_principal_name: str | None
    customers_reachable: int | None
    customers_reached: int


class CustomerRisks(Answer):
    """What is risky about the relationship; null where it cannot be said."""

    global_administrator: bool | None = Field(
        description="It has the role Global Administrator: such a relationship cannot extend itself."
    )
    ends_soon: bool | None = Field(description="It ends within 30 days and does not extend itself.")
    everybody_in_one_group: bool | None = Field(
        description="One of its groups holds everybody who has access to any customer."
    )
    no_pim: bool | None = Field(description="One of its groups has nobody who is only eligible (PIM).")
    unused: bool | None = Field(
        description="Nobody signed in for 90 days; null while the log is not watched that long without a gap."
    )


class AccessGroupItem(Answer):
    """A group of the partner that gives access to the customer."""

    group_id: str
    group_name: str | None
    people: int | None = Field(description="How many are in it or may be; null where it is not known.")


Relationship = Literal["active", "ended", "none"]


NO_FLAGS: Final[Mapping[Risk, bool | None]] = dict.fromkeys(Risk)


class Ways:
    """The ways to customers, of the lists as they were made last and of who signed in where in a period."""

    def __init__(
        self,
        kept: Kept | None,
        technicians: Kept | None,
        activity: Activity,
        now: datetime,
        strangers: Collection[str] = (),
    ) -> None:
        """`strangers` are tenants that were reached and that no directory ever had, by key."""
        facts = kept.facts if kept else {}
        self._groups: Mapping[str, AccessGroup] = access_groups_of(facts)
        self._watched_since = time_of(facts.get("watchedSince"))
        self._kept_technicians = technicians
        self._activity = activity
        self._strangers = strangers
        self._flags: dict[object, Mapping[Risk, bool | None]] = {}
        self.now = now

    @cached_property
    def _technicians(self) -> dict[str, Mapping[str, Any]]:
        """The members of the list's entries by key: few of them are shown."""
        entries = self._kept_technicians.entries if self._kept_technicians else []
        return {members["key"]: members for members in (named(Technician, entry) for entry in entries)}

    def last_seen(self, customer: CustomerEntry) -> date | None:
        """The UTC day of the last sign-in that was noted or lies in the period."""
        noted = date.fromisoformat(customer.seen) if customer.seen else None
        days = [day for day in (noted, self._activity.customers_seen.get(customer.key)) if day]
        return max(days, default=None)

    def flags(self, customer: CustomerEntry) -> Mapping[Risk, bool | None]:
        """The flags of a customer; all None where no relationship is in effect."""
        if (not customer.groups and not customer.roles) or self._is_over(customer):
            return NO_FLAGS
        seen = self.last_seen(customer)
        ends = None if customer.auto_extends else customer.end
        alike = (tuple(customer.roles), tuple(customer.groups), ends, seen)  # thousands of customers have few of these
        known = self._flags.get(alike)
        if known is None:
            access = Access(
                roles=frozenset(customer.roles),
                groups=frozenset(customer.groups),
                ends=time_of(ends),
                last_seen=datetime(seen.year, seen.month, seen.day, tzinfo=UTC) if seen else None,
            )
            known = risks_of(access, self._groups, watched_since=self._watched_since, now=self.now)
            self._flags[alike] = known
        return known

    def relationship(self, customer: CustomerEntry) -> Relationship:
        """Whether there is one: `none` for a tenant that no directory ever had."""
        if customer.key in self._strangers:
            return "none"
        return "ended" if self._has_ended(customer) else "active"

    def _is_over(self, customer: CustomerEntry) -> bool:
        return self.relationship(customer) != "active"

    def _has_ended(self, customer: CustomerEntry) -> bool:
        valid_to = time_of(customer.valid_to)
        return valid_to is not None and valid_to <= self.now

    def risks(self, customer: CustomerEntry) -> CustomerRisks:
        """The flags as they are shown."""
        flags = self.flags(customer)
        return CustomerRisks(
            global_administrator=flags[Risk.GLOBAL_ADMINISTRATOR],
            ends_soon=flags[Risk.ENDS_SOON],
            everybody_in_one_group=flags[Risk.EVERYBODY_IN_ONE_GROUP],
            no_pim=flags[Risk.NO_PIM],
            unused=flags[Risk.UNUSED],
        )

    def groups(self, customer: CustomerEntry) -> list[AccessGroupItem]:
        """The groups that open a customer."""
        known = [(key, self._groups.get(key)) for key in customer.groups]
        return [
            AccessGroupItem(
                group_id=shown_id(key), group_name=group and group.name, people=group.members if group else None
            )
            for key, group in known
        ]

    def seen(self, users: Collection[str], most: int) -> list[SeenTechnician]:
        """The first of those who signed in to a customer, by name, each with how far their account reaches."""

        def name_of(user: str) -> tuple[str, str]:
            return self._technicians.get(user, {}).get("user_principal_name") or shown_id(user), user

        return [self._seen(user, self._technicians.get(user, {})) for user in nsmallest(most, users, key=name_of)]

    def _seen(self, user: str, known: Mapping[str, Any]) -> SeenTechnician:
        return SeenTechnician(
            user_id=shown_id(user),
            user_principal_name=known.get("user_principal_name"),
            customers_reachable=known.get("reachable"),
            customers_reached=len(self._activity.reached.get(user, ())),
        )
