"""The applications by protocol, with their way to zero, and one of them: since when it is clean, its sign-ins."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from shared.answers.ahead import read_period_ahead
from shared.answers.applications import ApplicationItem, ApplicationsPage, ApplicationsQuery, read_applications
from shared.answers.findings import FindingsQuery, read_findings
from shared.answers.incidents import IncidentsQuery, worst_incidents
from shared.ledger.counts import Protocol
from shared.page.asked import PageQuery, Visit
from shared.page.charts import lacking_by_day, spark
from shared.page.frame import show
from shared.store.rollup_rows import APPS, GROUPS
from shared.wire.models import Listed, Named
from shared.wire.text import percentage

_MOST_ROWS: Final = 36  # each has a chart with its numbers: a page stays below 100 KB
_MOST_SIGN_INS: Final = 15


class ApplicationsPageQuery(PageQuery):
    """Which applications."""

    protocol: Listed[Protocol] | None = None
    cursor: Named | None = None


async def applications_page(visit: Visit[ApplicationsPageQuery]) -> str:
    """The list, worst first, with sign-ins without MFA day by day."""
    query = visit.query
    await read_period_ahead(visit.app, visit.span, APPS, GROUPS)
    page = await _read(visit, {"app": query.app, "protocol": query.protocol, "cursor": query.cursor})
    last = visit.span.last.date()
    return await show(
        "applications.html",
        visit,
        page=page,
        protocol=",".join(query.protocol or ()),
        protocols=_protocols(page),
        spark=lambda a: spark(_lacking(a), visit.span.start.date(), last),
        watch=lambda a: watch(a, page),
    )


async def application_page(visit: Visit) -> str:
    """One application. Raises NotKnown."""
    app, key = visit.app, visit.path["id"]
    await read_period_ahead(app, visit.span, APPS, GROUPS)
    others = {name: value for name, value in visit.query.whose.items() if name != "app"}
    page = await _read(visit, {"app": key})
    incidents = await worst_incidents(app, IncidentsQuery(app=key, **others), 25, visit.now)
    findings = await read_findings(
        app, FindingsQuery.model_validate({**visit.times, **others, "app": key, "limit": _MOST_SIGN_INS})
    )
    item = page.items[0] if page.items else None
    return await show(
        "application.html",
        visit,
        key=key,
        a=item,
        watch=watch(item, page) if item else "It did not sign anybody in during this period.",
        chart=lacking_by_day(_lacking(item), visit.span.start.date(), visit.span.last.date()) if item else "",
        incidents=incidents,
        findings=findings,
    )


def _lacking(item: ApplicationItem) -> dict[date, int]:
    """Its sign-ins without MFA by UTC day."""
    return {day.date: day.non_compliant for day in item.trend}


def watch(item: ApplicationItem, page: ApplicationsPage) -> str:
    """Whether it may be called clean, and since when: only where the days since were read to their end."""
    if item.clean_since is None:
        since = "without a sign-in without MFA in this period"
    elif item.clean_since == item.last_seen_on:
        return f"Not clean: the last sign-in without MFA was on {item.clean_since:%d %b %Y}."
    else:
        since = f"clean since {item.clean_since + timedelta(days=1):%d %b %Y}"
    after = [day for day in item.trend if item.clean_since is None or day.date > item.clean_since]
    sign_ins = sum(day.compliant + day.non_compliant + day.unknown for day in after)
    unknown = sum(day.unknown for day in after)
    whole = page.coverage.percent == 100
    read = "read completely" if whole else f"but only {percentage(page.coverage.percent or 0)} of the period was read"
    silent = f", {unknown} of which say nothing" if unknown else ""
    return f"{since[:1].upper()}{since[1:]}, in {sign_ins} sign-ins{silent}, {read}."


async def _read(visit: Visit[PageQuery] | Visit[ApplicationsPageQuery], more: dict[str, object]) -> ApplicationsPage:
    query = visit.query
    asked = {**query.period, "scope": query.scope, "limit": _MOST_ROWS, **more}
    return await read_applications(visit.app, ApplicationsQuery.model_validate(asked))


def _protocols(page: ApplicationsPage) -> list[tuple[str, int]]:
    """The protocols that the page shows, each with its sign-ins without MFA, the worst first."""
    counts: dict[str, int] = {}
    for item in page.items:
        for protocol in item.protocols:
            counts[protocol.protocol] = counts.get(protocol.protocol, 0) + protocol.non_compliant
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))
