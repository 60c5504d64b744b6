"""The register: who had the app do what, and when."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Final

from pydantic import Field, JsonValue

from shared.answers.period import CoveredPage, read_standing, times_of
from shared.app.app import App
from shared.ledger.register import Act, ActKind
from shared.store.register import page_of_acts
from shared.wire.cursor import Place, from_cursor, to_cursor
from shared.wire.filling import filled
from shared.wire.models import Answer, AskedTime, Listed, ListQuery

_REQUESTS: Final = 6  # one call makes at most ten, some for what the period is (docs/architecture.md)


class RegisterQuery(ListQuery):
    """Which acts."""

    from_: AskedTime | None = Field(default=None, alias="from", description="At or after this time.")
    to: AskedTime | None = Field(default=None, description="Before this time.")
    kind: Listed[ActKind] | None = None

    def fits(self, act: Act) -> bool:
        """Whether an act is asked for."""
        return (
            (self.kind is None or act.kind in self.kind)
            and (self.from_ is None or act.at >= self.from_)
            and (self.to is None or act.at < self.to)
        )


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
    page_behind = partial(page_of_acts, (await app.tables()).control)
    acts, last = await filled(page_behind, before, fits=query.fits, limit=query.limit, requests=_REQUESTS)
    standing = await read_standing(app, await times_of(app, query.from_, query.to))
    return RegisterPage(
        items=[register_item(act) for act in acts],
        cursor=to_cursor(_After(row=last), question) if last else None,
        period=standing.period,
        coverage=standing.coverage,
    )


def register_item(act: Act) -> RegisterItem:
    """An act as the register shows it."""
    return RegisterItem(id=act.id, at=act.at, kind=act.kind, by=act.by, detail=dict(act.detail))
