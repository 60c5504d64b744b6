"""What Graph may do wrong ends in the ledger and lowers the coverage; it is never "no findings"."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from types import TracebackType
from typing import Any, Self, get_args

import pytest
from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from local.graph_server import LocalGraph
from local.graph_server.control import (
    Control,
    Fault,
    HangFault,
    LicenceFault,
    MalformedFault,
    NextLinkFault,
    Shape,
    SkipTokenFault,
    StatusFault,
    Throttling,
    TruncatedFault,
)
from shared.ledger.head import MAX_ATTEMPTS, SliceState
from shared.ledger.slices import Slice
from shared.operations.slices import release, rescan
from shared.rules.rule import PARTNER
from shared.scan.job import park_poisoned
from shared.scan.messages import SliceMessage
from shared.store.flights import read_flight
from tests.scan.canonical import raw
from tests.scan.cut_proxy import Aftermath, Cut, CutProxy, Loss
from tests.scan.harness import Rig, record, rig, slice_at, slice_of
from tests.scan.stories import EARLY, MINUTE, RICH, SEVEN, WIDTH, weak

ALL = 1000  # more requests than a test makes
HOUR = timedelta(hours=1)
OTHER = "55555555-5555-5555-5555-555555555555"

# Faults that are of one read: the attempt counts, and the slice is tried again after a while.
OF_A_READ: list[Fault] = [
    *(StatusFault(kind="status", status=status, times=ALL) for status in (500, 502, 503, 504)),
    TruncatedFault(kind="truncated", times=ALL),
    SkipTokenFault(kind="skip-token", times=ALL),
    HangFault(kind="hang", times=ALL),
    NextLinkFault(kind="next-link", url="http://127.0.0.1:9/elsewhere", times=ALL),
    NextLinkFault(kind="next-link", url="http://[no address", times=ALL),
    NextLinkFault(kind="next-link", url="", times=ALL),
]
# Faults that are of a tenant: nobody is to blame for the slice, and the whole tenant waits.
OF_A_TENANT: list[tuple[Fault, str, timedelta]] = [
    (StatusFault(kind="status", status=401, times=ALL), "does not accept the app's token", 15 * MINUTE),
    (StatusFault(kind="status", status=403, times=ALL), "AuditLog.Read.All", 15 * MINUTE),
    (LicenceFault(kind="licence", times=ALL), "no Microsoft Entra ID P1 or P2 licence", 15 * MINUTE),
    (StatusFault(kind="status", status=503, retry_after=300, times=ALL), "throttles", 5 * MINUTE),
]


def told(fault: Fault) -> str:
    return "-".join(str(value) for value in fault.model_dump(include={"kind", "status", "url"}).values())


async def recover(desk: Rig, after: timedelta) -> None:
    """Graph is well again, and that much time has passed."""
    desk.graph.control(Control(clear_faults=True))
    desk.pass_time(after)
    await desk.work()
    assert await desk.coverage() == 1
    assert "a" in await desk.findings()


# --- one read ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", OF_A_READ, ids=told)
async def test_a_read_that_fails_is_noted_covers_nothing_and_is_tried_again(
    azurite: str, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    async with rig(
        azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH, page_size=1, graph_timeout_seconds=0.5
    ) as desk:
        desk.log(weak("a", SEVEN), weak("b", SEVEN))
        desk.fail(fault)
        await desk.work()
        head = await desk.head(RICH)
        assert (head.attempts, head.settled, await desk.findings()) == (1, None, [])
        assert head.problem
        assert head.next_due is not None
        assert desk.now < head.next_due <= desk.now + HOUR
        assert [r.problem for r in await desk.reach(RICH)] == [head.problem]
        assert not any(r.is_complete(desk.now) for r in await desk.reach(RICH))
        await recover(desk, head.next_due - desk.now)
        head = await desk.head(RICH)
        assert (head.attempts, head.problem) == (0, "")


async def test_a_read_that_fails_in_the_middle_leaves_what_stood(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH, page_size=1) as desk:
        desk.log(weak("a", SEVEN), weak("b", SEVEN, appId="app-b"))
        await desk.work()
        desk.correct(record("a", SEVEN), record("b", SEVEN, appId="app-b"))
        desk.fail(StatusFault(kind="status", status=504, next_pages=True, times=ALL))
        desk.pass_time(16 * MINUTE)
        await desk.work()
        assert await desk.findings() == ["a", "b"]
        assert (await desk.counts()).scopes["customer"].verdicts == {"non-compliant": 2}
        assert len(await desk.incidents()) == 2


async def test_the_tenth_failure_parks_the_slice_until_it_is_released(desk: Rig) -> None:
    desk.log(weak("a", SEVEN))
    desk.fail(StatusFault(kind="status", status=500, times=ALL))
    for attempt in range(1, MAX_ATTEMPTS + 1):
        await desk.work()
        head = await desk.head(RICH)
        assert head.attempts == attempt
        desk.pass_time(HOUR)
    assert head.state == SliceState.PARKED
    assert [(r.parked, r.problem) for r in await desk.reach(RICH)] == [(True, head.problem)]
    desk.graph.control(Control(clear_faults=True))
    await desk.work()
    assert await desk.findings() == []
    assert await desk.coverage() < 1
    assert await release(desk.app, PARTNER, EARLY - 2 * HOUR * 24, desk.now) >= 1
    await recover(desk, timedelta(0))


# --- a whole tenant ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "sentence", "wait"), OF_A_TENANT, ids=[told(fault) for fault, _, _ in OF_A_TENANT])
async def test_a_tenant_that_may_not_be_read_waits_and_says_why(
    desk: Rig, fault: Fault, sentence: str, wait: timedelta
) -> None:
    desk.log(weak("a", SEVEN))
    desk.fail(fault)
    assert await desk.work() == 1  # it is not asked again for its other slices
    flight = await read_flight((await desk.tables()).control, PARTNER)
    assert sentence in flight.problem
    assert (flight.not_before, flight.problem_since, flight.send_id) == (desk.now + wait, desk.now, "")
    assert await desk.coverage() == 0
    assert (await desk.head(RICH)).attempts == 0
    desk.pass_time(wait - MINUTE)
    assert await desk.work() == 0
    await recover(desk, MINUTE)
    assert (await read_flight((await desk.tables()).control, PARTNER)).problem == ""


@pytest.mark.parametrize(("said", "wait"), [(600, 10 * MINUTE), (None, MINUTE)])
async def test_throttling_is_waited_out_and_never_counts(desk: Rig, said: int | None, wait: timedelta) -> None:
    desk.log(weak("a", SEVEN))
    desk.graph.control(Control(throttling=Throttling(requests=0, retry_after=said)))
    for _ in range(MAX_ATTEMPTS + 2):
        assert await desk.work() == 1
        assert (await read_flight((await desk.tables()).control, PARTNER)).not_before == desk.now + wait
        desk.pass_time(wait)
    assert (await desk.head(RICH)).attempts == 0
    desk.graph.control(Control(throttling=None))
    await recover(desk, timedelta(0))


async def test_how_long_a_problem_lasts_is_kept(desk: Rig) -> None:
    desk.fail(LicenceFault(kind="licence", times=ALL))
    await desk.work()
    began = desk.now
    desk.pass_time(HOUR)
    await desk.work()
    assert (await read_flight((await desk.tables()).control, PARTNER)).problem_since == began


class Tokens(AsyncTokenCredential):
    """Tokens of the local identity for one tenant; what `broken` raises where there is none."""

    def __init__(self, graph: LocalGraph, tenant: str, broken: Exception | None = None) -> None:
        self._graph = graph
        self._tenant = tenant
        self._broken = broken

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        if self._broken:
            raise self._broken
        token = self._graph.identity.issue(scopes[0].removesuffix("/.default"), self._tenant)
        return AccessToken(token, int(time.time()) + 3600)

    async def close(self) -> None:
        pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        pass


class NoTokens(Tokens):
    """None for OTHER."""

    def __init__(self, graph: LocalGraph, tenant: str) -> None:
        super().__init__(graph, tenant, ClientAuthenticationError("no identity") if tenant == OTHER else None)


class NoAnswer(Tokens):
    """The identity endpoint does not answer for OTHER."""

    def __init__(self, graph: LocalGraph, tenant: str) -> None:
        super().__init__(graph, tenant, ServiceRequestError("no answer") if tenant == OTHER else None)


@pytest.mark.parametrize("credential", [NoTokens, NoAnswer])
async def test_a_tenant_without_a_token_holds_up_nobody(
    azurite: str, monkeypatch: pytest.MonkeyPatch, credential: type[Tokens]
) -> None:
    async with rig(
        azurite,
        monkeypatch,
        now=EARLY,
        slice_minutes=WIDTH,
        monitored_tenant_ids=f"{OTHER},{PARTNER}",
        credential_for=credential,
    ) as desk:
        desk.log(weak("a", SEVEN))
        await desk.work()
        assert await desk.findings() == ["a"]
        assert await desk.coverage() == 0.5
        theirs = await desk.head(slice_at(RICH.start, WIDTH, OTHER))
        assert theirs.problem
        assert (await desk.head(RICH)).problem == ""


async def test_a_throttled_tenant_holds_up_nobody(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(
        azurite,
        monkeypatch,
        now=EARLY,
        slice_minutes=WIDTH,
        page_size=1,
        monitored_tenant_ids=f"{OTHER},{PARTNER}",
        credential_for=Tokens,
    ) as desk:
        desk.log(weak("a", SEVEN))
        desk.log(*(weak(f"o{i}", SEVEN + i * MINUTE) for i in range(4)), tenant=OTHER)
        desk.graph.control(Control(throttling=Throttling(requests=3, seconds=60)))
        await desk.work()
        assert await desk.findings() == ["a"]
        assert not (await desk.head(slice_at(RICH.start, WIDTH, OTHER))).whole
        desk.graph.control(Control(throttling=None))
        desk.pass_time(HOUR)
        await desk.work()
        assert sorted(await desk.findings()) == ["a", "o0", "o1", "o2", "o3"]
        assert await desk.coverage() == 1


# --- single records ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", get_args(Shape))
async def test_a_broken_record_is_quarantined_and_the_others_count(desk: Rig, shape: Shape) -> None:
    desk.log(weak("a", SEVEN), record("b", SEVEN))
    desk.fail(MalformedFault(kind="malformed", shape=shape, index=1))
    await desk.work()
    head = await desk.head(RICH)
    assert (head.records, head.quarantined, await desk.findings()) == (3, 1, ["a"])
    (row,) = [r for (_, key), r in (await raw((await desk.tables()).slices)).items() if key.startswith("quar-")]
    assert row["reason"]
    assert [(r.quarantined, r.lacks_quarantined) for r in await desk.reach(RICH)] == [(1, True)]


async def test_operators_hear_once_of_records_that_were_quarantined(
    desk: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "monitor")
    desk.log(weak("a", SEVEN), record("b", SEVEN))
    desk.fail(MalformedFault(kind="malformed", index=1))
    await desk.work()
    await rescan(desk.app, PARTNER, RICH.start, RICH.end)
    desk.fail(MalformedFault(kind="malformed", index=1))
    await desk.work()
    events = [json.loads(line.message) for line in caplog.records if line.name == "monitor"]
    told = [event for event in events if event["event"] == "records_quarantined"]
    assert told == [{"event": "records_quarantined", "slice": RICH.id, "records": 1}]


# What garbage may hold that can be read as a record: each has broken a scan or could.
GARBAGE: dict[str, dict[str, object]] = {
    "a huge error code": {"clientAppUsed": "IMAP4", "status": {"errorCode": 10**30}},
    "a name that fills a page": {"userPrincipalName": "n" * 2_000_000, "userDisplayName": "\u4e2d" * 500_000},
    "an id of odd characters": {"id": "/\\#?% \u0000\u007f'\"" * 20},
    "an application without end": {"appId": "f" * 200_000, "appDisplayName": "\x00\n<script>"},
    "a session of odd characters": {"sessionId": "~/#?" * 300},
}


@pytest.mark.parametrize("members", GARBAGE.values(), ids=GARBAGE)
async def test_garbage_that_can_be_read_is_counted(desk: Rig, members: dict[str, object]) -> None:
    desk.log(weak("a", SEVEN))
    desk.fail(MalformedFault(kind="malformed", record={**weak("b", SEVEN), **members}))
    await desk.work()
    head = await desk.head(RICH)
    assert (head.records, head.quarantined, len(await desk.findings())) == (2, 0, 2)
    assert await desk.coverage() == 1


async def test_broken_records_of_any_size_are_kept(desk: Rig) -> None:
    noise = "".join(f"{(i * 2654435761) % 2**32:08x}" for i in range(150_000))  # squeezes to half at best
    huge = [record(f"b{i}", SEVEN, isInteractive="perhaps", noise=noise[i * 1000 :]) for i in range(6)]
    desk.log(*huge, weak("a", SEVEN))
    await desk.work()
    head = await desk.head(RICH)
    assert (head.records, head.quarantined, await desk.findings()) == (7, 6, ["a"])
    rows = await raw((await desk.tables()).slices)
    assert {row["cut"] for (_, key), row in rows.items() if key.startswith("quar-")} == {True}


# --- crashes ----------------------------------------------------------------------------------------------------------


async def test_a_slice_that_kills_its_workers_is_parked(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH) as desk,
        CutProxy(azurite) as proxy,
    ):
        desk.log(weak("a", SEVEN))
        victim = desk.worker(proxy.connection, retries=0)
        await victim.directory()
        messages = await desk.plan()
        proxy.begin()
        before = await desk.copy()
        await desk.deliver(messages[:1], victim)
        claimed = proxy.writes[0]
        await desk.restore(before)
        for _ in range(MAX_ATTEMPTS):
            proxy.begin(Cut(claimed, Loss.ANSWER, Aftermath.CRASH))
            with pytest.raises(ServiceRequestError):
                await desk.deliver(messages, victim)
            desk.pass_time(desk.app.lease + HOUR)  # with its longest back-off
            while slice_of((messages := await desk.plan())[0]) != RICH:
                others = SliceMessage.model_validate_json(messages[0]).model_copy(update={"then": []})
                await desk.deliver([others.model_dump_json(by_alias=True)])  # the others are read meanwhile
        await desk.deliver(messages)
        assert (await desk.head(RICH)).state == SliceState.PARKED
        assert [r.parked for r in await desk.reach(RICH)] == [True]


async def test_poison_parks_its_own_slice_alone(desk: Rig) -> None:
    desk.log(weak("a", SEVEN))
    (stale,) = await desk.plan()
    desk.pass_time(desk.app.lease)
    (message,) = await desk.plan()
    await park_poisoned(desk.app, stale)
    assert await desk.heads(RICH.start) == []
    await park_poisoned(desk.app, message)
    head = await desk.head(RICH)
    assert (head.state, head.problem) == (SliceState.PARKED, "Parked. Its workers crashed too often.")
    assert (await read_flight((await desk.tables()).control, PARTNER)).send_id == ""
    await desk.work()
    assert await desk.findings() == []
    assert await release(desk.app, PARTNER, RICH.start, RICH.end) == 1
    await desk.work()
    assert await desk.findings() == ["a"]


async def test_a_stale_message_does_nothing(desk: Rig) -> None:
    (stale,) = await desk.plan()
    desk.pass_time(desk.app.lease)
    await desk.plan()
    before = await desk.copy()
    await desk.deliver([stale])
    assert await desk.copy() == before


async def test_a_message_that_names_a_slice_in_other_hands_goes_on_with_the_next(desk: Rig) -> None:
    slices: list[Slice] = []
    (message,) = await desk.plan()
    asked = SliceMessage.model_validate_json(message)
    slices += [asked.slice, *asked.rest()]
    await desk.deliver([message])
    assert desk.reads == slices
