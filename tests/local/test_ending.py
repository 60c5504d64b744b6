"""How the demo ends: six lines that a terminal of eighty columns shows whole."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from local.stage.ending import WIDTH, End, excerpt, last_lines


def _cause(title: str, n: int, step: str) -> dict[str, Any]:
    return {"title": title, "signIns": n, "ofAll": 117, "whatCloses": {"steps": [step, "And then."], "link": ""}}


END = End(
    summary={
        "delegatedSignIns": {"compliancePercent": 96.08, "unknown": 9},
        "coverage": {"percent": 100.0, "measuredUntil": "2026-11-28T16:00:00Z"},
    },
    causes={
        "items": [
            _cause("A password flow (ROPC)", 90, "Move the program to the Secure Application Model."),
            _cause("Policy “MFA for everybody who administers” leaves them out (groupId)", 4, "Take them in."),
            _cause("No policy asked for MFA", 3, "Make a policy for all users and all resources that asks for MFA."),
        ]
    },
    planted=48,
    found=48,
    others=0,
    told=50,
    open_all=50,
    address=None,
)


def test_six_lines_say_it_all() -> None:
    lines = last_lines(END)
    assert len(lines) == 6
    assert all(len(line) <= WIDTH for line in lines), lines
    assert lines[0] == "96.08 % had MFA (9 unknown); 100.0 % of the log read, until 11-28 16:00 UTC."
    assert lines[1] == "48 of 48 planted violations found, nothing else; the alert tells 50 of 50 open."
    assert lines[2] == "1. A password flow: 90 of 117. Move the program to the Secure Application Model."
    assert lines[4] == "3. No policy asked for MFA: 3 of 117. Make a policy for all users and all…"
    assert lines[5].startswith("Try: make demo SERVE=1")
    assert END.is_right
    assert len(last_lines(replace(END, address="127.0.0.1:65535"))[5]) <= WIDTH


def test_what_is_wrong_is_told_and_fails() -> None:
    for wrong in (replace(END, told=None), replace(END, told=49), replace(END, found=47), replace(END, others=1)):
        assert not wrong.is_right
    assert "NO alert" in last_lines(replace(END, told=None))[1]
    assert "1 that nobody planted" in last_lines(replace(END, others=1))[1]
    nothing = replace(END, causes={"items": []})
    assert len(last_lines(nothing)) == 6


def test_an_alert_is_shown_in_part() -> None:
    assert [len(line) <= WIDTH - 2 for line in excerpt(["a", "", "b c" * 100])] == [True, True]
    assert len(excerpt([str(n) for n in range(40)])) == 9
