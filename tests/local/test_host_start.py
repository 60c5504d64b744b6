"""What stops the worker host from starting, and how it says so."""

import asyncio
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local.host.process import HostProcess, HostProcessError
from tests.local.hosting import APP, HostedApp, eventually, nobody_at

pytestmark = pytest.mark.e2e

_HOST_JSON = '{"version": "2.0"}'
_TIMER = """
import azure.functions as func
app = func.FunctionApp()
@app.timer_trigger(arg_name="timer", schedule="{schedule}")
def job(timer: func.TimerRequest) -> None: ...
"""
_QUEUE = """
import azure.functions as func
app = func.FunctionApp()
@app.queue_trigger(arg_name="message", queue_name="work", connection="{connection}")
def job(message: func.QueueMessage) -> None: ...
"""


@pytest.mark.parametrize(
    ("app", "host_json", "says"),
    [
        ("raise RuntimeError('no such setting')", _HOST_JSON, "RuntimeError: no such setting"),
        ("x = 1", _HOST_JSON, "Could not find top level function app instances in function_app.py"),
        (None, _HOST_JSON, "there are no functions in"),
        (None, None, "host.json is missing"),
        (_TIMER.format(schedule="%MISSING%"), _HOST_JSON, "the setting MISSING is missing"),
        (_QUEUE.format(connection="Elsewhere"), _HOST_JSON, "the setting Elsewhere is missing"),
    ],
)
def test_a_wrong_app_or_setting_ends_the_host_with_1_and_a_sentence(
    tmp_path: Path, app: str | None, host_json: str | None, says: str
) -> None:
    if app is not None:
        (tmp_path / "function_app.py").write_text(app)
    if host_json is not None:
        (tmp_path / "host.json").write_text(host_json)
    ended = _run("--app", str(tmp_path))
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "The worker host cannot start: " in ended.stderr
    assert says in ended.stderr


def test_a_wrong_option_is_misuse(tmp_path: Path) -> None:
    ended = _run("--app", str(tmp_path), "--lease-seconds", "0")
    assert ended.returncode == 2
    assert "must be 1 to 604800" in ended.stderr


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text(_HOST_JSON)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = _run("--app", str(tmp_path), "--port", str(port))
    assert ended.returncode == 1
    assert f"port {port} of 127.0.0.1 cannot be used" in ended.stderr


async def test_a_failed_start_is_an_error_with_what_the_host_said(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text(_HOST_JSON)
    (tmp_path / "function_app.py").write_text("raise RuntimeError('no such setting')")
    with pytest.raises(HostProcessError, match=r"(?s)exit code 1.*no such setting"):
        await HostProcess(tmp_path, {}, log=tmp_path / "log").start()


async def test_the_host_ends_with_its_parent_even_when_that_is_killed(azurite: str, tmp_path: Path) -> None:
    app = HostedApp(azurite, tmp_path, "orphan")
    program = f"""
import asyncio, os, pathlib
from local.host.process import HostProcess
async def main():
    async with HostProcess(pathlib.Path({str(APP)!r}), {app.settings!r}, log=pathlib.Path({str(app.log)!r})) as host:
        print(host.url, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    port = int((await parent.stdout.readline()).decode().strip().rpartition(":")[2])
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    await eventually(lambda: nobody_at(port))


def _run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "local.host", *options], capture_output=True, text=True, timeout=60, check=False
    )
