"""One request from beginning to end: the keys are fetched where asked for, then the pure check answers."""

from __future__ import annotations

from datetime import datetime

from shared.tokens.check import TokenCheck, check
from shared.tokens.keys import TIME_OUT_SECONDS, KeysError, fetch_keys
from shared.tokens.reading import Request, Token
from shared.tokens.signature import Signature, keys_url, not_checked, verify


async def check_request(
    request: Request,
    *,
    now: datetime,
    partner_tenant_id: str | None = None,
    keys_at: str | None = None,
    time_out: float = TIME_OUT_SECONDS,
) -> TokenCheck:
    """Answers a request; goes to the network only if it asks to verify.

    `keys_at` is a keys URL that `allowed_keys_url` let pass, None for that of the token's own tenant. Keys that cannot
    be had make no error: the answer says that the signature was not checked, and why. Raises TokenError as `check`
    does.
    """
    signature = await _signature(request.token, keys_at, time_out) if request.verify else None
    return check(
        request.token,
        now=now,
        expect_audience=request.expect_audience,
        partner_tenant_id=partner_tenant_id,
        signature=signature,
    )


async def _signature(token: Token, keys_at: str | None, time_out: float) -> Signature:
    where = keys_url(token)
    if not isinstance(where, str):
        return where
    try:
        key_set = await fetch_keys(keys_at or where, time_out=time_out)
    except KeysError as error:
        return not_checked(token, str(error))
    return verify(token, key_set)
