"""Whether the queues are there and may be read: one question a queue."""

from __future__ import annotations

from typing import Final

from azure.core.exceptions import AzureError, HttpResponseError
from azure.identity.aio import ManagedIdentityCredential
from azure.storage.queue.aio import QueueServiceClient

from shared.app.settings import Settings
from shared.basics.queues import Queue
from shared.preflight.identity import NO_TOKEN, SEE_IDENTITY
from shared.preflight.model import Check, CheckKind, CheckState

_ROLE: Final = "Storage Queue Data Contributor"
# Also where the template has not changed: what is missing was taken away by hand (docs/operations.md).
_DEPLOY: Final = "azd provision --no-state"
_SECONDS: Final = 10


async def check_queues(settings: Settings) -> list[Check]:
    """A check a queue. Never raises for what is missing."""
    if settings.storage_connection_string:
        service = QueueServiceClient.from_connection_string(
            settings.storage_connection_string, retry_total=0, connection_timeout=_SECONDS, read_timeout=_SECONDS
        )
        async with service:
            return [await _check_queue(service, name) for name in Queue]
    if settings.queue_service_uri is None:
        wanted = "AzureWebJobsStorage__queueServiceUri is not set."
        return [_check(name, CheckState.MISSING, wanted, "Set it, as the deployment does.", _DEPLOY) for name in Queue]
    async with (
        ManagedIdentityCredential(client_id=settings.azure_client_id) as credential,
        QueueServiceClient(
            settings.queue_service_uri,
            credential=credential,
            retry_total=0,
            connection_timeout=_SECONDS,
            read_timeout=_SECONDS,
        ) as service,
    ):
        return [await _check_queue(service, name) for name in Queue]


def queues_unasked() -> list[Check]:
    """What is said where the app gets no token."""
    return [_check(name, CheckState.UNKNOWN, NO_TOKEN, SEE_IDENTITY) for name in Queue]


async def _check_queue(service: QueueServiceClient, name: Queue) -> Check:
    try:
        queue = await service.get_queue_client(name).get_queue_properties()
    except AzureError as error:
        return _refused(name, error)
    waiting = queue.approximate_message_count or 0
    if name.is_poison and waiting:
        return _check(
            name, CheckState.OK, f"It is there; {waiting} messages crashed their workers and wait to be settled."
        )
    return _check(name, CheckState.OK, f"It is there; about {waiting} messages wait.")


def _refused(name: str, error: AzureError) -> Check:
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if status == 404:
        todo = "The deployment makes it, and so does the host."
        return _check(name, CheckState.MISSING, "It is not there.", todo, _DEPLOY)
    if status in (401, 403):
        todo = f"Give the app's identity the role {_ROLE} on the storage account."
        return _check(name, CheckState.MISSING, f"The app may not use it ({status}).", todo, _DEPLOY)
    if status is not None:
        return _check(name, CheckState.UNKNOWN, f"The queue service answered {status}.", "Try again.")
    why = f"The queue service could not be reached ({type(error).__name__})."
    return _check(name, CheckState.UNKNOWN, why, "Look at the network rules and private endpoints of the account.")


def _check(name: str, state: CheckState, detail: str, to_do: str | None = None, command: str | None = None) -> Check:
    return Check(kind=CheckKind.QUEUE, name=name, state=state, detail=detail, to_do=to_do, command=command)
