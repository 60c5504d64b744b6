"""From the bytes of a log to sign-ins, in all the shapes that a log comes in.

The fast way is one pass of pydantic over the bytes of a page, with no dictionary in between. Only what that refuses is
taken apart: a record of another shape (an envelope, JSON text inside a member) is read all the same, and a broken one
is quarantined alone, with its reason, so that the rest of its page counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from shared.signin.model import Agent, AppliedPolicy, Envelope, ProcessingDetail, SignIn, Status, Step

# Part of each slice's head. Raise it when a record is read otherwise than before.
DECODER_VERSION: Final = 3


def _names(kind: type[BaseModel | Step | Status | Agent | ProcessingDetail | AppliedPolicy]) -> tuple[str, ...]:
    fields: Iterable[str] = kind.model_fields if issubclass(kind, BaseModel) else kind.__dataclass_fields__
    return tuple(to_camel(name) for name in fields)


# The modelled members, and those of the ones that are objects.
_MEMBERS: Final = _names(SignIn)
_OF_OBJECT: Final = {"status": _names(Status), "agent": _names(Agent)}
_OF_ITEM: Final = {
    "authenticationDetails": _names(Step),
    "authenticationProcessingDetails": _names(ProcessingDetail),
    "appliedConditionalAccessPolicies": _names(AppliedPolicy),
}
# The modelled members that are objects or lists: Log Analytics exports give them as JSON text.
_NESTED: Final = (*_OF_OBJECT, *_OF_ITEM, "signInEventTypes")
# How far into an envelope its `properties` begin at the latest, in bytes; one that begins later is read with care.
_ENVELOPE_HEAD: Final = 2048
_LONGEST_INT: Final = 4000  # digits; Python refuses to parse somewhat longer ones


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


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a log: what each record became, in the order of the page, and where the next page is."""

    records: list[SignIn | Quarantined]
    next_link: str | None


class _PlainEnvelope(Envelope):
    """An envelope that can be told from a record: only records have a createdDateTime of their own."""

    created_date_time: None = None
    value: None = None  # with lists of that name it is a page or a message, and read with care
    records: None = None


class _GraphPage(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    value: list[SignIn]
    next_link: str | None = Field(default=None, alias="@odata.nextLink")


def decode_page(raw: bytes) -> Page:
    """Read one page of Graph's signIns. Raises NotJson when the body is not one whole page."""
    try:
        page = _GraphPage.model_validate_json(raw)
    except ValidationError:
        return _decode_page_with_care(raw)
    return Page([*page.value], page.next_link)


def _decode_page_with_care(raw: bytes) -> Page:
    document = load(raw)
    if not isinstance(document, dict) or not isinstance(document.get("value"), list):
        raise NotJson("the answer is JSON but has no list `value`")
    next_link = document.get("@odata.nextLink")
    if next_link is not None and not isinstance(next_link, str):
        raise NotJson("the answer's @odata.nextLink is not text")
    return Page([decode_value(value, i) for i, value in enumerate(document["value"])], next_link)


def decode_plain(raw: bytes) -> SignIn | None:
    """Read one whole record or envelope in one pass. None when the bytes are anything else, more than that, or a
    record that takes care (`decode_value`): what is given is never a guess."""
    try:
        if raw.find(b'"properties"', 0, _ENVELOPE_HEAD) < 0:
            return SignIn.model_validate_json(raw)
        return _opened(_PlainEnvelope.model_validate_json(raw))
    except ValidationError:
        return None


def decode_value(value: object, index: int) -> SignIn | Quarantined:
    """Read one record or envelope that was parsed already; a bad one is quarantined.

    What has a createdDateTime of its own is a record, whatever its `properties` are.
    """
    try:
        if isinstance(value, dict):
            return _read(value)
        reason = "a record must be a JSON object"
    except ValidationError as error:
        reason = reason_of(error)
    except RecursionError:
        reason = "a member is nested too deeply"
    return Quarantined(reason, _kept(value), index)


def _read(value: dict[str, Any]) -> SignIn:
    inner = None if "createdDateTime" in value else _unwrapped(value.get("properties"))
    if not isinstance(inner, dict):
        return SignIn.model_validate_json(_bytes(_modelled(value)))
    envelope = {**_only(value, ("category", "resultType")), "properties": _modelled(inner)}
    return _opened(Envelope.model_validate_json(_bytes(envelope)))


def _kept(value: object) -> bytes:
    try:
        return _bytes(value)
    except RecursionError:
        return b"nested too deeply to be kept"


def _opened(envelope: Envelope) -> SignIn:
    sign_in = envelope.properties
    sign_in.category = envelope.category or sign_in.category
    sign_in.result_type = sign_in.result_type if envelope.result_type in (None, "") else envelope.result_type
    return sign_in


def reason_of(error: ValidationError) -> str:
    """The first thing wrong, by member; never the value, which may be anything."""

    def sentence(detail: ErrorDetails) -> str:
        where = ".".join(str(part) for part in detail["loc"])
        return f"{where}: {detail['msg']}" if where else detail["msg"]

    return sentence(error.errors(include_url=False, include_input=False, include_context=False)[0])[:300]


def load(raw: bytes) -> Any:
    """Parse bytes as JSON. Characters that are not Unicode stay in place, so that they spoil their own record alone."""
    try:
        return json.loads(raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape"), parse_int=_int)
    except RecursionError:
        raise NotJson("not JSON that can be read: nested too deeply") from None
    except ValueError as error:
        where = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise NotJson(f"not JSON, or cut off{where}") from None


def _bytes(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _modelled(record: dict[str, Any]) -> dict[str, Any]:
    """The modelled members alone, so that nothing beside them can spoil a record, and none of them as JSON text."""
    nested: dict[str, Any] = {name: _unwrapped(record[name]) for name in _NESTED if name in record}
    for name, members in _OF_OBJECT.items():
        if name in nested:
            nested[name] = _only(nested[name], members)
    for name, members in _OF_ITEM.items():
        if isinstance(items := nested.get(name), list):
            nested[name] = [_only(_unwrapped(item), members) for item in items]
    return {**_only(record, _MEMBERS), **nested}


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
