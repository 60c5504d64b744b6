"""Whether the app has an identity that gets tokens, without which nothing else can be asked."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.identity.aio import ManagedIdentityCredential

from shared.app.settings import Settings
from shared.preflight.model import Check, CheckKind, CheckState

STORAGE_SCOPE: Final = "https://storage.azure.com/.default"
NO_TOKEN: Final = "The app gets no token, so nobody asked."  # noqa: S105 - a sentence
SEE_IDENTITY: Final = "See the identity."
_NAME: Final = "the app's managed identity"


async def check_identity(settings: Settings) -> Check:
    """Asks for a token for Graph and, where no connection string is set, one for storage; shows neither."""
    graph = urlsplit(settings.graph_base_url)
    scopes = [f"{graph.scheme}://{graph.netloc}/.default"]
    scopes += [] if settings.storage_connection_string else [STORAGE_SCOPE]
    async with ManagedIdentityCredential(client_id=settings.azure_client_id) as credential:
        try:
            for scope in scopes:
                await credential.get_token(scope)
        except ClientAuthenticationError:
            todo = (
                "Check that the identity exists and AZURE_CLIENT_ID names it. Your own machine has none: "
                "ask the deployed app (GET /api/preflight)."
            )
            return _check(CheckState.MISSING, "It gets no token.", todo, "azd provision --no-state")
        except AzureError as error:
            why = f"The identity endpoint did not answer ({type(error).__name__})."
            return _check(CheckState.UNKNOWN, why, "Try again in a minute.")
    return _check(CheckState.OK, "It gets tokens.")


def _check(state: CheckState, detail: str, to_do: str | None = None, command: str | None = None) -> Check:
    return Check(kind=CheckKind.IDENTITY, name=_NAME, state=state, detail=detail, to_do=to_do, command=command)
