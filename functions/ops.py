"""What operators do to the running app over HTTP; `python -m local ops` does the same on the tables themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final, Self

import azure.functions as func
from pydantic import Field, JsonValue, model_validator

from functions.http import Call, NoQuery, endpoint
from functions.who import Role
from shared.app.app import App
from shared.app.setting_types import Guid, UserId
from shared.ledger.register import ActKind
from shared.maintenance.erase import NoSuchPerson, StillOnRoster, erase_person
from shared.operations.pause import pause_alerts
from shared.operations.register import note_act, shown_time
from shared.operations.slices import release, replay, rescan
from shared.wire.models import Answer, BadParameter, Body, Instant

bp = func.Blueprint()  # type: ignore[no-untyped-call]

type PeriodWork = Callable[[App, str, datetime, datetime], Awaitable[int]]

_LONGEST: Final = timedelta(days=92)  # the longest lookback, and a little


class PeriodOf(Body):
    """A period of the log, from <= time < to, of one tenant or of all."""

    from_: Instant = Field(alias="from")
    to: Instant
    tenant: Guid | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if not timedelta(0) < self.to - self.from_ <= _LONGEST:
            raise ValueError("to must be after from, by 92 days at most")
        return self


class PauseUntil(Body):
    """Until when nothing is told: within a week. A time that has passed ends a pause."""

    until: Instant


class PersonToErase(Body):
    """The object id of a user. `force`: erase somebody who is on the roster too."""

    user: UserId
    force: bool = False


class SlicesDue(Answer):
    """How many slices the next plan sends."""

    slices: int


class Paused(Answer):
    """Until when nothing is told."""

    until: datetime


class ErasedRows(Answer):
    """The id that stands in the person's place, how many rows no longer name them, and how many are gone."""

    pseudonym: str
    changed: int
    removed: int


@endpoint(bp, "POST", "ops/rescan", needs=Role.OPERATOR)
async def rescan_period(call: Call[NoQuery, PeriodOf]) -> SlicesDue:
    """Have a period read again, by today's rules and directory."""
    return await _over_tenants(call, rescan, ActKind.RESCAN)


@endpoint(bp, "POST", "ops/release", needs=Role.OPERATOR)
async def release_parked(call: Call[NoQuery, PeriodOf]) -> SlicesDue:
    """Have the parked slices of a period tried again."""
    return await _over_tenants(call, release, ActKind.RELEASE)


@endpoint(bp, "POST", "ops/replay", needs=Role.OPERATOR)
async def replay_quarantine(call: Call[NoQuery, PeriodOf]) -> SlicesDue:
    """Have the slices of a period that hold quarantined records read again."""
    return await _over_tenants(call, replay, ActKind.REPLAY)


@endpoint(bp, "POST", "ops/pause", needs=Role.OPERATOR)
async def pause(call: Call[NoQuery, PauseUntil]) -> Paused:
    """Tell no channel anything until a time; findings and incidents go on."""
    try:
        until = await pause_alerts(call.app, call.body.until, call.by)
    except ValueError as wrong:
        raise BadParameter("until", str(wrong)) from None
    await note_act(call.app, ActKind.PAUSE, call.actor, until=shown_time(until))
    return Paused(until=until)


@endpoint(
    bp,
    "POST",
    "ops/erase",
    needs=Role.OPERATOR,
    errors={NoSuchPerson: (HTTPStatus.NOT_FOUND, None), StillOnRoster: (HTTPStatus.CONFLICT, None)},
)
async def erase(call: Call[NoQuery, PersonToErase]) -> ErasedRows:
    """Put a pseudonym in the place of a person in what is kept; the counts stay. 404 for an id that no row names as a
    user's, 409 while they are on the roster. Looks through every row, which may take minutes; cannot be undone."""
    erased = await erase_person(call.app, call.body.user, call.actor, force=call.body.force)
    return ErasedRows(pseudonym=erased.pseudonym, changed=erased.changed, removed=erased.removed)


async def _over_tenants(call: Call[NoQuery, PeriodOf], work: PeriodWork, kind: ActKind) -> SlicesDue:
    """Do it to each tenant that is meant, and note who had it done."""
    first, end, tenants = call.body.from_, call.body.to, _tenants(call)
    slices = sum([await work(call.app, tenant, first, end) for tenant in tenants])
    period: dict[str, JsonValue] = {"from": shown_time(first), "to": shown_time(end)}
    await note_act(call.app, kind, call.actor, **period, tenants=[*tenants], slices=slices)
    return SlicesDue(slices=slices)


def _tenants(call: Call[NoQuery, PeriodOf]) -> tuple[str, ...]:
    watched = call.app.settings.tenants
    if call.body.tenant is None:
        return watched
    if call.body.tenant not in watched:
        raise BadParameter("tenant", "is not one whose log is read")
    return (call.body.tenant,)
