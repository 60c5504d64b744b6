"""Ids and names in questions: either names a customer, a person or an application; what nobody knows is told so."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from shared.answers.period import Standing
from shared.app.app import App
from shared.basics.spelling import id_key, is_key, masked_user_id
from shared.ledger.days import DayLines
from shared.store.days import days_of_apps, days_of_customers, days_of_users
from shared.store.directory import Loaded
from shared.store.periods import MarkedPeriod, customers_of_period, users_of_period
from shared.store.tables import Table
from shared.wire.models import NotKnown

_ID: Final = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a question names of customers, people and applications; None for all."""

    customer: str | None = None
    user: str | None = None
    app: str | None = None

    @property
    def ids(self) -> dict[str, str]:
        """Those that name an id, by column of a finding: findings are kept under these. A masked name, or any other, is
        looked for among all."""
        named = {"user": self.user, "customer": self.customer, "app": self.app}
        keys = {column: id_key(wanted) for column, wanted in named.items() if wanted}
        return {column: key for column, key in keys.items() if _ID.fullmatch(key)}


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of these; of several with one name the first, by key."""

    customer: str | None = None
    user: str | None = None
    app: str | None = None


async def keys_of(app: App, wanted: Filters, standing: Standing, directory: Loaded | None) -> Keys:
    """The keys of what a question names. Raises NotKnown for what neither the directory knows nor the period has."""
    if wanted == Filters():
        return Keys()
    resolver = _Resolver(app, standing, directory)
    return Keys(
        customer=await resolver.key_of(wanted.customer, "customers", resolver.customers(), "customer"),
        user=await resolver.key_of(wanted.user, "users", resolver.users(), "person"),
        app=await resolver.key_of(wanted.app, "apps", (), "application"),
    )


@dataclass(slots=True)
class _Resolver:
    app: App
    standing: Standing
    directory: Loaded | None

    def customers(self) -> Iterator[tuple[str, str]]:
        """The partner's own tenant and the customers of the directory, each with a name."""
        if self.directory is not None:
            file = self.directory.file
            yield from file.tenant_names.items()
            yield from ((id_key(c.tenant_id), c.display_name or "") for c in file.customers)
        yield id_key(self.app.settings.partner_tenant_id), ""

    def users(self) -> Iterator[tuple[str, str]]:
        """The people of the directory, each with a name."""
        if self.directory is not None:
            for admin in self.directory.file.delegated_admins:
                yield id_key(admin.user_id), admin.user_principal_name or ""

    async def key_of(self, wanted: str | None, kind: str, listed: Iterable[tuple[str, str]], noun: str) -> str | None:
        """The key of one of them; None where nothing is asked for."""
        if wanted is None:
            return None
        tops = [getattr(day.tops, kind) for day in self.standing.days]
        seen: list[tuple[str, str]] = [(key, top.name) for lines in tops for key, top in lines.items()]
        key = masked_user_id(wanted) or id_key(wanted)
        name = wanted.strip().lower()
        found = sorted({k for k, n in (*listed, *seen) if k == key or (n and n.strip().lower() == name)})
        if found:
            return found[0]
        deep = await self._in_the_lines(key, name, kind)
        if deep is None:
            raise NotKnown(f"no such {noun}")
        return deep

    async def _in_the_lines(self, key: str, name: str, kind: str) -> str | None:
        """The key, where the period has it though it is not among a day's worst. Where lines were left out it may."""
        if not self.standing.days:
            return None
        if any(kind in day.trimmed for day in self.standing.days):
            return key
        rollups = (await self.app.tables()).rollups
        if is_key(key) and await _is_in_period(rollups, kind, self.standing.marked, key):
            return key
        span = self.standing.span
        days: AsyncIterator[DayLines[Any]]
        if kind == "customers":
            days = days_of_customers(rollups, span.start, span.last)
        else:
            days = (days_of_users if kind == "users" else days_of_apps)(rollups, span.start, span.last)
        async for day in days:
            for key_ in {line for lines in day.lines.values() for line in lines}:
                if key_ and (key_ == key or day.names.get(key_, "").strip().lower() == name):
                    return str(key_)
        return None


async def _is_in_period(rollups: Table, kind: str, period: MarkedPeriod, key: str) -> bool:
    """Whether sums of the period, or its days beside them, have a line of that key: they have no names."""
    if kind not in ("customers", "users"):
        return False
    of_period = customers_of_period if kind == "customers" else users_of_period
    async for days in of_period(rollups, period):
        if any(key in lines for lines in days.lines.values()):
            return True
    return False
