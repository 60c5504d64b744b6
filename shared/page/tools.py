"""The token check as a form, of which nothing is kept, and what the last preflight found."""

from __future__ import annotations

import json

from pydantic import BaseModel, ConfigDict, Field

from shared.page.asked import Visit
from shared.page.frame import show
from shared.page.states import state_of
from shared.preflight.model import kept_preflight
from shared.tokens import TokenCheck, TokenError, check_request, read_request


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
        channels=[*app.settings.channels],
        wrong_channels=[*app.settings.wrong_channels],
    )
