"""What the libraries say of each request must not reach the log: it is most of the bill, and URLs hold rows' keys."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from uuid import uuid4

import pytest

from shared.app.app import App
from shared.app.log_levels import LIBRARIES, quiet_libraries
from shared.basics.events import log_event
from shared.store.tables import Tables, keys, upsert
from tests.settings import settings_for

PERSON = "person-11111111-2222-3333-4444-555555555555"


@pytest.fixture
def said() -> Iterator[list[logging.LogRecord]]:
    """What the production worker would forward: every record at INFO and above that reaches the root logger. Begins as
    a fresh process does: no library has a level of its own."""
    records: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    root, keep = logging.getLogger(), Keep()
    before = root.level
    names = [
        n for n in logging.root.manager.loggerDict if any(n == lib or n.startswith(f"{lib}.") for lib in LIBRARIES)
    ]
    levels = {name: logging.getLogger(name).level for name in {*names, *LIBRARIES}}
    for name in levels:
        logging.getLogger(name).setLevel(logging.NOTSET)
    root.setLevel(logging.INFO)
    root.addHandler(keep)
    yield records
    root.removeHandler(keep)
    root.setLevel(before)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


async def requests(tables: Tables) -> None:
    """A row is written, read and asked for in vain, under a key that names a person."""
    await tables.sessions.write(upsert({**keys(PERSON, "root"), "v": 1}))
    assert await tables.sessions.get(PERSON, "root")
    assert await tables.sessions.get(PERSON, "other") is None


async def test_no_request_to_a_table_is_told(azurite: str, said: list[logging.LogRecord]) -> None:
    prefix = "t" + uuid4().hex[:20]
    tables = Tables.connect(azurite, prefix=prefix)
    await tables.create()
    await requests(tables)
    assert any(PERSON in record.getMessage() for record in said), "or this test could not fail"
    settings = settings_for(azurite)
    app = App(settings, tables=tables)  # the first thing that the app makes, before any client
    try:
        said.clear()
        await requests(await app.tables())
        assert [record.getMessage() for record in said] == []
        log_event("preflight", missing=0)
        assert [record.getMessage() for record in said] == ['{"event": "preflight", "missing": 0}']
    finally:
        await app.close()


def test_what_is_wrong_is_still_told(said: list[logging.LogRecord]) -> None:
    quiet_libraries()
    for name in LIBRARIES:
        logging.getLogger(f"{name}.deeper").warning("%s has lost its way", name)
    assert len(said) == len(LIBRARIES)


def test_the_workers_own_log_is_left_alone(said: list[logging.LogRecord]) -> None:
    quiet_libraries()
    logging.getLogger("azure.functions.worker").info("an invocation")
    assert [record.getMessage() for record in said] == ["an invocation"]
