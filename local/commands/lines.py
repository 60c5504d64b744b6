"""The lines that `assess` prints: one of JSON for each record, whatever became of it."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Final

from local.commands.judging import Line
from local.commands.unread import Refusal, Unread
from shared.incidents.findings import name_of
from shared.rules.assess import Assessment
from shared.rules.rule import Severity
from shared.signin.directory import Directory
from shared.signin.model import SignIn

_text: Final = json.JSONEncoder(ensure_ascii=False).encode
_NO_RULES: Final = '"rules":[],"severity":null'


def unread_line(unread: Unread, file: str, index: int) -> str:
    """The line of a record that could not be read."""
    return f'{{"error":{_text(unread.reason)},"file":{_text(file)},"index":{index}}}'


def refusal_line(refusal: Refusal, file: str) -> str:
    """The line of a file of which nothing is judged."""
    return f'{{"error":{_text(refusal.reason)},"file":{_text(file)}}}'


def json_lines(directory: Directory) -> Line:
    """What makes the line of a judged record: the assessment, and who, when, where, with what."""

    def line(sign_in: SignIn, judged: Assessment) -> str:
        return (
            f'{{"id":{_text(sign_in.id)},"identity":"{judged.identity}","scope":"{judged.scope}",'
            f'"outcome":"{judged.outcome}","evidence":"{judged.evidence}","verdict":"{judged.verdict}",'
            f"{_rules(judged.fits) if judged.fits else _NO_RULES},"
            f'"why":{_name(judged.why)},"strength":{_name(judged.strength)},'
            f'"createdDateTime":"{utc_text(sign_in)}",'
            f'"userId":{_text(sign_in.user_id)},"userPrincipalName":{_text(name_of(sign_in, directory) or None)},'
            f'"resourceTenantId":{_text(sign_in.resource_tenant_id)},"appId":{_text(sign_in.app_id)},'
            f'"appDisplayName":{_text(sign_in.app_display_name)},"ipAddress":{_text(sign_in.ip_address)}}}'
        )

    return line


def _name(member: str | None) -> str:
    return f'"{member}"' if member else "null"


def utc_text(sign_in: SignIn) -> str:
    """The time of a record, ISO 8601 in UTC."""
    try:
        return sign_in.at.isoformat().replace("+00:00", "Z")
    except OverflowError:  # the first or the last hours of the calendar
        return sign_in.instant.isoformat()


@lru_cache(1024)
def _rules(fits: tuple[tuple[str, Severity], ...]) -> str:
    severity = max(severity for _, severity in fits)
    return f'"rules":{json.dumps([rule for rule, _ in fits], separators=(",", ":"))},"severity":"{severity.label}"'
