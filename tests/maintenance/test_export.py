"""Export, wipe, restore: the same rows; and what a damaged export or a full table does."""

from __future__ import annotations

import asyncio
import gzip
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from azure.data.tables import EdmType, EntityProperty
from azure.data.tables.aio import TableServiceClient

from local.commands import ops
from shared.maintenance.export import blob_name, export_tables
from shared.maintenance.lines import Damaged, read_head, read_rows, row_of_json, row_to_json, written
from shared.maintenance.restore import NotEmpty, fetch, restore
from shared.operations.slices import rescan
from shared.rules.rule import PARTNER
from shared.store.exports import Exports
from shared.store.ledger import head_row
from shared.store.ledger import read_head as read_slice_head
from shared.store.tables import NAMES, Tables, keys
from tests.scan.canonical import canonical, difference, raw
from tests.scan.harness import Rig, rig
from tests.scan.stories import CHILD, LATE, RICH, WIDTH, corrected_log, full_log

AT = datetime(2026, 11, 3, 2, 40, tzinfo=UTC)
EVERY_TYPE: dict[str, Any] = {
    **keys("p", "r"),
    "text": "Zoë “x”\n😀",
    "yes": True,
    "small": 7,
    "large": EntityProperty(2**40, EdmType.INT64),
    "real": 2.0,
    "endless": -math.inf,
    "bytes": bytes(range(256)),
    "at": EntityProperty("2026-11-02T09:00:00.1234567Z", EdmType.DATETIME),
    "id": UUID("11111111-2222-3333-4444-555555555555"),
}


async def each(*rows: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    for row in rows:
        yield row


async def file_of(path: Path, *rows: dict[str, Any]) -> Path:
    with path.open("wb") as file:
        file.writelines([chunk async for chunk in written("slices", AT, each(*rows))])
    return path


async def everything(tables: Tables) -> dict[str, Any]:
    return {name: await raw(table) for name, table in tables.by_name.items()}


async def wipe(connection: str, prefix: str) -> None:
    async with TableServiceClient.from_connection_string(connection) as service:
        for name in NAMES:
            await service.delete_table(prefix + name)


@pytest.fixture
async def exports(storage: str) -> AsyncIterator[Exports]:
    made = Exports.connect(storage)
    yield made
    await made.close()


@pytest.fixture
async def scanned(storage: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    """Tables with rows of every kind."""
    async with rig(storage, monkeypatch, slice_minutes=WIDTH) as made:
        full_log(made)
        made.set_time(LATE)
        await made.work()
        yield made


async def test_every_type_survives(tmp_path: Path, storage: str) -> None:
    assert row_of_json(row_to_json(EVERY_TYPE)) == EVERY_TYPE
    path = await file_of(tmp_path / "slices", EVERY_TYPE)
    assert read_head(path) == ("slices", AT)
    assert [*read_rows(path)] == [EVERY_TYPE]
    tables = Tables.connect(storage, prefix="types")
    try:
        await tables.create()
        await tables.slices.transact([("upsert", EVERY_TYPE, {})])
        (read,) = [row async for row in tables.slices.everything()]
        assert row_to_json(read) == row_to_json(EVERY_TYPE)
    finally:
        await tables.close()


async def test_export_wipe_restore_gives_the_same_rows(scanned: Rig, exports: Exports, tmp_path: Path) -> None:
    scanned.now = LATE + timedelta(days=1)  # nothing is at work any more
    before = await everything(await scanned.tables())
    done = await export_tables(scanned.app, exports)
    assert done == {name: len(rows) for name, rows in before.items()}
    assert done["slices"] >= 10
    assert {"incidents", "sessions", "rollups", "directory", "control"} <= {name for name, rows in done.items() if rows}
    await wipe(scanned.connection, scanned.prefix)
    other = Tables.connect(scanned.connection, prefix=scanned.prefix + "x")
    try:
        await fetch(exports, f"{scanned.now:%Y-%m-%d}", tmp_path)
        # That a day rests is not restored: the plan looks at all of them.
        kept = {keys: row for keys, row in before["control"].items() if not keys[1].startswith("rest-")}
        assert len(kept) < len(before["control"])
        assert await restore(tmp_path, other) == {**done, "control": len(kept)}
        assert await everything(other) == {**before, "control": kept}
        with pytest.raises(NotEmpty, match="has rows already"):
            await restore(tmp_path, other)
    finally:
        await other.close()


async def test_a_day_is_exported_once(scanned: Rig, exports: Exports) -> None:
    scanned.now = datetime(2026, 12, 1, tzinfo=UTC)
    await export_tables(scanned.app, exports)
    first = b"".join([chunk async for chunk in exports.get(blob_name("2026-12-01", "slices"))])
    table = (await scanned.tables()).slices
    await table.transact([("upsert", EVERY_TYPE, {})])
    assert await export_tables(scanned.app, exports) == {}
    assert not await exports.put(blob_name("2026-12-01", "slices"), written("slices", AT, each()))
    assert b"".join([chunk async for chunk in exports.get(blob_name("2026-12-01", "slices"))]) == first


async def test_what_was_at_work_is_read_again(scanned: Rig, exports: Exports, tmp_path: Path) -> None:
    """A slice that was claimed within the hour before the export may be of two moments."""
    scanned.now = datetime(2026, 12, 2, tzinfo=UTC)
    tables = await scanned.tables()
    head = await scanned.head(RICH)
    claimed = f"{int((scanned.now - timedelta(minutes=5)).timestamp() * 1_000_000):020d}"
    row = {**head_row(RICH), "generation": claimed, "state": "claimed"}
    await tables.slices.transact([("upsert", row, {})])
    await export_tables(scanned.app, exports)
    await fetch(exports, "2026-12-02", tmp_path)
    other = Tables.connect(scanned.connection, prefix=scanned.prefix + "y")
    try:
        await restore(tmp_path, other)
        restored = await read_slice_head(other.slices, RICH)
        assert restored is not None
        assert (restored.state, restored.whole, restored.is_due(scanned.now)) == ("idle", False, True)
        assert (restored.counts, restored.records) == (head.counts, head.records)
    finally:
        await other.close()


class _Slow(Exports):
    """Much happens between two tables."""

    meanwhile: Callable[[], Awaitable[None]]

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> bool:
        done = await super().put(name, chunks)
        if name.endswith("/slices.jsonl.gz"):
            await self.meanwhile()
        return done


async def test_what_was_made_due_and_read_between_two_tables_is_read_again(
    scanned: Rig, storage: str, tmp_path: Path
) -> None:
    """The mark is gone before its table is exported, and the slice's rows are of before it was served."""
    scanned.set_time(LATE + timedelta(days=2))
    await scanned.work()
    scanned.pass_time(timedelta(hours=3))

    async def corrected() -> None:
        corrected_log(scanned)
        await rescan(scanned.app, PARTNER, RICH.start, CHILD.end)
        await scanned.work()

    slow = _Slow.connect(storage)
    slow.meanwhile = corrected
    try:
        await export_tables(scanned.app, slow)
        await fetch(slow, f"{scanned.now:%Y-%m-%d}", tmp_path)
    finally:
        await slow.close()
    expected = await canonical(await scanned.tables())
    scanned.prefix += "z"
    other = scanned.worker()
    try:
        await restore(tmp_path, await other.tables())
        assert difference(expected, await canonical(await other.tables())) != []
        await scanned.work(other)
        assert difference(expected, await canonical(await other.tables())) == []
    finally:
        scanned.prefix = scanned.prefix.removesuffix("z")


@pytest.mark.parametrize("how", ["cut", "changed", "not gzip", "empty", "a row less", "no last line"])
async def test_a_damaged_export_is_refused_before_anything_is_written(how: str, tmp_path: Path) -> None:
    rows = [{**keys("p", f"r{i}"), "text": f"text {i}" * 50} for i in range(200)]
    path = await file_of(tmp_path / "slices.jsonl.gz", *rows)
    data = path.read_bytes()
    lines = gzip.decompress(data).splitlines(keepends=True)
    path.write_bytes(
        {
            "cut": data[:-20],
            "changed": gzip.compress(b"".join(lines).replace(b"text 7", b"text 8")),
            "not gzip": b"".join(lines),
            "empty": b"",
            "a row less": gzip.compress(b"".join([*lines[:5], *lines[6:]])),
            "no last line": gzip.compress(b"".join(lines[:-1])),
        }[how]
    )
    with pytest.raises(Damaged):
        read_head(path)


def test_the_commands_export_and_restore(
    storage: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Over the emulator: load a directory, export, wipe, restore."""
    monkeypatch.setenv("AzureWebJobsStorage", storage)
    monkeypatch.setenv("PARTNER_TENANT_ID", "11111111-1111-1111-1111-111111111111")
    monkeypatch.setenv("AUTH_MODE", "local")
    file = tmp_path / "directory.json"
    file.write_text(
        '{"partnerTenantId":"11111111-1111-1111-1111-111111111111","delegatedAdmins":[{"userId":'
        '"22222222-2222-2222-2222-222222222222","userPrincipalName":"jane@partner.example"}]}'
    )
    assert ops.main(["load-directory", str(file)]) == 0
    assert ops.main(["export"]) == 0
    told = capsys.readouterr().out
    assert "1 delegated admins" in told
    assert "directory 3" in told
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    assert ops.main(["restore", "--from", day]) == 2  # the tables are not empty
    assert "has rows already" in capsys.readouterr().err
    asyncio.run(wipe(storage, ""))
    assert ops.main(["restore", "--from", day]) == 0
    assert "directory 3" in capsys.readouterr().out
    assert ops.main(["restore", "--from", "2020-01-01"]) == 2
    assert ops.main(["restore", "--from", "../2020"]) == 2
