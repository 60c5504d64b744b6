"""Whether the tables and the container of exports answer: one small read of each."""

from __future__ import annotations

from typing import Final

from azure.core.exceptions import AzureError, HttpResponseError

from shared.app.app import App
from shared.preflight.identity import NO_TOKEN, SEE_IDENTITY
from shared.preflight.model import Check, CheckKind, CheckState
from shared.store.exports import CONTAINER
from shared.store.tables import NAMES, Tables

_TABLES: Final = "Table Storage"
_BLOBS: Final = f"Blob Storage, container {CONTAINER}"
_TABLE_ROLE: Final = "Storage Table Data Contributor"
_BLOB_ROLE: Final = "Storage Blob Data Owner"
# Also where the template has not changed: what is missing was taken away by hand (docs/operations.md).
_DEPLOY: Final = "azd provision --no-state"


def storage_unasked() -> list[Check]:
    """What is said where the app gets no token."""
    return [_check(name, CheckState.UNKNOWN, NO_TOKEN, SEE_IDENTITY) for name in (_TABLES, _BLOBS)]


async def check_storage(app: App) -> list[Check]:
    """The tables first, then the exports."""
    return [await _tables(app), await check_exports(app)]


async def _tables(app: App) -> Check:
    try:
        tables = await app.tables()
        for name in NAMES:
            await _probe(tables, name)
    except AzureError as error:
        return _refused(_TABLES, _TABLE_ROLE, error)
    return _check(_TABLES, CheckState.OK, f"The tables {', '.join(NAMES)} answer.")


async def _probe(tables: Tables, name: str) -> None:
    await getattr(tables, name).get("preflight", "probe")


async def check_exports(app: App) -> Check:
    """The container of exports."""
    local = app.settings.storage_connection_string is not None
    if not local and app.settings.blob_service_uri is None:
        wanted = "AzureWebJobsStorage__blobServiceUri is not set, so exports have nowhere to go."
        return _check(_BLOBS, CheckState.MISSING, wanted, "Set it, as the deployment does.", _DEPLOY)
    try:
        there = await app.exports.exists()
    except AzureError as error:
        return _refused(_BLOBS, _BLOB_ROLE, error)
    if not there and not local:
        todo = "Deploy it with its policy: the app's own would not keep exports from being changed."
        return _check(_BLOBS, CheckState.MISSING, "It is not there.", todo, _DEPLOY)
    return _check(
        _BLOBS, CheckState.OK, "It is there." if there else "The first export makes it (an emulator needs no policy)."
    )


def _refused(name: str, role: str, error: AzureError) -> Check:
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if status in (401, 403):
        todo = f"Give the app's identity the role {role} on the storage account."
        return _check(name, CheckState.MISSING, f"The app may not use it ({status}).", todo, _DEPLOY)
    if status is not None:
        return _check(name, CheckState.UNKNOWN, f"It answered {status}.", "Try again in a minute.")
    todo = "Look at the network rules and private endpoints of the account, and at the setting."
    return _check(name, CheckState.UNKNOWN, f"It could not be reached ({type(error).__name__}).", todo)


def _check(name: str, state: CheckState, detail: str, to_do: str | None = None, command: str | None = None) -> Check:
    return Check(kind=CheckKind.STORAGE, name=name, state=state, detail=detail, to_do=to_do, command=command)
