"""Starts and stops Azurite, the emulator of Azure Storage, for local runs and tests."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

_PROGRAM = Path(__file__).resolve().parents[2] / "node_modules" / ".bin" / "azurite"
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.05

# Azurite stops when its standard input ends. The other end of that pipe is ours, and the kernel closes it however this
# process ends, SIGKILL included, so Azurite cannot outlive it. (PR_SET_PDEATHSIG would do the same on Linux only, and
# is tied to the thread that forked.)
_STOP_AT_END_OF_INPUT = (
    'data:text/javascript,process.stdin.on("end",()=>process.kill(process.pid,"SIGTERM")).on("error",()=>{}).resume()'
)

# Azurite prints one such line per service once that service listens, with the port that it chose.
_LISTENING = re.compile(r"Azurite (Blob|Queue|Table) service is successfully listening at (http://\S+)")

# The emulator's public, fixed account (Azurite's README, "Default Storage Account"): not a secret.
_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class AzuriteError(Exception):
    """Azurite could not be started; the text says why and what to do."""


@asynccontextmanager
async def azurite(location: Path | None = None) -> AsyncIterator[str]:
    """Run Azurite's blob, queue and table services on free loopback ports for the length of the block.

    location: the folder that keeps the data between runs; None keeps them in memory.
    Gives the connection string. Raises AzuriteError. Azurite ends with the block or with this process, whichever is
    first.
    """
    process = _Process(location)
    try:
        while (connection := process.connection_string()) is None:  # noqa: ASYNC110 - it waits for another process
            await asyncio.sleep(_POLL_SECONDS)
        yield connection
    finally:
        # Shielded: a cancelled caller must not leave Azurite running.
        await asyncio.shield(asyncio.to_thread(process.stop))


@contextmanager
def running_azurite(location: Path | None = None) -> Iterator[str]:
    """Do as azurite() does, for callers without an event loop, such as test fixtures."""
    process = _Process(location)
    try:
        while (connection := process.connection_string()) is None:
            time.sleep(_POLL_SECONDS)
        yield connection
    finally:
        process.stop()


class _Process:
    """One Azurite process, in a process group of its own so that Ctrl-C reaches it only through us."""

    def __init__(self, location: Path | None) -> None:
        node = shutil.which("node")
        if node is None:
            raise AzuriteError("Node.js is not installed (no `node` on the PATH): Azurite needs version 20 or newer.")
        if not _PROGRAM.exists():
            raise AzuriteError("Azurite is not installed (node_modules is missing): run `make setup`.")
        keep = ["--inMemoryPersistence"] if location is None else ["--location", str(location)]
        ports = [option for service in ("blob", "queue", "table") for option in (f"--{service}Port", "0")]
        quiet = ["--silent", "--skipApiVersionCheck", "--disableTelemetry"]
        # A file and not a pipe: nobody has to read it for Azurite to go on.
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()
        self._deadline = time.monotonic() + _START_SECONDS
        self._process = subprocess.Popen(
            [node, "--import", _STOP_AT_END_OF_INPUT, str(_PROGRAM), *keep, *ports, *quiet],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def connection_string(self) -> str | None:
        """Give the connection string, or None while Azurite is still starting. Raises AzuriteError if it failed."""
        output = self._output()
        endpoints = dict(_LISTENING.findall(output))
        if len(endpoints) == 3:
            parts = {"DefaultEndpointsProtocol": "http", "AccountName": _ACCOUNT, "AccountKey": _KEY}
            parts |= {f"{service}Endpoint": f"{url}/{_ACCOUNT}" for service, url in endpoints.items()}
            return "".join(f"{name}={value};" for name, value in parts.items())
        if self._process.poll() is not None:
            raise AzuriteError(f"Azurite ended with exit code {self._process.returncode}:\n{output}")
        if time.monotonic() > self._deadline:
            raise AzuriteError(f"Azurite did not start within {_START_SECONDS:.0f} s:\n{output}")
        return None

    def stop(self) -> None:
        """End Azurite and everything it started: politely first, so that it saves its data, then for certain."""
        if self._process.stdin is not None:
            self._process.stdin.close()  # Azurite takes it as SIGTERM
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._log.close()

    def _output(self) -> str:
        # pread: the file's position is shared with Azurite, which writes there.
        return os.pread(self._log.fileno(), 1 << 20, 0).decode(errors="replace")
