"""A dry run over tables that version 1 left: what version 2 of the rules would say of the same log."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from shared.maintenance.lines import row_of_json
from shared.rules.rule import PARTNER, PASSWORD_ONLY, SILENT
from shared.scan.dry_run import MOST_EXAMPLES, Example, Fate, Forecast
from shared.scan.dry_run_job import go_on, read_dry_run, start_dry_run
from tests.scan.canonical import raw
from tests.scan.harness import Rig, record, rig
from tests.store.test_version_1 import FILE

ELEVEN: Final = datetime(2026, 11, 2, 11, tzinfo=UTC)
FIRST: Final = "aaaaaaaa-0000-4000-8000-000000000001"
SECOND: Final = "aaaaaaaa-0000-4000-8000-000000000002"
FOURTH: Final = "aaaaaaaa-0000-4000-8000-000000000004"
_BY_DEVICE: Final = "MFA requirement satisfied by multi-factor device"
INTO: Final = {"resourceTenantId": "cccccccc-0000-4000-8000-000000000002"}


@pytest.fixture
async def desk(azurite: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    """A monitor over the tables of version 1, an hour later; nothing of the log was read again."""
    left: dict[str, Any] = json.loads(gzip.decompress(FILE.read_bytes()))
    now = datetime(2026, 11, 3, 17, tzinfo=UTC)
    async with rig(azurite, monkeypatch, now=now, slice_minutes=240) as made:
        await made.restore(
            {name: [row_of_json(row) for row in left["tables"].get(name, ())] for name in await made.copy()}
        )
        yield made


async def test_it_tells_what_the_rules_of_today_would_say_and_writes_nothing(desk: Rig) -> None:
    desk.log(
        record("bad", ELEVEN, userId=FIRST, sessionId="s-2", **INTO, **PASSWORD_ONLY),
        # Nothing was known of it, and the device that did MFA was not understood.
        record(
            "silent",
            ELEVEN,
            userId=SECOND,
            **{**SILENT, "status": {"errorCode": 0, "additionalDetails": _BY_DEVICE}},
        ),
        # Graded compliant then: a client that cannot do MFA.
        record("mapi", ELEVEN + timedelta(minutes=1), userId=FOURTH, clientAppUsed="MAPI", **INTO),
    )
    tables = await desk.tables()
    before = {name: await raw(table) for name, table in tables.by_name.items() if name != "control"}
    run, message = await start_dry_run(desk.app, (PARTNER,), ELEVEN, ELEVEN + timedelta(minutes=30))
    assert await go_on(desk.app, message) == []
    done = await read_dry_run(desk.app, run.id)
    assert (done.is_done, done.failed, done.problem) == (True, 0, "")
    assert {name: await raw(table) for name, table in tables.by_name.items() if name != "control"} == before
    told = {example.id: (example.fate, example.before, example.after) for example in done.found.examples}
    assert told["mapi"] == (Fate.COMES, (), ("legacy-auth", "interactive-without-mfa"))
    assert told["silent"] == (Fate.GOES, ("mfa-evidence-unknown",), ())
    assert "later" not in told  # its record was not served: a rescan would leave it
    assert told["bad"] == (Fate.CHANGES, ("interactive-without-mfa",), ("interactive-without-mfa",))  # it says how, too
    assert done.found.findings == {"comes": 1, "goes": 1, "changes": 1}
    # The one of MAPI belongs to an incident that there is.
    assert (len(done.incidents.come), len(done.incidents.go), len(done.incidents.change)) == (0, 1, 2)


def test_of_many_changes_those_with_other_rules_are_shown_first() -> None:
    def changed(name: str, *after: str) -> Example:
        return Example(Fate.CHANGES, name, "somebody", ("mfa-skipped",), after)

    same = Forecast(examples=tuple(changed(str(n), "mfa-skipped") for n in range(MOST_EXAMPLES)))
    both = same.plus(Forecast(examples=(changed("other", "legacy-auth"),)))
    assert [example.id for example in both.examples] == ["other", *map(str, range(MOST_EXAMPLES - 1))]
