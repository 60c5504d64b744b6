"""Lines that are decoded many at once: what comes of them is what comes of each alone, or nothing at all."""

from __future__ import annotations

import json
from typing import Final

import msgspec
import pytest

from shared.rules.rule import PASSWORD_ONLY, PLAIN
from shared.signin.decoding import decode_plain
from shared.signin.lines import decode_lines
from shared.signin.model import SignIn

ONE: Final = json.dumps({**PLAIN, "id": "one", "correlationId": "1"}).encode()
TWO: Final = json.dumps({**PLAIN, **PASSWORD_ONLY, "id": "two", "correlationId": "2"}).encode()


def members(record: SignIn) -> object:
    return {**msgspec.json.decode(msgspec.json.encode(record)), "properties": None, "value": None, "records": None}


@pytest.mark.parametrize("lines", [[ONE], [ONE, TWO], [TWO, ONE, TWO]])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_plain_lines_are_what_each_is_alone(lines: list[bytes], end: bytes) -> None:
    found = decode_lines(end.join(lines))
    assert found is not None
    alone = [decode_plain(line) for line in lines]
    assert [members(record) for record in found] == [members(record) for record in alone if record]
    assert [(record.at, record.user_id_key, record.details) for record in found] == [
        (record.at, record.user_id_key, record.details) for record in alone if record
    ]


@pytest.mark.parametrize(
    "block",
    [
        b"",
        ONE + b"\n" + TWO + b"\n",
        ONE + b"\n\n" + TWO,
        ONE + b" " + TWO,
        ONE + b" " + TWO.replace(b", ", b",\n", 1),
        ONE.replace(b", ", b",\n", 1) + b"\n" + TWO,
        ONE + b"," + b"\n" + TWO,
        ONE + b'\n{"time": "x", "category": "SignInLogs", "properties": ' + TWO + b"}",
        ONE + b'\n{"value": [' + TWO + b"]}",
        ONE + b'\n{"id": "x"}',
        ONE + b'\n{"id": "x", "createdDateTime": "yesterday"}',
        ONE + b"\n[" + TWO + b"]",
        ONE + b"\n" + TWO[:-1] + b', "x": NaN}',
        ONE + b"\n" + TWO[:-1] + b', "userDisplayName": "\\ud800"}',
    ],
)
def test_a_line_that_is_anything_else_has_each_read_for_itself(block: bytes) -> None:
    assert decode_lines(block) is None
