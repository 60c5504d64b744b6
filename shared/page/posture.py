"""The policies as they are configured, what they leave open, and which relationships are risky."""

from __future__ import annotations

from shared.answers.ahead import read_period_ahead
from shared.answers.customers import CustomersQuery, read_customers
from shared.answers.policies import PoliciesQuery, read_policies_answer
from shared.page.asked import Visit
from shared.page.frame import show
from shared.posture.gdap import Risk
from shared.store.rollup_rows import GROUPS
from shared.store.sums import CUSTOMERS_SUM

_MOST_ROWS = 25
RISKS = {
    Risk.GLOBAL_ADMINISTRATOR: "Global Administrator",
    Risk.ENDS_SOON: "ends soon",
    Risk.EVERYBODY_IN_ONE_GROUP: "everybody in one group",
    Risk.NO_PIM: "no PIM",
    Risk.UNUSED: "unused for 90 days",
}


async def posture_page(visit: Visit) -> str:
    """Policies first, then relationships."""
    period = visit.query.period
    await read_period_ahead(visit.app, visit.span, GROUPS, CUSTOMERS_SUM)
    policies = await read_policies_answer(
        visit.app, PoliciesQuery.model_validate({**period, "scope": visit.query.scope})
    )
    asked = CustomersQuery.model_validate({**period, "risk": tuple(RISKS), "limit": _MOST_ROWS})
    risky = await read_customers(visit.app, asked, pairs=False)
    return await show("posture.html", visit, p=policies, risky=risky, risks=RISKS)
