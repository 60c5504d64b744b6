"""The sign-ins that break rules as a list, those of one day, and one with what its verdict rests on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from shared.answers.ahead import read_period_ahead
from shared.answers.findings import FindingQuery, FindingsPage, FindingsQuery, read_finding, read_findings
from shared.answers.overview import CoverageQuery, SummaryQuery, read_coverage, read_summary
from shared.basics.times import MICROSECOND
from shared.ledger.slices import DAY
from shared.page.asked import PageQuery, Visit
from shared.page.frame import show
from shared.rules.assess import Verdict
from shared.store.rollup_rows import GROUPS
from shared.wire.models import AskedTime, Listed, Named, NotKnown, RuleId

_MOST_ROWS: Final = 100
# The sign-in log of the tenant: the portal has no address of one sign-in, so that the id goes into its filter.
ENTRA: Final = "https://entra.microsoft.com/#view/Microsoft_AAD_IAM/SignInEventsV3Blade"


class FindingsPageQuery(PageQuery):
    """Which findings."""

    incident: Named | None = None
    cause: Named | None = None
    rule: Listed[RuleId] | None = None
    verdict: Listed[Verdict] | None = None
    cursor: Named | None = None


class FindingPageQuery(PageQuery):
    """Which sign-in, where its time is known."""

    at: AskedTime | None = None


async def findings_page(visit: Visit[FindingsPageQuery]) -> str:
    """The list, newest first."""
    query = visit.query
    asked: dict[str, Any] = {
        "incident": query.incident,
        "cause": query.cause,
        "rule": query.rule,
        "verdict": query.verdict,
    }
    times = {} if query.incident else visit.times
    page = await read_findings(
        visit.app,
        FindingsQuery.model_validate(
            {**times, **query.whose, **asked, "scope": query.scope, "cursor": query.cursor, "limit": _MOST_ROWS}
        ),
    )
    more = {name: ",".join(value) if isinstance(value, tuple) else value for name, value in asked.items()}
    return await show("findings.html", visit, page=page, more=more)


async def finding_page(visit: Visit[FindingPageQuery]) -> str:
    """One sign-in. Raises NotKnown, BadParameter."""
    asked = FindingQuery.model_validate({"signedInAt": visit.query.at})
    finding = await read_finding(visit.app, visit.path["id"], asked)
    return await show("finding.html", visit, f=finding, entra=ENTRA)


async def day_page(visit: Visit) -> str:
    """One UTC day: its figures, what was read, its findings. Raises NotKnown for what is no day."""
    day = day_named(visit.path["day"])
    app, query, period = visit.app, visit.query, {"from": day, "to": day + DAY}
    await read_period_ahead(app, visit.span, GROUPS)  # the day is mostly one of the period's
    summary = await read_summary(app, SummaryQuery.model_validate({**period, "scope": query.scope}))
    coverage = await read_coverage(app, CoverageQuery.model_validate(period))
    findings: FindingsPage | None = None
    if day < visit.now:
        findings = await read_findings(
            app,
            FindingsQuery.model_validate(
                {
                    "from": day,
                    "to": min(day + DAY, visit.now + MICROSECOND),
                    "scope": query.scope,
                    "limit": _MOST_ROWS,
                    **query.whose,
                }
            ),
        )
    return await show("day.html", visit, day=day, DAY=DAY, summary=summary, coverage=coverage, page=findings)


def day_named(text: str) -> datetime:
    """A UTC day as an address names it. Raises NotKnown."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise NotKnown("no such day; a day is written 2026-09-01") from None
