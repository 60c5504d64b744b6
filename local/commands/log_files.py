"""A sign-in log in a file, read as a stream: in any shape, from any source, in little memory.

JSON lines are read line by line (`json_lines`), CSV row by row (`csv_log`), everything else as one text of JSON values
(`json_records`). What a file is, is told by how it begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final

from local.commands.csv_log import CsvReader, Table, delimiter_of, is_auth_details
from local.commands.json_lines import if_json, is_lines, read_lines
from local.commands.json_records import RecordReader
from local.commands.shapes import Intake, foreign
from local.commands.shapes.auth_details import Steps
from local.commands.sources import STANDARD_INPUT, beginning, file_bytes, text_of
from local.commands.unread import Unread
from shared.signin.model import SignIn

_MAGIC: Final = {b"Obj\x01": foreign.AVRO, b"PAR1": foreign.PARQUET, b"PK\x03\x04": foreign.ARCHIVE}


def read_log(
    path: str, intake: Intake, on_bytes: Callable[[int], object] = lambda _: None, steps: Steps | None = None
) -> Iterator[SignIn | Unread]:
    """Read the records of a file in order; `-` is the standard input, and a pipe will do.

    What cannot be read is given as an Unread in its place: a record of a wrong kind, a line that is not JSON, and, as
    the last, the end of a file that is cut off or broken. `intake` knows at the end whether the file is a log of
    sign-ins at all. `on_bytes` hears how many bytes of the file were taken; `steps` has those of the portal's
    AuthDetails files. Never raises for what is in the file; a disk error too is an Unread.
    """
    head, chunks = beginning(text_of(file_bytes(path, on_bytes)))
    if sentence := _kind_of_bytes(head):
        intake.note_other(sentence)
        return iter(())
    text = chain([head], chunks)
    if delimiter := delimiter_of(head):
        return CsvReader(intake, Path(path).name, steps).read(text, delimiter)
    reader = RecordReader(intake)
    return if_json(read_lines(reader, intake, text)) if is_lines(head) else reader.read(text)


def holds_json_lines(head: bytes) -> bool:
    """Whether a text that begins so is JSON, a value a line."""
    return _kind_of_bytes(head) is None and delimiter_of(head) is None and is_lines(head)


def _kind_of_bytes(head: bytes) -> str | None:
    """What a file is that is no text; None for any other."""
    return next((sentence for magic, sentence in _MAGIC.items() if head.startswith(magic)), None)


def steps_in(paths: Iterable[str], steps: Steps) -> set[str]:
    """Find the AuthDetails files among the paths, take their steps, and say which they are. A pipe is none: it can be
    read only once."""
    found: set[str] = set()
    for path in paths:
        if path == STANDARD_INPUT or not Path(path).is_file():
            continue
        head, chunks = beginning(text_of(file_bytes(path)))
        if is_auth_details(head) and (delimiter := delimiter_of(head)):
            found.add(path)
            steps.add(row for row in Table(chain([head], chunks), delimiter) if isinstance(row, dict))
    return found
