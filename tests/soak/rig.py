"""The whole product under faults: worker hosts as processes, storage behind a proxy, the local Graph, a receiver.

A round begins with empty tables, so that every fault meets a scan that has all to do, and ends when nothing is due and
nothing waits to be told. Then the tables must say what a clean round made them say, the channel what the model says,
and the coverage the truth.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import batched, groupby
from pathlib import Path
from typing import Any, Final

import aiohttp
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueServiceClient

from local.host.process import HostProcess
from local.sample import Sample, make_sample, write_sample
from local.stage.azurite import azurite
from local.stage.receivers import Receiver, Receivers, new_secret
from local.stage.stack import CHECKOUT, default_schedules, graph_process, load_directory_file
from shared.basics.queues import Queue
from shared.incidents.model import Incident
from shared.ledger.head import SliceState
from shared.rules.rule import Severity
from shared.signin.directory import DirectoryFile
from shared.store.incidents import all_incidents
from shared.store.tables import MAX_BATCH, Tables, delete
from tests.alerts.channel_model import said_twice, told_falsely, wrong_words
from tests.scan.canonical import View, canonical, difference
from tests.soak.storage_proxy import StorageProxy

DAYS: Final = 7
NEVER: Final = "0 0 0 1 1 *"
LEASE: Final = 10.0  # a loaded machine is slow to renew
# Everything in the log is older than the last age, so that one read settles a slice and no clock moves what is due.
AGE: Final = timedelta(days=8)
MINIMUM: Final = {"all": Severity.LOW, "worst": Severity.HIGH}
SETTINGS: Final = {
    "SCAN_SCHEDULE": "*/2 * * * * *",
    "ALERT_SCHEDULE": "*/2 * * * * *",
    "DIRECTORY_SCHEDULE": NEVER,
    "MAINTENANCE_SCHEDULE": NEVER,
    "SLICE_MINUTES": "1440",
    "LOOKBACK_DAYS": "16",
    "SLICE_LEASE_SECONDS": str(int(LEASE)),
    "GRAPH_REQUESTS_PER_10_SECONDS": "1000",
    "GRAPH_TIMEOUT_SECONDS": "5",
}
# What hangs on the hour at which somebody looks, or on how often it was worked, and not on the log.
_OF_THE_HOUR: Final = frozenset(
    ("nextDue", "versions", "reach", "blocks", "marks", "mark", "quartersMark", "consistent", "ofTheNewVersion")
)


class Rig:
    """What runs, and the acts of a fault."""

    def __init__(self, sample: Sample, connection: str, proxy: StorageProxy, graph_url: str, work: Path) -> None:
        self.sample = sample
        self.proxy = proxy
        self.work = work
        self.hosts: list[HostProcess] = []
        # One channel that wants everything and one that wants the worst alone.
        self.receivers = {name: Receiver("generic", new_secret(), f"/{name}") for name in ("all", "worst")}
        self.settings: dict[str, str] = {}
        self.kills = 0
        self._connection = connection
        self._graph_url = graph_url
        self._http = aiohttp.ClientSession()
        self._round = 0

    # --- hosts --------------------------------------------------------------------------------------------------------

    async def start(self, settings: Mapping[str, str] | None = None, *, app: Path = CHECKOUT) -> HostProcess:
        """Start a host."""
        every = {**self.settings, **(settings or {})}
        host = HostProcess(app, every, lease_seconds=int(LEASE), grace_seconds=1, log=self.work / "host.log")
        await host.start()
        self.hosts.append(host)
        return host

    async def kill(self) -> None:
        """End every host at once."""
        for host in self.hosts:
            await host.kill()
            self.kills += 1
        self.hosts.clear()

    def signal(self, host: HostProcess, number: signal.Signals) -> None:
        """Freeze a host (SIGSTOP) or let it go on (SIGCONT)."""
        assert host._process is not None
        os.killpg(host._process.pid, number)

    def patched(self, name: str, file: str, old: str, new: str) -> Path:
        """A copy of the app with one sentence of one file changed."""
        folder = self.work / name
        shutil.rmtree(folder, ignore_errors=True)
        for part in ("functions", "shared"):
            shutil.copytree(CHECKOUT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        for top in ("function_app.py", "host.json"):
            shutil.copy(CHECKOUT / top, folder / top)
        text = (folder / file).read_text("utf-8")
        assert text.count(old) == 1, old
        (folder / file).write_text(text.replace(old, new), "utf-8")
        return folder

    # --- Graph, the app's routes, the queues --------------------------------------------------------------------------

    async def control(self, **members: Any) -> None:
        """Change the local Graph."""
        async with self._http.post(f"{self._graph_url}/_control", json=members) as answer:
            assert answer.status == 204, await answer.text()

    async def fail(self, *faults: Mapping[str, Any]) -> None:
        """Have Graph answer its next requests so."""
        await self.control(faults=[*faults])

    async def ask(self, method: str, path: str, **options: Any) -> Any:
        """Ask the first host, as often as it takes while it is down or its storage does not answer."""
        status, body = await self.reply(method, path, **options)
        assert status < 400, body
        return body

    async def reply(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """The status of the first host's answer, below 500, and its body: asked for as often as it takes."""
        async with asyncio.timeout(120):
            while True:
                try:
                    async with self._http.request(method, f"{self.hosts[0].url}/api/{path}", **options) as answer:
                        body = await answer.json(content_type=None)
                        if answer.status < 500:
                            return answer.status, body
                except (aiohttp.ClientError, TimeoutError):
                    pass
                await asyncio.sleep(0.3)

    async def rescan(self) -> None:
        """Have all of the log read again."""
        period = {"from": f"{self.sample.start:%Y-%m-%dT%H:%M:%SZ}", "to": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
        await self.ask("POST", "ops/rescan", json=period)

    def queues(self) -> QueueServiceClient:
        """The queues, past the proxy."""
        return QueueServiceClient.from_connection_string(self._connection)

    def blobs(self) -> BlobServiceClient:
        """The blobs, past the proxy."""
        return BlobServiceClient.from_connection_string(self._connection)

    def tables(self) -> Tables:
        """The tables, past the proxy."""
        return Tables.connect(self._connection)

    def channels(self) -> dict[str, str]:
        """The settings of the channels."""
        settings: dict[str, str] = {}
        for name, receiver in self.receivers.items():
            channel = f"CHANNELS__{name.upper()}"
            settings |= {f"{channel}__KIND": "generic", f"{channel}__URL": receiver.url}
            settings |= {f"{channel}__SECRET": receiver.secret or ""}
            settings |= {f"{channel}__MINIMUM_SEVERITY": MINIMUM[name].label}
        return settings

    # --- a round ------------------------------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Empty tables and queues, Graph and storage healed, no host."""
        await self.kill()
        self.proxy.heal()
        await self.control(clearFaults=True, showAll=True, throttling=None)
        async with self.queues() as service:
            for queue in Queue:
                try:
                    await service.get_queue_client(queue).clear_messages()
                except ResourceNotFoundError:
                    continue
        tables = self.tables()
        try:
            await tables.create()
            for name, table in tables.by_name.items():
                if name != "directory":
                    rows = [row async for row in table.everything()]
                    for _, of_partition in groupby(rows, key=lambda row: row["PartitionKey"]):
                        for batch in batched(of_partition, MAX_BATCH, strict=False):
                            await table.transact([delete(row) for row in batch])
        finally:
            await tables.close()
        for receiver in self.receivers.values():
            receiver.tries.clear()
            receiver.faults.clear()

    async def until(self, holds: Callable[[list[Mapping[str, Any]]], bool], seconds: float = 240) -> None:
        """Wait until it holds of the heads."""
        tables = self.tables()
        try:
            async with asyncio.timeout(seconds):
                while True:
                    if holds([row async for row in tables.slices.between("0", "g", "head-", "head-~")]):
                        return
                    await asyncio.sleep(0.3)
        finally:
            await tables.close()

    async def until_read(self, slices: int) -> None:
        """Wait until so many slices were read whole."""
        await self.until(lambda heads: sum(bool(head["whole"]) for head in heads) >= slices)

    async def settle(self, seconds: float = 300, *, days: int = DAYS + 9) -> None:
        """Wait until every slice of so many days is read, nothing is due and nothing waits to be told."""
        async with asyncio.timeout(seconds):
            calm = 0
            while calm < 3:
                calm = calm + 1 if await self._is_calm(days) else 0
                await asyncio.sleep(0.7)

    async def _is_calm(self, days: int) -> bool:
        coverage = (await self.ask("GET", f"summary?days={days}"))["coverage"]
        if not coverage["expectedSlices"] or coverage["completeSlices"] != coverage["expectedSlices"]:
            return False
        tables = self.tables()
        try:
            heads = [row async for row in tables.slices.everything()]
            busy = any(row.get("state") == SliceState.CLAIMED or row["RowKey"].startswith("due-") for row in heads)
            events = [row async for row in tables.incidents.everything() if row["RowKey"].startswith("event-")]
            names = [row["RowKey"] async for row in tables.alerts.everything()]
            waits = any(name.startswith(("wait-", "delivery-0-")) for name in names)
            return not (busy or events or waits)
        finally:
            await tables.close()

    async def view(self) -> View:
        """What the tables say of the log."""
        tables = self.tables()
        try:
            rows = await canonical(tables)
        finally:
            await tables.close()
        said: View = {}
        for key, row in rows.items():
            if "head-" in key and not row.get("records"):
                continue  # an empty slice: a new one closes now and then
            kept = {name: value for name, value in row.items() if name not in _OF_THE_HOUR}
            if "rulesVersions" in kept:  # how many slices: one of which the pages went round may have been halved
                kept["rulesVersions"] = sorted(json.loads(kept["rulesVersions"]))
            counts = kept.get("counts", {})
            if " block-" in key and not any(counts.get(part) for part in ("scopes", "users", "apart")):
                continue  # of empty slices
            if {*kept} - {"PartitionKey", "RowKey", "v", "format"}:
                said[key] = kept
        return said

    async def differences(self, clean: View) -> list[str]:
        """What differs from a clean round, in words."""
        return difference(clean, await self.view())

    async def incidents(self) -> list[Incident]:
        """All incidents."""
        tables = self.tables()
        try:
            return [incident async for incident in all_incidents(tables.incidents)]
        finally:
            await tables.close()

    @property
    def messages(self) -> int:
        """How many messages the channels took, repetitions too."""
        return sum(len(receiver.taken) for receiver in self.receivers.values())

    async def wrong_words(self, true: Collection[str] | None = None) -> list[str]:
        """What is wrong with what the channels heard. `true` are the keys of the incidents that the log holds, where
        the fault is none of the log itself, which may say something else for a while."""
        incidents = await self.incidents()
        wrong = []
        for name, receiver in self.receivers.items():
            bodies = [received.json for received in receiver.taken]
            found = wrong_words(bodies, incidents, MINIMUM[name]) + said_twice(bodies)
            found += told_falsely(bodies, true) if true is not None else []
            wrong += [f"channel {name}: {line}" for line in found]
        return wrong

    async def close(self) -> None:
        """End everything."""
        await self.kill()
        await self._http.close()


@asynccontextmanager
async def rig(work: Path, seed: int = 3) -> AsyncIterator[Rig]:
    """A rig over a week that ended eight days ago."""
    end = (datetime.now(UTC) - AGE).replace(hour=0, minute=0, second=0, microsecond=0)
    sample = make_sample(seed, DAYS, end)
    write_sample(sample, work / "sample")
    directory = DirectoryFile.model_validate_json((work / "sample" / "directory.json").read_bytes())
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(azurite())
        proxy = await stack.enter_async_context(StorageProxy(connection))
        graph = await stack.enter_async_context(graph_process(work / "sample", "--page-size", "60"))
        await load_directory_file(connection, directory)
        made = Rig(sample, connection, proxy, graph["url"], work)
        stack.push_async_callback(made.close)
        await stack.enter_async_context(Receivers(*made.receivers.values()))
        made.settings = {
            **default_schedules(),
            **SETTINGS,
            **made.channels(),
            "AUTH_MODE": "local",
            "PARTNER_TENANT_ID": directory.partner_tenant_id,
            "AzureWebJobsStorage": proxy.connection,
            "GRAPH_BASE_URL": graph["url"],
            "IDENTITY_ENDPOINT": graph["identityEndpoint"],
            "IDENTITY_HEADER": graph["identityHeader"],
        }
        yield made
