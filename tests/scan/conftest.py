"""A bench over two long slices, which is what most tests of the scan want."""

from collections.abc import AsyncIterator

import pytest

from tests.scan.harness import Bench, bench
from tests.scan.stories import EARLY, WIDTH


@pytest.fixture
async def desk(azurite: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    """Slices of eight hours; RICH has just closed and nothing was read."""
    async with bench(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH) as made:
        yield made
