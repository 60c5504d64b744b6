"""The matrix: each fault, how it is made, and what must follow. docs/faults.md is this table with a run's figures."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import batched
from typing import Any, Final

from local.stage.receivers import Fault
from shared.basics.queues import Queue
from tests.soak.rig import LEASE, Rig

type Act = Callable[[Rig], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One row. `how` says in words what is done. `numbers_alone`: rows are named otherwise afterwards, so that the
    numbers are compared and not the tables. `says_otherwise`: the log itself says something else for a while, so that
    incidents may be told that it does not hold in the end."""

    name: str
    how: str
    act: Act
    numbers_alone: bool = False
    says_otherwise: bool = False


def _status(status: int, times: int, **more: Any) -> dict[str, Any]:
    return {"kind": "status", "status": status, "times": times, **more}


def _graph(*faults: dict[str, Any]) -> Act:
    async def act(rig: Rig) -> None:
        await rig.fail(*faults)
        await rig.start()

    return act


def _throttled(**rule: Any) -> Act:
    async def act(rig: Rig) -> None:
        await rig.control(throttling={"requests": 5, "seconds": 2, **rule})
        await rig.start()
        await asyncio.sleep(10)
        await rig.control(throttling=None)

    return act


def _ids(rig: Rig, share: int) -> list[str]:
    partner = rig.sample.people.partner_tenant_id
    return [str(r.record["id"]) for r in rig.sample.log if r.tenant_id == partner][::share]


def _late(share: int) -> Act:
    async def act(rig: Rig) -> None:
        await rig.control(hide={"ids": _ids(rig, share)})
        await rig.start()
        await rig.until_read(13)
        await rig.control(showAll=True)
        await rig.rescan()

    return act


def _is_text(record: Mapping[str, Any]) -> bool:
    """Whether a record can be sent as JSON: some of the sample hold half a character on purpose."""
    try:
        json.dumps(record, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


async def _correct(rig: Rig, records: Sequence[Mapping[str, Any]]) -> None:
    """Serve these versions from now on."""
    for some in batched(records, 50, strict=False):
        await rig.control(correct=[{"record": record} for record in some])


def _corrected(**members: Any) -> Act:
    async def act(rig: Rig) -> None:
        partner = rig.sample.people.partner_tenant_id
        finals = [r.final for r in rig.sample.log if r.tenant_id == partner]
        records = [record for record in finals if _is_text(record)][::7]
        await _correct(rig, [{**record, **members} for record in records])
        try:
            await rig.start()
            await rig.until_read(13)
        finally:
            await _correct(rig, records)
        await rig.rescan()

    return act


async def _shrunk(rig: Rig) -> None:
    await rig.start()
    await rig.settle()
    await rig.control(hide={"ids": _ids(rig, 3)})
    await rig.rescan()
    await asyncio.sleep(8)
    await rig.control(showAll=True)
    await rig.rescan()


def _mid_scan(fault: dict[str, Any], seconds: float = 4) -> Act:
    """Something is lost when a part of the scan is done, and comes back some seconds later. What was refused is asked
    for again after a quarter of an hour; here after ten seconds."""

    async def act(rig: Rig) -> None:
        soon = "_ASK_AGAIN: Final = timedelta(seconds=10)\n"
        hasty = rig.patched("hasty", "shared/graph/client.py", soon.replace("seconds=10", "minutes=15"), soon)
        await rig.start(app=hasty)
        await rig.until_read(3)
        await rig.fail({**fault, "times": 10_000})
        await asyncio.sleep(seconds)
        await rig.control(clearFaults=True)

    return act


def _storage(break_it: Callable[[Rig], None], seconds: float) -> Act:
    async def act(rig: Rig) -> None:
        await rig.start()
        await rig.until_read(3)
        break_it(rig)
        await asyncio.sleep(seconds)
        rig.proxy.heal()

    return act


def _stop(rig: Rig) -> None:
    rig.proxy.down = True


def _freeze(rig: Rig) -> None:
    rig.proxy.going.clear()


def _slow(rig: Rig) -> None:
    rig.proxy.delay = 0.15


def _lose_answers(rig: Rig) -> None:
    rig.proxy.lose_every = 9


async def _messages_twice(rig: Rig) -> None:
    await rig.start()
    async with rig.queues() as service:
        for _ in range(40):
            for name in (Queue.SCAN, Queue.ALERTS):
                queue = service.get_queue_client(name)
                peeked = [m.content for m in await queue.peek_messages(32)]
                for text in reversed(peeked):
                    await queue.send_message(text)
            await asyncio.sleep(0.2)


async def _messages_poisoned(rig: Rig) -> None:
    await rig.start()
    junk = ("junk", "", "[]", "{}", '{"tenant": "a/b#", "start": "x", "seconds": 900, "sendId": "x"}', "\x00")
    async with rig.queues() as service:
        for name in (Queue.SCAN, Queue.ALERTS):
            for text in junk:
                await service.get_queue_client(name).send_message(base64.b64encode(text.encode()).decode())


def _killed(times: int, seed: int) -> Act:
    async def act(rig: Rig) -> None:
        draw = random.Random(seed)  # noqa: S311 - a seed makes the run repeatable
        for _ in range(times):
            await rig.start()
            await asyncio.sleep(draw.uniform(0.5, 4))
            await rig.kill()
        await rig.start()

    return act


async def _frozen(rig: Rig) -> None:
    first = await rig.start()
    await rig.until_read(2)
    await rig.start()
    for _ in range(3):
        rig.signal(first, signal.SIGSTOP)
        await asyncio.sleep(LEASE + 2)
        rig.signal(first, signal.SIGCONT)
        await asyncio.sleep(1)
    rig.hosts.reverse()


async def _clocks_apart(rig: Rig) -> None:
    ahead = rig.patched(
        "ahead",
        "shared/app/app.py",
        "    return datetime.now(UTC)\n",
        "    return datetime.now(UTC) + timedelta(seconds=60)\n",
    )
    await rig.start()
    await rig.start(app=ahead)


async def _two_versions(rig: Rig) -> None:
    new = rig.patched(
        "new", "shared/store/tables.py", "    return kept\n", '    return {**kept, "ofTheNewVersion": "kept"}\n'
    )
    await rig.start()
    await rig.until_read(2)
    await rig.start(app=new)
    await asyncio.sleep(4)
    await rig.hosts.pop().stop()


async def _receivers_fail(rig: Rig) -> None:
    rig.receivers["all"].faults += [Fault.FAIL, Fault.TAKE_AND_DROP]
    rig.receivers["worst"].faults += [Fault.DROP, Fault.SLOW_DOWN]
    for receiver in rig.receivers.values():
        receiver.retry_after = "5"
    await rig.start()


def _meanwhile(**settings: str) -> Act:
    async def act(rig: Rig) -> None:
        await rig.start(settings)

    return act


async def _erased(rig: Rig) -> None:
    await rig.start()
    await rig.until_read(6)
    people = (await rig.ask("GET", "technicians?limit=1000"))["items"]
    findings = (await rig.ask("GET", "findings?limit=1000"))["items"]
    named = sorted({item["userId"] for item in findings if item["userId"]})
    assert people or named
    for user in named[:2]:
        await rig.ask("POST", "ops/erase", json={"user": user, "force": True})
    await rig.rescan()


async def _some_finding(rig: Rig) -> Any:
    for _ in range(200):
        if findings := (await rig.ask("GET", "findings?limit=1000"))["items"]:
            return findings[0]
        await asyncio.sleep(0.5)
    raise AssertionError("no finding came")


async def _excepted(rig: Rig) -> None:
    await rig.start()
    await rig.until_read(6)
    finding = await _some_finding(rig)
    start, end = rig.sample.end, rig.sample.end + timedelta(days=60)
    asked = {
        "commonIssue": 6,
        "title": "Soak",
        "reason": "The provider cannot send the claim.",
        "owner": "ciso@partner.example",
        "userId": finding["userId"],
        "rules": ["interactive-without-mfa", "third-party-mfa-unrecognised"],
        "startsOn": f"{start:%Y-%m-%d}",
        "expiresOn": f"{end:%Y-%m-%d}",
        "mfa": {"vendor": "V", "product": "P", "integration": "federation"},
        "documents": {"configuration": "c", "testResult": "t", "purchaseOrder": "p"},
        "vendorConfirmation": {
            "by": "V",
            "on": f"{start:%Y-%m-%d}",
            "reference": "r",
            "cannotSendMultipleauthn": True,
            "cannotUseExternalMfa": True,
        },
    }
    made = await rig.ask("POST", "exceptions", json=asked)
    await rig.ask("POST", f"exceptions/{made['id']}/approve", json={}, headers={"If-Match": "*"})
    await asyncio.sleep(3)
    await rig.ask("DELETE", f"exceptions/{made['id']}", headers={"If-Match": "*"})


_SINGLE: Final[dict[str, Any]] = {
    "authenticationRequirement": "singleFactorAuthentication",
    "authenticationDetails": [],
}
_ANOTHER: Final[dict[str, Any]] = {
    "userId": "99999999-0000-4000-8000-000000000009",
    "userPrincipalName": "other@partner.example",
}
_RESETS: Final = [{"kind": "reset", "at": n, "times": 2} for n in (0, 1, 100, 5_000)]
_BODIES: Final = [{"kind": "body", "body": body, "times": 2} for body in ("{}", "[]", "not JSON", "")]
MATRIX: Final = (
    FaultRow("429 with Retry-After", "5 requests in 2 s for 10 s, the wait named", _throttled()),
    FaultRow("429 without Retry-After", "5 requests in 2 s for 10 s, no header", _throttled(retryAfter=None)),
    FaultRow("429 of 200 s", "one answer with Retry-After: 200", _graph(_status(429, 1, skip=3, retryAfter=200))),
    FaultRow(
        "429 as a date",
        "three answers with Retry-After as a date 3 s ahead",
        _graph(_status(429, 3, retryAfter="date")),
    ),
    FaultRow("500", "8 answers", _graph(_status(500, 8, skip=1))),
    FaultRow("502", "8 answers", _graph(_status(502, 8, skip=1))),
    FaultRow("503", "8 answers, half with Retry-After: 1", _graph(_status(503, 4), _status(503, 4, retryAfter=1))),
    FaultRow("504", "8 answers", _graph(_status(504, 8, skip=1))),
    FaultRow("reset at byte N", "connections reset at byte 0, 1, 100 and 5,000 of the body", _graph(*_RESETS)),
    FaultRow("truncated body", "6 bodies end in the middle", _graph({"kind": "truncated", "times": 6, "skip": 1})),
    FaultRow("wrong-shaped body", "JSON that is no page, no JSON, nothing: 8 answers", _graph(*_BODIES)),
    FaultRow("repeated page", "6 pages lead to themselves once more", _graph({"kind": "repeated-page", "times": 6})),
    FaultRow("pages that go round", "pages lead to themselves for 4 s", _mid_scan({"kind": "repeated-page"})),
    FaultRow("expired skip token", "6 next pages refused", _graph({"kind": "skip-token", "times": 6})),
    FaultRow("records late", "a third of the log is served later; then read again", _late(3), says_otherwise=True),
    FaultRow("records late, nearly all", "all but every second record later", _late(2), says_otherwise=True),
    FaultRow(
        "corrected details", "every seventh record says single-factor first", _corrected(**_SINGLE), says_otherwise=True
    ),
    FaultRow(
        "one id, other content",
        "every seventh record is another user's first",
        _corrected(**_ANOTHER),
        says_otherwise=True,
    ),
    FaultRow("a log that shrinks", "a third of the log is gone, then there again", _shrunk, says_otherwise=True),
    FaultRow("consent lost", "403 for 4 s in mid-scan; asked again after 10 s, not 15 min", _mid_scan(_status(403, 1))),
    FaultRow(
        "licence lost",
        "no licence for 4 s in mid-scan; asked again after 10 s, not 15 min",
        _mid_scan({"kind": "licence"}),
    ),
    FaultRow("token lost", "401 for 4 s in mid-scan; asked again after 10 s, not 15 min", _mid_scan(_status(401, 1))),
    FaultRow("storage stopped", "the table service closes every connection for 5 s", _storage(_stop, 5)),
    FaultRow("storage frozen", "the table service says nothing for 5 s, longer than the lease", _storage(_freeze, 5)),
    FaultRow("storage slow", "0.15 s more a request for 10 s", _storage(_slow, 10)),
    FaultRow("answer lost after the write", "every ninth answer is lost for 10 s", _storage(_lose_answers, 10)),
    FaultRow(
        "messages twice and out of order", "what waits in the queues is sent again, backwards, for 8 s", _messages_twice
    ),
    FaultRow("messages poisoned", "12 messages that are none", _messages_poisoned),
    FaultRow("hosts killed", "6 kills at random moments", _killed(6, 1)),
    FaultRow("host frozen beyond its lease", "3 times, beside another", _frozen),
    FaultRow("clocks apart by a minute", "two hosts", _clocks_apart),
    FaultRow("two versions side by side", "the new one writes a column more", _two_versions),
    FaultRow("directory refresh", "every 5 s", _meanwhile(DIRECTORY_SCHEDULE="*/5 * * * * *")),
    FaultRow("export and retention", "every 5 s", _meanwhile(MAINTENANCE_SCHEDULE="*/5 * * * * *")),
    FaultRow("erase", "two people in mid-scan, then all read again", _erased, numbers_alone=True, says_otherwise=True),
    FaultRow("receivers that fail", "500, 429, closed before and after the message was taken", _receivers_fail),
    FaultRow("exception", "approved and withdrawn in mid-scan", _excepted),
)
