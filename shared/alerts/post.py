"""One guarded HTTP request to a webhook. What it says of the answer is safe to store, to log and to show.

https only, no redirects, no proxies; the name is resolved here, every address it has is checked, and the connection
goes to the checked one, so that a name that answers differently the next time changes nothing.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from ipaddress import ip_address
from socket import SOCK_STREAM, gaierror
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx

from shared.app.addresses import refusal
from shared.app.log_levels import quiet_libraries
from shared.app.setting_types import LOOPBACK_HOSTS
from shared.basics.retry_after import retry_after
from shared.wire.text import clean

TIMEOUT_SECONDS: Final = 10.0
MOST_BYTES: Final = 64 * 1024
_CONNECT_SECONDS: Final = 3.0
_MOST_ADDRESSES: Final = 3
_SHORTEST_HINT: Final = 6  # characters of a URL or secret that an answer must not give back

# Whoever posts without an App around it: a URL is a secret here, and the client says it of every request.
quiet_libraries()

_IN_WORDS: Final[tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...]] = (
    ((gaierror, UnicodeError), "the host's name could not be resolved"),
    (httpx.ConnectError, "no connection could be made"),
    ((httpx.InvalidURL, ValueError), "the URL cannot be used"),
    (OSError, "the connection broke"),
)

type Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send. `internal`: private addresses are allowed; `local`: the app runs on a person's own machine, where
    http to loopback is allowed."""

    url: str = field(repr=False)
    internal: bool = False
    local: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a try. `status` is 0 when no answer came, and `text` says why, or how the answer began."""

    status: int
    text: str
    retry_after: timedelta | None = None

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it."""
        return 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """Whether the receiver says that it will never take it (Standard Webhooks: 410 ends the deliveries)."""
        return self.status == 410


class RefusedTarget(Exception):  # noqa: N818 - what happened
    """Nothing was sent, because the address is not one that alerts may go to."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, IPv4 first: Azure's outbound network often has no IPv6."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=SOCK_STREAM)
    return [*dict.fromkeys(str(entry[4][0]) for entry in sorted(found, key=lambda entry: entry[0]))]


async def post(
    target: Target,
    body: bytes,
    headers: Mapping[str, str],
    *,
    resolve: Resolve = resolve,
    tls: ssl.SSLContext | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> Answer:
    """Send it once. Never raises for what the network or the receiver does: that is the answer.

    The status decides: a receiver that took the message may say in its text, or its length, what it likes.
    """
    head: list[httpx.Response] = []  # filled as soon as the status is known, however the rest goes
    text = ""
    try:
        async with asyncio.timeout(timeout_seconds):
            text = await _send(target, body, headers, resolve, tls or _tls(), head)
    except TimeoutError:
        text = f"no {'end of the answer' if head else 'answer'} within {timeout_seconds:g} seconds"
    except (RefusedTarget, httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
        text = _in_words(error)
    if not head:
        return Answer(0, text)
    return Answer(head[0].status_code, text, retry_after(head[0].headers.get("retry-after")))


def _in_words(error: Exception) -> str:
    """Why nothing was sent, or no answer came: the first kind that fits, without a word of the URL."""
    if isinstance(error, RefusedTarget):
        return str(error)
    insecure = isinstance(error.__context__, ssl.SSLError) or "SSL" in str(error)
    if isinstance(error, ssl.SSLError) or (isinstance(error, httpx.ConnectError) and insecure):
        return "the connection could not be secured"
    if isinstance(error, httpx.HTTPError) and not isinstance(error, httpx.ConnectError):
        return f"the connection broke ({type(error).__name__})"
    return next(words for kinds, words in _IN_WORDS if isinstance(error, kinds))


async def _checked_addresses(target: Target, url: httpx.URL, resolve: Resolve) -> Sequence[str]:
    """The addresses of the URL's host, all of which alerts may go to. Raises Refused."""
    host = url.raw_host.decode("ascii")
    loopback = target.local and host in LOOPBACK_HOSTS
    if not (url.scheme == "https" or (url.scheme == "http" and loopback)):
        raise RefusedTarget("refused: the URL is not https")
    addresses = (await resolve(host, _port(url)))[:_MOST_ADDRESSES]
    for address in addresses:
        if why := refusal(ip_address(address), internal=target.internal, loopback=loopback):
            raise RefusedTarget(f"refused: the host is {why}")
    return addresses


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


async def _send(
    target: Target,
    body: bytes,
    headers: Mapping[str, str],
    resolve: Resolve,
    tls: ssl.SSLContext,
    head: list[httpx.Response],
) -> str:
    url = httpx.URL(target.url)
    addresses = await _checked_addresses(target, url, resolve)
    host, port = url.raw_host.decode("ascii"), _port(url)
    # The name for TLS and for the receiver; the address for the connection.
    every = {**headers, "Host": url.netloc.decode("ascii"), "Accept-Encoding": "identity", "Connection": "close"}
    timeout = httpx.Timeout(TIMEOUT_SECONDS, connect=_CONNECT_SECONDS)
    async with httpx.AsyncClient(verify=tls, trust_env=False, follow_redirects=False, timeout=timeout) as client:
        for left, address in enumerate(addresses, start=1 - len(addresses)):
            request = client.build_request(
                "POST",
                url.copy_with(host=address, port=port, fragment=None),
                content=body,
                headers=every,
                extensions={"sni_hostname": host},
            )
            try:
                response = await client.send(request, stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if left == 0:
                    raise
                continue
            try:
                head.append(response)
                return "" if response.is_success else await _beginning(response, target.url, every)
            finally:
                await response.aclose()
    raise RefusedTarget("the host's name has no address")


async def _beginning(response: httpx.Response, url: str, headers: Mapping[str, str]) -> str:
    """How a refusal's text begins, without anything of the URL or of the signature in it."""
    got = b""
    try:
        async for part in response.aiter_raw():
            got += part
            if len(got) >= MOST_BYTES:
                break
    except httpx.HTTPError:
        pass  # cut off, or of another length than it said: what came is enough, the status counts
    text = got[:MOST_BYTES].decode("utf-8", "replace")
    return "the answer repeats the URL" if _tells(text, url, headers) else clean(text)


def _tells(text: str, url: str, headers: Mapping[str, str]) -> bool:
    parts = urlsplit(url)
    secrets = [*parts.path.split("/"), *(value for _, value in parse_qsl(parts.query)), parts.query]
    secrets += [unquote(secret) for secret in secrets] + [headers.get("webhook-signature", "")]
    lowered = unquote(text).lower()
    return any(len(secret) >= _SHORTEST_HINT and secret.lower() in lowered for secret in secrets)


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)
