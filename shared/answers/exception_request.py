"""The request for an exception at Partner Center, filled from what the log shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from shared.answers.directories import tenant_names
from shared.answers.exception_hits import LOOK_BACK, read_hits
from shared.answers.exception_models import (
    Attachment,
    RequestText,
)
from shared.answers.exceptions import find_exception
from shared.answers.findings import FindingsQuery, read_findings
from shared.app.app import App
from shared.compliance.coverage import Window, coverage, measure
from shared.exceptions.model import TechnicalException
from shared.exceptions.request_text import Example, SignInsSeen, attachments, request_text
from shared.ledger.days import Day
from shared.ledger.slices import midnight
from shared.store.days import partner_days

_EXAMPLES: Final = 10


async def request_of(app: App, id_: str) -> RequestText:
    """The text for Partner Center, filled from what was found in the last 30 days. Raises UnknownException."""
    exception = (await find_exception(app, id_)).exception
    now = app.clock()
    start = midnight(now - LOOK_BACK)
    rollups = (await app.tables()).rollups
    days = [day async for day in partner_days(rollups, start, now)]
    hits = await read_hits(rollups, exception.covers, now)
    names = {**_names_in(days), **tenant_names(await app.known_directory())}
    measured = measure(app.settings.tenants, days, Window(start, now, now, app.settings.slice_width))
    seen = SignInsSeen(
        since=start,
        until=now,
        sign_ins=hits.users.total(),
        covered=hits.covered,
        by_rule=dict(sorted(hits.by_rule.items())),
        beside=dict(sorted(hits.beside.items())),
        users=hits.users,
        names=names,
        examples=await _examples(app, exception, start),
        percent=coverage(measured).percent,
    )
    return RequestText(
        markdown=request_text(exception, seen, app.settings.partner_tenant_id),
        attachments=[Attachment(document=kind, reference=where) for kind, where in attachments(exception)],
    )


def _names_in(days: Sequence[Day]) -> dict[str, str]:
    return {key: top.name for day in days for tops in (day.tops.users, day.tops.apps) for key, top in tops.items()}


async def _examples(app: App, exception: TechnicalException, start: datetime) -> list[Example]:
    """Its newest sign-ins that break its rules, whatever their verdict, as far as one call of the list finds them."""
    covers = exception.covers
    page = await read_findings(
        app,
        FindingsQuery.model_validate(
            {
                "from": start,
                "user": covers.user or None,
                "customer": covers.customer or None,
                "app": covers.app or None,
                "rule": tuple(sorted(covers.rules)),
            }
        ),
    )
    return [
        Example(
            at=item.signed_in_at,
            user=item.user_principal_name or item.user_id,
            app=item.app_name or item.app_id or "",
            customer=item.customer_id,
            id=item.id,
            correlation_id=item.correlation_id or "",
        )
        for item in page.items[:_EXAMPLES]
    ]
