"""From findings to incidents: what they are, how slices add up to one, and what findings, people and time do to it.

`model` says what an incident is, `contributions` how slices add up to it; `life` what findings do to it, `acts` people,
`tending` time and exceptions; `traits` are what wakes one that somebody has in hand. Pure: imports rules, signin and
basics. Rows are in shared/store, alerts in shared/messages and shared/alerts.
"""

from shared.incidents.findings import Finding, finding_of
from shared.incidents.life import Life, News, Step, apply_findings
from shared.incidents.model import Event, EventKind, Facts, Incident, IncidentState, Who, contributions

__all__ = [
    "Event",
    "EventKind",
    "Facts",
    "Finding",
    "Incident",
    "IncidentState",
    "Life",
    "News",
    "Step",
    "Who",
    "apply_findings",
    "contributions",
    "finding_of",
]
