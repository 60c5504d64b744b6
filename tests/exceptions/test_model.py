"""Which days an exception accepts, and which incidents it silences."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.exceptions.life import (
    Approver,
    NoSecondPerson,
    WrongState,
    approved,
    reminder_due,
    requested,
    with_time,
    withdrawn,
)
from shared.exceptions.model import Covers, Papers, TechnicalException, accepting
from shared.exceptions.request_text import text
from shared.incidents.model import Facts, Who

DAY = timedelta(days=1)
START = datetime(2026, 11, 2, tzinfo=UTC)
NOON = START + timedelta(hours=12)
END = START + 28 * DAY
ASKED = TechnicalException(
    id="a" * 32,
    title="t",
    reason="r",
    owner="o",
    common_issue=6,
    covers=Covers("u", "", "", frozenset({"mfa-skipped", "device-code"})),
    papers=Papers("v", "p", "federation", "c", "t", "p", "b", "2026-10-30", "x"),
    ticket="",
    starts=START,
    ends=END,
    requested_at=NOON,
    requested_by="jane",
    requested_by_id="t/jane",
)
JOE = Approver("joe", "t/joe", is_person=True)
HOLDS = approved(ASKED, JOE, "", "", NOON + 3 * DAY).after


def test_its_days_are_accepted_whole() -> None:
    days = [START + n * DAY for n in range(-1, 30)]
    assert [HOLDS.accepts_day(day) for day in days] == [START <= day < END for day in days]
    assert not any(ASKED.accepts_day(day) for day in days)
    over = with_time(HOLDS, END)
    assert over is not None
    assert [over.after.accepts_day(day) for day in days] == [START <= day < END for day in days]


def test_withdrawn_it_keeps_the_days_on_which_it_was_in_effect() -> None:
    gone = withdrawn(HOLDS, "joe", NOON + 6 * DAY).after
    assert [n for n in range(-1, 30) if gone.accepts_day(START + n * DAY)] == [3, 4, 5]


def test_no_way_leads_back() -> None:
    over = with_time(HOLDS, END)
    assert over is not None
    assert with_time(over.after, END + DAY) is None
    late = with_time(ASKED, END)
    assert late is not None
    for ended in (over.after, late.after, withdrawn(HOLDS, "joe", NOON).after):
        with pytest.raises(WrongState):
            approved(ended, JOE, "", "", END)
        with pytest.raises(WrongState):
            withdrawn(ended, "joe", END)
    with pytest.raises(WrongState):  # also before anybody noted that it is over
        approved(ASKED, JOE, "", "", END)
    lines = [requested(ASKED).line, approved(ASKED, JOE, "", "", NOON).line, over.line]
    assert [line.number for line in lines] == [1, 2, 3]


@pytest.mark.parametrize(
    ("by", "why"),
    [
        (Approver("Jane Roe", "t/jane", is_person=True), "somebody else"),
        (Approver("robot", "t/robot", is_person=False), "Only a person"),
        (Approver("function-key", "", is_person=False), "Only a person"),
        (Approver("joe", "", is_person=True), "Only a person"),
    ],
)
def test_only_a_second_person_approves_whatever_they_are_called(by: Approver, why: str) -> None:
    with pytest.raises(NoSecondPerson, match=why):
        approved(ASKED, by, "", "", NOON)


def test_where_nobody_knows_who_asked_nobody_is_a_second_person() -> None:
    with pytest.raises(NoSecondPerson, match="ask again"):
        approved(replace(ASKED, requested_by_id=""), JOE, "", "", NOON)


def test_alone_on_their_own_machine_one_person_may_and_the_history_says_so() -> None:
    step = approved(
        replace(ASKED, requested_by_id=""), Approver("local", "", is_person=False, alone=True), "", "", NOON
    )
    assert step.line.detail == "(local mode: no second person)"


@given(
    user=st.sampled_from(["", "u", "w"]),
    customer=st.sampled_from(["", "c", "d"]),
    app=st.sampled_from(["", "a", "b"]),
    rules=st.frozensets(st.sampled_from(["mfa-skipped", "device-code", "legacy-auth"]), max_size=3),
    covers=st.builds(
        Covers,
        st.sampled_from(["", "u"]),
        st.sampled_from(["", "c"]),
        st.sampled_from(["", "a"]),
        st.frozensets(st.sampled_from(["mfa-skipped", "device-code"]), min_size=1),
    ),
    after=st.integers(-2, 40),
)
def test_it_silences_what_it_names_while_it_holds(
    user: str, customer: str, app: str, rules: frozenset[str], covers: Covers, after: int
) -> None:
    now = START + after * DAY
    one = replace(HOLDS, covers=covers)
    silent = accepting([one], now)(Who(user, "", customer, app, ""), Facts(1, now, now, rules, 3, 3))
    named = all(
        want in ("", is_) for want, is_ in ((covers.user, user), (covers.customer, customer), (covers.app, app))
    )
    assert bool(silent) == (START <= now < END and named and bool(rules) and rules.issubset(covers.rules))


def test_the_reminders_are_due_at_14_and_3_days_and_once() -> None:
    assert [reminder_due(HOLDS, END - timedelta(days=d)) for d in (15, 14, 4, 3, 1)] == [0, 14, 14, 3, 3]
    assert [reminder_due(replace(HOLDS, reminded=14), END - timedelta(days=d)) for d in (14, 4, 3)] == [0, 0, 3]
    assert reminder_due(replace(HOLDS, reminded=3), END - DAY) == 0
    assert reminder_due(ASKED, END - DAY) == 0
    assert reminder_due(HOLDS, END) == 0


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("a|b", "a\\|b"),
        ("- x\n# y", "\\- x \\# y"),
        ("[a](https://e.example)", "\\[a\\]\\(hxxps://e.example\\)"),
        ("<b>&amp;`c`", "\\<b\\>\\&amp;\\`c\\`"),
        ("see www.evil.example", "see www\\.evil.example"),
        ("case-4711 of 2026-10-30", "case-4711 of 2026-10-30"),
    ],
)
def test_text_of_others_stays_text(said: str, shown: str) -> None:
    assert text(said) == shown
