"""`GET /api/statement`: a final month as it was sealed, any other as it stands.

A final month costs a few requests however many customers there are; a provisional one at most ten.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import BeforeValidator, Field, WithJsonSchema

from shared.answers.names import Filters, keys_of
from shared.answers.period import Span, Standing, read_standing
from shared.app.app import App
from shared.basics.spelling import id_key
from shared.basics.times import OLDEST
from shared.compliance.figures import ByScope, figures_of_days
from shared.compliance.numbers import Judged, judged
from shared.ledger.register import ActKind
from shared.ledger.slices import DAY, midnight
from shared.ledger.tallies import Tally, add
from shared.statement.build import Sources, customer_figures, merged, month_after, seal
from shared.statement.model import Sealed, Statement, StatementNow, StatementPerson
from shared.statement.opening import first_page, heading, opening
from shared.statement.people import names_of
from shared.statement.sealing import canonical, digest, find_customer, json_of, of_customer, people_in
from shared.store.customer_quarters import customer_days, page_of_customers
from shared.store.days import days_of_groups
from shared.store.exceptions import read_exceptions
from shared.store.incidents import KEY_SPAN, incidents_within
from shared.store.register import page_of_acts
from shared.store.statements import NAMES
from shared.store.tables import Tables
from shared.wire.models import HEADLINE_NAMES, BadParameter, Named, NotKnown, Query

_MONTH: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
# What changes what a month says long after it ended.
_CHANGES: Final = (ActKind.RESCAN, ActKind.REPLAY, ActKind.RELEASE, ActKind.ACCEPT_QUARANTINE)


def _month(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not _MONTH.fullmatch(value):
        raise ValueError("must be a UTC month such as 2026-09")
    return datetime.fromisoformat(f"{value}-01").replace(tzinfo=UTC) if value >= "2000" else value


Month = Annotated[
    datetime, BeforeValidator(_month), WithJsonSchema({"type": "string", "pattern": "^2[0-9]{3}-(0[1-9]|1[0-2])$"})
]


class StatementQuery(Query):
    """Of which month and whose."""

    month: Month | None = Field(default=None, description="UTC month, such as 2026-09; the last one that is over.")
    customer: Named | None = Field(default=None, description="Tenant id or name of a customer; all without it.")
    format: Literal["json", "html", "csv", "sealed"] = Field(
        default="json", description="html is one page to print; sealed gives the bytes that sha256 is of."
    )


class Found(NamedTuple):
    """A statement as JSON, the bytes that its hash is of, and the table of names."""

    sealed: dict[str, Any]
    content: bytes
    people: list[StatementPerson]


def month_asked(app: App, month: datetime | None) -> datetime:
    """The month that a question means. Raises BadParameter for one that has not begun."""
    now = app.clock()
    if month is None:
        return (midnight(now).replace(day=1) - DAY).replace(day=1)
    if month > now or month < OLDEST:
        raise BadParameter("month", "has not begun" if month > now else "must not be before the year 2000")
    return month


def statement_blob(month: datetime) -> str:
    """The blob of a final month."""
    return f"months/{month:%Y-%m}.json"


def names_blob(month: datetime, names: str) -> str:
    """The blob of its table of names."""
    return f"{NAMES}{month:%Y-%m}-{names}.json"


async def read_statement(app: App, query: StatementQuery) -> Statement:
    """The statement of a month. Raises BadParameter, NotKnown."""
    return (await shown_statement(app, query))[1]


async def shown_statement(app: App, query: StatementQuery) -> tuple[Found, Statement]:
    """The same, and the bytes that its hash is of."""
    month = month_asked(app, query.month)
    found = await find_statement(app, month, query.customer)
    sealed = Sealed.model_validate(found.sealed)
    shown = Statement(
        heading=heading(sealed),
        state=sealed.state,
        sha256=digest(found.content),
        generated_at=app.clock(),
        first_page=first_page(sealed),
        opening=opening(sealed),
        sealed=sealed,
        people=found.people,
        today=await _today(app, month, sealed) if sealed.state == "final" else None,
        pack_key_id=await app.pack_key_id(),
    )
    return found, shown


async def find_statement(app: App, month: datetime, customer: str | None) -> Found:
    """A final month as it was sealed, else as it stands. Raises BadParameter for one that is no longer kept, NotKnown
    for a customer that the month does not know."""
    content = await app.statements.get(statement_blob(month))
    if content is None:
        return await _provisional(app, month, customer)
    sealed: dict[str, Any] = json.loads(content)
    if customer is not None:
        entry = find_customer(sealed, customer)
        if entry is None:
            raise NotKnown("the statement of that month names no such customer")
        sealed = of_customer(sealed, entry)
        content = canonical(sealed)
    kept = await app.statements.get(names_blob(month, sealed["names"]))
    people = names_of(json.loads(kept)) if kept else []
    return Found(sealed, content, _spoken_of(sealed, people))


def _spoken_of(sealed: Mapping[str, Any], people: list[StatementPerson]) -> list[StatementPerson]:
    spoken = people_in(sealed)
    return [line for line in people if line.person in spoken]


async def _provisional(app: App, month: datetime, customer: str | None) -> Found:
    tables, now, end = await app.tables(), app.clock(), month_after(month)
    if end <= midnight(now) - app.settings.finding_retention_days * DAY:
        raise BadParameter("month", "lies too far back: it was not sealed, and its counts are no longer kept")
    standing, exceptions, incidents = await asyncio.gather(
        read_standing(app, Span(month, end, now)),
        read_exceptions(tables.control),
        incidents_within(tables.incidents, 0, KEY_SPAN),
    )
    directory = await app.known_directory()
    key = (await keys_of(app, Filters(customer=customer), standing, directory)).customer
    customers, left_out = await _customers(tables, standing, key)
    days = days_of_groups(tables.rollups, standing.span.start, standing.span.last)
    groups = [day async for day in days] if key is None else []
    sources = Sources(
        standing=standing,
        directory=directory,
        exceptions=[stored.exception for stored in exceptions],
        incidents=incidents or [],
        customers=customers,
        groups=groups,
        incidents_left_out=incidents is None,
        customers_left_out=left_out,
    )
    sealed = json_of(seal(sources, "provisional", app.settings.partner_tenant_id))
    if key is not None:
        entry = find_customer(sealed, key) or customer_figures(key, None, {}).model_dump(mode="json", by_alias=True)
        sealed = of_customer({**sealed, "customersLeftOut": False}, entry)
    return Found(sealed, canonical(sealed), _spoken_of(sealed, sources.numbering.lines))


async def _customers(tables: Tables, standing: Standing, key: str | None) -> tuple[dict[str, ByScope], bool]:
    """The counts of one customer, or of as many as one request gives; and whether there are more."""
    span = standing.span
    if key is not None:
        return {key: merged([d.scopes for d in await customer_days(tables.rollups, key, span.start, span.last)])}, False
    page, more = await page_of_customers(tables.rollups, span.start)
    return {customer: merged([day.scopes for day in days]) for customer, days in page if days}, more


async def _today(app: App, month: datetime, sealed: Sealed) -> StatementNow | None:
    """What a final month says today; None where that is the same, or where its counts are no longer kept."""
    now = app.clock()
    if month < midnight(now) - (app.settings.finding_retention_days - 1) * DAY:
        return None
    standing = await read_standing(app, Span(month, month_after(month), now))
    versions: Tally = {}
    for day in standing.days:
        add(versions, day.rules_versions)
    figures, by_scope = await _figures_now(await app.tables(), standing, sealed)
    stands = (figures, by_scope, versions, standing.coverage.percent)
    if stands == (sealed.figures, sealed.by_scope, sealed.rules_versions, sealed.coverage.percent):
        return None
    return StatementNow(
        figures=figures,
        rules_versions=versions,
        coverage_percent=standing.coverage.percent,
        reason=await _reason(await app.tables(), sealed, versions),
    )


async def _figures_now(tables: Tables, standing: Standing, sealed: Sealed) -> tuple[Judged, dict[str, Judged]]:
    """The headline, and each way in, as they stand."""
    if sealed.customer is None:
        figures = figures_of_days(standing.days)
        by_scope = {scope: judged(figures.of_scopes([scope])) for scope in sealed.by_scope}
        return judged(figures.of_scopes(HEADLINE_NAMES)), by_scope
    key = id_key(sealed.customer.customer_id)
    counts, _ = await _customers(tables, standing, key)
    entry = customer_figures(key, None, counts[key])
    return entry.figures, entry.by_scope


async def _reason(tables: Tables, sealed: Sealed, versions: Tally) -> str:
    """Why a month says something else today, as far as the register tells: of its newest thousand entries."""
    acts, _ = await page_of_acts(tables.control)
    told = [
        f"{act.kind.replace('-', ' ')} on {act.at:%Y-%m-%d} (register entry {act.id})"
        for _, act in acts
        if act.kind in _CHANGES and act.at > sealed.generated_at and _concerns(act.detail, sealed)
    ]
    if versions != sealed.rules_versions:
        now = ", ".join(f"version {version}" for version in sorted(versions)) or "none"
        told.append(f"judged by other rules now ({now})")
    if not told:
        return "Records of the month were read again after it was sealed."
    return "Since it was sealed: " + "; ".join(told[:5]) + ("; and more" if len(told) > 5 else "") + "."


def _concerns(detail: Mapping[str, Any], sealed: Sealed) -> bool:
    """Whether the period of an act overlaps the month."""
    try:
        first, end = (datetime.fromisoformat(str(detail[name])) for name in ("from", "to"))
    except (KeyError, ValueError):
        return False
    return first < sealed.period.to and end > sealed.period.from_
