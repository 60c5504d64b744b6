"""The access token check: does this token pass Partner Center's MFA gate, and what is to be changed if it does not?

Pure but for `service` and `keys`: reading (bytes to claims), kind (what the token is), gate (what Partner Center says),
check (the whole answer), signature (RS256 against a set of keys). A token is never stored, logged or echoed: every
`TokenError` is a constant sentence of this package.
"""

from shared.tokens.check import TokenCheck, check
from shared.tokens.reading import MAX_BYTES, Request, Token, TokenError, expected_audience, read_request
from shared.tokens.service import check_request
from shared.tokens.signature import Signature

__all__ = [
    "MAX_BYTES",
    "Request",
    "Signature",
    "Token",
    "TokenCheck",
    "TokenError",
    "check",
    "check_request",
    "expected_audience",
    "read_request",
]
