"""What the printed page says of numbers."""

import pytest

from shared.statement import render


@pytest.mark.parametrize(
    ("n", "whole", "said"),
    [
        (0, 0, "–"),
        (0, 3, "0\u202f%"),
        (3, 3, "100\u202f%"),
        (1, 3, "33.33\u202f%"),
        (99_999, 100_000, "99.99\u202f%"),
        (1, 100_000, "0.01\u202f%"),
    ],
)
def test_a_share_is_all_or_nothing_only_where_there_is_no_rest(n: int, whole: int, said: str) -> None:
    template = render._ENVIRONMENT.from_string("{{ n | share(whole) }}")
    assert template.render(n=n, whole=whole) == said
