"""From the bytes of a log to sign-ins, in all the shapes that a log comes in.

The fast way decodes a page straight into Structs; where it refuses, each record of the page is decoded alone. What
that refuses takes the careful way: it is parsed, text inside members is unwrapped, what is no text is cleaned, and the
same Struct is made of it. A record that is broken all the same is quarantined alone, with its reason, so that the rest
of its page counts.
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

from shared.signin.model import Agent, PageSource, ProcessingDetail, SignIn, Status, Step
from shared.signin.surrogates import cleaned, hide_surrogates, is_text

# Part of each slice's head. Raise it when a record is read otherwise than before.
DECODER_VERSION: Final = 4

_LONGEST_INT: Final = 4000  # digits; Python refuses to parse somewhat longer ones
# How far into an envelope its `properties` begin at the latest, in bytes; one that begins later is read with care.
_ENVELOPE_HEAD: Final = 2048
_BOM: Final = b"\xef\xbb\xbf"
_POLICIES: Final = "appliedConditionalAccessPolicies"
# Text that people read and no id, code, detail or type: whatever stands in one must not hide the sign-in.
_FORGIVEN: Final = frozenset(
    {
        *("userDisplayName", "appDisplayName", "resourceDisplayName", "userAgent", "ipAddress"),
        *("correlationId", "uniqueTokenIdentifier"),
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


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a log: what each record became, in the order of the page, and where the next page is."""

    records: list[SignIn | Quarantined]
    next_link: str | None


class _Page(msgspec.Struct):
    value: list[SignIn]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


class _PageOfRecords(msgspec.Struct):
    value: list[msgspec.Raw]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


class _Envelope(msgspec.Struct, rename="camel"):
    """An envelope that can be told from a record: only records have a createdDateTime of their own."""

    properties: msgspec.Raw
    category: str | None = None
    result_type: str | int | None = None
    created_date_time: None = None
    value: None = None  # with lists of that name it is a page or a message, and read with care
    records: None = None


_PAGE: Final = msgspec.json.Decoder(_Page)
_PAGE_OF_RECORDS: Final = msgspec.json.Decoder(_PageOfRecords)
_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)
_SIGN_IN: Final = msgspec.json.Decoder(SignIn)
# What the fast way refuses with; a ValueError is the parser's, the model's, or that of text that is no Unicode.
_REFUSALS: Final = (ValueError, RecursionError)


# --- the fast way -----------------------------------------------------------------------------------------------------


def decode_page(raw: bytes) -> Page:
    """Read one page of Graph's signIns. Raises NotJson when the body is not one whole page."""
    try:
        page = _PAGE.decode(raw)
    except _REFUSALS:
        return _decode_page_by_record(raw)
    source = PageSource(raw)
    for place, sign_in in enumerate(page.value):
        sign_in.source = (source, place)
    return Page([*page.value], page.next_link)


def _decode_page_by_record(raw: bytes) -> Page:
    try:
        page = _PAGE_OF_RECORDS.decode(raw)
    except _REFUSALS:
        return _decode_page_with_surrogates(raw)
    return Page([_decode_record(record, i) for i, record in enumerate(page.value)], page.next_link)


def _decode_page_with_surrogates(raw: bytes) -> Page:
    """Read a page that cannot be split as it came: only the records with a lone surrogate are read with care."""
    try:
        hidden = hide_surrogates(raw.removeprefix(_BOM))
        page = _PAGE_OF_RECORDS.decode(hidden.page)
    except _REFUSALS:
        return _decode_page_with_care(raw)
    if hidden.is_in((page.next_link or "").encode()):
        return _decode_page_with_care(raw)
    records = [
        _decode_record_with_care(hidden.restored(bytes(record)), i)
        if hidden.is_in(bytes(record))
        else _decode_record(record, i)
        for i, record in enumerate(page.value)
    ]
    return Page(records, page.next_link)


def _decode_record(raw: msgspec.Raw, index: int) -> SignIn | Quarantined:
    try:
        sign_in = _SIGN_IN.decode(raw)
    except _REFUSALS:
        return _decode_record_with_care(bytes(raw), index)
    sign_in.source = raw
    return sign_in


def source_bytes(sign_in: SignIn) -> bytes:
    """The record as JSON, as it came or as it was parsed."""
    record = sign_in.record
    return bytes(record) if isinstance(record, msgspec.Raw) else _kept(record)


def decode_plain(raw: bytes) -> SignIn | None:
    """Read one whole record or envelope in one pass. None when the bytes are anything else, more than that, or a
    record that takes care (`decode_value`): what is given is never a guess."""
    try:
        if raw.find(b'"properties"', 0, _ENVELOPE_HEAD) < 0:
            sign_in = _SIGN_IN.decode(raw)
            sign_in.source = msgspec.Raw(raw)
            return sign_in
        envelope = _ENVELOPE.decode(raw)
        sign_in = _SIGN_IN.decode(envelope.properties)
    except _REFUSALS:
        return None
    sign_in.source = envelope.properties
    return _opened(sign_in, envelope.category, envelope.result_type)


def _opened(sign_in: SignIn, category: str | None, result_type: str | int | None) -> SignIn:
    """The sign-in with what its envelope says of it; what is blank there says nothing."""
    if category and not category.isspace():
        sign_in.category = category
    if result_type is not None and not (isinstance(result_type, str) and not result_type.strip()):
        sign_in.result_type = result_type
    return sign_in


# --- the careful way --------------------------------------------------------------------------------------------------


class _Broken(ValueError):  # noqa: N818 - said of a record
    """A record that cannot be read; the text says which member and why, never its value."""


def _decode_page_with_care(raw: bytes) -> Page:
    document = load(raw)
    if not isinstance(document, dict) or not isinstance(document.get("value"), list):
        raise NotJson("the answer is JSON but has no list `value`")
    next_link = document.get("@odata.nextLink")
    if next_link is not None and not isinstance(next_link, str):
        raise NotJson("the answer's @odata.nextLink is not text")
    return Page([decode_value(value, i) for i, value in enumerate(document["value"])], next_link)


def _decode_record_with_care(raw: bytes, index: int) -> SignIn | Quarantined:
    try:
        return decode_value(load(raw), index)
    except NotJson as error:
        return Quarantined(str(error), raw, index)


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
    return Quarantined(reason, _kept(value), index)


def _read(value: dict[str, Any]) -> SignIn:
    inner = None if "createdDateTime" in value else _unwrapped(value.get("properties"))
    if not isinstance(inner, dict):
        return _made(value)
    envelope = _convert(_only(value, ("category", "resultType")), _EnvelopeHead, "")
    return _opened(_made(inner, "properties."), envelope.category, envelope.result_type)


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


def _kept(value: object) -> bytes:
    try:
        return _bytes(value)
    except RecursionError:
        return b"nested too deeply to be kept"


def load(raw: bytes) -> Any:
    """Parse bytes as JSON. Characters that are not Unicode stay in place, so that they spoil their own record alone."""
    try:
        return json.loads(raw.removeprefix(_BOM).decode("utf-8", "surrogateescape"), parse_int=_int)
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
