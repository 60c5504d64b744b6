"""What the local Graph refuses, and how Graph says so."""

from __future__ import annotations

import json
import uuid
from datetime import datetime

from aiohttp import web

INVALID_TOKEN = "InvalidAuthenticationToken"  # noqa: S105 - an error code
DENIED = "Authorization_RequestDenied"
NO_LICENCE = "Authentication_RequestFromNonPremiumTenantOrB2CTenant"

STATUS_CODES = {
    401: (INVALID_TOKEN, "Access token validation failure."),
    403: (DENIED, "Insufficient privileges to complete the operation."),
    429: ("TooManyRequests", "The request was throttled. Try again later."),
    500: ("InternalServerError", "The server met an unexpected condition."),
    502: ("BadGateway", "A server behind this one gave no usable answer."),
    503: ("ServiceUnavailable", "The service is not available for now."),
    504: ("GatewayTimeout", "A server behind this one took too long."),
}


class GraphError(Exception):
    """An answer other than 200. `headers` go out with it."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}

    def response(self, now: datetime, client_request_id: str | None) -> web.Response:
        """The answer in Graph's form; `now` is the server's time."""
        request_id = str(uuid.uuid4())
        inner = {
            "date": f"{now:%Y-%m-%dT%H:%M:%S}",
            "request-id": request_id,
            "client-request-id": client_request_id or request_id,
        }
        body = {"error": {"code": self.code, "message": self.message, "innerError": inner}}
        headers = {"request-id": request_id, "client-request-id": inner["client-request-id"], **self.headers}
        if self.status == 401:
            headers.setdefault("WWW-Authenticate", 'Bearer realm="", error="invalid_token"')
        return web.Response(
            status=self.status, body=json.dumps(body).encode(), content_type="application/json", headers=headers
        )


def bad_request(message: str) -> GraphError:
    """Graph's answer to a query that it does not take."""
    return GraphError(400, "BadRequest", message)


def of_status(status: int, headers: dict[str, str] | None = None) -> GraphError:
    """The usual error of an HTTP status of `STATUS_CODES`."""
    code, message = STATUS_CODES[status]
    return GraphError(status, code, message, headers)


def no_licence() -> GraphError:
    """The answer for a tenant without P1 or P2."""
    return GraphError(403, NO_LICENCE, "Neither tenant is B2C or tenant doesn't have premium license")
