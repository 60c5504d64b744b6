"""Structured values in the columns of a row."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.store.packing import TooLong, pack, pack_bytes, pack_first, packed_columns, unpack, unpack_bytes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)
NOISE = Random(1).randbytes(700_000)  # noqa: S311 - it draws test data


@given(JSON)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    assert unpack("name", pack("name", value)) == value


@given(st.binary(max_size=300), st.integers(1, 5))
def test_bytes_come_back_from_behind_what_a_longer_value_left(data: bytes, parts: int) -> None:
    left = {f"raw{i}": NOISE[:60_000] for i in range(parts)}
    assert unpack_bytes("raw", {**left, **pack_bytes("raw", data)}) == data


def test_a_long_value_takes_several_columns() -> None:
    columns = pack_bytes("raw", NOISE)
    assert len(columns) == 12
    assert max(map(len, columns.values())) <= 65_536
    assert list(columns) == packed_columns("raw")[:12]
    assert unpack_bytes("raw", columns) == NOISE


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(TooLong, match="raw"):
        pack_bytes("raw", NOISE * 2)
    with pytest.raises(TooLong):
        pack_bytes("raw", NOISE, 600_000)


def test_the_first_that_fits_is_taken() -> None:
    text = NOISE.hex()
    values = (text, text[:100_000], text[:10])
    assert unpack("name", pack_first("name", values, 60_000)) == text[:100_000]
    with pytest.raises(TooLong, match="however short"):
        pack_first("name", values, 5)


def test_nothing_is_nothing() -> None:
    assert unpack("name", {}) is None
    assert unpack("name", {"name0": "text"}) is None
