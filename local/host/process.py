"""Runs the worker host as a process of its own, for the demo and the tests."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

_CHECKOUT = Path(__file__).resolve().parents[2]
_START_SECONDS = 60.0
_FORCE_SECONDS = 10.0  # on top of the grace that the host gives to its running work


class HostProcessError(Exception):
    """The worker host did not start; the text ends with what it said, if its log is a file."""


class HostProcess:
    """A worker host over an app's folder. Use as an async context manager, or start() and then stop() or kill().

    It ends when this process does, however that ends: it watches its standard input, a pipe that we hold.
    """

    url: str
    """Where it answers, such as http://127.0.0.1:34567; known after start()."""

    def __init__(
        self,
        app: Path,
        settings: Mapping[str, str],
        *,
        port: int = 0,
        lease_seconds: int = 600,
        grace_seconds: float = 5.0,
        log: Path | None = None,
    ) -> None:
        """Prepare it.

        app: the folder; settings: added to this process's environment; log: a file for its standard error, which is
        appended to (None: ours); the others are the options of `python -m local.host`.
        """
        self._command = [sys.executable, "-m", "local.host", "--stop-on-eof", "--app", str(app.resolve())]
        self._command += ["--port", str(port), "--lease-seconds", str(lease_seconds)]
        self._command += ["--grace-seconds", str(grace_seconds), "--log-level", "info"]
        self._stop_seconds = grace_seconds + _FORCE_SECONDS
        self._environment = {**os.environ, **settings}
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> "HostProcess":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.shield(self.stop())

    async def start(self) -> None:
        """Start it and wait until it accepts work. Raises HostProcessError."""
        stderr: IO[bytes] | None = self._log.open("ab") if self._log else None
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=_CHECKOUT,
                env=self._environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,  # Ctrl-C reaches it only through us
            )
        finally:
            if stderr:
                stderr.close()
        try:
            self.url = await self._ready(self._process)
        except BaseException:
            await self.kill()
            raise

    async def stop(self) -> int:
        """Let it end what it does (SIGTERM), by force 10 s after its grace; gives its exit code.

        Harmless if it has ended.
        """
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(self._stop_seconds):
                return await self.wait()
        except TimeoutError:
            await self.kill()
            return await self.wait()

    async def kill(self) -> None:
        """End it and everything it started at once (SIGKILL)."""
        self._signal(signal.SIGKILL)
        await self.wait()

    async def wait(self) -> int:
        """Wait until it ends by itself; gives its exit code."""
        if self._process is None:
            return 0
        code = await self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        return code

    async def _ready(self, process: asyncio.subprocess.Process) -> str:
        try:
            async with asyncio.timeout(_START_SECONDS):
                line = (await process.stdout.readline()).decode().split() if process.stdout else []
        except TimeoutError:
            raise HostProcessError(f"the worker host did not start in {_START_SECONDS:.0f} s{self._said()}") from None
        if len(line) != 2 or line[0] != "ready":
            raise HostProcessError(f"the worker host ended with exit code {await process.wait()}{self._said()}")
        return line[1]

    def _said(self) -> str:
        if self._log is None:
            return "."
        lines = self._log.read_text(errors="replace").splitlines()
        return ":\n" + "\n".join(lines[-30:])

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            os.killpg(self._process.pid, number)
