"""What stands between answers and templates: the calendar, the sample, links, the watch, the reasons of a risk."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shared.answers.finding_sample import sample
from shared.answers.worst import why_at_risk
from shared.app.app import App
from shared.compliance.calendar import CalendarDay
from shared.compliance.coverage import DayCoverage
from shared.compliance.gaps import GapKind
from shared.ledger.tallies import Verdicts
from shared.page.applications import watch
from shared.page.asked import PageQuery, Visit
from shared.page.audit import calendar
from shared.page.places import place_of
from shared.page.render import _ENVIRONMENT, error_page

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


def read(number: int, percent: float | None, *kinds: GapKind, non_compliant: int = 0) -> CalendarDay:
    before = GapKind.BEFORE_INSTALLATION in kinds
    told = DayCoverage(percent, partial=percent != 100, settled=percent == 100, before_installation=before)
    return CalendarDay(date(2026, 11, number), told, kinds, non_compliant)


def test_the_calendar_tells_what_was_lost_from_what_was_never_there() -> None:
    days = [
        read(1, 0.0, GapKind.BEFORE_INSTALLATION),
        read(2, 0.0, GapKind.EXPIRED),
        read(3, 50.0, GapKind.QUARANTINED, non_compliant=2),
        read(4, 100.0),
        read(5, 0.0),
        read(20, None),
    ]
    (month,) = calendar(days, NOW)
    cells = {cell.day.day: cell for week in month.weeks for cell in week if cell}
    assert {n: cell.kind for n, cell in cells.items()} == {
        1: "before",
        2: "lost",
        3: "part",
        4: "read",
        5: "unread",
        20: "none",
    }
    assert cells[3].words == "50 % read, quarantined, 2 without MFA"
    assert all(len(week) == 7 for week in month.weeks)
    assert month.weeks[0][6] is not None  # the first of November 2026 is a Sunday
    assert calendar([], NOW) == []


def application(last_lacking: date | None) -> Any:
    days = [
        SimpleNamespace(date=date(2026, 11, n), compliant=3, non_compliant=int(n == 2), unknown=0) for n in range(1, 6)
    ]
    return SimpleNamespace(clean_since=last_lacking, last_seen_on=date(2026, 11, 5), trend=days)


@pytest.mark.parametrize(
    ("last_lacking", "percent", "says"),
    [
        (None, 100, "Without a sign-in without MFA in this period, in 16 sign-ins, read completely."),
        (date(2026, 11, 2), 100, "Clean since 03 Nov 2026, in 9 sign-ins, read completely."),
        (
            date(2026, 11, 2),
            87.5,
            "Clean since 03 Nov 2026, in 9 sign-ins, but only 87.5\u202f% of the period was read.",
        ),
        (date(2026, 11, 5), 100, "Not clean: the last sign-in without MFA was on 05 Nov 2026."),
    ],
)
def test_an_application_is_clean_from_the_day_after(last_lacking: date | None, percent: float, says: str) -> None:
    page = SimpleNamespace(coverage=SimpleNamespace(percent=percent))
    assert watch(application(last_lacking), cast(Any, page)) == says


def test_a_sample_is_the_same_for_everybody_who_has_its_address() -> None:
    items = [SimpleNamespace(at=NOW - timedelta(hours=n), id=f"{n}") for n in range(100)]
    first = sample(cast(Any, items), 7)
    assert first == sample(cast(Any, items[::-1]), 7)
    assert len(first) == len({item.id for item in first}) == 25
    assert first != sample(cast(Any, items), 8)
    assert [item.at for item in first] == sorted((item.at for item in first), reverse=True)
    assert len(sample(cast(Any, items[:3]), 7)) == 3


def test_links_carry_the_filter_and_nothing_of_a_name_ends_a_parameter() -> None:
    query = PageQuery.model_validate({"days": "7", "customer": "A&B=C#/..", "scope": "all"})
    visit = Visit(cast(App, None), query, {}, "/", may_act=False)
    assert visit.link("/incidents", "a/b?c") == "/incidents/a%2Fb%3Fc?days=7&scope=all&customer=A%26B%3DC%23%2F.."
    assert visit.link("/", customer=None, from_=date(2026, 11, 1), days=None) == "/?scope=all&from=2026-11-01"
    usual = Visit(cast(App, None), PageQuery.model_validate({"days": "30"}), {}, "/", may_act=False)
    assert usual.link("/rules", "ropc") == "/rules/ropc"


@pytest.mark.parametrize(
    ("address", "title"),
    [
        ("/", "Overview"),
        ("/causes/x", "Incidents"),
        ("/portals", "Applications"),
        ("/days/2026-11-01", "Audit"),
        ("/customersx", "Overview"),
        ("/setup", "Setup"),
    ],
)
def test_every_page_has_its_place(address: str, title: str) -> None:
    assert place_of(address).title == title


@pytest.mark.parametrize(
    ("verdicts", "account", "why"),
    [
        (Verdicts(5, 0, 0), {"registered": True}, []),
        (Verdicts(0, 0, 0), {"registered": None, "dormant": None}, []),
        (Verdicts(0, 0, 0), {"registered": False}, ["not registered for MFA"]),
        (Verdicts(0, 2, 0), {"registered": True}, ["never used MFA in the period"]),
        (Verdicts(3, 2, 0), {"guest": True}, ["signed in without MFA", "a guest"]),
        (Verdicts(3, 0, 4), {"guest": True}, []),
        (Verdicts(0, 0, 0), {"dormant": True}, ["not seen for four weeks"]),
    ],
)
def test_why_somebody_is_at_risk(verdicts: Verdicts, account: dict[str, bool | None], why: list[str]) -> None:
    known = {"registered": None, "guest": None, "dormant": None, "off_boarded": None, **account}
    assert why_at_risk(verdicts, **known) == why


def test_text_that_turns_round_what_follows_shows_a_mark_there() -> None:
    page = error_page(HTTPStatus.NOT_FOUND, "no \u202egnp.exe \u2067here")
    assert "no \ufffdgnp.exe \ufffdhere" in page


def test_a_name_is_broken_before_its_at_and_escaped() -> None:
    soft = _ENVIRONMENT.from_string("{{ name | short | soft }}").render(name="<b>\u202ejane@partner.example")
    assert soft == "&lt;b&gt;\ufffdjane<wbr>@partner.example"
