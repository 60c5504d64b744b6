"""The portal's CSV: what it says, what is joined to it, what it cannot say."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from local.commands.shapes import foreign
from tests.local.exports import (
    CUSTOMER,
    INTERACTIVE,
    LOG,
    NONE,
    PARTNER,
    PROVEN,
    REST,
    RIGHT,
    ROPC,
    Command,
    as_csv,
    dump,
    judged,
    portal_csv,
    portal_row,
    steps_csv,
)


@pytest.fixture
def command(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Command:
    return Command(tmp_path, capsysbinary)


# --- the portal's CSV -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"delimiter": ";"}, {"delimiter": "\t"}, {"quoting": csv.QUOTE_ALL}])
def test_the_portals_csv_says_what_it_can_and_guesses_nothing(command: Command, options: dict[str, Any]) -> None:
    files = {
        "InteractiveSignIns_2026-10-14_2026-10-16.csv": portal_csv(INTERACTIVE, **options),
        "NonInteractiveSignIns_2026-10-14_2026-10-16.csv": portal_csv(REST, **options),
    }
    code, lines = command.run(files)
    assert code == 0
    unknown = ("success", "unknown", ["mfa-evidence-unknown"])
    assert judged(lines) == [PROVEN, unknown, ("failed", "not-applicable", []), ROPC]
    assert [line["strength"] for line in lines] == ["app", None, None, None]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_steps_of_auth_details_are_joined_whatever_comes_first(command: Command, order: tuple[int, int]) -> None:
    files = [
        ("InteractiveSignIns_2026.csv", portal_csv(INTERACTIVE)),
        ("InteractiveSignIns_AuthDetails_2026.csv", steps_csv(INTERACTIVE) + steps_csv(INTERACTIVE)[40:]),
    ]
    code, lines = command.run(dict(files[number] for number in order))
    assert (code, judged(lines)) == (0, [PROVEN, NONE, ("failed", "not-applicable", [])])


def test_steps_without_their_sign_ins_say_what_is_missing(command: Command) -> None:
    code, lines = command.run({"InteractiveSignIns_AuthDetails.csv": steps_csv(LOG)})
    assert (code, judged(lines)) == (3, [foreign.STEPS_ALONE])


def test_a_file_of_interactive_sign_ins_is_interactive(command: Command) -> None:
    skipped = {**portal_row(LOG[1]), "Authentication Protocol": "ROPC"}
    for name, rule in (
        ("InteractiveSignIns_1.csv", "interactive-without-mfa"),
        ("NonInteractiveSignIns_1.csv", "non-interactive-without-mfa"),
        ("download.csv", "non-interactive-without-mfa"),
    ):
        _, (line,) = command.run({name: as_csv([skipped])})
        assert rule in line["rules"]


def test_a_csv_of_applications_holds_apps(command: Command) -> None:
    row = {
        "Date (UTC)": "2026-10-15T20:01:00Z", "Request ID": "r", "Correlation ID": "c", "Service principal ID": "s",
        "Service principal name": "backup", "Application": "backup", "Application ID ": "a", "Status": "Success",
        "Sign-in error code": "", "Resource tenant ID": CUSTOMER, "Home tenant ID": PARTNER,
    }  # fmt: skip
    code, (line,) = command.run({"ApplicationSignIns_2026.csv": as_csv([row])})
    assert (code, line["identity"], line["verdict"]) == (0, "app", "not-applicable")


def test_rows_that_are_cut_off_or_broken_are_quarantined_alone(command: Command) -> None:
    text = portal_csv(LOG)
    code, lines = command.run({"log.csv": text[:-150], "next": dump(LOG)})
    assert (code, judged(lines)[4:]) == (3, RIGHT)
    assert "cut off" in lines[3]["error"]
    quote = text.replace(b"Tara Quill", b'"Tara', 1)
    code, lines = command.run({"log.csv": quote, "next": dump(LOG)})
    assert (code, judged(lines)[-4:]) == (3, RIGHT)


def test_a_name_in_an_old_encoding_spoils_only_itself(command: Command) -> None:
    code, lines = command.run({"log.csv": portal_csv(LOG).replace(b"Tara", b"Z\xe9l")})
    assert (code, len(lines)) == (0, 4)
