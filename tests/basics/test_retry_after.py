"""How long a server asks us to wait, in both of its forms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.basics.retry_after import retry_after

DATES = r"[A-Z][a-z]{2}, [0-9]{1,2} [A-Z][a-z]{2} [0-9]{1,9} [0-9:]{5,8} [-+A-Z0-9]{3,6}"


@settings(deadline=None)
@given(st.one_of(st.text(), st.from_regex(DATES, fullmatch=True)))
def test_no_text_to_come_back_at_breaks_a_try(value: str) -> None:
    wait = retry_after(value, datetime(2026, 11, 2, 12, tzinfo=UTC))
    assert wait is None or wait >= timedelta(0)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("120", timedelta(seconds=120)),
        (" 0 ", timedelta(0)),
        ("Mon, 02 Nov 2026 12:10:00 GMT", timedelta(minutes=10)),
        ("Mon, 02 Nov 2026 11:00:00 GMT", timedelta(0)),
        ("soon", None),
        ("-5", None),
        ("1e9", None),
        ("", None),
        (None, None),
        ("9" * 400, timedelta(seconds=10**9)),
    ],
)
def test_retry_after_in_both_forms(value: str | None, wait: timedelta | None) -> None:
    assert retry_after(value, datetime(2026, 11, 2, 12, tzinfo=UTC)) == wait
