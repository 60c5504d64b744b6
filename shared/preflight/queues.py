"""Whether the queues are there and may be read: one GET a queue over the Queue service's REST interface.

The worker never touches queues itself (the host does), so no queue library is installed with it.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import httpx
from azure.core.exceptions import AzureError
from azure.identity.aio import ManagedIdentityCredential

from shared.app.settings import Settings
from shared.preflight.identity import NO_TOKEN, SEE_IDENTITY, STORAGE_SCOPE
from shared.preflight.model import Check, Kind, State

NAMES: Final = ("scan-slices", "scan-slices-poison", "alerts", "alerts-poison")
_VERSION: Final = "2021-12-02"
_ROLE: Final = "Storage Queue Data Contributor"
_DEPLOY: Final = "azd provision"
_SECONDS: Final = 10.0


async def check_queues(settings: Settings) -> list[Check]:
    """A check a queue."""
    parts = _connection(settings.storage_connection_string)
    base = (parts.get("QueueEndpoint") or settings.queue_service_uri or "").rstrip("/")
    if not base:
        wanted = "AzureWebJobsStorage__queueServiceUri is not set."
        return [_check(name, State.MISSING, wanted, "Set it, as the deployment does.", _DEPLOY) for name in NAMES]
    token = None
    if "AccountKey" not in parts:
        async with ManagedIdentityCredential(client_id=settings.azure_client_id) as credential:
            try:
                token = (await credential.get_token(STORAGE_SCOPE)).token
            except AzureError:
                return queues_unasked()
    async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as http:
        return [await _one(http, base, name, parts, token) for name in NAMES]


def queues_unasked() -> list[Check]:
    """What is said where the app gets no token."""
    return [_check(name, State.UNKNOWN, NO_TOKEN, SEE_IDENTITY) for name in NAMES]


async def _one(http: httpx.AsyncClient, base: str, name: str, parts: Mapping[str, str], token: str | None) -> Check:
    url = f"{base}/{name}?comp=metadata"
    headers = {"x-ms-date": format_datetime(datetime.now(UTC), usegmt=True), "x-ms-version": _VERSION}
    headers["Authorization"] = f"Bearer {token}" if token else _signed(url, headers, parts)
    try:
        status = (answer := await http.get(url, headers=headers)).status_code
    except httpx.HTTPError as error:
        why = f"The queue service could not be reached ({type(error).__name__})."
        return _check(name, State.UNKNOWN, why, "Look at the network rules and private endpoints of the account.")
    waiting = answer.headers.get("x-ms-approximate-messages-count", "")
    if status == HTTPStatus.OK and name.endswith("-poison") and waiting not in ("", "0"):
        return _check(name, State.OK, f"It is there; {waiting} messages crashed their workers and wait to be settled.")
    if status == HTTPStatus.OK:
        return _check(name, State.OK, f"It is there; about {waiting or '?'} messages wait.")
    if status == HTTPStatus.NOT_FOUND:
        return _check(
            name, State.MISSING, "It is not there.", "The deployment makes it, and so does the host.", _DEPLOY
        )
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        todo = f"Give the app's identity the role {_ROLE} on the storage account."
        return _check(name, State.MISSING, f"The app may not use it ({status}).", todo, _DEPLOY)
    return _check(name, State.UNKNOWN, f"The queue service answered {status}.", "Try again.")


def _signed(url: str, headers: Mapping[str, str], parts: Mapping[str, str]) -> str:
    """Shared Key of the Queue service (Microsoft Learn, "Authorize with Shared Key"): an emulator's connection string
    on this machine only."""
    account = parts["AccountName"]
    lines = ["GET", *[""] * 11, *(f"{name}:{headers[name]}" for name in sorted(headers))]
    lines += [f"/{account}{urlsplit(url).path}", "comp:metadata"]
    key = base64.b64decode(parts["AccountKey"])
    signature = hmac.new(key, "\n".join(lines).encode(), sha256).digest()
    return f"SharedKey {account}:{base64.b64encode(signature).decode()}"


def _connection(text: str | None) -> dict[str, str]:
    pairs = (part.partition("=") for part in (text or "").split(";") if part)
    return {name.strip(): value for name, _, value in pairs}


def _check(name: str, state: State, detail: str, to_do: str | None = None, command: str | None = None) -> Check:
    return Check(kind=Kind.QUEUE, name=name, state=state, detail=detail, to_do=to_do, command=command)
