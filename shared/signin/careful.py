"""The careful way from a record of a log to a sign-in, for whatever the fast parser refuses.

The record is parsed, text inside members is unwrapped, what is no text is cleaned, and the same Struct is made of it as
on the fast way. One that is broken all the same is quarantined with its reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import msgspec
from pydantic.alias_generators import to_camel

from shared.signin.hiding import cleaned, is_text
from shared.signin.model import Agent, ProcessingDetail, SignIn, Status, Step

BOM: Final = b"\xef\xbb\xbf"
_LONGEST_INT: Final = 4000  # digits; Python refuses to parse somewhat longer ones
_POLICIES: Final = "appliedConditionalAccessPolicies"
# Text that people read and no id, code, detail or type: whatever stands in one must not hide the sign-in.
_FORGIVEN: Final = frozenset(
    {
        *("userDisplayName", "appDisplayName", "userAgent", "ipAddress"),
    }
)
_CLEANED: Final = _FORGIVEN | {"userPrincipalName"}


class NotJson(ValueError):  # noqa: N818 - it says what the bytes are
    """The bytes are not one whole JSON document: cut off, or something else altogether."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A record that could not be read: why, its bytes, and its position in what it came from (from 0)."""

    reason: str
    raw: bytes
    index: int

    @property
    def key(self) -> str:
        """The hash under which it is kept."""
        return sha256(self.raw).hexdigest()[:32]


def opened(sign_in: SignIn, category: str | None, result_type: str | int | None) -> SignIn:
    """The sign-in with what its envelope says of it; what is blank there says nothing."""
    if category and not category.isspace():
        sign_in.category = category
    if result_type is not None and not (isinstance(result_type, str) and not result_type.strip()):
        sign_in.result_type = result_type
    return sign_in


class _Broken(ValueError):  # noqa: N818 - said of a record
    """A record that cannot be read; the text says which member and why, never its value."""


def decode_value(value: object, index: int) -> SignIn | Quarantined:
    """Read one record or envelope that was parsed already; a bad one is quarantined.

    What has a createdDateTime of its own is a record, whatever its `properties` are.
    """
    try:
        if isinstance(value, dict):
            return _read(value)
        reason = "a record must be a JSON object"
    except _Broken as error:
        reason = str(error)[:300]
    except RecursionError:
        reason = "a member is nested too deeply"
    return Quarantined(reason, kept(value), index)


def _read(value: dict[str, Any]) -> SignIn:
    inner = None if "createdDateTime" in value else _unwrapped(value.get("properties"))
    if not isinstance(inner, dict):
        return _made(value)
    envelope = _convert(_only(value, ("category", "resultType")), _EnvelopeHead, "")
    return opened(_made(inner, "properties."), envelope.category, envelope.result_type)


class _EnvelopeHead(msgspec.Struct, rename="camel"):
    category: str | None = None
    result_type: str | int | None = None


def _made(record: dict[str, Any], where: str = "") -> SignIn:
    """The sign-in of a parsed record. Raises _Broken."""
    modelled = _modelled(record)
    policies = modelled.pop(_POLICIES, None)
    _refuse_what_is_no_text(modelled, where)
    sign_in = _convert(modelled, SignIn, where)
    if policies is not None:
        text = json.dumps(policies, separators=(",", ":"), ensure_ascii=False)
        sign_in.applied_conditional_access_policies = msgspec.Raw(cleaned(text).encode())
    sign_in.source = record
    return sign_in


def _convert[T](value: Mapping[str, Any], kind: type[T], where: str) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _Broken(_reason(error, where)) from None


_AT: Final = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<where>.*)`)?$", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(.*)`")


def _reason(error: msgspec.ValidationError, where: str = "") -> str:
    """The first thing wrong, by member ("authenticationDetails.1.succeeded: expected `bool`, got `str`"); never the
    value, which may be anything."""
    found = _AT.match(str(error))
    what, path = (found["what"], found["where"] or "") if found else (str(error), "")
    path = path.replace("[", ".").replace("]", "").removeprefix(".")
    if missing := _MISSING.fullmatch(what):
        path, what = ".".join(filter(None, (path, missing[1]))), "is missing"
    sentence = f"{what[:1].lower()}{what[1:]}"
    return f"{where}{path}: {sentence}" if path else f"{where}{sentence}"


def kept(value: object) -> bytes:
    try:
        return _bytes(value)
    except RecursionError:
        return b"nested too deeply to be kept"


def load(raw: bytes) -> Any:
    """Parse bytes as JSON. Characters that are not Unicode stay in place, so that they spoil their own record alone."""
    try:
        return json.loads(raw.removeprefix(BOM).decode("utf-8", "surrogateescape"), parse_int=_int)
    except RecursionError:
        raise NotJson("not JSON that can be read: nested too deeply") from None
    except ValueError as error:
        where = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise NotJson(f"not JSON, or cut off{where}") from None


def _bytes(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


# --- members ----------------------------------------------------------------------------------------------------------


def _names(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(to_camel(name) for name in kind.__struct_fields__)


# The modelled members, and those of the ones that are objects or lists of objects.
_MEMBERS: Final = _names(SignIn)
_OF_OBJECT: Final = {"status": _names(Status), "agent": _names(Agent)}
_OF_ITEM: Final = {"authenticationDetails": _names(Step), "authenticationProcessingDetails": _names(ProcessingDetail)}
# The modelled members that are objects or lists: Log Analytics exports give them as JSON text.
_NESTED: Final = (*_OF_OBJECT, *_OF_ITEM, "signInEventTypes")


def _modelled(record: dict[str, Any]) -> dict[str, Any]:
    """The modelled members alone, so that nothing beside them can spoil a record, and none of them as JSON text."""
    nested: dict[str, Any] = {name: _unwrapped(record[name]) for name in _NESTED if name in record}
    for name, members in _OF_OBJECT.items():
        if name in nested:
            nested[name] = _only(nested[name], members)
    for name, members in _OF_ITEM.items():
        if isinstance(items := nested.get(name), list):
            nested[name] = [_only(_unwrapped(item), members) for item in items]
    names = {name: cleaned(record[name]) for name in _CLEANED if isinstance(record.get(name), str)}
    wrong = {name: None for name in _FORGIVEN if name in record and name not in names}
    return {**_only(record, _MEMBERS), **nested, **names, **wrong}


def _refuse_what_is_no_text(value: object, where: str) -> None:
    """Raise _Broken for the first text with a character that is no Unicode: in an id, a code or a detail it could be
    anything."""
    if isinstance(value, str):
        if not is_text(value):
            raise _Broken(f"{where.removesuffix('.')}: holds a character that is not Unicode")
    elif isinstance(value, dict):
        for name, member in value.items():
            _refuse_what_is_no_text(member, f"{where}{name}.")
    elif isinstance(value, list):
        for i, item in enumerate(value):
            _refuse_what_is_no_text(item, f"{where}{i}.")


def _only(value: Any, members: Iterable[str]) -> Any:
    """Those members of an object; anything else stays as it is."""
    return {name: value[name] for name in members if name in value} if isinstance(value, dict) else value


def _unwrapped(member: object) -> object:
    """A member that is JSON text becomes what the text says; blank text is nothing."""
    if not isinstance(member, str):
        return member
    if not member.strip():
        return None
    try:
        return json.loads(member, parse_int=_int)
    except (ValueError, RecursionError):
        return member  # the model then says that it is of the wrong type


def _int(digits: str) -> int | str:
    """A number; one of absurd length stays text, so that it spoils its own record alone."""
    return int(digits) if len(digits) < _LONGEST_INT else digits
