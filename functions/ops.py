"""What operators do to the running app over HTTP; `python -m local ops` does the same on the tables themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final, Self

from pydantic import Field, JsonValue, model_validator

from functions.blueprint import Blueprint
from functions.http import Call, NoQuery, Sends, Ways, endpoint
from functions.who import Role
from shared.app.app import App
from shared.app.setting_types import TenantId, UserId
from shared.basics.queues import Queue
from shared.ledger.register import ActKind
from shared.ledger.slices import RETENTION_MARGIN
from shared.maintenance.erase import NoSuchPerson, StillOnRoster, erase_person
from shared.operations.pause import pause_alerts
from shared.operations.register import note_act, shown_time
from shared.operations.slices import accept, release, replay, rescan
from shared.scan.dry_run import Fate
from shared.scan.dry_run_job import LONGEST, DryRun, UnknownDryRun, read_dry_run, start_dry_run
from shared.wire.models import Answer, AskedTime, BadParameter, Body

bp = Blueprint()

type PeriodWork = Callable[[App, str, datetime, datetime], Awaitable[int]]

_USUAL_PERIOD: Final = timedelta(days=31)
_LONGEST_PERIOD: Final = timedelta(days=92)  # the longest lookback, and a little


class PeriodOf(Body):
    """A period of the log, from <= time < to, of one tenant or of all."""

    from_: AskedTime = Field(alias="from")
    to: AskedTime
    tenant: TenantId | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if not timedelta(0) < self.to - self.from_ <= _LONGEST_PERIOD:
            raise ValueError("to must be after from, by 92 days at most")
        return self


class PeriodToRelease(Body):
    """A period whose parked slices are released, of one tenant or of all; without one the last 31 days."""

    from_: AskedTime | None = Field(default=None, alias="from")
    to: AskedTime | None = None
    tenant: TenantId | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.from_ is not None and self.to is not None:
            PeriodOf(from_=self.from_, to=self.to)
        return self

    def period(self, now: datetime) -> PeriodOf:
        """The one that is meant. Raises BadParameter where half of it is named."""
        if (self.from_ is None) != (self.to is None):
            raise BadParameter("from" if self.from_ is None else "to", "is needed: from and to go together")
        return PeriodOf(from_=self.from_ or now - _USUAL_PERIOD, to=self.to or now, tenant=self.tenant)


class QuarantineToAccept(PeriodOf):
    """A period whose quarantined records are accepted, and why: the reason is kept in the register."""

    reason: str = Field(min_length=3, max_length=1000)


class PeriodToRescan(PeriodOf):
    """A period to read again; with dryRun only to see what that would change, a day at most."""

    dry_run: bool = False

    @model_validator(mode="after")
    def _is_short_enough(self) -> Self:
        if self.dry_run and self.to - self.from_ > LONGEST:
            raise ValueError("a dry run is of a day at most: ask for one day after the other")
        return self


class RescanBegun(Answer):
    """How many slices are read, and the id of a dry run."""

    slices: int
    dry_run: str | None


class FindingForecast(Answer):
    """A finding that would come, go or change, with the rules it breaks now and would break."""

    fate: str
    id: str
    user_name: str
    rules_now: list[str]
    rules_then: list[str]


class DryRunAnswer(Answer):
    """What a rescan would change, as far as it was worked out: whole when slicesLeft is 0."""

    id: str
    from_: datetime = Field(alias="from")
    to: datetime
    slices: int
    slices_left: int
    failed: int
    problem: str | None
    findings: dict[str, int]
    examples: list[FindingForecast]
    incidents: dict[str, list[str]]
    evidence: dict[str, int]


def dry_run_answer(run: DryRun) -> DryRunAnswer:
    """A dry run as it is shown."""
    found, incidents = run.found, run.incidents
    examples = [
        FindingForecast(fate=e.fate, id=e.id, user_name=e.user_name, rules_now=[*e.before], rules_then=[*e.after])
        for e in found.examples
    ]
    return DryRunAnswer(
        id=run.id,
        from_=run.start,
        to=run.end,
        slices=found.slices,
        slices_left=len(run.left),
        failed=run.failed,
        problem=run.problem or None,
        findings={fate.value: found.findings.get(fate, 0) for fate in Fate},
        examples=examples,
        incidents={"comes": [*incidents.come], "goes": [*incidents.go], "changes": [*incidents.change]},
        evidence=found.evidence,
    )


class PauseUntil(Body):
    """Until when nothing is told: within a week. A time that has passed ends a pause."""

    until: AskedTime


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


@endpoint(bp, "POST", "ops/rescan", needs=Role.OPERATOR, ways=Ways(queue=Queue.SCAN, sometimes=HTTPStatus.ACCEPTED))
async def rescan_period(call: Call[NoQuery, PeriodToRescan]) -> Sends[RescanBegun]:
    """Have a period read again, by today's rules and directory. With dryRun nothing is changed: the answer (202) names
    the dry run, of a day at most, and ops/rescan/{id} tells what a rescan would change."""
    body = call.body
    if body.dry_run:
        tenants = _tenants(call.app, body)
        run, message = await start_dry_run(call.app, tenants, body.from_, body.to)
        await note_act(call.app, ActKind.RESCAN, call.actor, **_shown(body), tenants=[*tenants], dryRun=run.id)
        return Sends(RescanBegun(slices=len(run.left), dry_run=run.id), [message], HTTPStatus.ACCEPTED)
    oldest = call.app.clock() - call.app.retention + RETENTION_MARGIN
    if body.to <= oldest:
        raise BadParameter("to", f"lies before what the log surely holds, which reaches back to {shown_time(oldest)}")
    due = await _over_tenants(call, rescan, ActKind.RESCAN)
    return Sends(RescanBegun(slices=due.slices, dry_run=None), [])


@endpoint(
    bp,
    "GET",
    "ops/rescan/{id}",
    needs=Role.OPERATOR,
    errors={UnknownDryRun: (HTTPStatus.NOT_FOUND, "There is no such dry run.")},
)
async def dry_run(call: Call[NoQuery]) -> DryRunAnswer:
    """What a rescan would change, as far as the dry run got: findings and incidents that would come, go or change, with
    examples, and the difference of the counts by evidence."""
    return dry_run_answer(await read_dry_run(call.app, call.path["id"]))


@endpoint(bp, "POST", "ops/release", needs=Role.OPERATOR)
async def release_parked(call: Call[NoQuery, PeriodToRelease]) -> SlicesDue:
    """Have the parked slices of a period tried again; of the last 31 days where none is named."""
    period = call.body.period(call.app.clock())
    return await _over_tenants(Call(call.app, call.caller, call.query, period, call.path), release, ActKind.RELEASE)


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
    await note_act(call.app, ActKind.ACCEPT_QUARANTINE, call.actor, **_shown(body), reason=body.reason, **counts)
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


async def _over_tenants[P: PeriodOf](call: Call[NoQuery, P], work: PeriodWork, kind: ActKind) -> SlicesDue:
    """Do it to each tenant that is meant, and note who had it done."""
    first, end, tenants = call.body.from_, call.body.to, _tenants(call.app, call.body)
    slices = sum([await work(call.app, tenant, first, end) for tenant in tenants])
    await note_act(call.app, kind, call.actor, **_shown(call.body), tenants=[*tenants], slices=slices)
    return SlicesDue(slices=slices)


def _shown(period: PeriodOf) -> dict[str, JsonValue]:
    """A period as an entry of the register holds it."""
    return {"from": shown_time(period.from_), "to": shown_time(period.to)}


def _tenants(app: App, period: PeriodOf) -> tuple[str, ...]:
    watched = app.settings.tenants
    if period.tenant is None:
        return watched
    if period.tenant not in watched:
        raise BadParameter("tenant", "is not one whose log is read")
    return (period.tenant,)
