"""Graph over HTTP: the SDK's adapter for identity, retries and transport, and the raw bytes of the answer.

The SDK's own models drop the members this product lives on and are hundreds of times slower (docs/platform-facts.md,
"msgraph-sdk"); so only its transport is used.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError

from shared.basics.retry_after import retry_after
from shared.graph.capped import CappedTransport
from shared.graph.permissions import Part, part_of
from shared.graph.problems import (
    BadAnswer,
    GraphProblem,
    NotFound,
    NoToken,
    Refused,
    Throttled,
    Unavailable,
    Unlicensed,
)

if TYPE_CHECKING:
    from kiota_abstractions.api_error import APIError
    from msgraph.graph_request_adapter import GraphRequestAdapter

_WINDOW_SECONDS: Final = 10.5  # Graph counts ten from when a request arrives, and one may arrive quicker than the last
_ASK_AGAIN: Final = timedelta(minutes=15)
_WAIT_WITHOUT_HEADER: Final = timedelta(seconds=60)
_LONGEST_WAIT: Final = timedelta(days=1)
_LICENCE: Final = ("nonpremiumtenant", "premium license", "premium licence", "does not have a premium")
_PIM_LICENCE: Final = "aadpremiumlicenserequired"  # comes with 400
_ANY_PART: Final = Part("", "that reads it", "this part of Graph")


class GraphClient:
    """One tenant's Graph. Paced to a number of requests in ten seconds, which all of the process shares."""

    def __init__(
        self, base_url: str, credential: AsyncTokenCredential, *, requests_per_10_seconds: int, timeout_seconds: float
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._credential = credential
        self._timeout = timeout_seconds
        self._budget = requests_per_10_seconds
        self._sent: deque[float] = deque(maxlen=requests_per_10_seconds)
        self._turn = asyncio.Lock()
        self._adapter: GraphRequestAdapter | None = None
        self._http: httpx.AsyncBaseTransport | None = None
        self.requests = 0

    async def get(self, url: str, *, sdk_retries: int = 0) -> bytes:
        """The body of a GET. `url` is whole and goes out as it is. Raises GraphProblem.

        Log pages are asked without the SDK's retries: one may sleep for minutes, and a slice is better put back.
        """
        from kiota_abstractions.api_error import APIError
        from kiota_abstractions.method import Method
        from kiota_abstractions.request_information import RequestInformation
        from kiota_http.middleware.options import RedirectHandlerOption, RetryHandlerOption
        from msgraph.generated.models.o_data_errors.o_data_error import ODataError

        path = self._path_of(url)
        await self._pace()
        self.requests += 1
        request = RequestInformation()
        request.http_method = Method.GET
        request.url = url
        request.headers.try_add("Accept", "application/json")
        # Without it newer enum members read "unknownFutureValue", and a passthrough would look like delegated access.
        request.headers.try_add("Prefer", "include-unknown-enum-members")
        # Graph does not redirect; whoever does is not Graph, and what stands there is not this tenant's log.
        stay = RedirectHandlerOption(should_redirect=False)
        request.add_request_options([RetryHandlerOption(max_retries=sdk_retries), stay])
        try:
            body: object = await self._connected().send_primitive_async(request, "bytes", {"XXX": ODataError})
        except APIError as error:
            raise _problem_of(error, part_of(path)) from error
        except httpx.HTTPError as error:
            raise Unavailable(f"Graph could not be reached or broke off ({type(error).__name__})") from error
        except ClientAuthenticationError as error:
            raise NoToken(
                "The app could not get a token for Graph: check that its managed identity exists and AZURE_CLIENT_ID "
                "names it.",
                _ASK_AGAIN,
            ) from error
        except AzureError as error:
            raise Unavailable(f"The identity endpoint did not answer ({type(error).__name__}).") from error
        if not isinstance(body, bytes) or not body:
            raise BadAnswer("Graph's answer is empty")
        return body

    def _path_of(self, url: str) -> str:
        """The path of an address, which must be Graph's own. Raises BadAnswer."""
        ours = urlsplit(self.base_url)
        try:
            theirs = urlsplit(url)
            httpx.URL(url)  # which refuses control characters and what is endless
        except (ValueError, httpx.InvalidURL) as error:
            raise BadAnswer("Graph's answer points to what is no address; it was not followed") from error
        if (theirs.scheme, theirs.netloc) != (ours.scheme, ours.netloc):
            raise BadAnswer("Graph's answer points to another host; it was not followed")
        return theirs.path

    async def close(self) -> None:
        """Give back the connections: the SDK's middleware hides the transport from its client, so it is closed here."""
        if self._http is not None:
            await self._http.aclose()

    def _connected(self) -> GraphRequestAdapter:
        if self._adapter is None:
            # The SDK takes a third of a second to import: only who asks Graph pays.
            from kiota_abstractions.api_client_builder import register_default_deserializer
            from kiota_authentication_azure.azure_identity_authentication_provider import (
                AzureIdentityAuthenticationProvider,
            )
            from kiota_serialization_json.json_parse_node_factory import JsonParseNodeFactory
            from msgraph.graph_request_adapter import GraphRequestAdapter
            from msgraph_core import GraphClientFactory

            register_default_deserializer(JsonParseNodeFactory)  # else what an error answer says is not read
            host = urlsplit(self.base_url)
            provider = AzureIdentityAuthenticationProvider(
                self._credential,
                scopes=[f"{host.scheme}://{host.netloc}/.default"],
                allowed_hosts=[host.netloc, host.hostname or ""],
            )
            self._http = CappedTransport(httpx.AsyncHTTPTransport(http2=host.scheme == "https"))
            plain = httpx.AsyncClient(timeout=httpx.Timeout(self._timeout, connect=30), transport=self._http)
            client = GraphClientFactory.create_with_default_middleware(client=plain)
            self._adapter = GraphRequestAdapter(provider, client=client)
        return self._adapter

    async def _pace(self) -> None:
        async with self._turn:
            if len(self._sent) == self._budget and (wait := self._sent[0] + _WINDOW_SECONDS - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            self._sent.append(time.monotonic())


def _problem_of(error: APIError, part: Part | None) -> GraphProblem:
    """Which problem an error answer is (docs/entra-facts.md, "Asking Graph for them")."""
    status = error.response_status_code or 0
    main = getattr(error, "error", None)
    code, message = str(getattr(main, "code", "") or ""), str(getattr(main, "message", "") or "")
    said = f"{code} {message}".lower()
    wait = _retry_after(error.response_headers or {})
    _, permission, what = part or _ANY_PART
    if status == 429 or (status == 503 and wait):
        return Throttled(f"Graph throttles this tenant ({status}).", wait or _WAIT_WITHOUT_HEADER)
    if licence := _missing_licence(status, said):
        return Unlicensed(f"The tenant has no {licence} licence, which {what} needs: assign one.", _ASK_AGAIN)
    if status == 403:
        return Refused(
            f"Graph refuses {what}: grant the app's identity the application permission {permission} and "
            f"admin consent ({_short(code)}).",
            _ASK_AGAIN,
        )
    if status == 404:
        return NotFound(f"Graph does not know what was asked of {what} (404 {_short(code)}).")
    if status == 401:
        return Refused(
            f"Graph does not accept the app's token: check the identity and its tenant ({_short(code)}).", _ASK_AGAIN
        )
    if status >= 500:
        return Unavailable(f"Graph answered {status} ({_short(code)}).", wait)
    if "skip token" in said or "skiptoken" in said:
        return BadAnswer("Graph lost its place in the pages (skip token is null); the slice starts again.")
    return BadAnswer(f"Graph refused the query: {status} {_short(code)} {_short(message)}".strip())


def _missing_licence(status: int, said: str) -> str:
    """The licence that an answer says is missing; "" for none."""
    if status == 403 and any(hint in said for hint in _LICENCE):
        return "Microsoft Entra ID P1 or P2"
    return "Microsoft Entra ID P2 or Governance" if _PIM_LICENCE in said else ""


def _short(text: str) -> str:
    return "".join(c for c in text if c.isprintable())[:200] or "no code"


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """How long Graph asks to wait; an absurd number costs a day and not the log."""
    wait = retry_after(next((v for k, v in headers.items() if k.lower() == "retry-after"), None))
    return None if wait is None else min(wait, _LONGEST_WAIT)
