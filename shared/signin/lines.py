"""Records that stand alone in their lines, decoded many at once. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

from shared.signin.model import LinesSource, SignIn


class _Line(SignIn):
    """A record alone in its line: no envelope, and no page."""

    properties: None = None
    value: None = None
    records: None = None


_LINES: Final = msgspec.json.Decoder(_Line)


def decode_lines(raw: bytes) -> list[SignIn] | None:
    """Read whole lines, each of which is one record, at once. None when a line is anything else, blank too, or takes
    care: then each has to be read for itself."""
    try:
        records = _LINES.decode_lines(raw)
    except (ValueError, RecursionError):
        return None
    if not _each_stands_alone(raw, len(records)):
        return None
    source = LinesSource(raw)
    for place, sign_in in enumerate(records):
        sign_in.source = (source, place)
    return [*records]


def _each_stands_alone(raw: bytes, records: int) -> bool:
    """Whether no line has two records, none or a part of one: there are as many as records,
    each begins with a brace and ends with one, which no place has where a record could go on in the next line."""
    place = raw.find(b"\n")
    while place >= 0:
        if raw[place + 1 : place + 2] != b"{" or not raw[place - 2 : place].rstrip(b"\r").endswith(b"}"):
            return False
        records -= 1
        place = raw.find(b"\n", place + 1)
    return records == 1
