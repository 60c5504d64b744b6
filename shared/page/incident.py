"""One incident as a page, and what a person does about it there."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Literal

from pydantic import Field

from shared.answers.findings import FindingsQuery, read_findings
from shared.answers.incident_detail import IncidentChange, change_incident, read_detail
from shared.app.app import App
from shared.page.render import render
from shared.wire.models import Body

_MOST_ROWS: Final = 50
_SNOOZE: Final = timedelta(days=7)


class IncidentForm(Body):
    """What the form of an incident's page sends. `version` is the etag that the person saw."""

    act: Literal["acknowledged", "snoozed", "resolved", "open", "comment"]
    comment: str = Field(default="", max_length=2000)
    version: str = Field(max_length=200)


async def incident_page(app: App, key: str, *, may_act: bool) -> str:
    """The page of an incident. Raises UnknownIncident."""
    detail = await read_detail(app, key)
    findings = await read_findings(app, FindingsQuery(incident=key, limit=_MOST_ROWS))
    return render(
        "incident.html",
        i=detail,
        findings=findings.items,
        more_findings=findings.cursor is not None,
        may_act=may_act,
    )


async def act_on_incident(app: App, key: str, form: IncidentForm, *, by: str) -> None:
    """Do what the form says, if the incident is still as the person saw it.

    Raises UnknownIncident, ChangedIncident, NotNow, BadParameter; a comment alone needs words.
    """
    change = IncidentChange(
        state=None if form.act == "comment" else form.act,
        snoozed_until=app.clock() + _SNOOZE if form.act == "snoozed" else None,
        comment=form.comment.strip() or ("(no words)" if form.act == "comment" else None),
    )
    await change_incident(app, key, change, by=by, etag=form.version)
