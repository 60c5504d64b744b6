"""The rules, and one of them: what it means, what to do, its open incidents."""

from __future__ import annotations

from shared.answers.incidents import IncidentsQuery, worst_incidents
from shared.answers.overview import SummaryQuery, read_summary
from shared.answers.rules import RuleItem, read_rules
from shared.page.asked import Visit
from shared.page.frame import show
from shared.wire.models import NotKnown


async def rules_page(visit: Visit) -> str:
    """All rules with their findings in the period."""
    summary = await read_summary(
        visit.app, SummaryQuery.model_validate({**visit.query.period, "scope": visit.query.scope})
    )
    return await show("rules.html", visit, rules=read_rules().items, counts=summary.by_rule or {})


async def rule_page(visit: Visit) -> str:
    """One rule. Raises NotKnown."""
    rule = _rule(visit.path["id"])
    incidents = None
    if rule.kind == "sign-in":
        asked = IncidentsQuery.model_validate({"rule": rule.id, **visit.query.whose})
        incidents = await worst_incidents(visit.app, asked, 25, visit.now)
    return await show("rule.html", visit, r=rule, incidents=incidents)


def _rule(key: str) -> RuleItem:
    found = next((rule for rule in read_rules().items if rule.id == key), None)
    if found is None:
        raise NotKnown("no such rule")
    return found
