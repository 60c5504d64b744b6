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
    lines = raw.count(b"\n")
    # A record that goes on in the next line breaks off at a comma or a bracket; and two may stand in one line.
    if lines != raw.count(b"}\n{") + raw.count(b"}\r\n{") or len(records) != lines + 1:
        return None
    source = LinesSource(raw)
    for place, sign_in in enumerate(records):
        sign_in.source = (source, place)
    return [*records]
