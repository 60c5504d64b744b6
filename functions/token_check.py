"""`POST /api/token-check`: what an access token is, and whether Partner Center's MFA gate lets it in."""

from __future__ import annotations

from http import HTTPStatus

from pydantic import Field, JsonValue, RootModel

from functions.blueprint import Blueprint
from functions.http import Call, NoQuery, RawBody, endpoint
from functions.who import Role
from shared.tokens import TokenCheck, TokenError, check_request, read_request
from shared.wire.models import Body

bp = Blueprint()


class TokenAnswer(RootModel[TokenCheck]):
    """What a token is worth. The token itself is never stored, logged or echoed."""


class TokenToCheck(Body):
    """A token, or its decoded claims: one of the two."""

    token: str | None = Field(default=None, description="The access token, as it was issued.")
    claims: dict[str, JsonValue] | None = Field(default=None, description="Its claims, where nobody may see the token.")
    expect_audience: str | None = Field(default=None, description="Its audience, if not Partner Center's.")
    verify: bool = Field(default=False, description="Check the signature too: asks the issuer for its keys.")


class TokenBody(RawBody):
    """A token as text, or JSON."""

    described_by = TokenToCheck


@endpoint(bp, "POST", "token-check", needs=Role.READER, errors={TokenError: (HTTPStatus.BAD_REQUEST, None)})
async def token_check(call: Call[NoQuery, TokenBody]) -> TokenAnswer:
    """Would Partner Center accept this token? The body is `{"token" | "claims", "expectAudience"?, "verify"?}`; a token
    alone as text, and its claims alone as JSON, are taken too."""
    answer = await check_request(
        read_request(call.body.content),
        now=call.app.clock(),
        partner_tenant_id=call.app.settings.partner_tenant_id,
    )
    return TokenAnswer(answer)
