"""What wakes an incident that somebody has in hand."""

from __future__ import annotations

from dataclasses import replace

from shared.incidents.model import Facts, IncidentState
from shared.incidents.traits import MOST_CLIENTS, capped, described
from tests.incidents.test_life import DAY, HOUR, Story, part


def with_traits(story: Story, *traits: str, severity: int = 3) -> Facts:
    return replace(part(story.now - HOUR / 2, severity), traits=frozenset(traits))


def known() -> Story:
    story = Story()
    return story.contribute("a", with_traits(story, "rule:r", "country:AT", "client:old"))


def test_a_new_rule_country_or_client_wakes_what_was_acknowledged_or_snoozed() -> None:
    for trait in ("rule:other", "country:RU", "client:tool"):
        for asleep in (Story.acknowledge, lambda story: story.snooze(5 * DAY)):
            story = asleep(known()).wait(DAY)
            story.contribute("b", with_traits(story, "rule:r", "country:AT", "client:old"))
            assert story.state is not IncidentState.OPEN
            story.contribute("c", with_traits(story, trait))
            assert story.events == [("opened", 3), ("ongoing", 3)]
            assert str(story.state) == "open"
            assert story.is_.reason == f"woken: {described(trait)}"


def test_it_wakes_at_most_once_in_a_re_alert_period_and_forgets_nothing() -> None:
    story = known().acknowledge().wait(DAY)
    story.contribute("b", with_traits(story, "country:RU")).acknowledge().wait(HOUR)
    story.contribute("c", with_traits(story, "country:CN")).wait(22 * HOUR).sweep()
    assert len(story.events) == 2
    assert str(story.state) == "acknowledged"
    story.wait(2 * HOUR).sweep()
    assert len(story.events) == 3
    assert story.is_.reason == "woken: a new country (CN)"


def test_what_may_not_be_told_yet_wakes_nothing() -> None:
    story = known().acknowledge().wait(DAY)
    unsure = replace(with_traits(story, "country:RU"), announceable=0)
    story.contribute("b", unsure)
    assert len(story.events) == 1
    story.wait(HOUR).contribute("b", replace(unsure, announceable=3))
    assert len(story.events) == 2


def test_what_was_withdrawn_meanwhile_wakes_nothing() -> None:
    story = known().acknowledge().wait(DAY)
    story.contribute("b", with_traits(story, "country:RU")).acknowledge().wait(HOUR)
    story.contribute("c", with_traits(story, "country:CN")).contribute("c", None).wait(2 * DAY).sweep()
    assert len(story.events) == 2


def test_an_acknowledgement_ends_and_tells_what_came_meanwhile() -> None:
    story = known().acknowledge()
    for place in range(3):
        story.wait(4 * DAY).contribute(f"b{place}", with_traits(story, "rule:r"))
    story.wait(2 * DAY - HOUR).sweep()
    assert str(story.state) == "acknowledged"
    story.wait(HOUR).sweep().sweep()
    assert str(story.state) == "open"
    assert story.events == [("opened", 3), ("ongoing", 3)]


def test_a_row_has_room_for_so_many_clients_whatever_their_order() -> None:
    flood = [f"client:{n:05d}" for n in range(5 * MOST_CLIENTS)]
    once = capped([*flood, "country:AT"])
    assert once == capped([*capped(flood[::2]), *capped(flood[1::2]), "country:AT"])
    assert len(once) == MOST_CLIENTS + 1
