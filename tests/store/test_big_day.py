"""A day of 3,000 people at 3,000 customers over real storage: minutes, so a soak test."""

from __future__ import annotations

import pytest

from local.benches.day_bench import measure_day
from local.benches.scan_bench import MEGABYTES


@pytest.mark.soak
def test_a_day_of_3000_people_at_3000_customers_stays_small_in_memory(azurite: str) -> None:
    assert measure_day(azurite) < MEGABYTES
