"""An incident as a row, and rows that older versions of the app wrote."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime

import pytest

from shared.answers.changes import ChangesQuery, read_changes
from shared.answers.incidents import IncidentsQuery, incident_item, read_incidents, worst_incidents
from shared.app.app import App
from shared.incidents.model import Ending, Facts, Incident, IncidentState, Who
from shared.store.incident_rows import incident_columns, incident_of
from shared.store.tables import Tables, insert
from tests.settings import settings_for

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


async def test_lists_show_of_an_incident_what_its_whole_row_says(tables: Tables) -> None:
    """Every field differs from that of a new one, so that one which lists lack would be seen."""
    facts = Facts(
        *(7, AT, AT, frozenset({"legacy-auth"}), 3, 2),
        scopes=frozenset({"customer"}),
        traits=frozenset({"country:AT"}),
        customers=frozenset({"b" * 32, "c" * 32}),
    )
    whole = Incident(
        *("0" * 32, Who("a" * 32, "a@partner.example", "", "", ""), facts),
        announced=3,
        opening=2,
        state=IncidentState.RESOLVED,
        ending=Ending.QUIET,
        reason="quiet",
        since=AT,
        tellings=4,
        told_at=AT,
        told_last=AT,
        opened_at=AT,
        raised_at=AT,
        grew_at=AT,
        snoozed_until=AT,
        resolved_at=AT,
        acted_at=AT,
        woken_at=AT,
        known=frozenset({"x"}),
        unheard=frozenset({"y"}),
        assignee="Jo",
        due=AT,
        revision=9,
    )
    new = Incident(whole.key, whole.who, facts)
    assert all(getattr(whole, field.name) != getattr(new, field.name) for field in fields(Incident)[3:])
    await tables.incidents.write(insert(incident_columns(whole)))
    app = App(settings_for(), clock=lambda: AT, tables=tables)
    shown = incident_item(whole, {})
    assert (await read_incidents(app, IncidentsQuery())).items == [shown]
    assert (await worst_incidents(app, IncidentsQuery(), 5, AT)).items == [shown]
    assert (await worst_incidents(app, IncidentsQuery(user="a" * 32), 5, AT)).items == [shown]
    assert (await read_changes(app, ChangesQuery())).opened == [shown]
