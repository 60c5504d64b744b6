"""Fetches a tenant's signing keys: from Entra's login hosts only, once, without redirects, within a time and a size."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from shared.tokens.reading import TokenError
from shared.tokens.signature import KEY_HOSTS

MAX_KEYS_BYTES: Final = 256 * 1024  # Entra's answer is some 20 KiB
TIME_OUT_SECONDS: Final = 10.0


class KeysError(Exception):
    """The keys could not be had. The text is one constant sentence that says why."""


def allowed_keys_url(url: str, *, loopback: bool) -> str:
    """The URL, if keys may be fetched from it: https at one of Entra's login hosts or, with `loopback`, this machine.

    Raises TokenError for any other.
    """
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        parts, port, host = urlsplit(""), None, None
    if parts.scheme == "https" and parts.netloc in KEY_HOSTS:
        return url
    plain_place = host is not None and parts.netloc.rpartition("@")[1] == "" and port != 0
    if loopback and parts.scheme in ("http", "https") and plain_place and _is_loopback(str(host)):
        return url
    raise TokenError(
        "Keys are fetched only by https from Entra's login hosts (login.microsoftonline.com, login.microsoftonline.us,"
        " login.partner.microsoftonline.cn) or, on a person's own machine, from a loopback address."
    )


async def fetch_keys(url: str, *, time_out: float = TIME_OUT_SECONDS) -> bytes:
    """The answer of a keys page, at most MAX_KEYS_BYTES, within `time_out` seconds in all. Raises KeysError."""
    problem = None
    body = b""
    try:
        async with (
            aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=time_out),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,  # a small answer must not grow
                headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            ) as session,
            session.get(url, allow_redirects=False) as response,
        ):
            if response.status != 200:
                problem = "The keys page did not answer 200 (redirects are not followed)."
            else:
                async for chunk in response.content.iter_chunked(16 * 1024):
                    body += chunk
                    if len(body) > MAX_KEYS_BYTES:
                        problem = "The answer of the keys page is too long."
                        break
    except TimeoutError:
        problem = "The keys page did not answer in time."
    except (aiohttp.ClientError, OSError, ValueError):
        problem = "The keys page could not be reached."
    if problem is not None:
        raise KeysError(problem)
    return body


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
