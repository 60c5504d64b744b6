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
from shared.operations.slices import accept, release, replay, rescan
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


class QuarantineToAccept(PeriodOf):
    """A period whose quarantined records are accepted, and why: the reason is kept in the register."""

    reason: str = Field(min_length=3, max_length=1000)


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


class AcceptedQuarantine(Answer):
    """How many slices and records were accepted, and how many slices were left out because they are being read."""

    slices: int
    records: int
    busy: int


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


@endpoint(bp, "POST", "ops/accept-quarantine", needs=Role.OPERATOR)
async def accept_quarantined(call: Call[NoQuery, QuarantineToAccept]) -> AcceptedQuarantine:
    """Accept that the quarantined records of a period cannot be read. Its slices count as complete then, and every
    coverage goes on to show the records as acceptedQuarantine; what is quarantined later is not accepted with them."""
    body = call.body
    done = [await accept(call.app, tenant, body.from_, body.to) for tenant in _tenants(call.app, body)]
    counts = {name: sum(getattr(one, name) for one in done) for name in ("slices", "records", "busy")}
    period: dict[str, JsonValue] = {"from": shown_time(body.from_), "to": shown_time(body.to)}
    await note_act(call.app, ActKind.ACCEPT_QUARANTINE, call.actor, **period, reason=body.reason, **counts)
    return AcceptedQuarantine(**counts)


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
    first, end, tenants = call.body.from_, call.body.to, _tenants(call.app, call.body)
    slices = sum([await work(call.app, tenant, first, end) for tenant in tenants])
    period: dict[str, JsonValue] = {"from": shown_time(first), "to": shown_time(end)}
    await note_act(call.app, kind, call.actor, **period, tenants=[*tenants], slices=slices)
    return SlicesDue(slices=slices)


def _tenants(app: App, period: PeriodOf) -> tuple[str, ...]:
    watched = app.settings.tenants
    if period.tenant is None:
        return watched
    if period.tenant not in watched:
        raise BadParameter("tenant", "is not one whose log is read")
    return (period.tenant,)
