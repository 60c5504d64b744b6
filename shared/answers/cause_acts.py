"""One cause, and what people do about all of its incidents in one act."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from shared.answers.cause_groups import CauseGroup
from shared.answers.causes import CauseItem, CausesSeen, see_causes, version_of
from shared.answers.incident_detail import ChangedIncident, IncidentChange, change_incident, etag_of
from shared.answers.period import PeriodQuery, span_of
from shared.answers.rules import RuleText, texts_of
from shared.app.app import App
from shared.compliance.coverage import Coverage
from shared.compliance.summary import Period
from shared.incidents.acts import NotNow
from shared.wire.models import HEADLINE_NAMES, Answer, Scopes, Versioned

_VERDICTS: Final = ("non-compliant", "unknown")


class CauseQuery(PeriodQuery):
    """In which period and scopes: those of the list in which it was seen."""

    scope: Scopes = Field(default=HEADLINE_NAMES, description="Sign-ins of these scopes; all: each.")


class CauseDetail(CauseItem, Versioned):
    """A cause of a period. `etag` is that of the header."""

    rule_texts: dict[str, RuleText]
    period: Period
    coverage: Coverage


class CauseChanged(Answer):
    """What became of each incident of a cause."""

    changed: list[str] = Field(description="Ids of the incidents that were changed.")
    moved_on: list[str] = Field(
        description="Ids of those that somebody else changed while this was done: left as they are; read them again."
    )
    refused: dict[str, str] = Field(description="Why not, by id of the incident, where its state did not allow it.")


class UnknownCause(Exception):  # noqa: N818
    """There is no such cause in the period and the scopes."""


class ChangedCause(Exception):  # noqa: N818
    """An incident of it joined, left, or was changed by somebody since the caller read it."""


async def read_cause(app: App, id_: str, query: CauseQuery) -> CauseDetail:
    """One cause. Raises UnknownCause, BadParameter."""
    seen, cause, of_all = await _find(app, id_, query)
    return CauseDetail(
        **dict(seen.item(cause, of_all)),
        rule_texts=texts_of(cause.rules),
        period=seen.standing.period,
        coverage=seen.standing.coverage,
    )


async def change_cause(
    app: App, id_: str, query: CauseQuery, change: IncidentChange, *, by: str, etag: str
) -> CauseChanged:
    """Do the same to every incident of a cause that is not resolved, if the cause's etag is still that one (`*`:
    whatever it is). Each is changed only as it was seen then.

    Raises UnknownCause, ChangedCause, BadParameter.
    """
    seen, cause, _ = await _find(app, id_, query)
    incidents = seen.open_of(cause)
    if etag not in ("*", version_of(incidents)):
        raise ChangedCause(f"cause {id_} is at {version_of(incidents)}")
    done = CauseChanged(changed=[], moved_on=[], refused={})
    for incident in incidents:
        try:
            await change_incident(app, incident.key, change, by=by, etag=etag_of(incident))
        except ChangedIncident:
            done.moved_on.append(incident.key)
        except NotNow as reason:
            done.refused[incident.key] = str(reason)
        else:
            done.changed.append(incident.key)
    return done


async def _find(app: App, id_: str, query: CauseQuery) -> tuple[CausesSeen, CauseGroup, int]:
    """What was seen, the cause, and how many sign-ins of its verdict there are. Raises UnknownCause, BadParameter."""
    seen = await see_causes(app, span_of(app, query.days, query.from_, query.to), query.scope)
    for verdict in _VERDICTS:
        found = seen.found(verdict)
        cause = next((each for each in found.groups if each.id == id_), None)
        if cause is not None:
            return seen, cause, found.of_all
    raise UnknownCause("no such cause")
