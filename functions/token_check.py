"""`POST /api/token-check`: what an access token is, and whether Partner Center's MFA gate lets it in."""

from __future__ import annotations

from http import HTTPStatus

import azure.functions as func
from pydantic import RootModel

from functions.http import Call, NoQuery, RawBody, endpoint
from functions.who import Role
from shared.tokens import TokenCheck, TokenError, check_request, read_request

bp = func.Blueprint()  # type: ignore[no-untyped-call]


class TokenAnswer(RootModel[TokenCheck]):
    """What a token is worth. The token itself is never stored, logged or echoed."""


@endpoint(bp, "POST", "token-check", needs=Role.READER, errors={TokenError: (HTTPStatus.BAD_REQUEST, None)})
async def token_check(call: Call[NoQuery, RawBody]) -> TokenAnswer:
    """Would Partner Center accept this token? The body is a token as text, its claims as JSON, or
    `{"token" | "claims", "expectAudience"?, "verify"?}`."""
    answer = await check_request(
        read_request(call.body.content),
        now=call.app.clock(),
        partner_tenant_id=call.app.settings.partner_tenant_id,
    )
    return TokenAnswer(answer)
