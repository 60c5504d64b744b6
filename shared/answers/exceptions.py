"""Technical exceptions over HTTP: asked for, approved, withdrawn, listed, and made into a request to file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from typing import Annotated, Final, Literal
from uuid import uuid4

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from shared.answers.cursor import Place, from_cursor, to_cursor
from shared.answers.findings import FindingsQuery, read_findings
from shared.answers.overview import known_directory, tenant_names
from shared.assess import Verdict
from shared.compliance.coverage import coverage, measure
from shared.compliance.summary import lacking_of
from shared.counts import total
from shared.exceptions import life
from shared.exceptions.life import Line, Step, Unacceptable
from shared.exceptions.model import Covers, Papers, TechnicalException
from shared.exceptions.request_text import Example, Seen, attachments, request_text
from shared.exceptions.tend import silence_incidents
from shared.monitor import Monitor, log_event
from shared.settings import AuthMode
from shared.slices import DAY, midnight
from shared.spelling import id_key, is_key
from shared.store.exceptions import Stored, read_exception, read_exceptions, read_history, write_step
from shared.store.rollups import partner_days
from shared.store.tables import Conflict
from shared.wire import Answer, Listed, ListQuery, Page, RuleId, Versioned, shown_id

_TRIES: Final = 20
_EXAMPLES: Final = 10
_LOOK_BACK: Final = 30 * DAY

State = Literal["requested", "approved", "expired", "withdrawn"]


class UnknownException(Exception):  # noqa: N818
    """There is no such exception."""


class ChangedException(Exception):  # noqa: N818
    """Somebody changed it since the caller read it."""


def _guid(value: object) -> object:
    if value is not None and not (isinstance(value, str) and is_key(id_key(value))):
        raise ValueError("must be a GUID")
    return value


Guid = Annotated[str | None, BeforeValidator(_guid)]
Said = Annotated[str, Field(max_length=500)]
Told = Annotated[str, Field(max_length=2000)]


class _Body(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)


class Mfa(_Body):
    """The third-party MFA."""

    vendor: Said = ""
    product: Said = ""
    integration: Literal["federation", "custom-control", ""] = ""


class Documents(_Body):
    """Where the three documents are: a name, a path or an address."""

    configuration: Said = ""
    test_result: Said = ""
    purchase_order: Said = ""


class VendorConfirmation(_Body):
    """That the vendor's product cannot send the claim multipleauthn, and cannot be External MFA either."""

    by: Said = ""
    on: date | None = None
    reference: Said = ""
    cannot_send_multipleauthn: bool = False
    cannot_use_external_mfa: bool = False


class ExceptionRequest(_Body):
    """What is asked for. `user` is an object id; at least one of user, app and customer is needed, and all else but
    `ticket` and `references`; a member that is missing is named in the refusal (422)."""

    common_issue: int = Field(ge=1, le=6)
    title: Said = ""
    reason: Told = ""
    owner: Said = ""
    user: Guid = None
    app: Guid = None
    customer: Guid = None
    rules: Annotated[tuple[RuleId, ...], Field(max_length=20)] = ()
    starts_on: date | None = Field(default=None, description="The first UTC day that is accepted; up to 90 days ago.")
    expires_on: date | None = Field(default=None, description="The UTC day from which on it holds no more.")
    ticket: Said = ""
    mfa: Mfa = Mfa()
    documents: Documents = Documents()
    vendor_confirmation: VendorConfirmation = VendorConfirmation()
    references: Annotated[tuple[Said, ...], Field(max_length=20)] = ()

    def papers(self) -> Papers:
        """The evidence that is named."""
        confirmation = self.vendor_confirmation
        return Papers(
            vendor=self.mfa.vendor,
            product=self.mfa.product,
            integration=self.mfa.integration,
            configuration=self.documents.configuration,
            test_result=self.documents.test_result,
            purchase_order=self.documents.purchase_order,
            confirmed_by=confirmation.by,
            confirmed_on=f"{confirmation.on:%Y-%m-%d}" if confirmation.on else "",
            confirmation=confirmation.reference,
            others=self.references,
        )


class Approval(_Body):
    """What goes with an approval: the ticket that Partner Center gave, and a comment."""

    ticket: Said = ""
    comment: Told = ""


class ExceptionsQuery(ListQuery):
    """Which exceptions."""

    state: Listed[State] | None = None


class ExceptionItem(Versioned):
    """A technical exception. Texts are as people wrote them. null stands for any user, application, customer."""

    id: str
    title: str
    state: str
    common_issue: int
    reason: str
    owner: str
    user: str | None
    app: str | None
    customer: str | None
    rules: list[str]
    starts_on: date
    expires_on: date
    ticket: str | None
    mfa: list[str]
    documents: list[str]
    requested_at: datetime
    requested_by: str
    approved_at: datetime | None
    approved_by: str | None


class ExceptionLine(Answer):
    """A line of the history: who did what, and when."""

    at: datetime
    by: str
    action: str
    detail: str | None


class ExceptionDetail(ExceptionItem):
    """An exception with its history, the oldest line first."""

    history: list[ExceptionLine]


class ExceptionsPage(Page[ExceptionItem]):
    """Exceptions, the one asked for last first."""


class Attachment(Answer):
    """A document to attach, and where it is."""

    document: str
    reference: str


class RequestText(Answer):
    """The request for Partner Center, as Markdown, and what to attach to it."""

    markdown: str
    attachments: list[Attachment]


class _After(Place):
    at: datetime
    id: str


# --- asked, listed, read ----------------------------------------------------------------------------------------------


async def ask_exception(monitor: Monitor, asked: ExceptionRequest, *, by: str) -> ExceptionDetail:
    """Ask for one. Raises Unacceptable."""
    now = monitor.clock()
    wrong = life.why_not(
        common_issue=asked.common_issue,
        title=asked.title,
        reason=asked.reason,
        owner=asked.owner,
        named=bool(asked.user or asked.app or asked.customer),
        rules=asked.rules,
        starts_on=asked.starts_on,
        expires_on=asked.expires_on,
        papers=asked.papers(),
        claim_impossible=asked.vendor_confirmation.cannot_send_multipleauthn,
        external_impossible=asked.vendor_confirmation.cannot_use_external_mfa,
        today=now.date(),
    )
    if wrong or asked.starts_on is None or asked.expires_on is None:
        raise Unacceptable(wrong)
    made = TechnicalException(
        id=uuid4().hex,
        title=asked.title,
        reason=asked.reason,
        owner=asked.owner,
        common_issue=asked.common_issue,
        covers=Covers(id_key(asked.user), id_key(asked.customer), id_key(asked.app), frozenset(asked.rules)),
        papers=asked.papers(),
        ticket=asked.ticket,
        starts=_midnight(asked.starts_on),
        ends=_midnight(asked.expires_on),
        requested_at=now,
        requested_by=by,
    )
    step = life.requested(made)
    await write_step((await monitor.tables()).control, step, None)
    log_event("exception_requested", exception=made.id)
    return _detail(made, [step.line], now)


async def list_exceptions(monitor: Monitor, query: ExceptionsQuery) -> ExceptionsPage:
    """A page of them. Raises BadParameter for a wrong cursor."""
    question = query.question("exceptions")
    after = from_cursor(query.cursor, _After, question) if query.cursor else None
    now = monitor.clock()
    every = [stored.exception for stored in await read_exceptions((await monitor.tables()).control)]
    wanted = [e for e in every if query.state is None or e.state_at(now) in query.state]
    if after:
        wanted = [e for e in wanted if (e.requested_at, e.id) < (after.at, after.id)]
    page = wanted[: query.limit]
    last = _After(at=page[-1].requested_at, id=page[-1].id) if len(page) < len(wanted) else None
    return ExceptionsPage(items=[_item(e, now) for e in page], cursor=to_cursor(last, question) if last else None)


async def read_exception_detail(monitor: Monitor, id_: str) -> ExceptionDetail:
    """One of them with its history. Raises UnknownException."""
    stored = await _read(monitor, id_)
    lines = await read_history((await monitor.tables()).control, id_)
    return _detail(stored.exception, lines, monitor.clock())


# --- approved, withdrawn ----------------------------------------------------------------------------------------------


async def approve_exception(monitor: Monitor, id_: str, given: Approval, *, by: str, etag: str) -> ExceptionDetail:
    """Accept the risk; its incidents fall silent at once. Two people are needed where people can be told apart, which
    a function key does not. Raises UnknownException, ChangedException, NotNow, OwnRequest."""
    now = monitor.clock()
    four_eyes = monitor.settings.auth_mode is AuthMode.EASY_AUTH
    return await _change(
        monitor, id_, etag, lambda e: life.approved(e, by, given.comment, given.ticket, now, four_eyes=four_eyes)
    )


async def withdraw_exception(monitor: Monitor, id_: str, *, by: str, etag: str) -> ExceptionDetail:
    """Take it back; its incidents open again at once. Raises UnknownException, ChangedException, NotNow."""
    now = monitor.clock()
    return await _change(monitor, id_, etag, lambda e: life.withdrawn(e, by, now))


async def _change(monitor: Monitor, id_: str, etag: str, do: Callable[[TechnicalException], Step]) -> ExceptionDetail:
    tables = await monitor.tables()
    for _ in range(_TRIES):
        stored = await _read(monitor, id_)
        if etag not in ("*", _etag(stored.exception)):
            raise ChangedException(f"exception {id_} is at {_etag(stored.exception)}")
        step = do(stored.exception)
        try:
            await write_step(tables.control, step, stored.etag)
        except Conflict:
            continue
        log_event(f"exception_{step.line.action}", exception=id_)
        await silence_incidents(monitor, tables)
        return _detail(step.after, await read_history(tables.control, id_), monitor.clock())
    raise Conflict(f"exception {id_} changes all the time")


async def _read(monitor: Monitor, id_: str) -> Stored:
    if not is_key(id_):
        raise UnknownException("no such exception")
    stored = await read_exception((await monitor.tables()).control, id_)
    if stored is None:
        raise UnknownException(f"no exception {id_}")
    return stored


# --- the request ------------------------------------------------------------------------------------------------------


async def request_of(monitor: Monitor, id_: str) -> RequestText:
    """The text for Partner Center, filled from what was found in the last 30 days. Raises UnknownException."""
    exception = (await _read(monitor, id_)).exception
    now = monitor.clock()
    start = midnight(now - _LOOK_BACK)
    days = [day async for day in partner_days((await monitor.tables()).rollups, start, now)]
    counts = total(day.counts for day in days)
    by_rule: Counter[str] = Counter()
    users: Counter[str] = Counter()
    covers = exception.covers
    for day in days:
        for lacking, n in lacking_of(day):
            if covers.fits(lacking.user, lacking.customer, lacking.app, lacking.rules):
                users[lacking.user] += n
                by_rule.update(dict.fromkeys(lacking.rules, n))
    names = {**counts.names, **tenant_names(await known_directory(monitor))}
    measured = measure(monitor.settings.tenants, days, start, now, monitor.settings.slice_width)
    seen = Seen(
        since=start,
        until=now,
        sign_ins=sum(users.values()),
        by_rule=dict(sorted(by_rule.items())),
        users=users,
        names=names,
        examples=await _examples(monitor, exception, start),
        percent=coverage(measured, now).percent,
    )
    return RequestText(
        markdown=request_text(exception, seen, monitor.settings.partner_tenant_id),
        attachments=[Attachment(document=kind, reference=where) for kind, where in attachments(exception)],
    )


async def _examples(monitor: Monitor, exception: TechnicalException, start: datetime) -> list[Example]:
    """Its newest non-compliant sign-ins, as far as one call of the list finds them."""
    covers = exception.covers
    page = await read_findings(
        monitor,
        FindingsQuery.model_validate(
            {
                "from": start,
                "user": covers.user or None,
                "customer": covers.customer or None,
                "app": covers.app or None,
                "rule": tuple(sorted(covers.rules)),
                "verdict": (Verdict.NON_COMPLIANT,),
            }
        ),
    )
    return [
        Example(
            at=item.created_date_time,
            user=item.user_principal_name or item.user,
            app=item.app_display_name or item.app_id or "",
            customer=item.customer_tenant_id,
            id=item.id,
            correlation_id=item.correlation_id or "",
        )
        for item in page.items
        if covers.rules.issuperset(item.rules)
    ][:_EXAMPLES]


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
        user=shown_id(covers.user) or None,
        app=shown_id(covers.app) or None,
        customer=shown_id(covers.customer) or None,
        rules=sorted(covers.rules),
        starts_on=exception.starts.date(),
        expires_on=exception.ends.date(),
        ticket=exception.ticket or None,
        mfa=[papers.vendor, papers.product, papers.integration],
        documents=[where for _, where in attachments(exception)],
        requested_at=exception.requested_at,
        requested_by=exception.requested_by,
        approved_at=exception.approved_at if approved else None,
        approved_by=approved,
    )


def _detail(exception: TechnicalException, lines: Sequence[Line], now: datetime) -> ExceptionDetail:
    history = [ExceptionLine(at=n.at, by=n.by, action=n.action, detail=n.detail or None) for n in lines]
    return ExceptionDetail(**dict(_item(exception, now)), history=history)


def _etag(exception: TechnicalException) -> str:
    return f'"{exception.revision}"'


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
