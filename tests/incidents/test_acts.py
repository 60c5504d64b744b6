"""What operators may make of an incident: what is said to be possible is, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from shared.incidents import acts
from shared.incidents.acts import NotNow, possible
from shared.incidents.life import Step
from shared.incidents.model import Facts, Incident, IncidentState, Who

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WHO = Who("user", "jane@partner.example", "customer", "app", "An app")
FACTS = Facts(1, NOON, NOON, frozenset({"rule"}), 3, 3)
DO: dict[IncidentState, Callable[[Incident], Step]] = {
    IncidentState.ACKNOWLEDGED: lambda before: acts.acknowledge(before, "op", "", NOON),
    IncidentState.SNOOZED: lambda before: acts.snooze(before, "op", "", until=NOON + HOUR, now=NOON),
    IncidentState.RESOLVED: lambda before: acts.resolve(before, "op", "", NOON),
    IncidentState.OPEN: lambda before: acts.reopen(before, "op", "", NOON),
}


@pytest.mark.parametrize("state", IncidentState)
def test_what_is_possible_can_be_done_and_nothing_else(state: IncidentState) -> None:
    incident = Incident("key", WHO, FACTS, state=state)
    for wanted, do in DO.items():
        if wanted in possible(state):
            assert do(incident).incident.state is wanted
        else:
            with pytest.raises(NotNow, match=f"It is {state}"):
                do(incident)


def test_nothing_is_possible_in_a_state_that_nobody_knows() -> None:
    assert possible("of a newer version") == ()
