"""The sentence about causes: how few gaps explain how much."""

from __future__ import annotations

from collections import Counter

import pytest

from shared.answers.cause_groups import CauseGroup, sentence_of


def _group(key: str, sign_ins: int, people: int = 1) -> CauseGroup:
    return CauseGroup(key, sign_ins=sign_ins, users=Counter({f"{key}{n}": 1 for n in range(people)}))


@pytest.mark.parametrize(
    ("sizes", "of_all", "begins"),
    [
        pytest.param([996, 4], 1000, "1 gap explains 99 % of 1,000", id="never-all-while-some-are-left"),
        pytest.param([1000], 1000, "1 gap explains 100 % of 1,000", id="all"),
        pytest.param([40, 30, 20, 10], 100, "3 gaps explain 90 % of 100", id="three-at-most"),
        pytest.param([], 7, "0 gaps explain 0 % of 7", id="none-listed"),
    ],
)
def test_how_few_explain_how_much(sizes: list[int], of_all: int, begins: str) -> None:
    groups = [_group(str(n), size) for n, size in enumerate(sizes)]
    assert sentence_of(groups, of_all, "non-compliant").startswith(begins)


def test_who_shares_the_first() -> None:
    assert sentence_of([_group("a", 3, people=2)], 3, "unknown").endswith("2 people share the first.")
