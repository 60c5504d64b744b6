"""One cause: what it explains, where it happens, its incidents, and what a person does about all of them at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final, Literal

from shared.answers.ahead import read_period_ahead
from shared.answers.cause_acts import CauseQuery, change_cause, read_cause
from shared.answers.causes import CausesPage, CausesQuery, read_causes
from shared.answers.incidents import IncidentItem, IncidentsQuery, worst_incidents
from shared.incidents.acts import NotNow
from shared.page.acts import ActForm
from shared.page.asked import Visit
from shared.page.frame import show
from shared.store.rollup_rows import GROUPS

_MOST_ASSIGNEES: Final = 5


class CauseForm(ActForm):
    """What the form of a cause's page sends."""

    act: Literal["acknowledged", "snoozed", "comment", "assign"]


async def causes_page(visit: Visit) -> str:
    """All causes, those first whose mending helps most; then why sign-ins are unknown."""
    await read_period_ahead(visit.app, visit.span, GROUPS)
    lacking = await _read(visit, "non-compliant")
    unknown = await _read(visit, "unknown")
    return await show("causes.html", visit, lacking=lacking, unknown=unknown)


async def cause_page(visit: Visit) -> str:
    """The page of a cause. Raises UnknownCause."""
    await read_period_ahead(visit.app, visit.span, GROUPS, incidents=True)
    cause = await read_cause(visit.app, visit.path["id"], _query(visit))
    incidents = await worst_incidents(visit.app, IncidentsQuery(), 1000, visit.now)
    mine = [item for item in incidents.items if item.id in {*cause.incident_ids}]
    return await show("cause.html", visit, c=cause, texts=cause.rule_texts, incidents=mine, assignees=_assignees(mine))


async def act_on_cause(visit: Visit, form: CauseForm, *, by: str) -> str:
    """Do the same to every incident of a cause that is not resolved. Returns where to go then. Raises UnknownCause,
    ChangedCause, BadParameter, NotNow with the reasons where some could not be changed."""
    key = visit.path["id"]
    done = await change_cause(visit.app, key, _query(visit), form.change(visit.now), by=by, etag=form.version)
    reasons = {*done.refused.values()}
    if done.moved_on:
        reasons.add("Somebody changed it meanwhile.")
    if reasons:
        left = len(done.refused) + len(done.moved_on)
        raise NotNow(f"{len(done.changed)} incidents were changed, {left} were not: {' '.join(sorted(reasons))}")
    return visit.link("/causes", key)


def _assignees(incidents: Iterable[IncidentItem]) -> list[str]:
    """Who looks after its incidents, those of most incidents first."""
    counted = Counter(item.assignee for item in incidents if item.assignee)
    return [name for name, _ in counted.most_common(_MOST_ASSIGNEES)]


async def _read(visit: Visit, verdict: str) -> CausesPage:
    query = {**visit.query.period, "scope": visit.query.scope, "verdict": verdict, "limit": 50}
    return await read_causes(visit.app, CausesQuery.model_validate(query))


def _query(visit: Visit) -> CauseQuery:
    return CauseQuery.model_validate({**visit.query.period, "scope": visit.query.scope})
