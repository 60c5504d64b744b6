"""A rig over two long slices, which is what most tests of the scan want."""

from collections.abc import AsyncIterator

import pytest

from tests.scan.harness import Rig, rig
from tests.scan.stories import EARLY, WIDTH


@pytest.fixture
async def desk(azurite: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    """Slices of eight hours; RICH has just closed and nothing was read."""
    async with rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH) as made:
        yield made
