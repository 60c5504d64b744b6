"""The customers, worst first, and one of them: relationship, who signed in there, incidents, sign-ins."""

from __future__ import annotations

from shared.answers.ahead import read_period_ahead
from shared.answers.customers import CustomersQuery, read_customers
from shared.answers.findings import FindingsQuery, read_findings
from shared.answers.incidents import IncidentsQuery, worst_incidents
from shared.answers.overview import SummaryQuery, read_summary
from shared.answers.risks import CustomerRisks
from shared.page.asked import PageQuery, Visit
from shared.page.charts import bar_of, trend
from shared.page.frame import show
from shared.store.rollup_rows import GROUPS
from shared.store.sums import CUSTOMERS_SUM, PAIRS_SUM
from shared.wire.models import Named

_MOST_ROWS = 100
_MOST_SIGN_INS = 15
_RISKS = {
    "global_administrator": "the relationship has Global Administrator and cannot extend itself",
    "ends_soon": "it ends within 30 days",
    "everybody_in_one_group": "one group holds everybody with access to any customer",
    "no_pim": "a group gives standing access (no PIM)",
    "unused": "nobody signed in for 90 days",
}


class CustomersPageQuery(PageQuery):
    """Which customers."""

    cursor: Named | None = None


async def customers_page(visit: Visit[CustomersPageQuery]) -> str:
    """The list, worst first, unlisted tenants before all."""
    query = visit.query
    await read_period_ahead(visit.app, visit.span, CUSTOMERS_SUM)
    page = await read_customers(
        visit.app,
        CustomersQuery.model_validate(
            {
                **query.period,
                "customer": query.customer,
                "sort": "nonCompliant",
                "limit": _MOST_ROWS,
                "cursor": query.cursor,
            }
        ),
        pairs=False,
    )
    return await show("customers.html", visit, page=page)


async def customer_page(visit: Visit) -> str:
    """One customer. Raises NotKnown."""
    app, query, key = visit.app, visit.query, visit.path["id"]
    await read_period_ahead(app, visit.span, CUSTOMERS_SUM, PAIRS_SUM, GROUPS)
    others = {name: value for name, value in query.whose.items() if name != "customer"}
    page = await read_customers(app, CustomersQuery.model_validate({**query.period, "customer": key}))
    summary = await read_summary(app, SummaryQuery.model_validate({**query.period, "customer": key}))
    incidents = await worst_incidents(app, IncidentsQuery(customer=key, **others), 25, visit.now)
    findings = await read_findings(
        app, FindingsQuery.model_validate({**visit.times, **others, "customer": key, "limit": _MOST_SIGN_INS})
    )
    return await show(
        "customer.html",
        visit,
        key=key,
        c=page.items[0] if page.items else None,
        summary=summary,
        incidents=incidents,
        findings=findings,
        risks_of=_risks_of,
        lighthouse=page.lighthouse,
        chart=trend([bar_of(day, visit.now) for day in summary.trend]),
    )


def _risks_of(risks: CustomerRisks) -> list[str]:
    """The flags that are up, in words."""
    return [words for name, words in _RISKS.items() if getattr(risks, name)]
