"""Fixtures for every test: real storage on this machine."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

from local.stage.azurite import running_azurite
from shared.store.tables import Tables

# A busy machine makes no test fail: how quickly examples are drawn says nothing of the code. Each run draws the same.
settings.register_profile(
    "tests", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True, database=None
)
settings.load_profile("tests")


@pytest.fixture(scope="session")
def azurite() -> Iterator[str]:
    """Run one in-memory Azurite for all tests of a test process; gives its connection string.

    Tests share it: use names (tables, queues) of your own.
    """
    with running_azurite() as connection_string:
        yield connection_string


@pytest.fixture(scope="module")
def storage() -> Iterator[str]:
    """Run a fresh, empty in-memory Azurite for one test module; gives its connection string."""
    with running_azurite() as connection_string:
        yield connection_string


@pytest.fixture
def prefix() -> str:
    """How the names of tables begin that are this test's own."""
    return "t" + uuid4().hex[:20]


@pytest.fixture
async def tables(azurite: str, prefix: str) -> AsyncIterator[Tables]:
    """Fresh, empty tables."""
    made = Tables.connect(azurite, prefix=prefix)
    await made.create()
    yield made
    await made.close()
