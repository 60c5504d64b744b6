"""The worker host over a small app: a real host process, a real Azurite, HTTP from outside."""

import asyncio
import io
import json
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from http.cookies import SimpleCookie
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from local.host.process import HostProcess
from tests.local.hosting import HostedApp, eventually, nobody_at

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


@dataclass(frozen=True)
class _Running:
    app: HostedApp
    host: HostProcess
    http: aiohttp.ClientSession


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(storage: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[_Running]:
    """One host for the tests that leave it as it was."""
    async with (
        HostedApp(storage, tmp_path_factory.mktemp("host"), "shared", ticks="* * * * * *") as app,
        app.host() as host,
        aiohttp.ClientSession(host.url) as http,
    ):
        yield _Running(app, host, http)


async def test_a_request_reaches_the_function_and_its_answer_comes_back_exactly(running: _Running) -> None:
    body = bytes(range(256)) * 64
    query = [("a", "1 2"), ("b", "x"), ("b", "y"), ("empty", "")]
    async with running.http.post("/api/echo/abc/-7", params=query, data=body, headers={"X-Asked": "yes"}) as answer:
        assert answer.status == 201
        assert await answer.read() == body
        assert answer.headers["Content-Type"] == "application/x-echo"
        seen = json.loads(answer.headers["X-Seen"])
        assert seen == {
            "method": "POST",
            "url": str(answer.url),
            "params": {"kind": "abc", "id": "-7"},
            "query": {"a": "1 2", "b": "x,y"},
            "header": "yes",
        }
        crumb = SimpleCookie(answer.headers["Set-Cookie"])["crumb"]
        assert (crumb.value, crumb["path"], crumb["httponly"], crumb["samesite"]) == ("a%20b", "/api", True, "Lax")


async def test_a_body_may_be_larger_than_a_mebibyte(running: _Running) -> None:
    body = b"\x00\xff" * 1_500_000
    async with running.http.post("/api/echo/abc/1", data=io.BytesIO(body)) as answer:
        assert await answer.read() == body


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("GET", "/echo/abc/1", 404),  # without the prefix
        ("GET", "/api/echo/abc/x", 404),  # not an int
        ("GET", "/api/echo/abc", 404),
        ("DELETE", "/api/echo/abc/1", 405),
        ("GET", "/api/ECHO/abc/1/", 201),  # neither case nor a trailing slash matters
        ("GET", "/api/echo/fixed/1", 200),
        ("POST", "/api/echo/fixed/1", 201),  # the other route takes this method
        ("DELETE", "/api/plain", 200),
        ("GET", "/admin/functions/yearly", 405),
        ("POST", "/admin/functions/nobody", 404),
        ("POST", "/admin/functions/plain", 400),
    ],
)
async def test_routes_and_methods(running: _Running, method: str, path: str, status: int) -> None:
    async with running.http.request(method, path) as answer:
        assert answer.status == status
        if status == 405:
            assert method not in answer.headers["Allow"].split(", ")


async def test_a_function_that_raises_is_a_bare_500_and_its_traceback_is_in_the_log(running: _Running) -> None:
    async with running.http.get("/api/boom") as answer:
        assert answer.status == 500
        assert await answer.read() == b""
    log = running.app.log.read_text()
    assert "function boom failed" in log
    assert "RuntimeError: secret cause" in log


async def test_a_queue_output_is_sent_only_after_success(running: _Running) -> None:
    async with running.http.post("/api/hello", data=b"fail") as answer:
        assert answer.status == 500
    async with running.http.post("/api/hello", data="grüße") as answer:
        assert answer.status == 202
    assert await running.app.take("hello") == "grüße"
    assert await running.app.count("hello") == 0


async def test_a_text_output_that_is_a_json_array_is_one_message_an_item_as_in_azure(running: _Running) -> None:
    async with running.http.post("/api/hello", data='["one", {"two": 2}]') as answer:
        assert answer.status == 202
    assert [await running.app.take("hello") for _ in range(2)] == ["one", '{"two": 2}']


async def test_the_admin_address_runs_a_timer_function_now(running: _Running) -> None:
    async with running.http.post("/admin/functions/yearly", json={}) as answer:
        assert answer.status == 202
    assert await running.app.count("yearly") == 2  # sent before the answer
    assert [await running.app.take("yearly") for _ in range(2)] == ["first", "second"]


async def test_the_admin_address_tells_that_a_timer_function_failed(running: _Running) -> None:
    async with running.http.post("/admin/functions/broken_timer") as answer:
        assert answer.status == 500
        assert b"cause" not in await answer.read()


async def test_a_timer_runs_by_its_schedule_which_a_setting_names(running: _Running) -> None:
    ticks = [json.loads(await running.app.take("ticks")) for _ in range(2)]
    assert all(isinstance(tick["pastDue"], bool) for tick in ticks)


async def test_run_on_startup_runs_a_timer_once(running: _Running) -> None:
    assert await running.app.noted("at_start", 1) == ["False"]


async def test_a_message_reaches_its_function_with_its_facts_and_outputs_are_sent(running: _Running) -> None:
    await running.app.put("in", "<tag> & grüße")
    out = json.loads(await running.app.take("out"))
    assert datetime.fromisoformat(out.pop("insertedUtc")).utcoffset() is not None
    assert out.pop("id")
    assert out == {"text": "<tag> & grüße", "dequeueCount": 1, "expires": True, "hiddenUntil": True, "receipt": True}
    assert [await running.app.take("copies") for _ in range(2)] == ["<tag> & grüße"] * 2
    await running.app.emptied("in")


async def test_many_messages_are_each_worked_on_once(running: _Running) -> None:
    texts = {f"message {number}" for number in range(20)}
    await asyncio.gather(*(running.app.put("in", text) for text in texts))
    outs = [json.loads(await running.app.take("out")) for _ in texts]
    assert {out["text"] for out in outs} == texts
    assert {out["dequeueCount"] for out in outs} == {1}
    copies = [await running.app.take("copies") for _ in range(2 * len(texts))]
    assert sorted(copies) == sorted([*texts, *texts])


async def test_a_message_that_fails_is_tried_again_and_then_moved_to_the_poison_queue(running: _Running) -> None:
    await running.app.put("flaky", "bad one")
    assert await running.app.take("flaky-poison") == "bad one"
    assert running.app.read("flaky") == ["1", "2", "3"]
    await running.app.emptied("flaky")


async def test_a_message_that_is_not_base64_is_moved_to_the_poison_queue_as_it_came(running: _Running) -> None:
    await running.app.put_raw("long", '{"not": "base64"}')
    assert await running.app.take_raw("long-poison") == '{"not": "base64"}'
    assert running.app.read("long") == []


async def test_a_message_whose_worker_was_killed_runs_again_after_its_lease(storage: str, tmp_path: Path) -> None:
    async with HostedApp(storage, tmp_path, "killed") as app:
        async with app.host(lease_seconds=2) as host:
            await app.put("hang", "x")
            assert await app.noted("hang", 1) == ["1"]
            await host.kill()
            assert await host.wait() == -signal.SIGKILL
        assert await app.count("hang") == 1
        async with app.host():
            assert await app.take("out") == "2"
        assert app.read("hang") == ["1", "2"]


async def test_a_lease_is_renewed_while_the_function_runs(storage: str, tmp_path: Path) -> None:
    async with HostedApp(storage, tmp_path, "renewed") as app, app.host(lease_seconds=3):
        await app.put("long", "x")
        # Longer than the lease: two messages that are retried twice, and hide for a second before each retry.
        for _ in range(2):
            await app.put("flaky", "clock")
            await app.take("flaky-poison")
        (app.notes / "go").touch()
        assert await app.take("out") == "long 1"
        assert app.read("long") == ["1"]


async def test_sigterm_lets_running_work_end_and_exits_with_0(storage: str, tmp_path: Path) -> None:
    async with HostedApp(storage, tmp_path, "stopped") as app, app.host(grace_seconds=30) as host:
        await app.put("long", "x")
        await app.noted("long", 1)
        async with aiohttp.ClientSession(host.url) as http:
            asking = asyncio.create_task(_text(http, "/api/slow"))
            await app.noted("slow", 1)
            stopping = asyncio.create_task(host.stop())
            port = int(host.url.rpartition(":")[2])
            await eventually(lambda: nobody_at(port))
            await app.put("in", "too late")
            (app.notes / "go").touch()
            assert await asking == "done"
            assert await stopping == 0
        assert await app.take("out") == "long 1"
        assert await app.count("long") == 0
        assert await app.count("in") == 1


async def test_sigterm_does_not_wait_for_work_that_never_ends(storage: str, tmp_path: Path) -> None:
    async with HostedApp(storage, tmp_path, "abandoned") as app, app.host(grace_seconds=0.5) as host:
        await app.put("hang", "x")
        await app.noted("hang", 1)
        assert await host.stop() == 0
        assert await app.count("hang") == 1  # still leased, so not lost


async def _text(http: aiohttp.ClientSession, path: str) -> str:
    async with http.get(path) as answer:
        return await answer.text()
