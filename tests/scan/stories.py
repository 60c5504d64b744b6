"""Logs that reach every kind of row, and moments of their scan, for tests that disturb it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.app.app import App
from shared.ledger.slices import Slice
from shared.rules.rule import AT_HOME, NON_INTERACTIVE, PASSWORD_ONLY, SILENT
from shared.scan.job import scan_slice
from shared.scan.plan import plan_scans
from tests.scan.harness import Rig, record, slice_at, slice_of

# Two slices of eight hours: one that holds every kind of record, and one whose child goes by a root in the first.
WIDTH = 480  # minutes
RICH = slice_at(datetime(2026, 11, 2, tzinfo=UTC), WIDTH)
CHILD = slice_at(RICH.end, WIDTH)
EARLY = RICH.end + timedelta(minutes=5)  # the first has closed and nothing of it is settled
LATE = CHILD.end + timedelta(minutes=10)
SEVEN = RICH.end - timedelta(hours=1)
MINUTE = timedelta(minutes=1)
LATER = 5 * MINUTE
# What makes a record unreadable wherever it is served: a member of the wrong type.
BROKEN = {"isInteractive": "perhaps"}


def silent(record_id: str, at: datetime, session: str, **members: object) -> dict[str, Any]:
    """A refresh that says nothing of MFA itself."""
    return record(record_id, at, **{**SILENT, **NON_INTERACTIVE, "sessionId": session, **members})


def weak(record_id: str, at: datetime, **members: object) -> dict[str, Any]:
    """An interactive sign-in with a password alone."""
    return record(record_id, at, **{**PASSWORD_ONLY, **members})


def full_log(rig: Rig) -> None:
    """Findings of several incidents, records that cannot be read, roots, and who goes by them."""
    rig.log(
        silent("child", CHILD.start + MINUTE, "session-a", appId="app-e"),
        silent("child-of-proven", CHILD.start + 2 * MINUTE, "session-b"),
        weak("weak", SEVEN, appId="app-a", sessionId="session-a"),
        weak("weak-again", SEVEN + MINUTE, appId="app-a"),
        weak("other-app", SEVEN + 2 * MINUTE, appId="app-b"),
        record("legacy", SEVEN + 3 * MINUTE, clientAppUsed="IMAP4", appId="app-c"),
        record("proven", SEVEN + 4 * MINUTE, sessionId="session-b"),
        silent("near-child", SEVEN + 5 * MINUTE, "session-b"),
        silent("orphan", SEVEN + 6 * MINUTE, "session-none"),
        record("broken", SEVEN + 7 * MINUTE, **BROKEN),
        record("broken-too", SEVEN + 8 * MINUTE, **BROKEN),
    )


def corrected_log(rig: Rig, at: datetime | None = None) -> None:
    """What arrives late: details that withdraw findings, raise one, change a root, move one to another scope; records
    more, and one mended."""
    rig.correct(
        record("weak-again", SEVEN + MINUTE, appId="app-a"),
        record("other-app", SEVEN + 2 * MINUTE, appId="app-b"),
        weak("legacy", SEVEN + 3 * MINUTE, clientAppUsed="IMAP4", appId="app-c", authenticationProtocol="ropc"),
        weak("proven", SEVEN + 4 * MINUTE, sessionId="session-b"),
        silent("orphan", SEVEN + 6 * MINUTE, "session-none", **AT_HOME),
        record("broken", SEVEN + 7 * MINUTE),
        at=at,
    )
    rig.log(
        weak("late", SEVEN + 10 * MINUTE, appId="app-d"),
        record("late-broken", SEVEN + 11 * MINUTE, **BROKEN),
        at=at,
    )


@dataclass(frozen=True, slots=True)
class Story:
    """A moment to disturb: `prepare` leads up to it, `act` is what is disturbed, given what `prepare` gave."""

    name: str
    prepare: Callable[[Rig], Awaitable[list[str]]]
    act: Callable[[App, list[str]], Awaitable[list[str]]]
    page_size: int = 1000
    pages_per_slice: int = 50


async def _scan(app: App, messages: list[str]) -> list[str]:
    return [following for body in messages for following in await scan_slice(app, body)]


async def _plan(app: App, _: list[str]) -> list[str]:
    return await plan_scans(app)


async def _until(rig: Rig, slice_: Slice) -> list[str]:
    """Work until that slice is the next; gives the message that names it."""
    while messages := await plan_scans(rig.app):
        while messages:
            if slice_of(messages[0]) == slice_:
                return messages
            messages = await _scan(rig.app, messages)
    raise AssertionError(f"{slice_.id} was never due")


async def _first_read(rig: Rig) -> list[str]:
    """The child's slice was read before that of its root, as newest first has it."""
    rig.set_time(EARLY)
    full_log(rig)
    rig.set_time(LATE)
    return await _until(rig, RICH)


async def _outdated_read(rig: Rig) -> list[str]:
    """A first read while the log is about to change: whoever comes later sees another one."""
    rig.set_time(EARLY)
    full_log(rig)
    rig.set_time(LATE)
    corrected_log(rig, at=LATE + LATER)
    return await _until(rig, RICH)


async def _second_read(rig: Rig) -> list[str]:
    """All was read; then the log changed. The findings are told of by the read that follows."""
    rig.set_time(EARLY)
    full_log(rig)
    await rig.work()
    corrected_log(rig)
    rig.set_time(LATE)
    return await _until(rig, RICH)


async def _split(rig: Rig) -> list[str]:
    """A slice that was read whole, with findings, and has grown too long since."""
    rig.set_time(EARLY)
    full_log(rig)
    await rig.work()
    corrected_log(rig)
    rig.log(*(weak(f"more-{i}", RICH.start + i * MINUTE, appId=f"app-{i % 2}") for i in range(6)))
    rig.set_time(LATE)
    return await _until(rig, RICH)


async def _to_plan(rig: Rig) -> list[str]:
    """Something is due, and roll-ups are not of the heads that stand."""
    await _second_read(rig)
    rollups = (await rig.tables()).rollups
    for key in [(row["PartitionKey"], row["RowKey"]) async for row in rollups.everything()]:
        await rollups.write(("delete", {"PartitionKey": key[0], "RowKey": key[1]}))
    rig.pass_time(rig.app.lease)  # nobody came for the message
    return []


FIRST_READ = Story("first read", _first_read, _scan)
OUTDATED_READ = Story("outdated read", _outdated_read, _scan)
SECOND_READ = Story("second read", _second_read, _scan)
SPLIT = Story("split", _split, _scan, page_size=8, pages_per_slice=2)
PLAN = Story("plan", _to_plan, _plan)
STORIES = (FIRST_READ, SECOND_READ, SPLIT, PLAN)
