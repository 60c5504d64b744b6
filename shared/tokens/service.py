"""One request from beginning to end: the keys are fetched where asked for, then the pure check answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.tokens.check import TokenCheck, check
from shared.tokens.keys import TIME_OUT_SECONDS, KeysError, fetch_keys
from shared.tokens.reading import Request, Token
from shared.tokens.signature import NO_SUCH_KEY, Signature, keys_urls, not_checked, verify


async def check_request(
    request: Request,
    *,
    now: datetime,
    partner_tenant_id: str | None = None,
    keys_at: Sequence[str] = (),
    time_out: float = TIME_OUT_SECONDS,
) -> TokenCheck:
    """Answer a request; goes to the network only if it asks to verify.

    `keys_at` are keys URLs that `allowed_keys_url` let pass; with none they are those of the token's own tenant. Keys
    that cannot be had make no error: the answer says that the signature was not checked, and why. Raises TokenError as
    `check` does.
    """
    signature = await _signature(request.token, keys_at, time_out) if request.verify else None
    return check(
        request.token,
        now=now,
        expect_audience=request.expect_audience,
        partner_tenant_id=partner_tenant_id,
        signature=signature,
    )


async def _signature(token: Token, keys_at: Sequence[str], time_out: float) -> Signature:
    """Asks one place after the other until one has the key. What could not be asked may have had it."""
    where = keys_urls(token)
    if not isinstance(where, tuple):
        return where
    unasked: Signature | None = None
    answer: Signature | None = None
    for url in keys_at or where:
        try:
            answer = verify(token, await fetch_keys(url, time_out=time_out))
        except KeysError as error:
            answer = not_checked(token, str(error))
        if answer["checked"] and answer["reason"] != NO_SUCH_KEY:
            return answer
        if not answer["checked"]:
            unasked = unasked or answer
    return unasked or answer or not_checked(token, "There is nowhere to have its keys from.")
