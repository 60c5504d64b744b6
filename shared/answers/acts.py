"""The register: who had the app do what, and when."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, JsonValue

from shared.answers.period import CoveredPage, read_standing, times_of
from shared.app.app import App
from shared.ledger.register import ActKind
from shared.store.register import page_of_acts
from shared.wire.cursor import Place, from_cursor, to_cursor
from shared.wire.models import Answer, AskedTime, Listed, ListQuery

_REQUESTS = 6


class RegisterQuery(ListQuery):
    """Which acts."""

    from_: AskedTime | None = Field(default=None, alias="from", description="At or after this time.")
    to: AskedTime | None = Field(default=None, description="Before this time.")
    kind: Listed[ActKind] | None = None


class RegisterItem(Answer):
    """Something that somebody had the app do, or that its settings changed. `by` is hostile text."""

    id: str
    at: datetime
    kind: ActKind
    by: str
    detail: dict[str, JsonValue]


class RegisterPage(CoveredPage[RegisterItem]):
    """Acts, the newest first. What people did to an incident or an exception stands in its history."""


class _After(Place):
    row: str


async def read_register(app: App, query: RegisterQuery) -> RegisterPage:
    """A page of acts. Raises BadParameter for a wrong cursor."""
    question = query.question("register")
    before = from_cursor(query.cursor, _After, question).row if query.cursor else None
    table = (await app.tables()).control
    items: list[RegisterItem] = []
    more = True
    for _ in range(_REQUESTS):
        rows, more = await page_of_acts(table, before)
        for row, act in rows:
            if len(items) == query.limit:
                break
            before = row
            if (
                (query.kind is None or act.kind in query.kind)
                and (query.from_ is None or act.at >= query.from_)
                and (query.to is None or act.at < query.to)
            ):
                items.append(RegisterItem(id=act.id, at=act.at, kind=act.kind, by=act.by, detail=dict(act.detail)))
        else:
            if more:
                continue
            break
        more = True
        break
    standing = await read_standing(app, await times_of(app, query.from_, query.to))
    return RegisterPage(
        items=items,
        cursor=to_cursor(_After(row=before), question) if more and before else None,
        period=standing.period,
        coverage=standing.coverage,
    )
