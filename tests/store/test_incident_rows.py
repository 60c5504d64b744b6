"""An incident as a row, and rows that older versions of the app wrote."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.incidents.model import Ending, Facts, Incident, IncidentState, Who
from shared.store.incident_rows import incident_columns, incident_of

AT = datetime(2026, 11, 2, 12, tzinfo=UTC)
INCIDENT = Incident(
    "0" * 32, Who("u", "u@partner.example", "c", "a", "App"), Facts(1, AT, AT, frozenset({"legacy-auth"}), 3, 3)
)


@pytest.mark.parametrize(
    ("state", "reason", "ending"),
    [
        (IncidentState.RESOLVED, "quiet for 7 days", Ending.QUIET),
        (IncidentState.RESOLVED, "withdrawn: its records were corrected", Ending.CORRECTED),
        (IncidentState.RESOLVED, "resolved by an operator", Ending.PERSON),
        (IncidentState.OPEN, "woken: country AT", Ending.NONE),
        (IncidentState.SILENCED, "quiet hours at the customer's", Ending.NONE),
    ],
)
def test_how_an_incident_ended_is_read_from_the_reason_of_older_rows(
    state: IncidentState, reason: str, ending: Ending
) -> None:
    columns = incident_columns(Incident(INCIDENT.key, INCIDENT.who, INCIDENT.facts, state=state, reason=reason))
    columns.pop("ending")
    assert incident_of(columns).ending is ending


@pytest.mark.parametrize("ending", Ending)
def test_how_an_incident_ended_is_kept_whatever_its_reason_says(ending: Ending) -> None:
    state = IncidentState.RESOLVED if ending else IncidentState.OPEN
    incident = Incident(INCIDENT.key, INCIDENT.who, INCIDENT.facts, state=state, ending=ending, reason="it is over")
    assert incident_of(incident_columns(incident)) == incident
