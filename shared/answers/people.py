"""What the lists about people share: technicians, customers, and accounts that break posture rules.

What a refresh found lies ready in packed lists (shared/store/people.py); sign-ins come from the partner's days. One
call makes one request for the list, one for the days and, for customers, one a shard of the incidents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from shared.basics.spelling import masked_user_id
from shared.ledger.tallies import Verdicts
from shared.people.activity import Activity
from shared.people.lists import PostureFit, Technician, from_kept
from shared.rules.posture import POSTURE_RULE
from shared.signin.traits import Scope
from shared.store.once import made_once
from shared.store.people import Kept
from shared.store.periods import MarkedPeriod, customers_of_period, pairs_of_period, users_of_period
from shared.store.tables import Tables
from shared.wire.cursor import Place, from_cursor, to_cursor
from shared.wire.models import (
    ListQuery,
    same_id,
)

type TechnicianState = Literal["current", "left", "dormant", "off-boarded"]


def _posture_rule(value: object) -> object:
    if not isinstance(value, str) or value not in POSTURE_RULE:
        raise ValueError("must be the id of a posture rule: " + ", ".join(POSTURE_RULE))
    return value


PostureRuleId = Annotated[
    str, BeforeValidator(_posture_rule), WithJsonSchema({"type": "string", "enum": [*POSTURE_RULE]})
]
ShownPostureRule = Annotated[str, WithJsonSchema({"type": "string", "enum": [*POSTURE_RULE]})]
UserField = Field(default=None, description="Object id, user name, or a masked name of a customer's log.")


class _After(Place):
    """Behind the entry with this order."""

    order: tuple[str, str]


def paged[T](
    entries: Sequence[T], query: ListQuery, route: str, order: Callable[[T], tuple[str, str]]
) -> tuple[list[T], str | None]:
    """What stands behind the cursor in that order, as many as asked for, and the cursor to go on with."""
    question = query.question(route)
    after = from_cursor(query.cursor, _After, question).order if query.cursor else None
    left = sorted((entry for entry in entries if after is None or order(entry) > after), key=order)
    page, more = left[: query.limit], left[query.limit :]
    return page, to_cursor(_After(order=order(page[-1])), question) if page and more else None


def is_user(wanted: str | None, key: str, name: str | None) -> bool:
    """Whether a filter names this user, be it by the name under which a customer's log shows them."""
    return same_id(wanted, key, name or "") or (wanted is not None and masked_user_id(wanted) == key)


_NOTHING_AMISS: Final = f"{10**10:011d}" * 3  # as of nearly all of thousands


def worst_first(line: Verdicts) -> str:
    """Sorts the worst first; those of whom nothing is amiss are alike, for their names to sort them."""
    if not (line.non_compliant or line.unknown):
        return _NOTHING_AMISS
    return "".join(f"{10**10 + number:011d}" for number in line.badness)


async def read_activity(tables: Tables, period: MarkedPeriod, scopes: Sequence[str], *, pairs: bool = True) -> Activity:
    """Who signed in where in a period: four requests, more where the lines of its days are long."""
    activity = Activity()
    async for of_users in users_of_period(tables.rollups, period):
        activity.add_users(of_users, scopes)
    if pairs:
        await _add_pairs(tables, period, activity)
    return activity


async def read_customer_activity(tables: Tables, period: MarkedPeriod, *, pairs: bool = True) -> Activity:
    """Which customers were reached in a period, and, with `pairs`, by whom: four requests, more where the lines are
    long."""
    activity = Activity()
    async for of_customers in customers_of_period(tables.rollups, period):
        activity.add_customers(of_customers, (Scope.CUSTOMER,))
    if pairs:
        await _add_pairs(tables, period, activity)
    return activity


async def _add_pairs(tables: Tables, period: MarkedPeriod, activity: Activity) -> None:
    """Take in who signed in where; the answers of one page share it."""

    async def read() -> Activity:
        made = Activity()
        async for of_pairs in pairs_of_period(tables.rollups, period):
            made.add_pairs(of_pairs)
        return made

    found = await made_once(("pairs", id(tables), period.first, period.last), read)
    activity.reached, activity.there, activity.trimmed_pairs = found.reached, found.there, found.trimmed_pairs


# Said where numbers of customers and of how far an account reaches stand.
LIGHTHOUSE: Final = (
    "Access by Azure Lighthouse looks like a sign-in to your own tenant: it is in no customer's numbers."
)


def technicians_of(kept: Kept | None) -> list[Technician]:
    """The technicians of a list as it is kept."""
    return [from_kept(Technician, entry) for entry in kept.entries] if kept else []


def gravest(fits: Sequence[PostureFit]) -> PostureFit:
    """The rule with the highest severity, the first of several."""
    return max(fits, key=lambda fit: fit.severity)


def time_of(text: str | None) -> datetime | None:
    """A time as lists keep it."""
    return datetime.fromisoformat(text) if text else None
