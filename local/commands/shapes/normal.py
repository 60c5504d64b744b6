"""One value of a file, in any shape, to sign-ins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from local.commands.shapes import log_analytics, powershell, wrappers
from local.commands.shapes.foreign import NOTHING, foreign_kind
from local.commands.shapes.intake import Intake
from local.commands.shapes.members import canonical, is_like_a_sign_in
from local.commands.unread import Unread
from shared.signin.careful import Quarantined, decode_value
from shared.signin.model import SignIn

_DEPTH: Final = "nested too deeply"
_SIGN_IN_LOGS: Final = "signinlogs"


def read_values(value: object, intake: Intake) -> Iterator[SignIn | Unread]:
    """Give what each record in a parsed value became, and note in the intake what it was."""
    try:
        records = list(wrappers.opened(value)) if isinstance(value, dict) else [value]
    except RecursionError:
        records = [_DEPTH]
    for record in records:
        yield _read(record, intake)


def _read(record: object, intake: Intake) -> SignIn | Unread:
    if not isinstance(record, dict):
        intake.note_other()
        return Unread("a record must be a JSON object", is_object=False)
    try:
        return _read_object(record, intake)
    except RecursionError:
        intake.note_broken()
        return Unread(_DEPTH)


def _read_object(record: dict[str, Any], intake: Intake) -> SignIn | Unread:
    named = canonical(record)
    inner = _inner(named)
    kind = foreign_kind(record) or (foreign_kind(inner) if inner is not named else None)
    cut = powershell.cut_member(inner)
    found = None if cut else decode_value(_as_graph(named), 0)
    if isinstance(found, SignIn):
        from_graph = inner is named and not log_analytics.is_row(named)
        intake.note_sign_in(set(named) if from_graph else None)
        return found
    if not kind and (cut or is_like_a_sign_in(set(inner)) or _names_a_sign_in_log(named)):
        intake.note_broken()
    else:
        intake.note_other(kind or NOTHING)
    if cut:
        return Unread(powershell.cut_reason(cut))
    return Unread(found.reason if isinstance(found, Quarantined) else "")


def _inner(named: dict[str, Any]) -> dict[str, Any]:
    """The record in an envelope, else the record."""
    if "createdDateTime" in named or "properties" not in named:
        return named
    if isinstance(text := named["properties"], str) and isinstance(parsed := wrappers.parsed(text), dict):
        named["properties"] = canonical(parsed)
    return named["properties"] if isinstance(named["properties"], dict) else named


def _as_graph(named: dict[str, Any]) -> dict[str, Any]:
    plain = powershell.unfolded(named)
    return log_analytics.as_graph(plain) if log_analytics.is_row(plain) else plain


def _names_a_sign_in_log(named: dict[str, Any]) -> bool:
    category = named.get("category")
    return isinstance(category, str) and category.lower().endswith(_SIGN_IN_LOGS)
