"""From the bytes of a page, a record or an envelope to sign-ins.

The fast way decodes a page straight into Structs; where it refuses, each record of the page is decoded alone. What
that refuses takes the careful way (`careful.py`). A record that is broken all the same is quarantined alone, with its
reason, so that the rest of its page counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from shared.signin.careful import BOM, NotJson, Quarantined, decode_value, kept, load, opened
from shared.signin.hiding import hide
from shared.signin.model import PageSource, SignIn

# Part of each slice's head. Raise it when a record is read otherwise than before.
DECODER_VERSION: Final = 4

# How far into an envelope its `properties` begin at the latest, in bytes; one that begins later is read with care.
_ENVELOPE_HEAD: Final = 2048


@dataclass(frozen=True, slots=True)
class SignInPage:
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


# --- pages ------------------------------------------------------------------------------------------------------------


def decode_page(raw: bytes) -> SignInPage:
    """Read one page of Graph's signIns. Raises NotJson when the body is not one whole page.

    A page is decoded in one pass, which takes about two thirds of the time of its records one by one and comes to the
    same. Only where that refuses are the records taken apart, so that each is read for itself.
    """
    raw = raw.removeprefix(BOM)
    try:
        page = _PAGE.decode(raw)
    except _REFUSALS:
        return _decode_page_by_record(raw)
    source = PageSource(raw)
    for place, sign_in in enumerate(page.value):
        sign_in.source = (source, place)
    return SignInPage([*page.value], page.next_link)


def _decode_page_by_record(raw: bytes) -> SignInPage:
    try:
        page = _PAGE_OF_RECORDS.decode(raw)
    except _REFUSALS:
        return _decode_page_in_parts(raw)
    return SignInPage([_decode_record(record, i) for i, record in enumerate(page.value)], page.next_link)


def _decode_page_in_parts(raw: bytes) -> SignInPage:
    """Read a page that cannot be split as it came: only the records with what the parser refuses are read with care."""
    try:
        hidden = hide(raw)
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
    return SignInPage(records, page.next_link)


def _decode_page_with_care(raw: bytes) -> SignInPage:
    document = load(raw)
    if not isinstance(document, dict) or not isinstance(document.get("value"), list):
        raise NotJson("the answer is JSON but has no list `value`")
    next_link = document.get("@odata.nextLink")
    if next_link is not None and not isinstance(next_link, str):
        raise NotJson("the answer's @odata.nextLink is not text")
    return SignInPage([decode_value(value, i) for i, value in enumerate(document["value"])], next_link)


# --- records ----------------------------------------------------------------------------------------------------------


def _decode_record(raw: msgspec.Raw, index: int) -> SignIn | Quarantined:
    try:
        sign_in = _SIGN_IN.decode(raw)
    except _REFUSALS:
        return _decode_record_with_care(bytes(raw), index)
    sign_in.source = raw
    return sign_in


def _decode_record_with_care(raw: bytes, index: int) -> SignIn | Quarantined:
    try:
        return decode_value(load(raw), index)
    except NotJson as error:
        return Quarantined(str(error), raw, index)


def source_bytes(sign_in: SignIn) -> bytes:
    """The record as JSON, as it came or as it was parsed."""
    record = sign_in.record
    return bytes(record) if isinstance(record, msgspec.Raw) else kept(record)


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
    return opened(sign_in, envelope.category, envelope.result_type)
