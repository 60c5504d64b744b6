"""`POST /api/token-check`: what an access token is, and whether Partner Center's MFA gate lets it in."""

import json
import os
from datetime import UTC, datetime

import azure.functions as func

from shared.tokens import TokenError, check_request, read_request

bp = func.Blueprint()  # type: ignore[no-untyped-call]

# The answer holds claims, as plain text: no cache keeps it and no browser guesses that it is a page.
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@bp.function_name("token_check")
@bp.route(route="token-check", methods=["POST"])
async def token_check(req: func.HttpRequest) -> func.HttpResponse:
    """Body: a token as text, its claims as JSON, or `{"token" | "claims", "expectAudience"?, "verify"?}`.

    200 with the TokenCheck, whatever it says; 400 with an RFC 9457 problem where the body cannot be read.
    """
    try:
        answer = await check_request(
            read_request(req.get_body()),
            now=datetime.now(UTC),
            partner_tenant_id=os.environ.get("PARTNER_TENANT_ID") or None,
        )
    except TokenError as error:
        problem = {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": str(error)}
        return func.HttpResponse(
            json.dumps(problem), status_code=400, mimetype="application/problem+json", headers=_HEADERS
        )
    return func.HttpResponse(json.dumps(answer), mimetype="application/json", headers=_HEADERS)
