"""The technicians, worst first, and one of them: MFA, roles, customers, incidents, sign-ins."""

from __future__ import annotations

from shared.answers.ahead import read_period_ahead
from shared.answers.findings import FindingsQuery, read_findings
from shared.answers.incidents import IncidentsQuery, worst_incidents
from shared.answers.overview import SummaryQuery, read_summary
from shared.answers.people import TechnicianState
from shared.answers.technicians import TechnicianItem, TechniciansQuery, read_technicians
from shared.answers.worst import why_at_risk
from shared.ledger.tallies import Verdicts
from shared.page.asked import PageQuery, Visit
from shared.page.charts import bar_of, trend
from shared.page.frame import show
from shared.store.sums import PAIRS_SUM, TURNS, USERS_SUM
from shared.wire.models import Listed, Named

_MOST_ROWS = 100
_MOST_SIGN_INS = 15


class TechniciansPageQuery(PageQuery):
    """Which technicians."""

    state: Listed[TechnicianState] | None = None
    cursor: Named | None = None


async def technicians_page(visit: Visit[TechniciansPageQuery]) -> str:
    """The list, worst first."""
    query = visit.query
    await read_period_ahead(visit.app, visit.span, USERS_SUM, PAIRS_SUM)
    page = await read_technicians(
        visit.app,
        TechniciansQuery.model_validate(
            {
                **query.period,
                "scope": query.scope,
                "user": query.user,
                "state": query.state,
                "sort": "nonCompliant",
                "limit": _MOST_ROWS,
                "cursor": query.cursor,
            }
        ),
    )
    return await show("technicians.html", visit, page=page, reasons=reasons, state=query.state or ())


async def technician_page(visit: Visit) -> str:
    """One technician. Raises NotKnown."""
    app, query, key = visit.app, visit.query, visit.path["id"]
    await read_period_ahead(app, visit.span, USERS_SUM, TURNS, PAIRS_SUM)
    others = {name: value for name, value in query.whose.items() if name != "user"}
    page = await read_technicians(
        app, TechniciansQuery.model_validate({**query.period, "scope": query.scope, "user": key})
    )
    summary = await read_summary(app, SummaryQuery.model_validate({**query.period, "scope": query.scope, "user": key}))
    incidents = await worst_incidents(app, IncidentsQuery(user=key, **others), 25, visit.now)
    findings = await read_findings(
        app, FindingsQuery.model_validate({**visit.times, **others, "user": key, "limit": _MOST_SIGN_INS})
    )
    return await show(
        "technician.html",
        visit,
        key=key,
        t=page.items[0] if page.items else None,
        lighthouse=page.lighthouse,
        why=reasons(page.items[0]) if page.items else [],
        summary=summary,
        incidents=incidents,
        findings=findings,
        chart=trend([bar_of(day, visit.now) for day in summary.trend]),
    )


def reasons(t: TechnicianItem) -> list[str]:
    """Why somebody is at risk; nothing for who is not, or has left."""
    if t.state == "left":
        return []
    return why_at_risk(
        Verdicts(t.compliant, t.non_compliant, t.unknown),
        registered=t.mfa_registered,
        guest=t.user_type == "guest",
        dormant=t.dormant,
        off_boarded=t.off_boarded,
    )
