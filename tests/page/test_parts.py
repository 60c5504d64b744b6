"""What stands between answers and templates: the calendar, the sample, links, the watch, the reasons of a risk."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shared.answers.worst import why_at_risk
from shared.app.app import App
from shared.compliance.gaps import CoverageItem, GapKind
from shared.compliance.summary import TrendDay
from shared.ledger.tallies import Verdicts
from shared.page.asked import PageQuery, Visit
from shared.page.audit import calendar, sample
from shared.page.places import place_of

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


def day(number: int, percent: float | None, lacking: int = 0) -> TrendDay:
    return TrendDay(
        date=date(2026, 11, number),
        compliant=1,
        non_compliant=lacking,
        unknown=0,
        compliance_percent=None,
        coverage_percent=percent,
        partial=percent != 100,
        settled=percent == 100,
        before_installation=number == 1,
    )


def gap(first: int, kind: GapKind) -> CoverageItem:
    start = datetime(2026, 11, first, tzinfo=UTC)
    return CoverageItem(
        tenant_id="t", from_=start, to=start + timedelta(days=1), kind=kind, slices=1, detail="why it is so"
    )


def test_the_calendar_tells_what_was_lost_from_what_was_never_there() -> None:
    days = [day(1, 0.0), day(2, 0.0), day(3, 50.0, 2), day(4, 100.0), day(5, 0.0), day(20, None)]
    gaps = [gap(1, GapKind.BEFORE_INSTALLATION), gap(2, GapKind.EXPIRED), gap(3, GapKind.QUARANTINED)]
    (month,) = calendar(days, gaps, NOW)
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
    assert calendar([], [], NOW) == []


def test_a_sample_is_the_same_for_everybody_who_has_its_address() -> None:
    items = [SimpleNamespace(signed_in_at=NOW - timedelta(hours=n), id=f"{n}") for n in range(100)]
    first = sample(cast(Any, items), 7)
    assert first == sample(cast(Any, items[::-1]), 7)
    assert len(first) == len({item.id for item in first}) == 25
    assert first != sample(cast(Any, items), 8)
    assert [item.signed_in_at for item in first] == sorted((item.signed_in_at for item in first), reverse=True)
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
