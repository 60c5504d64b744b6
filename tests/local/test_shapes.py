"""The same four sign-ins in every shape in which people hold them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from local.commands.shapes.times import iso_time
from tests.local.exports import (
    CUSTOMER,
    LOG,
    NONE,
    RIGHT,
    SHAPES,
    TECHNICIAN,
    Command,
    Record,
    dump,
    judged,
    pascal,
)


@pytest.fixture
def command(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Command:
    return Command(tmp_path, capsysbinary)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same_verdicts(command: Command, shape: str) -> None:
    code, lines = command.run({"log": SHAPES[shape](LOG)})
    assert judged(lines) == RIGHT
    assert code == 0
    assert [(line["id"], line["createdDateTime"]) for line in lines] == [
        (one["id"], one["createdDateTime"]) for one in LOG
    ]
    for line in lines:
        assert (line["scope"], line["userId"], line["userPrincipalName"], line["ipAddress"]) == (
            *("customer", TECHNICIAN, "tara.quill@northfold.example", "203.0.113.7"),
        )
        assert (line["resourceTenantId"], line["appDisplayName"]) == (CUSTOMER, "Azure Portal")


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_may_be_packed_and_follow_another(command: Command, shape: str) -> None:
    code, lines = command.run({"first": b"{broken", "log.gz": gzip.compress(SHAPES[shape](LOG)), "last": dump(LOG)})
    assert (code, judged(lines)[1:]) == (3, RIGHT * 2)


@pytest.mark.parametrize(
    "cut",
    [
        {"Status": "Microsoft.Graph.Beta.PowerShell.Models.MicrosoftGraphSignInStatus"},
        {"Status": "@{ErrorCode=0; FailureReason=Other.; AdditionalDetails=}"},
        {"Status": "System.Collections.Hashtable"},
        {"AuthenticationDetails": "Microsoft.Graph.Beta.PowerShell.Models.MicrosoftGraphAuthenticationDetail "},
        {"AuthenticationDetails": ["System.Collections.Hashtable", "System.Collections.Hashtable"]},
    ],
)
def test_what_depth_cut_off_is_quarantined_and_says_how_to_get_it(command: Command, cut: Record) -> None:
    code, lines = command.run({"log": dump([{**pascal(LOG[0]), **cut}, pascal(LOG[1])])})
    assert code == 3
    assert lines[0]["error"].endswith("cut off by ConvertTo-Json -Depth; export again with ConvertTo-Json -Depth 10")
    assert judged(lines[1:]) == [NONE]


# --- times ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("10/5/2026, 8:01:00.123 AM", "2026-10-05T08:01:00.123000Z"),
        ("10/5/2026, 12:01:00.9999999 AM", "2026-10-05T00:01:00.999999Z"),
        ("10/5/2026 12:01:00 PM", "2026-10-05T12:01:00Z"),
        ("10/25/2026 20:01", "2026-10-25T20:01:00Z"),
        ("/Date(1791187260000)/", "2026-10-05T08:01:00Z"),
        ("/Date(1791187260123+0200)/", "2026-10-05T08:01:00.123000Z"),
        ("25/10/2026 20:01", "25/10/2026 20:01"),
        ("10/5/2026, 13:01:00 PM", "10/5/2026, 13:01:00 PM"),
        ("2026-10-05T08:01:00.1234567Z", "2026-10-05T08:01:00.1234567Z"),
        ("/Date(999999999999999)/", "/Date(999999999999999)/"),
        ("yesterday", "yesterday"),
    ],
)
def test_times_in_the_forms_of_exports(text: str, iso: str) -> None:
    assert iso_time(text) == iso
