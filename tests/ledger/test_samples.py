"""The sample of a day: the same whatever order its slices are added up in, and each sign-in has the same chance."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.samples import (
    MOST_SAMPLES,
    Sample,
    Samples,
    add_sample,
    merge_samples,
    samples_json,
    samples_of_json,
)

AT = datetime(2026, 11, 2, 7, 30, 0, 250_000, tzinfo=UTC)


def _sample(number: int) -> Sample:
    at = AT + number * timedelta(seconds=1)
    return Sample(f"id-{number}", at, "customer", "u", "c", "a", "interactive", "proven", "app")


def _of(numbers: list[int]) -> Samples:
    samples: Samples = {}
    for number in numbers:
        add_sample(samples, _sample(number))
    return samples


@given(st.lists(st.integers(0, 10_000), unique=True, max_size=150), st.lists(st.integers(0, 150), max_size=5))
def test_slices_add_up_to_the_sample_of_the_whole(numbers: list[int], cuts: list[int]) -> None:
    ends = [0, *sorted(cuts), len(numbers)]
    whole: Samples = {}
    for first, last in pairwise(ends):
        merge_samples(whole, samples_of_json(samples_json(_of(numbers[first:last]))))
    assert whole == _of(numbers[::-1])
    assert len(whole) == min(MOST_SAMPLES, len(numbers))


def test_neither_hour_nor_order_makes_a_sign_in_likelier() -> None:
    """Of a thousand days of a hundred sign-ins each tenth of the day has about a tenth of what is kept."""
    kept = Counter(
        (int(sample.id.removeprefix("id-")) % 100) // 10
        for day in range(1000)
        for sample in _of([*range(day * 100, day * 100 + 100)]).values()
    )
    assert sum(kept.values()) == 1000 * MOST_SAMPLES
    assert all(1800 < n < 2200 for n in kept.values()), kept


def test_with_less_room_the_same_ones_come_first() -> None:
    samples = _of([*range(100)])
    assert samples_json(samples, 3) == samples_json(samples)[:3]
    assert samples_of_json(samples_json(samples)) == samples


def test_of_two_with_one_id_the_same_one_is_kept_in_any_order() -> None:
    one, other = _sample(1), _sample(1)._replace(user="v")
    kept: list[Samples] = [{}, {}]
    for samples, order in zip(kept, ((one, other), (other, one)), strict=True):
        for sample in order:
            add_sample(samples, sample)
    assert kept[0] == kept[1]
