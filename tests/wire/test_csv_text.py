"""Lists as CSV: what a reader gets back, and that no cell is a formula."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.wire.csv_text import csv_text
from shared.wire.models import Answer


class _Item(Answer):
    user_name: str | None
    rules: list[str]
    seen_at: datetime
    count: int


_AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


_CELLS = st.sampled_from(
    ["=1+1", "+a", "-a", "@a", "\t=a", "\ra", '"', 'a","b', "\r\n", "'=a", "Mozilla;=cmd|'/C calc'!A0;", " =1", "a\t@b"]
)
_TRIGGERS = ("=", "+", "-", "@", "\t", "\r", "\uff1d")


@given(st.lists(_TEXT | _CELLS))
def test_cells_come_back_as_they_were_but_for_formulas(texts: list[str]) -> None:
    written = csv_text(_Item, [_Item(user_name=t, rules=["a", "b"], seen_at=_AT, count=-1) for t in texts])
    assert written.encode().decode() == written
    head, *rows = csv.reader(io.StringIO(written, newline=""), strict=True)
    assert head == ["userName", "rules", "seenAt", "count"]
    assert [row[1:] for row in rows] == [["a;b", "2026-11-02T09:00:00Z", "-1"]] * len(texts)
    for text, row in zip(texts, rows, strict=True):
        assert row[0].replace("'", "") == text.replace("'", "")
        for separator in ";,\t|\n":  # whatever a spreadsheet takes for the end of a cell
            assert not [c for c in row[0].split(separator) if c.strip(" \"'\t\r\n")[:1] in ("=", "@") and "'" not in c]
        assert not row[0].startswith(_TRIGGERS)


def test_a_client_that_sends_a_formula_behind_a_separator_gets_a_quote_there() -> None:
    written = csv_text(_Item, [_Item(user_name="Mozilla;=cmd|'/C calc'!A0;", rules=["x", "=y"], seen_at=_AT, count=-5)])
    assert written.splitlines()[1] == "Mozilla;'=cmd|'/C calc'!A0;,x;'=y,2026-11-02T09:00:00Z,-5"


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\ufe66"])
@pytest.mark.parametrize("before", ["", " ", "\ufeff", "\u200b", "\u202e", "\xa0", "\x00", '"', "\u2060\ufeff "])
@pytest.mark.parametrize("end", ["", ";", ",", "|", "\t", "\r", "\n", "\r\n", "\x0b", "\x85", "\u2028", "\uff1b"])
def test_what_nobody_sees_hides_no_formula(begin: str, before: str, end: str) -> None:
    """At the beginning of a cell, and behind whatever some spreadsheet takes for the end of one."""
    text = f"{'a' if end else ''}{end}{before}{begin}1+1"
    _, (cell, *_) = csv.reader(
        io.StringIO(
            csv_text(_Item, [_Item(user_name=text, rules=[], seen_at=_AT, count=0)]),
            newline="",
        )
    )
    assert f"'{before}{begin}" in cell


def test_lines_end_as_the_standard_says() -> None:
    written = csv_text(_Item, [_Item(user_name='say "hi", all', rules=[], seen_at=_AT, count=3)])
    assert written == 'userName,rules,seenAt,count\r\n"say ""hi"", all",,2026-11-02T09:00:00Z,3\r\n'


@pytest.mark.parametrize("value", [None, ""])
def test_nothing_is_an_empty_cell(value: str | None) -> None:
    written = csv_text(_Item, [_Item(user_name=value, rules=[], seen_at=_AT, count=0)])
    assert written.splitlines()[1] == ",,2026-11-02T09:00:00Z,0"
