"""Technical exceptions over HTTP: asked for, approved, withdrawn, listed, and made into a request to file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from uuid import uuid4

from shared.answers.exception_hits import read_hits
from shared.answers.exception_models import (
    Approval,
    ExceptionDetail,
    ExceptionItem,
    ExceptionLine,
    ExceptionRequest,
    ExceptionsPage,
    ExceptionsQuery,
    NamedConfirmation,
    NamedDocuments,
    NamedMfa,
)
from shared.answers.period import read_standing, times_of
from shared.app.app import App
from shared.basics.events import log_event
from shared.basics.spelling import id_key, is_key
from shared.exceptions import life
from shared.exceptions.life import Approver, ExceptionStep, Unacceptable
from shared.exceptions.model import Covers, TechnicalException
from shared.incidents.history import Line
from shared.store.exceptions import Stored, read_exception, read_exceptions, read_history, write_step
from shared.store.swap import until_settled
from shared.tending.exceptions import silence_incidents
from shared.wire.cursor import Place, PlaceTime, from_cursor, to_cursor
from shared.wire.models import shown_id


class UnknownException(Exception):  # noqa: N818
    """There is no such exception."""


class ChangedException(Exception):  # noqa: N818
    """Somebody changed it since the caller read it."""


class _After(Place):
    at: PlaceTime
    id: str


# --- asked, listed, read ----------------------------------------------------------------------------------------------


async def ask_exception(app: App, asked: ExceptionRequest, *, by: str, by_id: str) -> ExceptionDetail:
    """Ask for one. `by_id` is who asks (tenant and object id), "" where the app cannot know. Raises Unacceptable."""
    now = app.clock()
    wrong = life.why_not(asked.asked(), now.date())
    if wrong or asked.starts_on is None or asked.expires_on is None:
        raise Unacceptable(wrong)
    made = TechnicalException(
        id=uuid4().hex,
        title=asked.title,
        reason=asked.reason,
        owner=asked.owner,
        common_issue=asked.common_issue,
        covers=Covers(id_key(asked.user_id), id_key(asked.customer_id), id_key(asked.app_id), frozenset(asked.rules)),
        papers=asked.papers(),
        ticket=asked.ticket,
        starts=_midnight(asked.starts_on),
        ends=_midnight(asked.expires_on),
        requested_at=now,
        requested_by=by,
        requested_by_id=by_id,
    )
    step = life.requested(made)
    await write_step((await app.tables()).control, step, None)
    log_event("exception_requested", exception=made.id)
    return await _detail(app, made, [step.line])


async def list_exceptions(app: App, query: ExceptionsQuery) -> ExceptionsPage:
    """A page of them. Raises BadParameter for a wrong cursor."""
    question = query.question("exceptions")
    after = from_cursor(query.cursor, _After, question) if query.cursor else None
    now = app.clock()
    every = [stored.exception for stored in await read_exceptions((await app.tables()).control)]
    every = [e for e in every if query.state is None or e.state_at(now) in query.state]
    wanted = every
    if after:
        wanted = [e for e in every if (e.requested_at, e.id) < (after.at, after.id)]
    page = wanted[: query.limit]
    last = _After(at=page[-1].requested_at, id=page[-1].id) if len(page) < len(wanted) else None
    standing = await read_standing(app, await times_of(app, None, None))
    return ExceptionsPage(
        items=[_item(e, now) for e in page],
        cursor=to_cursor(last, question) if last else None,
        total=len(every),
        period=standing.period,
        coverage=standing.coverage,
    )


async def exceptions_changed_since(app: App, since: datetime) -> list[ExceptionItem]:
    """Those asked for, approved, withdrawn or over since a time: one request."""
    now = app.clock()
    every = [stored.exception for stored in await read_exceptions((await app.tables()).control)]
    return [_item(e, now) for e in every if any(at is not None and since <= at <= now for at in _times(e))]


def _times(exception: TechnicalException) -> tuple[datetime | None, ...]:
    return exception.requested_at, exception.approved_at, exception.withdrawn_at, exception.ends


async def read_exception_detail(app: App, id_: str) -> ExceptionDetail:
    """One of them with its history. Raises UnknownException."""
    stored = await find_exception(app, id_)
    lines = await read_history((await app.tables()).control, id_)
    return await _detail(app, stored.exception, lines)


# --- approved, withdrawn ----------------------------------------------------------------------------------------------


async def approve_exception(app: App, id_: str, given: Approval, *, by: Approver, etag: str) -> ExceptionDetail:
    """Accept the risk; its incidents fall silent at once. Raises UnknownException, ChangedException, NotNow,
    NoSecondPerson."""
    now = app.clock()
    return await _change(app, id_, etag, lambda e: life.approved(e, by, given.comment, given.ticket, now))


async def withdraw_exception(app: App, id_: str, *, by: str, etag: str) -> ExceptionDetail:
    """Take it back; its incidents open again at once. Raises UnknownException, ChangedException, NotNow."""
    now = app.clock()
    return await _change(app, id_, etag, lambda e: life.withdrawn(e, by, now))


async def _change(app: App, id_: str, etag: str, do: Callable[[TechnicalException], ExceptionStep]) -> ExceptionDetail:
    tables = await app.tables()

    async def attempt() -> ExceptionStep:
        stored = await find_exception(app, id_)
        if etag not in ("*", _etag(stored.exception)):
            raise ChangedException(f"exception {id_} is at {_etag(stored.exception)}")
        step = do(stored.exception)
        await write_step(tables.control, step, stored.etag)
        return step

    step = await until_settled(f"exception {id_}", attempt)
    log_event(f"exception_{step.line.action}", exception=id_)
    await silence_incidents(app, tables)
    return await _detail(app, step.after, await read_history(tables.control, id_))


async def find_exception(app: App, id_: str) -> Stored:
    """One of them as stored. Raises UnknownException."""
    if not is_key(id_):
        raise UnknownException("no such exception")
    stored = await read_exception((await app.tables()).control, id_)
    if stored is None:
        raise UnknownException(f"no exception {id_}")
    return stored


# --- how they are shown -----------------------------------------------------------------------------------------------


def _item(exception: TechnicalException, now: datetime) -> ExceptionItem:
    covers, papers = exception.covers, exception.papers
    approved = exception.approved_by or None
    return ExceptionItem(
        etag=_etag(exception),
        id=exception.id,
        title=exception.title,
        state=exception.state_at(now),
        common_issue=exception.common_issue,
        reason=exception.reason,
        owner=exception.owner,
        user_id=shown_id(covers.user) or None,
        app_id=shown_id(covers.app) or None,
        customer_id=shown_id(covers.customer) or None,
        rules=sorted(covers.rules),
        starts_on=exception.starts.date(),
        expires_on=exception.ends.date(),
        ticket=exception.ticket or None,
        mfa=NamedMfa(vendor=papers.vendor, product=papers.product, integration=papers.integration),
        documents=NamedDocuments(
            configuration=papers.configuration, test_result=papers.test_result, purchase_order=papers.purchase_order
        ),
        vendor_confirmation=NamedConfirmation(
            by=papers.confirmed_by,
            on=date.fromisoformat(papers.confirmed_on) if papers.confirmed_on else None,
            reference=papers.confirmation,
        ),
        references=[*papers.others],
        requested_at=exception.requested_at,
        requested_by=exception.requested_by,
        approved_at=exception.approved_at,
        approved_by=approved,
    )


async def _detail(app: App, exception: TechnicalException, lines: Sequence[Line]) -> ExceptionDetail:
    now = app.clock()
    hits = await read_hits((await app.tables()).rollups, exception.covers, now)
    return ExceptionDetail(
        **dict(_item(exception, now)),
        sign_ins=hits.users.total(),
        rules_beside=hits.rules_beside,
        history=[ExceptionLine(at=n.at, by=n.by, action=n.action, detail=n.detail or None) for n in lines],
    )


def _etag(exception: TechnicalException) -> str:
    return f'"{exception.revision}"'


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
