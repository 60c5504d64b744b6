"""Findings and quarantined records as rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from shared.incidents.findings import Finding, StepSeen
from shared.ledger.slices import Slice
from shared.rules.rule import Severity
from shared.signin.applied import AppliedPolicy, RuleHit
from shared.signin.careful import Quarantined
from shared.store.codec import camel
from shared.store.findings import finding_of_row, finding_range, finding_row, quarantined_row
from shared.store.packing import unpack_bytes
from shared.store.tables import upsert

# Those that version 1 of the app wrote (commit 8e79f31), and the row's own columns.
FIRST_FIELDS = (
    *("id", "at", "scope", "evidence", "verdict", "code", "interactive", "user", "user_name", "user_display_name"),
    *("customer", "app", "app_name", "resource_name", "client", "user_agent", "ip", "session_id", "token_id"),
    "correlation_id",
)
ROW_KEYS = ("PartitionKey", "RowKey", "v", "rules", "severities", "severity")
SLICE = Slice("1111-2222", datetime(2026, 11, 2, 23, 45, tzinfo=UTC), timedelta(minutes=15))
FINDING = Finding(
    id="a-b",
    at=SLICE.start,
    scope="customer",
    evidence="none",
    verdict="non-compliant",
    code=0,
    interactive=True,
    fits=(("legacy-auth", Severity.CRITICAL), ("device-code", Severity.MEDIUM)),
    user="u",
    user_name="u@x",
    user_display_name="U",
    customer="c",
    app="a",
    app_name="A",
    resource_name="R",
    client="IMAP4",
    user_agent="",
    ip="::1",
    session_id="s",
    token_id="t",
    correlation_id="k",
)


FULL = replace(
    FINDING,
    how="single-factor",
    password_right=True,
    via_agent=True,
    requirements=("multiConditionalAccess: Conditional Access",),
    steps=(StepSeen("Password", "Correct password", True), StepSeen("Mobile app notification", "", None)),
    policies=(AppliedPolicy("1", "MFA for all", "notApplied", ("Mfa",), excluded=(RuleHit("users", "groupId"),)),),
)


@pytest.mark.parametrize("finding", [FINDING, FULL], ids=["bare", "full"])
def test_a_finding_comes_back_as_it_was(finding: Finding) -> None:
    assert finding_of_row(finding_row(SLICE.partition, finding)) == finding


def test_a_row_of_version_1_is_read_on() -> None:
    """It lacks all that a finding keeps since."""
    kept = {field for field in Finding.__dataclass_fields__ if field in FIRST_FIELDS}
    row = finding_row(SLICE.partition, FULL)
    first = {name: value for name, value in row.items() if name in {*ROW_KEYS, *map(camel, kept)}}
    assert finding_of_row(first) == FINDING


def test_what_a_hostile_record_says_at_length_still_fits_a_batch() -> None:
    noise = Random(1)  # noqa: S311 - it draws test data
    long = ["".join(chr(noise.randrange(0x4E00, 0x9FFF)) for _ in range(256)) for _ in range(40)]
    policies = tuple(AppliedPolicy(name, name, name, tuple(long[:20])) for name in long[:30])
    row = finding_row(SLICE.partition, replace(FULL, policies=policies))
    upsert(row)
    packed = sum(len(value) for value in row.values() if isinstance(value, bytes))
    assert packed < 3 * 8_000
    assert finding_of_row(row) == replace(FULL, policies=())


@pytest.mark.parametrize("offset", [timedelta(0), timedelta(minutes=15) - timedelta(microseconds=1)])
def test_a_finding_lies_in_the_range_of_its_slice_and_of_its_half(offset: timedelta) -> None:
    at = SLICE.start + offset
    key = finding_row(SLICE.partition, replace(FINDING, at=at))["RowKey"]
    halves = [half for half in SLICE.halves() or () if half.start <= at < half.end]
    for slice_ in (SLICE, *halves):
        first, end = finding_range(slice_)
        assert first <= key < end
    later = Slice(SLICE.tenant, SLICE.start - SLICE.width, SLICE.width)
    assert not finding_range(later)[0] <= key < finding_range(later)[1]


def test_ids_of_any_kind_make_keys_of_their_own() -> None:
    ids = ["a", "A", "a b", "a/b", "a" * 81, "a" * 82, "\u4e2d", "x" * 1024, "--", "h" + "0" * 64]
    keys = {finding_row(SLICE.partition, replace(FINDING, id=name))["RowKey"] for name in ids}
    assert len(keys) == len(ids)


@pytest.mark.parametrize("size", [0, 10, 1_000_000, 5_000_000])
def test_a_quarantined_record_of_any_size_fits_a_row(size: int) -> None:
    raw = Random(size).randbytes(size)  # noqa: S311 - it draws test data
    row = quarantined_row(SLICE, Quarantined("why", raw, 0))
    upsert(row)
    kept = unpack_bytes("raw", row)
    assert kept is not None
    assert raw.startswith(kept)
    assert (row["bytes"], row["cut"]) == (size, len(kept) < size)
    assert row["cut"] == (size > 300_000)


def test_equal_bytes_are_one_quarantined_record() -> None:
    keys = {
        quarantined_row(SLICE, Quarantined(why, raw, i))["RowKey"]
        for i, (why, raw) in enumerate([("a", b"1"), ("b", b"1"), ("a", b"2")])
    }
    assert len(keys) == 2
