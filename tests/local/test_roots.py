"""Of an id that is read again the last version counts, in whatever order roots and other records come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.commands.assess import main
from local.commands.roots import RootRow, Roots, row_of
from shared.signin.evidence import Evidence
from shared.signin.sessions import Root, Session
from tests.local.exports import DIRECTORY, dump
from tests.local.test_parts import _TEXT

_AT = datetime(2026, 11, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)


def _row(record: str, session: str, *, proves: bool = True) -> RootRow:
    own = Evidence.PROVEN if proves else Evidence.NONE
    return row_of(Root(("anna", session), record, _AT, own))


def _proved(roots: Roots, session: str) -> Session:
    return roots.proved(("anna", session), _AT + _HOUR)


def test_the_version_that_was_read_last_counts() -> None:
    with Roots() as roots:
        roots.begin_file()
        roots.add([_row("a", "1"), _row("b", "2"), _row("c", "3")], [])
        roots.add([_row("b", "2", proves=False)], ["a", "other"])
        roots.accept_file()
        assert [_proved(roots, session) for session in "123"] == [Session.UNSEEN, Session.MISSING, Session.SATISFIED]


def test_an_id_that_was_no_root_may_become_one_again() -> None:
    with Roots() as roots:
        roots.begin_file()
        roots.add([_row("a", "1")], [])
        roots.add([], ["a"])
        roots.add([_row("a", "1", proves=False)], [])
        roots.accept_file()
        assert _proved(roots, "1") is Session.MISSING


def test_a_file_that_is_refused_changes_nothing() -> None:
    with Roots() as roots:
        roots.begin_file()
        roots.add([_row("a", "1"), _row("b", "2")], [])
        roots.accept_file()
        roots.begin_file()
        roots.add([_row("c", "1", proves=False), _row("b", "2", proves=False)], ["a"])
        roots.refuse_file()
        roots.begin_file()
        roots.add([_row("c", "3")], [])
        roots.accept_file()
        assert [_proved(roots, session) for session in "123"] == [Session.SATISFIED] * 3


def test_nothing_stays_behind_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(kept))
    monkeypatch.setattr("os.process_cpu_count", lambda: 2)
    monkeypatch.setattr("local.commands.parts._WORTH_IT", 0)
    monkeypatch.setattr("local.commands.parts._SIZE", 4096)
    log, directory = tmp_path / "log.jsonl", tmp_path / "directory.json"
    log.write_bytes(_TEXT)
    directory.write_bytes(dump(DIRECTORY))
    assert main([str(log), "--directory", str(directory)]) == 0
    assert capfdbinary.readouterr().out.count(b"\n") == _TEXT.count(b"\n")
    assert [*kept.iterdir()] == []
