"""What is read of a log, whatever its file looks like and whatever happened to it."""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from local.commands.json_records import RecordReader
from local.commands.json_text import LARGEST
from local.commands.log_files import read_log
from local.commands.shapes import Intake
from local.commands.unread import Unread
from shared.signin.model import SignIn

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None
type Record = dict[str, Json]


def record(name: str, **members: Json) -> Record:
    return {
        "id": name,
        "createdDateTime": "2026-11-02T09:00:00Z",
        "userDisplayName": 'Zoë "}, {" \\',
        "status": {"errorCode": 0, "additionalDetails": None},
        "appliedConditionalAccessPolicies": [{"id": "p1", "conditions": {"a": [[], {}]}}, {"id": "p2"}],
        "authenticationProcessingDetails": [{"key": "scope", "value": '["x"]'}],
        **members,
    }


def envelope(inner: Record) -> Record:
    return {"time": "2026-11-02T09:00:00Z", "category": "SignInLogs", "resultType": "0", "properties": inner}


RECORDS = [record(str(n)) for n in range(4)]
IDS = [str(n) for n in range(4)]
SHORT: list[Record] = [
    {"id": "0", "createdDateTime": "2026-11-02T09:00:00Z", "status": {"errorCode": 0}},
    {"x": ["}"], "createdDateTime": "2026-11-02T09:00:00Z", "id": "1"},
]


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def pretty(value: object) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode()


def lines(values: Sequence[object]) -> bytes:
    return b"".join(compact(value) + b"\n" for value in values)


def page(values: Sequence[object]) -> dict[str, object]:
    return {"@odata.context": "https://x/$metadata", "value": values, "@odata.nextLink": None}


SHAPES: dict[str, Callable[[list[Record]], bytes]] = {
    "lines": lines,
    "lines of envelopes": lambda records: lines([envelope(one) for one in records]),
    "lines of pages": lambda records: lines([page(records[:2]), page([]), page(records[2:])]),
    "lines of arrays": lambda records: lines([records[:1], [], records[1:]]),
    "lines of messages": lambda records: lines([{"records": [envelope(one)]} for one in records]),
    "page": lambda records: compact(page(records)),
    "pretty page": lambda records: pretty(page(records)),
    "array": compact,
    "pretty array": pretty,
    "array with a record a line": lambda records: b"[\n" + b",\n".join(map(compact, records)) + b"\n]\n",
    "array with a record a line, otherwise": lambda records: b"[" + b"\n,".join(map(compact, records)) + b"\n]",
    "page with a record a line": lambda records: b'{"value":[\n' + b",\n".join(map(compact, records)) + b"\n]}",
    "message": lambda records: compact({"records": [envelope(one) for one in records]}),
    "pretty message": lambda records: pretty({"records": [envelope(one) for one in records]}),
    "array of pages": lambda records: compact([page(records[:3]), page(records[3:])]),
    "pretty array of arrays": lambda records: pretty([[records[:1]], [], [[records[1:]]]]),
    "pages after one another": lambda records: compact(page(records[:3])) + compact(page(records[3:])),
    "pretty pages after one another": lambda records: pretty(page(records[:3])) + b"\n" + pretty(page(records[3:])),
    "records after one another": lambda records: b"".join(map(compact, records)),
    "pretty records after one another": lambda records: b"\n".join(map(pretty, records)),
    "page whose records come last": lambda records: compact({"x": {"value": [1, {}]}, "y": "[", "value": records}),
    "page whose records come first": lambda records: compact({"value": records, "x": {"value": [1, {}]}}),
    "log analytics": lambda records: lines([as_exported(one) for one in records]),
    "pretty log analytics": lambda records: pretty([as_exported(one) for one in records]),
}  # fmt: skip


def as_exported(one: Record) -> Record:
    return {name: json.dumps(value) if isinstance(value, dict | list) else value for name, value in one.items()}


def told(items: Iterator[SignIn | Unread]) -> list[str | None]:
    """The id of each sign-in, None for what could not be read."""
    return [item.id if isinstance(item, SignIn) else None for item in items]


def told_of(path: Path) -> list[str | None]:
    """The same of a file; of one that is refused, one None alone."""
    intake = Intake()
    said = told(read_log(str(path), intake))
    return [None] if intake.refusal() else said


def read(tmp_path: Path, text: bytes, name: str = "log.json") -> list[str | None]:
    path = tmp_path / name
    path.write_bytes(text)
    return told_of(path)


def assert_a_beginning(got: list[str | None]) -> None:
    """What could be read, in order, and at most one error, at the end."""
    good = [name for name in got if name]
    assert good == IDS[: len(good)]
    assert got in (good, [*good, None])


# --- shapes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_its_records_in_order(tmp_path: Path, shape: str) -> None:
    assert read(tmp_path, SHAPES[shape](RECORDS)) == IDS


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["log.json", "log.jsonl.gz"])
def test_neither_the_name_nor_packing_nor_the_encoding_matters(tmp_path: Path, shape: str, name: str) -> None:
    text = SHAPES[shape](RECORDS)
    windows = text.replace(b"\n", b"\r\n")
    forms = {
        "crlf": windows,
        "bom": b"\xef\xbb\xbf" + text,
        "blank lines": b"\n \r\n" + text.replace(b"\n", b"\n\n  \n") + b"\n\n",
        "gzip": gzip.compress(text),
        "gzip of bom and crlf": gzip.compress(b"\xef\xbb\xbf" + windows),
        "utf-16": "\ufeff".encode("utf-16-le") + windows.decode().encode("utf-16-le"),
        "utf-16, other order": "\ufeff".encode("utf-16-be") + text.decode().encode("utf-16-be"),
    }
    assert {form: read(tmp_path, content, name) for form, content in forms.items()} == dict.fromkeys(forms, IDS)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000])
def test_where_the_chunks_end_does_not_matter(shape: str, size: int) -> None:
    text = SHAPES[shape](RECORDS)
    chunks = (text[at : at + size] for at in range(0, len(text), size))
    assert told(RecordReader().read(chunks)) == IDS


def test_the_members_of_an_envelope_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(compact({"records": [envelope(RECORDS[0]), {**envelope(RECORDS[1]), "resultType": "50126"}]}))
    first, second = read_log(str(path), Intake())
    assert isinstance(first, SignIn)
    assert isinstance(second, SignIn)
    assert (first.category, first.result_type, second.result_type) == ("SignInLogs", "0", "50126")


@pytest.mark.parametrize(
    "text", [b"", b"\n \r\n\t", b"\xef\xbb\xbf", b"[]", b'{"value": []}', gzip.compress(b"", mtime=0)]
)
def test_nothing_is_no_record_and_no_error(tmp_path: Path, text: bytes) -> None:
    assert read(tmp_path, text) == []


def test_several_gzip_members_and_padding_are_one_text(tmp_path: Path) -> None:
    text = lines(RECORDS)
    packed = gzip.compress(text[:100]) + gzip.compress(b"", mtime=0) + gzip.compress(text[100:]) + b"\0" * 512
    assert read(tmp_path, packed) == IDS


def test_a_pipe_is_read_as_it_comes(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(pretty(RECORDS),))
    writer.start()
    assert told_of(path) == IDS
    writer.join()


# --- broken files -----------------------------------------------------------------------------------------------------

_ONE_TEXT = [shape for shape in SHAPES if not shape.startswith(("lines", "log analytics")) and "after" not in shape]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_file_cut_off_anywhere_gives_what_could_be_read_and_at_most_one_error(tmp_path: Path, shape: str) -> None:
    text = SHAPES[shape](SHORT)
    most = 0
    for end in range(len(text) - 1, 0, -1):
        got = read(tmp_path, text[:end])
        assert_a_beginning(got)
        most = max(most, sum(name is not None for name in got))
    assert most >= 1


@pytest.mark.parametrize("shape", _ONE_TEXT)
def test_a_text_that_is_cut_off_has_one_error(tmp_path: Path, shape: str) -> None:
    text = SHAPES[shape](SHORT).rstrip()
    for end in range(1, len(text), 3):
        assert read(tmp_path, text[:end]).count(None) == 1


def test_a_cut_off_page_gives_all_records_before_the_cut(tmp_path: Path) -> None:
    for text in (compact(page(RECORDS)), pretty(page(RECORDS)), lines([page(RECORDS)]) * 1):
        end = text.index(b'"3"')
        assert read(tmp_path, text[:end]) == ["0", "1", "2", None]


def test_a_last_line_that_is_broken_and_cut_off_too_is_told(tmp_path: Path) -> None:
    packed = gzip.compress(compact(RECORDS[0]) + b"\n" + b"[}" + compact(RECORDS[1]))
    assert read(tmp_path, packed[:-8]) == ["0", None, None]


@pytest.mark.parametrize("shape", ["lines", "pretty page", "lines of pages"])
def test_gzip_cut_off_anywhere_gives_what_could_be_read_and_one_error(tmp_path: Path, shape: str) -> None:
    packed = gzip.compress(SHAPES[shape](RECORDS))
    for end in range(2, len(packed)):
        got = read(tmp_path, packed[:end])
        assert_a_beginning(got)
        assert got[-1] is None
    assert got == [*IDS, None]


def test_a_wrong_checksum_is_an_error_after_all_records(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(lines(RECORDS)))
    packed[-6] ^= 1
    assert read(tmp_path, bytes(packed)) == [*IDS, None]
    assert read(tmp_path, gzip.compress(lines(RECORDS)) + b"what is this") == [*IDS, None]


def test_gzip_that_breaks_late_gives_what_came_before(tmp_path: Path) -> None:
    rng = random.Random(5)  # noqa: S311 - seeded
    many = [record(str(n), correlationId=rng.randbytes(40).hex()) for n in range(300)]
    packed = bytearray(gzip.compress(lines(many)))
    for at in range(len(packed) * 3 // 4, len(packed) * 3 // 4 + 20):
        packed[at] ^= 0xFF
    got = read(tmp_path, bytes(packed))
    assert got[:150] == [str(n) for n in range(150)]
    assert got[-1] is None


@pytest.mark.parametrize(
    "text",
    [
        b"5", b'"text"', b"null", b"true", b"{}", b'{"value": 5}', b'{"error": {"code": "x"}}', b"nothing of the kind",
        b"[5", b"}", b",", b"\x00\x01\x02", b"\xff\xfe\xfd", b"{" * 200_000, b"[" * 200_000, b"\x1f\x8b",
        b"date,user\n2026-11-02,jane\n2026-11-02,john\n", b"1,2\n3,4\n", b"a line\n\nand another\n" * 3000,
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 50, b'{"id": "1"\n{"id": "2"\n', b'["a\n', b'{"a": "' + b"x" * 100,
    ],
)  # fmt: skip
def test_a_file_that_is_no_log_gives_one_error(tmp_path: Path, text: bytes) -> None:
    assert read(tmp_path, text) == [None]


def test_a_line_that_is_not_json_harms_no_other(tmp_path: Path) -> None:
    first, second, third, fourth = map(compact, RECORDS)
    for bad in (b"not json", b"{", b'{"id": "x', b'{"id" "x"}', second[:-1], second[:40], b"\xff\x00", b"]", b"[5"):
        for name in ("log.json", "log.jsonl"):
            assert read(tmp_path, b"\n".join([bad, first, second]), name) == [None, "0", "1"]
            assert read(tmp_path, b"\n".join([first, bad, second]), name) == ["0", None, "1"]
            assert read(tmp_path, b"\n".join([first, second, bad]), name) == ["0", "1", None]
    assert read(tmp_path, b"\n".join([b"a", b"b", third, b"c", b"d", fourth])) == [None, None, "2", None, None, "3"]


def test_a_first_line_cut_off_anywhere_harms_no_other(tmp_path: Path) -> None:
    first = compact({**RECORDS[0], "authenticationDetails": [{"authenticationMethod": "Password"}]})
    for end in range(1, len(first)):
        assert read(tmp_path, first[:end] + b"\n" + lines(RECORDS[1:])) == [None, "1", "2", "3"], first[:end]


def test_what_follows_a_record_on_its_line_is_read_or_an_error(tmp_path: Path) -> None:
    first, second, third, _ = map(compact, RECORDS)
    assert read(tmp_path, first + second + b" " + third + b"\n" + third) == ["0", "1", "2", "2"]
    assert read(tmp_path, first + b" rest\n" + second) == ["0", None, "1"]
    assert read(tmp_path, first + b",\n" + second + b",\n") == ["0", None, "1", None]
    assert read(tmp_path, first + b"\n" + second + third[:50] + b"\n" + third) == ["0", "1", None, "2"]
    assert read(tmp_path, compact(page(RECORDS))[:-9] + b"\n" + lines([page(RECORDS)]), "log.jsonl") == [
        *IDS,
        None,
        *IDS,
    ]


@pytest.mark.parametrize("form", [compact, pretty])
@pytest.mark.parametrize(
    "bad",
    [
        5, "text", None, True, {}, {"id": "x"}, {"a": [[{}]]}, {**RECORDS[0], "userId": 5},
        {**RECORDS[0], "status": "no"},
    ],
)  # fmt: skip
def test_a_bad_record_has_its_place_and_harms_no_other(
    tmp_path: Path, form: Callable[[object], bytes], bad: Json
) -> None:
    values: list[Json] = [RECORDS[0], bad, RECORDS[1], bad]
    expected = ["0", None, "1", None]
    assert read(tmp_path, form(values)) == expected
    assert read(tmp_path, form({"value": values})) == expected
    assert read(tmp_path, form({"records": values})) == expected
    assert read(tmp_path, lines(values)) == expected


@pytest.mark.parametrize(("good", "broken", "second"), [(b"Zo", b"Z\xe9", "1"), (b'"id":"1"', b'"id":"\xe9"', None)])
def test_bytes_that_are_not_utf8_spoil_at_most_their_own_record(
    tmp_path: Path, good: bytes, broken: bytes, second: str | None
) -> None:
    bad = compact(RECORDS[1]).replace(good, broken)
    for text in (
        b"[" + b",".join([compact(RECORDS[0]), bad, compact(RECORDS[2])]) + b"]",
        b"\n".join([compact(RECORDS[0]), bad, compact(RECORDS[2])]),
    ):
        assert read(tmp_path, text) == ["0", second, "2"]


def test_a_record_that_is_not_json_inside_its_braces_harms_no_other(tmp_path: Path) -> None:
    text = compact(RECORDS[:3]).replace(b'"id":"1"', b'"id" "1"')
    assert read(tmp_path, text) == ["0", None, "2"]


def test_an_array_that_breaks_has_one_error(tmp_path: Path) -> None:
    first, second, _, _ = map(compact, RECORDS)
    for text in (
        b"[" + first + second + b"]",
        b"[" + first + b",,%s]" % second,
        b"[" + first + b",oops,%s]" % second,
        b"[" + first + b",]",
        b'{"value":[' + first + b"},%s]" % second,
        b'{"value":[' + first + b'],"x":tru}',
        b'{"value":[' + first + b'],"x":{"y" 1}}',
        b'{"value":[' + first + b"],}",
    ):
        assert read(tmp_path, text) == ["0", None], text


@pytest.mark.parametrize(("depth", "second"), [(300, "1"), (20_000, None), (200_000, None)])
def test_nesting_that_no_parser_follows_spoils_its_own_record(tmp_path: Path, depth: int, second: str | None) -> None:
    deep = compact(RECORDS[1]).replace(b'"errorCode":0', b'"errorCode":0,"x":' + b"[" * depth + b"]" * depth)
    assert read(tmp_path, b"[" + b",".join([compact(RECORDS[0]), deep, compact(RECORDS[2])]) + b"]") == [
        "0",
        second,
        "2",
    ]
    assert read(tmp_path, b"\n".join([compact(RECORDS[0]), deep, compact(RECORDS[2])])) == ["0", second, "2"]


def test_json_text_in_a_member_at_the_limit_of_depth_spoils_its_own_record(tmp_path: Path) -> None:
    deep = [{**RECORDS[1], "status": "[" * depth + "]" * depth} for depth in range(9_900, 10_100)]
    assert read(tmp_path, compact([RECORDS[0], *deep, RECORDS[2]])) == ["0", *[None] * len(deep), "2"]


def test_a_number_too_long_to_read_spoils_its_own_record(tmp_path: Path) -> None:
    long = compact(RECORDS[1]).replace(b'"errorCode":0', b'"errorCode":' + b"7" * 5000)
    assert read(tmp_path, b"[" + b",".join([compact(RECORDS[0]), long, compact(RECORDS[2])]) + b"]") == ["0", None, "2"]


def test_an_empty_list_beside_the_members_of_a_record_hides_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, compact([{"id": 5, "createdDateTime": "x", "value": []}, RECORDS[0]])) == [None, "0"]
    assert read(tmp_path, compact({"value": [], "records": RECORDS})) == IDS


def values_in(text: bytes) -> int:
    """How many JSON values a text is, one after the other with or without space between them; 0 if it is not JSON."""
    decoder, at, count = json.JSONDecoder(), 0, 0
    try:
        rest = text.decode().strip()
        while at < len(rest):
            _, at = decoder.raw_decode(rest, at)
            at += len(rest) - at - len(rest[at:].lstrip())
            count += 1
    except ValueError:
        return 0
    return count


_PIECES = [*(bytes([char]) for char in b'{}[],:"\\\n\0'), b'{"value":[', b'"records":[', b"1e9"]


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_text_is_never_taken_for_a_whole_one_or_the_other_way_round(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - seeded
    for _ in range(200):
        text = bytearray(SHAPES[rng.choice(list(SHAPES))](SHORT))
        for _ in range(rng.choice([1, 1, 2, 5])):
            at = rng.randrange(len(text))
            text[at : at + rng.choice([0, 0, 1, 20])] = rng.choice([*_PIECES, b""])
        path = tmp_path / "log"
        path.write_bytes(text)
        reasons = [item.reason for item in read_log(str(path), Intake()) if isinstance(item, Unread)]
        values = values_in(bytes(text))
        if values == 1:  # more may be lines, of which each must be whole
            assert [reason for reason in reasons if "not JSON" in reason] == [], bytes(text)
        elif not values:
            assert reasons, bytes(text)


# --- guesses ----------------------------------------------------------------------------------------------------------


def odd_record(rng: random.Random, name: str) -> Record:
    """A record that may lack or repeat what others have, in any order, with braces and keys inside its texts."""
    text = rng.choice(["plain", '}, {"id": "x", "createdDateTime": "y"', "createdDateTime", "}", '{"', "\\", '"', "\n"])
    members = list(record(name, userAgent=text).items())
    rng.shuffle(members)
    one: Record = dict(members if rng.random() < 0.5 else members[::-1])
    if rng.random() < 0.2:
        one["appliedConditionalAccessPolicies"] = [record("nested"), {"createdDateTime": text}]
    if rng.random() < 0.1:
        del one[rng.choice(["createdDateTime", "status", "id"])]
    if rng.random() < 0.05:
        one["userId"] = 5
    return one


@pytest.mark.parametrize("seed", range(40))
def test_whatever_stands_in_records_their_ends_are_found(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - seeded
    records = [odd_record(rng, str(n)) for n in range(60)]
    expected = [
        None if "id" not in one or "createdDateTime" not in one or "userId" in one else one["id"] for one in records
    ]
    for form in (compact(records), pretty(page(records)), b" ".join(map(pretty, records))):
        size = rng.choice([100, 5000, 1 << 20])
        chunks = (form[at : at + size] for at in range(0, len(form), size))
        assert told(RecordReader().read(chunks)) == expected


# --- size -------------------------------------------------------------------------------------------------------------


def test_members_and_lines_of_any_size_are_passed_over_or_read(tmp_path: Path) -> None:
    text = b'{"note":"' + b"\\\\x]" * (LARGEST // 2) + b'","list":[' + b'"a",' * LARGEST + b'5],"value":'
    assert read(tmp_path, text + compact(RECORDS) + b"}") == IDS
    long_line = b'{"value":[' + b" " * (2 * LARGEST) + compact(RECORDS)[1:] + b"}"
    assert read(tmp_path, b"\n".join([compact(RECORDS[0]), long_line, compact(RECORDS[1])])) == ["0", *IDS, "1"]
    broken = long_line[:-40] + b"\nnot json\n"
    assert read(tmp_path, b"\n".join([compact(RECORDS[0]), broken, compact(RECORDS[1])])) == [
        *("0", "0", "1", "2", None, None, "1")
    ]


def test_a_record_that_is_too_big_has_its_place(tmp_path: Path) -> None:
    big = compact({**RECORDS[1], "x": "y" * (LARGEST + (2 << 20))})
    assert read(tmp_path, b"[" + b",".join([compact(RECORDS[0]), big, compact(RECORDS[2])]) + b"]") == ["0", None, "2"]
    assert read(tmp_path, b"\n".join([compact(RECORDS[0]), big, compact(RECORDS[2])])) == ["0", None, "2"]


_MEASURE = """
import resource, sys
from local.commands.log_files import read_log
from local.commands.shapes import Intake
from shared.signin.model import SignIn
for _ in read_log(sys.argv[1], Intake()): pass
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
good = sum(isinstance(item, SignIn) for item in read_log(sys.argv[2], Intake()))
print(good, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def growth(small: Path, big: Path) -> tuple[int, int]:
    """The sign-ins in the big file, and the KiB that reading it took beyond those that reading the small one took."""
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", _MEASURE, str(small), str(big)], capture_output=True, check=True, cwd=Path.cwd()
    )
    good, grown = done.stdout.split()
    return int(good), int(grown)


@pytest.mark.parametrize("shape", ["lines", "array", "pretty page"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, shape: str) -> None:
    small, big = tmp_path / "small.gz", tmp_path / "big.gz"
    small.write_bytes(gzip.compress(SHAPES[shape]([record(str(n)) for n in range(6_000)]), 1))
    big.write_bytes(gzip.compress(SHAPES[shape]([record(str(n)) for n in range(40_000)]), 1))
    good, grown = growth(small, big)
    assert good == 40_000
    assert grown < 6 << 10


def test_memory_does_not_grow_with_what_a_small_archive_unpacks_to(tmp_path: Path) -> None:
    small, big = tmp_path / "small", tmp_path / "big"
    small.write_bytes(b'{"x":"' + b"y" * (2 * LARGEST) + b'"}')
    big.write_bytes(b"".join(gzip.compress(part) for part in (b'{"x":"', *[b"y" * (16 << 20)] * 12, b'"}')))
    assert growth(small, big)[1] < 6 << 10
