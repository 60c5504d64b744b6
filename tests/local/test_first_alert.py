"""The number that the first scan's alert tells."""

from __future__ import annotations

from typing import Any

from local.stage.first_alert import is_right, told_by_first_scan


def body(type_: str, total: int) -> dict[str, Any]:
    return {"type": type_, "data": {"total": total}}


def test_it_is_that_of_the_summary_and_not_of_what_came_ahead() -> None:
    slack = {"text": "First scan", "blocks": []}
    teams = {"type": "message", "attachments": []}
    ahead = body("incidents.ahead", 3)
    assert told_by_first_scan([slack, teams, ahead]) is None
    summary, later = body("incidents.first-scan", 43), body("incidents.first-scan", 2)
    assert told_by_first_scan([slack, ahead, teams, summary, later]) == 43
    first: dict[str, Any] = {"type": "incidents.first-scan", "data": {"total": 4000, "toFollow": 1200}}
    assert told_by_first_scan([first, later]) == 5200


def test_the_demo_fails_where_the_number_is_another_or_none_came() -> None:
    assert is_right(43, 43)
    assert not is_right(76, 43)
    assert not is_right(None, 43)
    assert not is_right(0, 43)
    assert is_right(None, 0)
