"""A CSV file, read row by row as a stream: the portal's, Log Analytics', PowerShell's, Splunk's.

What a file is, its columns tell. Commas, semicolons (Excel in much of Europe) and tabs part the cells.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from local.commands.json_text import LARGEST
from local.commands.shapes import Intake, auth_details, foreign, log_analytics, portal_csv, read_values
from local.commands.shapes.members import SIGN_IN, name_of
from local.commands.unread import Fault, Unread
from shared.signin.careful import NotJson, load
from shared.signin.model import SignIn

_DELIMITERS: Final = ",;\t"
_COUNTS: Final = ("sign-in count", "signin count", "number of sign-ins", "# sign-ins", "sign-ins", "aggregat")
_MANY: Final = 40  # columns of the portal's download; of nothing else that is named in words
# Excel shows what begins so as a formula; the portal puts an apostrophe before it.
_FORMULA: Final = ("'=", "'+", "'-", "'@")

csv.field_size_limit(LARGEST)

type Row = dict[str, str]
type ReadRow = Callable[[Row], Iterator[SignIn | Unread]]


class Table:
    """The rows of a CSV text under their columns' names."""

    def __init__(self, chunks: Iterator[bytes], delimiter: str) -> None:
        """Read the heading. Raises Fault when the bytes cannot be had."""
        self._rows = csv.reader(_lines(chunks), delimiter=delimiter)
        heading = next((row for row in self._rows if any(cell.strip() for cell in row)), [])
        self.columns = [portal_csv.column_name(cell) for cell in heading]

    def __iter__(self) -> Iterator[Row | Unread]:
        """The rows; one that has too few or too many cells as an Unread."""
        try:
            for cells in self._rows:
                if len(cells) == len(self.columns) or not any(cells[len(self.columns) :]):
                    if any(cells):
                        yield self._row(cells)
                else:
                    yield _wrong_cells(len(cells), len(self.columns))
        except csv.Error:
            yield Unread("not CSV that can be read: a quotation mark does not end", is_object=False)
        except Fault as fault:
            yield Unread(str(fault), is_object=False)

    def _row(self, cells: list[str]) -> Row | Unread:
        if len(cells) < len(self.columns):
            return _wrong_cells(len(cells), len(self.columns))
        return {name: _cell(cell) for name, cell in zip(self.columns, cells, strict=False) if cell}


def _wrong_cells(cells: int, columns: int) -> Unread:
    return Unread(f"the row has {cells} cells and the heading {columns}: cut off, or broken")


def _cell(text: str) -> str:
    return text[1:].strip() if text.startswith(_FORMULA) else text.strip()


def _lines(chunks: Iterator[bytes]) -> Iterator[str]:
    """The lines of a text with their ends. Bytes that are not UTF-8 (Excel's older CSV) spoil only themselves."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    for chunk in chunks:
        *lines, rest = (rest + decoder.decode(chunk)).split("\n")
        for line in lines:
            yield line.replace("\0", "") + "\n"
    if rest := rest + decoder.decode(b"", final=True):
        yield rest.replace("\0", "")


def delimiter_of(head: bytes) -> str | None:
    """What parts the cells of a text that is a CSV of a kind that somebody might take for a sign-in log; None for any
    other text."""
    return delimiter_of_cells(head, _is_known)


def delimiter_of_cells(head: bytes, is_heading: Callable[[Sequence[str]], bool] = lambda _: True) -> str | None:
    """What parts the cells of the first line, where they are a heading; None where nothing does, as in JSON."""
    first = head.lstrip().partition(b"\n")[0].decode("utf-8", "replace").strip()
    if first.startswith(("{", "[")):
        return None
    for delimiter in _DELIMITERS:
        cells = [portal_csv.column_name(cell) for cell in next(csv.reader([first], delimiter=delimiter), [])]
        if len(cells) > 1 and is_heading(cells):
            return delimiter
    return None


def _is_known(columns: Sequence[str]) -> bool:
    known = len({_graph_name(column)[0] for column in columns} & SIGN_IN) > 1
    return known or portal_csv.fits(columns) or _refusal(columns) is not None or "_raw" in columns


def is_auth_details(head: bytes) -> bool:
    """Whether a text is the portal's CSV of steps."""
    delimiter = delimiter_of(head)
    return delimiter is not None and auth_details.fits(Table(iter((head,)), delimiter).columns)


def _refusal(columns: Sequence[str]) -> str | None:
    """Why a CSV with these columns is refused as a whole; None where its rows are read."""
    if auth_details.fits(columns):
        return foreign.STEPS_ALONE
    if any(column.startswith(_COUNTS) for column in columns):
        return foreign.SUMMARY
    if portal_csv.fits(columns) or "_raw" in columns:
        return None
    if kind := foreign.foreign_kind(dict.fromkeys(columns)):
        return kind
    named = dict(map(_graph_name, columns))
    if "local time" in named.values():
        return foreign.LOCAL_TIME
    if len(named.keys() & SIGN_IN) > 1:
        return None if {"id", "createdDateTime"} <= named.keys() else foreign.NO_ID
    return foreign.OTHER_LANGUAGE if len(columns) >= _MANY else None


def _graph_name(column: str) -> tuple[str, str]:
    """A column's name as Graph names the member, and what Log Analytics says of its time ("CreatedDateTime [UTC]")."""
    name, _, zone = column.partition(" [")
    return name_of(name), zone.rstrip("]")


class CsvReader:
    """Reads the sign-ins of a CSV text."""

    def __init__(self, intake: Intake, file_name: str, steps: auth_details.Steps | None = None) -> None:
        """`file_name` is the portal's own name of the file, `steps` those of the AuthDetails files that came too."""
        self._intake = intake
        self._types = portal_csv.event_types(file_name)
        self._steps = steps

    def read(self, chunks: Iterator[bytes], delimiter: str) -> Iterator[SignIn | Unread]:
        """Give what each row became, in order."""
        table = Table(chunks, delimiter)
        if sentence := _refusal(table.columns):
            self._intake.note_other(sentence)
            return
        read_row = self._reader_of(table.columns)
        for row in table:
            if isinstance(row, Unread):
                self._intake.note_broken()
                yield row
            else:
                yield from read_row(row)

    def _reader_of(self, columns: Sequence[str]) -> ReadRow:
        if "_raw" in columns:
            return self._read_raw
        return self._read_portal if portal_csv.fits(columns) else self._read_named

    def _read_portal(self, row: Row) -> Iterator[SignIn | Unread]:
        steps = self._steps.of(row.get("request id", "")) if self._steps else None
        return read_values(portal_csv.as_graph(row, self._types, steps), self._intake)

    def _read_named(self, row: Row) -> Iterator[SignIn | Unread]:
        """Columns that are named as Graph's members."""
        record: dict[str, Any] = {_graph_name(name)[0]: value for name, value in row.items()}
        return read_values(log_analytics.typed(record), self._intake)

    def _read_raw(self, row: Row) -> Iterator[SignIn | Unread]:
        """Splunk's, with the event as it came in one column."""
        try:
            yield from read_values(load(row.get("_raw", "").encode()), self._intake)
        except NotJson as error:
            self._intake.note_other()
            yield Unread(str(error), is_object=False)
