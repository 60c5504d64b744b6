"""App Service's managed identity endpoint, and the check of the tokens that it gave.

Protocol: the App Service REST endpoint, api-version 2019-08-01, as azure-identity speaks it. Tokens live by the real
clock, because azure-identity judges `expires_on` by it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterable

from aiohttp import web

from .errors import INVALID_TOKEN, GraphError

API_VERSION = "2019-08-01"
LIFETIME_SECONDS = 24 * 3600


class IdentityEndpoint:
    """Issues tokens for `tenant_id` to who knows `header`. `client_id` None takes any user-assigned identity."""

    def __init__(self, header: str, tenant_id: str, client_id: str | None = None) -> None:
        self.header = header
        self.tenant_id = tenant_id
        self.client_id = client_id
        self.issued = 0
        self._key = secrets.token_bytes(32)

    async def token(self, request: web.Request) -> web.Response:
        """`GET /msi/token?resource=…&api-version=2019-08-01[&client_id=…]` with the header X-IDENTITY-HEADER."""
        given = request.headers.get("X-IDENTITY-HEADER", "")
        if not hmac.compare_digest(given.encode(), self.header.encode()):
            return _refusal(401, "The identity header is wrong.")
        resource, client_id = request.query.get("resource"), request.query.get("client_id")
        if request.query.get("api-version") != API_VERSION or not resource:
            return _refusal(400, f"The endpoint needs resource and api-version={API_VERSION}.")
        if client_id is not None and self.client_id is not None and client_id != self.client_id:
            return _refusal(400, "No user-assigned identity has that client id.")
        expires = int(time.time()) + LIFETIME_SECONDS
        answer = {
            "access_token": self.issue(resource, self.tenant_id, expires),
            "expires_on": str(expires),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": client_id or self.client_id or "",
        }
        return web.json_response(answer)

    def issue(self, audience: str, tenant_id: str, expires: int | None = None) -> str:
        """An app-only token for `audience` in `tenant_id`; `expires` in Unix seconds, a day from now if absent."""
        self.issued += 1
        claims = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{tenant_id}/",
            "tid": tenant_id,
            "idtyp": "app",
            "appid": self.client_id or "",
            "roles": ["AuditLog.Read.All"],
            "exp": expires if expires is not None else int(time.time()) + LIFETIME_SECONDS,
            "uti": secrets.token_urlsafe(12),
        }
        signed = f"{_packed({'typ': 'JWT', 'alg': 'HS256'})}.{_packed(claims)}"
        return f"{signed}.{self._signature(signed)}"

    def tenant_of(self, authorization: str | None, audiences: Iterable[str]) -> str:
        """The tenant that a request's token is for. Raises GraphError (401) unless it is a token of this endpoint."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise GraphError(401, INVALID_TOKEN, "Access token is empty.")
        signed, _, signature = token.strip().rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            raise GraphError(401, INVALID_TOKEN, "Access token validation failure.")
        # The signature is ours, so the claims are the ones that `issue` wrote.
        claims = json.loads(base64.urlsafe_b64decode(signed.partition(".")[2] + "=="))
        if claims["aud"].rstrip("/") not in {audience.rstrip("/") for audience in audiences}:
            raise GraphError(401, INVALID_TOKEN, "Access token validation failure. Invalid audience.")
        if claims["exp"] <= time.time():
            raise GraphError(401, INVALID_TOKEN, "Lifetime validation failed, the token is expired.")
        return str(claims["tid"])

    def _signature(self, signed: str) -> str:
        digest = hmac.digest(self._key, signed.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _packed(value: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _refusal(status: int, message: str) -> web.Response:
    return web.json_response({"statusCode": status, "message": message}, status=status)
