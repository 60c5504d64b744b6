"""What wakes an incident that somebody has in hand."""

from __future__ import annotations

from dataclasses import replace

from shared.incidents.findings import Finding, finding_of
from shared.incidents.model import Facts, IncidentState
from shared.incidents.traits import MOST_CLIENTS, capped, described, traits_of, without_personal
from shared.rules.assess import assess
from shared.rules.rule import PASSWORD_ONLY
from tests.incidents.test_findings import directory
from tests.incidents.test_life import DAY, HOUR, Story, part
from tests.signin.records import sign_in


def finding(**members: object) -> Finding:
    """What a password-only sign-in of a technician leaves, with these members."""
    known = directory("jane@partner.example")
    record = sign_in({**PASSWORD_ONLY, **members})
    found = finding_of(record, assess(record, known), known)
    assert found is not None
    return found


def traits(one: Finding) -> set[str]:
    return {trait for fits in one.incidents().values() for trait in traits_of(one, fits)}


def test_a_success_has_its_rule_its_country_and_its_kind_of_client_as_traits() -> None:
    one = finding(userAgent="Tool/1.2 (x64)", location={"countryOrRegion": "at"}, ipAddress="198.51.100.7")
    assert traits(one) == {"rule:interactive-without-mfa", "country:AT", "client:tool/. (x)"}
    updated = finding(userAgent="tool/13.0 (x86)", location={"countryOrRegion": "AT"}, ipAddress="203.0.113.9")
    assert traits(updated) == traits(one)


def test_where_from_and_with_what_is_personal() -> None:
    assert without_personal(["rule:r", "country:AT", "client:tool", "customer:c"]) == ["rule:r", "customer:c"]
    assert without_personal(None) is None


def test_an_attempt_has_no_traits_so_that_it_wakes_nothing() -> None:
    tried = finding(authenticationProtocol="ropc", status={"errorCode": 50126}, userAgent="Tool")
    assert traits(tried) == set()


def test_unknown_evidence_has_its_customer_and_application_too() -> None:
    silent = finding(authenticationRequirement="singleFactorAuthentication", authenticationDetails=[])
    assert {trait.partition(":")[0] for trait in traits(silent)} >= {"rule", "customer", "app"}


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
