"""Fixtures for every test: real storage on this machine."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from local.stage.azurite import running_azurite

# A busy machine makes no test fail: how quickly examples are drawn says nothing of the code.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
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
