"""Cursors come back as they were given, or not at all."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.wire.cursor import Place, from_cursor, to_cursor
from shared.wire.models import BadParameter


class _Place(Place):
    key: str
    number: int


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
_PLACES = st.builds(_Place, key=_TEXT, number=st.integers())
_ALPHABET = string.ascii_letters + string.digits + "-_=+/"


@given(_PLACES, _TEXT)
def test_a_cursor_gives_its_place_back(place: _Place, question: str) -> None:
    cursor = to_cursor(place, question)
    assert set(cursor) <= set(_ALPHABET[:-3])
    assert from_cursor(cursor, _Place, question) == place


@given(_PLACES, _TEXT, st.data())
def test_a_touched_cursor_is_refused(place: _Place, question: str, data: st.DataObject) -> None:
    cursor = to_cursor(place, question)
    at = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(st.sampled_from(_ALPHABET).filter(lambda c: c != cursor[at]))
    with pytest.raises(BadParameter):
        from_cursor(cursor[:at] + other + cursor[at + 1 :], _Place, question)


@pytest.mark.parametrize("key", ["", "a", "ab"])  # of every length, base64 has bits at its end that say nothing
def test_no_last_character_but_the_one_given_is_taken(key: str) -> None:
    cursor = to_cursor(_Place(key=key, number=1), "q")
    for other in _ALPHABET:
        if other != cursor[-1]:
            with pytest.raises(BadParameter):
                from_cursor(cursor[:-1] + other, _Place, "q")


@given(_PLACES, _TEXT, _TEXT)
def test_a_cursor_belongs_to_its_question(place: _Place, one: str, two: str) -> None:
    if one != two:
        with pytest.raises(BadParameter):
            from_cursor(to_cursor(place, one), _Place, two)


@given(st.text(max_size=40))
def test_no_other_text_is_a_cursor(text: str) -> None:
    with pytest.raises(BadParameter):
        from_cursor(text, _Place, "q")
