"""What happens to an incident, and what there is to tell of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.incidents import acts
from shared.incidents.acts import NotNow
from shared.incidents.life import Accepts, Life, News, Step, accept_nothing, apply_findings
from shared.incidents.model import Ending, Facts, Incident, IncidentState, Who, adds, counted_on, only_grew, total
from shared.incidents.tending import pass_time

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LIFE = Life(quiet=7 * DAY, realert=DAY)
WHO = Who("user", "jane@partner.example", "customer", "app", "An app")


def part(at: datetime, severity: int = 3, count: int = 1, *, settled: bool = True) -> Facts:
    return Facts(count, at, at, frozenset({"rule"}), severity, severity if settled else 0)


class Story:
    """An incident and the contributions that made it, as the store keeps them."""

    def __init__(self) -> None:
        self.now = NOON
        self.parts: dict[str, Facts | None] = {}
        self.incident: Incident | None = None
        self.events: list[tuple[str, int]] = []
        self.ids: list[str] = []
        self.accepts: Accepts = accept_nothing

    @property
    def is_(self) -> Incident:
        assert self.incident is not None
        return self.incident

    @property
    def state(self) -> IncidentState:
        return self.is_.state

    def snooze(self, by: timedelta) -> Story:
        return self.take(acts.snooze(self.is_, "op", "", until=self.now + by, now=self.now))

    def acknowledge(self) -> Story:
        return self.take(acts.acknowledge(self.is_, "op", "mine", self.now))

    def wait(self, by: timedelta) -> Story:
        self.now += by
        return self

    def contribute(self, slice_: str, new: Facts | None) -> Story:
        old = self.parts.get(slice_)
        added = [new] if new and adds(old, new) else []
        since = self.incident.since if self.incident else None
        if only_grew(old, new) and new:
            facts: Facts | None = counted_on(self.incident.facts if self.incident else None, old, new, since)
        else:
            facts = total([f for key, f in {**self.parts, slice_: new}.items() if f], since)
        self.parts[slice_] = new
        return self.take(
            apply_findings(self.incident, News("key", WHO, facts, self.now, tuple(added)), LIFE, self.accepts)
        )

    def find(self, slice_: str = "a", severity: int = 3, *, settled: bool = True) -> Story:
        """A new finding, half an hour old."""
        old = self.parts.get(slice_)
        at = self.now - HOUR / 2
        new = (
            part(at, severity, settled=settled)
            if old is None
            else replace(
                old,
                count=old.count + 1,
                last=at,
                severity=max(old.severity, severity),
                announceable=max(old.announceable, severity if settled else 0),
            )
        )
        return self.contribute(slice_, new)

    def sweep(self) -> Story:
        return self.take(pass_time(self.is_, self.now, LIFE))

    def take(self, step: Step | None) -> Story:
        if step is not None:
            self.incident = step.incident
            if step.event:
                self.events.append((step.event.kind, step.event.severity))
                self.ids.append(step.event.id)
        assert len(set(self.ids)) == len(self.ids)
        return self


def test_it_opens_once_and_counts_on_in_silence() -> None:
    story = Story()
    for _ in range(50):
        story.find("a").find("b").wait(HOUR / 4)
    assert story.events == [("opened", 3)]
    assert story.is_.facts.count == 100


def test_details_that_arrive_late_are_waited_for() -> None:
    story = Story().find(settled=False)
    assert story.events == []
    story.wait(HOUR).contribute("a", part(NOON - HOUR / 2))
    assert story.events == [("opened", 3)]


def test_a_rise_and_a_fall_of_severity_are_told_at_once_and_each_once() -> None:
    story = Story().find("a", 2).find("b", 3).find("c", 3).find("d", 4).find("e", 4)
    assert story.events == [("opened", 2), ("raised", 3), ("raised", 4)]
    story.contribute("d", None).contribute("e", None).find("f", 4)
    assert story.events[3:] == [("lowered", 3), ("raised", 4)]


def test_it_is_told_again_after_a_day_and_only_with_new_findings() -> None:
    story = Story().find("a").wait(23 * HOUR).find("b").wait(2 * HOUR)
    assert story.events == [("opened", 3)]
    story.contribute("b", story.parts["b"])  # the slice is read again, and says the same
    assert story.events == [("opened", 3)]
    story.contribute("old", part(NOON - DAY))  # a finding from before, that nobody had read yet
    assert story.events == [("opened", 3)]
    story.find("c")
    assert story.events == [("opened", 3), ("ongoing", 3)]
    story.find("d").wait(25 * HOUR).find("e")
    assert story.events == [("opened", 3), ("ongoing", 3), ("ongoing", 3)]


def test_an_unsettled_finding_is_no_repetition_until_it_is_settled() -> None:
    story = Story().find("a").wait(25 * HOUR).find("b", settled=False)
    assert story.events == [("opened", 3)]
    seen = story.parts["b"]
    assert seen is not None
    story.wait(HOUR).contribute("b", replace(seen, announceable=3))
    assert story.events == [("opened", 3), ("ongoing", 3)]


def test_a_withdrawn_finding_that_was_the_only_one_says_so() -> None:
    story = Story().find("a").contribute("a", None)
    assert story.events == [("opened", 3), ("withdrawn", 3)]
    assert (story.is_.state, story.is_.ending, story.is_.facts.count) == (IncidentState.RESOLVED, Ending.CORRECTED, 0)
    story.contribute("a", None)
    assert len(story.events) == 2


def test_what_was_never_told_is_withdrawn_in_silence() -> None:
    assert Story().find(settled=False).contribute("a", None).events == []


def test_one_of_several_findings_withdrawn_says_nothing() -> None:
    story = Story().find("a").find("b").contribute("a", None)
    assert story.events == [("opened", 3)]
    assert (story.is_.state, story.is_.facts.count) == (IncidentState.OPEN, 1)


def test_after_a_withdrawal_it_opens_again_as_itself() -> None:
    story = Story().find("a").contribute("a", None).wait(HOUR).find("b", 2)
    assert story.events == [("opened", 3), ("withdrawn", 3), ("opened", 2)]
    assert (story.is_.opening, story.is_.state, story.is_.reason) == (2, IncidentState.OPEN, "")


def test_it_closes_when_it_was_quiet_and_opens_again_as_itself() -> None:
    story = Story().find("a", 4).wait(7 * DAY - HOUR).sweep()
    assert str(story.state) == "open"
    story.wait(HOUR).sweep()
    assert (story.is_.state, story.is_.reason) == (IncidentState.RESOLVED, "quiet for 7 days")
    story.wait(DAY).find("b", 2)
    assert (story.is_.state, story.is_.opening, story.is_.facts.count) == (IncidentState.OPEN, 2, 2)
    assert story.events == [("opened", 4), ("opened", 2)]  # what was critical then is not critical now
    story.find("c", 2).find("d", 3)
    assert story.events[2:] == [("raised", 3)]


def test_it_opens_again_after_a_quiet_time_though_nobody_swept() -> None:
    story = Story().find("a").take(acts.acknowledge(Story().find("a").is_, "op", "", NOON)).wait(9 * DAY).find("b")
    assert story.events == [("opened", 3), ("opened", 3)]
    assert str(story.state) == "open"


def test_old_days_read_oldest_first_are_one_opening() -> None:
    story = Story()
    for days in (29, 20, 1):
        story.contribute(f"slice {days}", part(NOON - days * DAY)).wait(HOUR / 4)
    assert story.is_.opening == 1
    assert story.events == [("opened", 3)]


def test_old_days_read_newest_first_open_nothing_that_closed() -> None:
    story = Story().contribute("a", part(NOON - 20 * DAY)).wait(8 * DAY).sweep()
    assert str(story.state) == "resolved"
    story.contribute("b", part(NOON - 25 * DAY))
    assert (story.is_.state, story.is_.opening, story.is_.facts.count) == (IncidentState.RESOLVED, 1, 2)


def test_whoever_acknowledged_hears_no_more_of_the_same() -> None:
    story = Story().find("a")
    story.acknowledge()
    story.find("b").wait(3 * DAY).find("c")
    assert story.events == [("opened", 3)]
    assert str(story.state) == "acknowledged"
    story.find("d", 4)
    assert story.events == [("opened", 3), ("raised", 4)]
    assert str(story.state) == "open"


def test_acknowledging_what_was_seen_before_it_was_told_is_enough() -> None:
    story = Story().find("a", 3, settled=False)
    story.acknowledge()
    seen = story.parts["a"]
    assert seen is not None
    story.wait(HOUR).contribute("a", replace(seen, announceable=3))
    assert story.events == []
    assert str(story.state) == "acknowledged"


def test_a_changing_count_never_wakes_a_snoozed_one() -> None:
    story = Story().find("a")
    story.snooze(30 * DAY)
    for place in range(20):
        story.wait(DAY).find(f"b{place}").sweep()
    assert story.events == [("opened", 3)]
    assert str(story.state) == "snoozed"
    story.wait(9 * DAY).find("after a quiet week")
    assert story.events == [("opened", 3)]


def test_a_rise_of_severity_wakes_a_snoozed_one() -> None:
    story = Story().find("a", 3)
    story.snooze(30 * DAY).find("b", 4)
    assert story.events == [("opened", 3), ("raised", 4)]
    assert str(story.state) == "open"


def test_the_end_of_a_snooze_tells_what_came_meanwhile() -> None:
    story = Story().find("a")
    story.snooze(2 * DAY).wait(DAY).find("b").wait(DAY).sweep()
    assert story.events == [("opened", 3), ("ongoing", 3)]
    assert str(story.state) == "open"
    story.sweep()
    assert len(story.events) == 2


def test_the_end_of_a_snooze_in_which_nothing_came_is_for_those_who_do_not_know() -> None:
    story = Story().find("a")
    story.snooze(DAY).wait(DAY).sweep()
    assert story.events == [("opened", 3), ("opened", 3)]  # a channel that was told once drops the second
    assert str(story.state) == "open"


def test_the_end_of_a_short_snooze_waits_for_the_next_telling() -> None:
    story = Story().find("a")
    story.snooze(HOUR).wait(HOUR / 2).find("b").wait(HOUR).sweep()
    assert story.events == [("opened", 3)]
    story.wait(DAY).sweep()
    assert story.events == [("opened", 3), ("ongoing", 3)]


def test_a_finding_after_the_end_of_a_short_snooze_waits_for_the_next_telling_too() -> None:
    story = Story().find("a")
    story.snooze(HOUR).wait(2 * HOUR).find("b")
    assert str(story.state) == "snoozed"
    assert story.events == [("opened", 3)]
    story.wait(DAY).sweep()
    assert str(story.state) == "open"
    assert story.events == [("opened", 3), ("ongoing", 3)]


def test_a_finding_after_the_end_of_a_snooze_is_told_though_nobody_swept() -> None:
    story = Story().find("a")
    story.snooze(2 * DAY).wait(3 * DAY).find("b")
    assert story.events == [("opened", 3), ("ongoing", 3)]


def test_what_a_person_resolved_opens_again_with_a_sign_in_after_that() -> None:
    story = Story().find("a")
    story.take(acts.resolve(story.is_, "op", "blocked", story.now))
    story.contribute("late", part(story.now - HOUR))
    assert (story.is_.state, story.is_.facts.count) == (IncidentState.RESOLVED, 2)
    story.wait(2 * HOUR).find("b")
    assert (story.is_.state, story.is_.opening, story.is_.reason) == (IncidentState.OPEN, 2, "")
    assert story.events == [("opened", 3), ("opened", 3)]


def test_a_worse_finding_of_before_opens_what_was_resolved() -> None:
    story = Story().find("a", 2)
    story.take(acts.resolve(story.is_, "op", "", story.now)).contribute("late", part(story.now - HOUR, 4))
    assert story.events == [("opened", 2), ("raised", 4)]
    assert str(story.state) == "open"


def test_a_person_can_take_it_back() -> None:
    story = Story().find("a")
    story.take(acts.resolve(story.is_, "op", "", story.now)).wait(10 * DAY)
    story.take(acts.reopen(story.is_, "op", "not yet", story.now)).sweep()
    assert str(story.state) == "open"
    story.wait(7 * DAY).sweep()
    assert str(story.state) == "resolved"


def test_what_a_technical_exception_silences_is_never_told() -> None:
    story = Story()
    story.accepts = lambda who, facts: "by an exception"
    story.find("a").wait(10 * DAY).find("b", 4).sweep()
    assert story.events == []
    assert str(story.state) == "silenced"


@pytest.mark.parametrize("act", ["acknowledged", "snoozed", "resolved"])
def test_what_is_resolved_cannot_be_acted_on(act: str) -> None:
    done = acts.resolve(Story().find("a").is_, "op", "", NOON).incident
    with pytest.raises(NotNow):
        _act(done, act)


def test_what_was_withdrawn_cannot_be_opened() -> None:
    gone = Story().find("a").contribute("a", None).is_
    with pytest.raises(NotNow):
        acts.reopen(gone, "op", "", NOON)
    with pytest.raises(NotNow):
        acts.reopen(Story().find("a").is_, "op", "", NOON)


def _act(incident: Incident, act: str) -> Step:
    if act == "acknowledged":
        return acts.acknowledge(incident, "op", "", NOON)
    if act == "snoozed":
        return acts.snooze(incident, "op", "", until=NOON + DAY, now=NOON)
    return acts.resolve(incident, "op", "", NOON)


def test_every_line_of_the_history_has_its_own_revision() -> None:
    story = Story().find("a", 2)
    notes: Sequence[str] = []
    for step in (acts.acknowledge(story.is_, "op", "", NOON),):
        notes = [note.action for note in step.notes]
        story.take(step)
    assert (notes, story.is_.revision) == (["acknowledged"], 2)
    news = News("key", WHO, replace(story.is_.facts, announceable=4), NOON, (part(NOON, 4),))
    woken = apply_findings(story.is_, news, LIFE)
    assert woken is not None
    assert [note.action for note in woken.notes] == ["woken"]
    assert woken.incident.revision == 3


def test_an_incident_is_given_to_somebody_until_a_day_and_taken_back() -> None:
    story = Story().find("a")
    given = acts.assign(story.is_, "op", "please", assignee="hanna", due=NOON + DAY)
    assert (given.incident.assignee, given.incident.due) == ("hanna", NOON + DAY)
    assert [note.detail for note in given.notes] == ["to hanna, due 2026-11-03, please"]
    later = acts.assign(given.incident, "op", "", assignee=None, due=NOON + 2 * DAY)
    assert later.incident.assignee == "hanna"
    assert acts.assign(later.incident, "op", "", assignee="", due=None).notes[0].detail == "to nobody"


def test_a_snooze_is_for_a_month_at_most_and_of_a_critical_one_for_a_week() -> None:
    story = Story().find("a", 3)
    acts.snooze(story.is_, "op", "", until=NOON + 30 * DAY, now=NOON)
    with pytest.raises(NotNow):
        acts.snooze(story.is_, "op", "", until=NOON + 31 * DAY, now=NOON)
    story.find("a", 4)
    acts.snooze(story.is_, "op", "", until=NOON + 7 * DAY, now=NOON)
    with pytest.raises(NotNow, match="critical incident can be snoozed for 7 days"):
        acts.snooze(story.is_, "op", "", until=NOON + 8 * DAY, now=NOON)
