"""Everything the product needs, on this machine: Azurite, the local Graph over a sample, and the worker host.

Used by the demo and by the end-to-end tests; the app in it runs exactly as in Azure, with other settings.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from local.host.process import HostProcess
from local.stage.azurite import azurite
from shared.app.settings import Settings
from shared.signin.directory import DirectoryFile
from shared.store.directory import save_directory
from shared.store.tables import Tables

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Stack:
    """What runs: addresses, the connection string of the storage, and the host's process and log."""

    url: str
    graph_url: str
    connection: str
    settings: Mapping[str, str]
    host: HostProcess
    host_log: Path


@asynccontextmanager
async def graph_process(sample: Path, *options: str) -> AsyncIterator[Mapping[str, str]]:
    """Run the local Graph as a process; gives what it says when it is ready: url, identityEndpoint, identityHeader."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "local.graph_server",
        "--sample",
        str(sample),
        *options,
        cwd=CHECKOUT,
        env={**os.environ, "IDENTITY_HEADER": secrets.token_urlsafe(24)},
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C reaches it only through us
    )
    try:
        line = await process.stdout.readline() if process.stdout else b""
        if not line:
            raise RuntimeError(f"the local Graph ended with exit code {await process.wait()}")
        yield json.loads(line)
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.shield(process.wait())


@asynccontextmanager
async def running_stack(
    sample: Path, work: Path, settings: Mapping[str, str], *, port: int = 0, lease_seconds: int = 60
) -> AsyncIterator[Stack]:
    """Run all of it over a sample's folder, with its directory file loaded; `work` keeps the host's log."""
    directory = DirectoryFile.model_validate_json((sample / "directory.json").read_bytes())
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(azurite())
        graph = await stack.enter_async_context(graph_process(sample))
        await load_directory_file(connection, directory)
        every = {
            **default_schedules(),
            "AUTH_MODE": "local",
            "PARTNER_TENANT_ID": directory.partner_tenant_id,
            "AzureWebJobsStorage": connection,
            "GRAPH_BASE_URL": graph["url"],
            "PACK_KEY_FILE": str(make_pack_key(work / "pack-key.pem")),
            "IDENTITY_ENDPOINT": graph["identityEndpoint"],
            "IDENTITY_HEADER": graph["identityHeader"],
            **settings,
        }
        log = work / "host.log"
        host = HostProcess(CHECKOUT, every, port=port, lease_seconds=lease_seconds, log=log)
        await stack.enter_async_context(host)
        yield Stack(host.url, graph["url"], connection, every, host, log)


def make_pack_key(path: Path) -> Path:
    """A new key that signs evidence packs, in a file."""
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(ec.generate_private_key(ec.SECP256R1()).private_bytes(*form))
    return path


def default_schedules() -> dict[str, str]:
    """The timers' settings: the host reads them itself, so they must be there even where the model has defaults."""
    return {name.upper(): f.default for name, f in Settings.model_fields.items() if name.endswith("_schedule")}


async def load_directory_file(connection: str, file: DirectoryFile) -> None:
    """Put a directory file into the tables."""
    tables = Tables.connect(connection)
    try:
        await tables.create()
        await save_directory(tables.directory, file, datetime.now(UTC))
    finally:
        await tables.close()
