"""The overview: one sentence, what changed, what to do first, and what is behind it, from the answers of the API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from shared.answers.ahead import read_period_ahead
from shared.answers.causes import CauseItem, CausesQuery, read_causes
from shared.answers.changes import Changes, ChangesQuery, read_changes
from shared.answers.incidents import IncidentItem, IncidentsQuery, worst_incidents
from shared.answers.overview import SummaryQuery, read_summary
from shared.answers.rules import RuleText
from shared.answers.worst import Worst, read_worst
from shared.compliance.summary import Summary
from shared.page.asked import PageQuery, Visit
from shared.page.charts import bar_of, trend
from shared.page.frame import Frame, frame_of
from shared.page.incidents import TABS
from shared.page.render import render
from shared.page.sentence import About, Standing, doubted, headline
from shared.page.states import State, state_of
from shared.store.rollup_rows import GROUPS
from shared.wire.models import same_id

_MOST_CAUSES: Final = 5
_MOST_INCIDENTS: Final = 10
_MOST_WORST: Final = 8
_BURNING: Final = timedelta(days=1)
# The word where all was read and had MFA, and something else speaks against a green mark.
_DOUBTS: Final = {
    About.TELLING: "All with MFA, but nobody would be told",
    About.DIRECTORY: "All with MFA, but the directory is old",
}


class Mark(NamedTuple):
    """The word that is read first: its colour (good, bad, unsure) and the word."""

    kind: str
    word: str


@dataclass(frozen=True, slots=True)
class View:
    """What the template of the overview shows. `burning` are the open incidents that still happen; None: not known."""

    summary: Summary
    incidents: Sequence[IncidentItem]
    more_incidents: bool
    rule_texts: dict[str, RuleText]
    causes: Sequence[CauseItem]
    causes_sentence: str
    more_causes: bool
    worst: Worst
    changed: Changes
    burning: int | None


async def overview_page(visit: Visit) -> str:
    """The overview as HTML. Raises BadParameter, NotKnown as the answers do."""
    app, query, span = visit.app, visit.query, visit.span
    scope, period = query.scope, query.period
    await read_period_ahead(app, span, GROUPS, lists=True, incidents=True)
    whose = dict([*query.whose.items()][:1])  # figures can be of one of them alone
    frame = await frame_of(visit)
    state = await state_of(app)
    summary = await read_summary(app, SummaryQuery.model_validate({**period, "scope": scope, **whose}))
    asked = IncidentsQuery(state=("open",), scope=scope, **query.whose)
    incidents = await worst_incidents(app, asked, _MOST_INCIDENTS, _lately(frame))
    causes = await read_causes(app, CausesQuery.model_validate({**period, "scope": scope, "limit": _MOST_CAUSES}))
    worst = await read_worst(app, span, scope, _MOST_WORST)
    changed = await read_changes(app, ChangesQuery())
    burning = incidents.burning if len(query.whose) < 2 and (incidents.items or not incidents.more) else None
    standing = _standing(frame, summary, burning, whose)
    view = View(
        summary=summary,
        incidents=incidents.items,
        more_incidents=incidents.more,
        rule_texts=incidents.rule_texts,
        causes=causes.items,
        causes_sentence=causes.sentence,
        more_causes=causes.cursor is not None,
        worst=_asked_for(worst, query),
        changed=changed,
        burning=burning,
    )
    return render(
        "overview.html",
        frame=frame,
        visit=visit,
        link=visit.link,
        q=query,
        view=view,
        state=state,
        tabs=TABS,
        counts=_counts(summary),
        mark=_mark(standing),
        headline=headline(standing),
        notices=_notices(summary, whose, query, state),
        chart=trend([bar_of(day, visit.now) for day in summary.trend]),
    )


def _lately(frame: Frame) -> datetime:
    """Since when a sign-in still happens: the last day of what was read, as the summary has it."""
    return (frame.grounds.measured_until or frame.visit.now) - _BURNING


def _standing(frame: Frame, summary: Summary, burning: int | None, whose: dict[str, str]) -> Standing:
    """`burning` are the open ones asked for that were seen in the last day of what was read; None: not known."""
    figures = summary.delegated_sign_ins
    return Standing(
        grounds=frame.grounds,
        open=summary.incidents.open,
        critical=summary.incidents.by_severity.critical,
        burning=burning,
        acknowledged_burning=summary.incidents.still_happening if summary.incidents.open == 0 else 0,
        compliance=figures.compliance_percent,
        worst_case=figures.worst_case_percent,
        judged=figures.total,
        without=figures.non_compliant,
        unknown=figures.unknown,
        of=next(iter(whose.values()), ""),
    )


def _mark(standing: Standing) -> Mark:
    """Never good where it rests on too little."""
    if not standing.grounds.read_anything:
        return Mark("bad", "Not being read") if standing.grounds.cannot_read else Mark("unsure", "Not known yet")
    if standing.open:
        return Mark("bad", "Action needed")
    doubts = doubted(standing.grounds)
    if About.READING in doubts:
        found = "Nothing open" if standing.without or standing.unknown else "Nothing found"
        return Mark("unsure", f"{found}, not everything read")
    if standing.acknowledged_burning:
        return Mark("unsure", "Known problems go on")
    if standing.without or standing.unknown or standing.compliance is None:
        return Mark("unsure", "Nothing open")
    doubt = next((word for about, word in _DOUBTS.items() if about in doubts), "")
    return Mark("unsure", doubt) if doubt else Mark("good", "✓ All with MFA")


def _notices(summary: Summary, whose: dict[str, str], query: PageQuery, state: State) -> list[str]:
    """What keeps the figures from being read as they stand."""
    told = [state.sentence] if state.sentence else []
    covered = summary.coverage.percent
    if covered is not None and covered < 100 and not state.is_first_run:
        told.append(
            "Part of the period was not read to its end: what is missing may hold sign-ins without MFA. Every gap with "
            "its reason stands under Audit, “What was not read in this period”."
        )
    if len(query.whose) > 1:
        told.append(f"Figures are of one of them at a time: those here are of {next(iter(whose.values()))}.")
    if len(summary.rules_versions) > 1:
        told.append("The period was judged by more than one version of the rules: run a rescan.")
    if len(whose) == 0 and (problem := summary.posture.problem):
        told.append(f"Who has registered for MFA is not known: {problem}")
    return told


def _counts(summary: Summary) -> dict[str, int]:
    """How many incidents are in each state that a tab shows."""
    n = summary.incidents
    return {"open": n.open, "acknowledged": n.acknowledged, "snoozed": n.snoozed, "silenced": n.silenced}


def _asked_for(worst: Worst, query: PageQuery) -> Worst:
    """Of these people and customers those that the filter names."""
    people = [p for p in worst.people if same_id(query.user, p.user_id, p.user_principal_name or "")]
    customers = [c for c in worst.customers if same_id(query.customer, c.customer_id, c.customer_name or "")]
    return worst.model_copy(update={"people": people, "customers": customers})
