"""The lines that `assess` prints: one of JSON for each record, whatever became of it.

A line is made in three pieces, of which only the middle depends on what a session proved: so that a record that waits
for its session keeps its other two once.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Final, Protocol

import msgspec

from shared.incidents.findings import name_of
from shared.rules.assess import Assessment
from shared.rules.rule import Severity
from shared.signin.directory import Directory
from shared.signin.model import SignIn

_encode: Final = msgspec.json.Encoder().encode


class Pieces(Protocol):
    """What makes the text of a judged record, without an end of line."""

    def ends(self, sign_in: SignIn, judged: Assessment) -> tuple[bytes, bytes]:
        """What stands before and after the middle."""

    def middle(self, judged: Assessment) -> bytes:
        """What the evidence decides."""


class _Context(msgspec.Struct, gc=False, rename="camel"):
    """What a line ends with. All text of a sign-in is Unicode."""

    created_date_time: str
    user_id: str | None
    user_principal_name: str | None
    resource_tenant_id: str | None
    app_id: str | None
    app_display_name: str | None
    ip_address: str | None


class JsonLines:
    """The assessment, and who, when, where, with what."""

    def __init__(self, directory: Directory) -> None:
        """`directory` knows the names of people whom a customer's log masks."""
        self._directory = directory

    def ends(self, sign_in: SignIn, judged: Assessment) -> tuple[bytes, bytes]:
        """The id with what no session changes; and the context."""
        context = _Context(
            utc_text(sign_in),
            sign_in.user_id,
            name_of(sign_in, self._directory) or None,
            sign_in.resource_tenant_id,
            sign_in.app_id,
            sign_in.app_display_name,
            sign_in.ip_address,
        )
        return (
            b'{"id":' + _encode(sign_in.id) + _beginning(judged.identity, judged.scope, judged.outcome),
            b"," + _encode(context)[1:],
        )

    def middle(self, judged: Assessment) -> bytes:
        """Evidence, verdict, rules, severity, why and strength."""
        return _judged(judged.evidence, judged.verdict, judged.fits, judged.why, judged.strength)


def json_text(text: str | None) -> bytes:
    """A text in JSON, or null. What is not Unicode (the name of a file may be such) becomes an escape."""
    try:
        return _encode(text)
    except UnicodeEncodeError:
        return json.dumps(text).encode()


@lru_cache(1024)
def _beginning(identity: str, scope: str, outcome: str) -> bytes:
    return f',"identity":"{identity}","scope":"{scope}","outcome":"{outcome}"'.encode()


@lru_cache(4096)
def _judged(
    evidence: str, verdict: str, fits: tuple[tuple[str, Severity], ...], why: str | None, strength: str | None
) -> bytes:
    rules = json.dumps([rule for rule, _ in fits], separators=(",", ":"))
    severity = f'"{max(severity for _, severity in fits).label}"' if fits else "null"
    return (
        f',"evidence":"{evidence}","verdict":"{verdict}","rules":{rules},"severity":{severity},'
        f'"why":{_quoted(why)},"strength":{_quoted(strength)}'
    ).encode()


def _quoted(member: str | None) -> str:
    return f'"{member}"' if member else "null"


def utc_text(sign_in: SignIn) -> str:
    """The time of a record, ISO 8601 in UTC."""
    try:
        return sign_in.at.isoformat()[:-6] + "Z"
    except OverflowError:  # the first or the last hours of the calendar
        return sign_in.instant.isoformat()


def unread_line(reason: str, file: str, index: int) -> bytes:
    """The line of a record that could not be read."""
    return b'{"error":%b,"file":%b,"index":%d}' % (json_text(reason), json_text(file), index)


def refusal_line(reason: str, file: str) -> bytes:
    """The line of a file of which nothing is judged."""
    return b'{"error":%b,"file":%b}' % (json_text(reason), json_text(file))
