"""Runs timer functions when they are due."""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from local.host.protos import TypedData
from local.host.schedule import parse_schedule
from local.host.settings import StartError, resolve
from local.host.worker import Function, FunctionFailedError, Invoker

_LATE = timedelta(seconds=1)
# The clock is read again at least this often, so that a suspended machine or a changed clock does no harm.
_LONGEST_SLEEP = timedelta(seconds=30)


class Timer:
    """One timer function: its schedule, and never two runs of it at the same time."""

    def __init__(self, function: Function, invoke: Invoker, settings: Mapping[str, str]) -> None:
        """Read the schedule. Raises StartError if it is wrong or names a setting that is missing."""
        self.function = function
        self._invoke = invoke
        what = f"the schedule of function {function.name}"
        text = resolve(function.trigger.schedule, settings, what)
        try:
            self._schedule = parse_schedule(text, _now())
        except ValueError as error:
            raise StartError(f"{what} ({text!r}) is wrong: {error}.") from None
        self._running = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._last: datetime | None = None

    async def fire(self, *, past_due: bool = False) -> None:
        """Run the function now, after a run that is under way. Raises FunctionFailedError."""
        async with self._running:
            started = _now()
            info: dict[str, object] = {"IsPastDue": past_due, "Schedule": {"AdjustForDST": True}}
            if self.function.trigger.use_app:
                last = self._last or datetime.min.replace(tzinfo=UTC)
                due = self._schedule.after(started)
                info["ScheduleStatus"] = {
                    "Last": last.isoformat(),
                    "Next": due.isoformat(),
                    "LastUpdated": last.isoformat(),
                }
            self._last = started
            await self._invoke(self.function, TypedData(json=json.dumps(info)))

    async def run(self) -> None:
        """Run the function whenever it is due, until stop(). A run that fails does not end the schedule."""
        due = _now() if self.function.trigger.run_on_startup else self._schedule.after(_now())
        while await self._wait_until(due):
            started = _now()
            late = self.function.trigger.use_app and started - due > _LATE
            with contextlib.suppress(FunctionFailedError):  # the invoker has logged it
                await self.fire(past_due=late)
            # From the start of the run, as in Azure: what came due meanwhile is run once, at once.
            due = self._schedule.after(max(due, started))

    def stop(self) -> None:
        """Let run() end, after a run that is under way."""
        self._stopping.set()

    async def _wait_until(self, due: datetime) -> bool:
        """Sleep until then; False if stop() came first."""
        while (left := due - _now()) > timedelta(0) and not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, _LONGEST_SLEEP).total_seconds()):
                    await self._stopping.wait()
        return not self._stopping.is_set()


def _now() -> datetime:
    return datetime.now(UTC)
