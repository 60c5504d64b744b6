"""The token check as a form, of which nothing is kept, and what the last preflight found."""

from __future__ import annotations

import json
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from shared.page.asked import Visit
from shared.page.frame import show
from shared.page.states import state_of
from shared.preflight.model import Check, CheckKind, CheckState, Preflight, kept_preflight
from shared.tokens import TokenCheck, TokenError, check_request, read_request

# What people call each kind of check.
_KINDS: Final = {
    CheckKind.PERMISSION: "Permissions",
    CheckKind.LICENCE: "Licences",
    CheckKind.QUEUE: "Queues",
    CheckKind.WEBHOOK: "Channels",
}


class TokenForm(BaseModel):
    """What the form of the token check sends. Nothing of it is stored, logged or shown again."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=60_000)
    audience: str = Field(default="", max_length=1000)


async def token_page(visit: Visit) -> str:
    """The form."""
    return await show("token.html", visit, answer=None, problem=None)


async def check_token(visit: Visit, form: TokenForm) -> str:
    """What the token is, and whether Partner Center would let it in."""
    answer: TokenCheck | None = None
    problem: str | None = None
    body = {"token": form.token.strip()} | ({"expectAudience": form.audience.strip()} if form.audience.strip() else {})
    try:
        answer = await check_request(
            read_request(json.dumps(body).encode()),
            now=visit.now,
            partner_tenant_id=visit.app.settings.partner_tenant_id,
        )
    except TokenError as error:
        problem = str(error)
    return await show("token.html", visit, answer=answer, problem=problem)


async def setup_page(visit: Visit) -> str:
    """What is missing, which command grants it, and whether alerts can go out."""
    app = visit.app
    preflight = await kept_preflight((await app.tables()).control)
    return await show(
        "setup.html",
        visit,
        state=await state_of(app),
        preflight=preflight,
        open_checks=_by_kind(preflight, is_ok=False),
        ok_checks=_by_kind(preflight, is_ok=True),
        tenants=app.settings.tenants,
        channels=[*app.settings.channels],
        wrong_channels=[*app.settings.wrong_channels],
    )


def _by_kind(preflight: Preflight | None, *, is_ok: bool) -> list[tuple[str, list[Check]]]:
    """The checks of each kind that are ok, or that are not, what is missing first."""
    found: dict[str, list[Check]] = {}
    for check in sorted(preflight.checks if preflight else (), key=lambda c: c.state is not CheckState.MISSING):
        if (check.state is CheckState.OK) is is_ok:
            found.setdefault(_KINDS.get(check.kind, check.kind), []).append(check)
    return [*found.items()]
