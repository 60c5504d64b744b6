"""`python -m local assess FILE… --directory DIRECTORY.json`: judges the sign-in records in files.

Prints one line of JSON a record, in input order, or a table. Exit 0 when all was read, 3 when something was
quarantined, 2 on misuse with one sentence on standard error, 1 when the machine fails (a full disk).

All files are one log. A record that says nothing of MFA asks its session, and any record of the log may tell: so each
record is judged once, when it is read, for every answer that its session may give; what is said of it waits in a
temporary file until all were read. Memory grows only with the interactive sign-ins that say something of MFA, by about
half a kilobyte each. With --no-sessions nothing waits.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import batched
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Final

from pydantic import ValidationError

from local.commands.judging import Judge, Line, settled
from local.commands.lines import json_lines, refusal_line, unread_line
from local.commands.log_files import STANDARD_INPUT, read_log, read_text, steps_in
from local.commands.shapes.auth_details import Steps
from local.commands.unread import Fault, Refusal, Unread
from shared.rules.rule import Policy
from shared.signin.directory import Directory, DirectoryFile, reason_of
from shared.signin.model import SignIn
from shared.signin.sessions import Proof, SessionKey

_BLOCK: Final = 1000  # lines written at once
_IN_MEMORY: Final = 16 << 20
_LONG: Final = 16 << 20  # a file of which one waits for the end


class Misuse(Exception):  # noqa: N818 - what it is
    """The command cannot be run like that; the text says why in a sentence."""


class _Arguments(argparse.Namespace):
    files: list[str]
    directory: Path
    policy: Policy
    format: str
    sessions: bool


def main(argv: list[str]) -> int:
    """Runs the command with the arguments after its name; returns the exit code."""
    try:
        arguments = _arguments(argv)
        directory = _directory(arguments.directory)
        _check(arguments.files)
    except Misuse as error:
        print(f"assess: {error}", file=sys.stderr)
        return 2
    try:
        return 3 if _run(arguments, directory) else 0
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"assess: {error.strerror}", file=sys.stderr)
        return 1


def _arguments(argv: list[str]) -> _Arguments:
    parser = argparse.ArgumentParser(
        prog="python -m local assess",
        description="Judge the sign-in records in files: Graph pages, JSON arrays, JSON lines, diagnostic envelopes.",
        epilog="Exit code: 0 when all was read, 3 when something was quarantined, 2 on misuse.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="a log, or a part of it; gzip too; - is standard input"
    )
    parser.add_argument("--directory", required=True, type=Path, metavar="DIRECTORY.json", help="roster and customers")
    parser.add_argument(
        "--policy", default=Policy.STANDARD, type=Policy, choices=list(Policy), help="default: standard"
    )
    parser.add_argument("--format", default="jsonl", choices=("jsonl", "table"), help="default: jsonl")
    parser.add_argument(
        "--no-sessions", dest="sessions", action="store_false", help="do not ask what a record's session proved"
    )
    return parser.parse_intermixed_args(argv, namespace=_Arguments())


def _directory(path: Path) -> Directory:
    try:
        return Directory.of(DirectoryFile.model_validate_json(read_text(str(path))))
    except Fault as fault:
        raise Misuse(f"the directory file {path}: {fault}") from None
    except ValidationError as error:
        raise Misuse(f"the directory file {path} is wrong: {reason_of(error)}") from None


def _check(files: Iterable[str]) -> None:
    """All that can be known before the first record."""
    for name in files:
        path = Path(name)
        if name == STANDARD_INPUT:
            continue
        if not path.exists():
            raise Misuse(f"there is no file {name}")
        if path.is_dir():
            raise Misuse(f"{name} is a directory; name the files in it")
        if not os.access(path, os.R_OK):
            raise Misuse(f"the file {name} may not be read")


# --- the run ----------------------------------------------------------------------------------------------------------


class _Printed:
    """Lines to standard output as UTF-8."""

    def __init__(self) -> None:
        self.quarantined = False

    def take(self, lines: Sequence[str]) -> None:
        sys.stdout.buffer.write(_bytes(lines))
        self.quarantined = self.quarantined or any(line.startswith('{"error"') for line in lines)


def _bytes(lines: Sequence[str]) -> bytes:
    """Lines as UTF-8. What is not Unicode (the name of a file may be such) becomes a JSON escape."""
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")


def _run(arguments: _Arguments, directory: Directory) -> bool:
    """Judges the files and prints. Returns whether something was quarantined."""
    if arguments.format == "jsonl":
        printed = _Printed()
        _judge(arguments, directory, json_lines(directory), printed.take)
        sys.stdout.buffer.flush()
        return printed.quarantined
    from local.commands.assess_table import Table, line_for

    table = Table()
    _judge(arguments, directory, line_for(directory), table.take)
    table.show()
    return table.quarantined > 0


def _judge(arguments: _Arguments, directory: Directory, line: Line, take: Callable[[Sequence[str]], object]) -> None:
    """Judges the files and hands on the lines, many at once."""
    judge = Judge(directory, arguments.policy, line, sessions=arguments.sessions)
    with SpooledTemporaryFile(_IN_MEMORY) as waiting, Steps() as steps:
        details = steps_in(arguments.files, steps)
        with _progress(arguments) as on_bytes:
            for file in [file for file in arguments.files if file not in details] or arguments.files:
                _judge_file(file, judge, waiting, read_log(file, on_bytes, steps))
                if not arguments.sessions:
                    _hand_on(waiting, {}, take)
        _hand_on(waiting, judge.proofs(), take)


def _judge_file(file: str, judge: Judge, waiting: IO[bytes], items: Iterable[SignIn | Unread | Refusal]) -> None:
    """Judges one file. Its lines wait; of one that is refused only that is told."""
    start = waiting.tell()
    lines: list[str] = []
    for index, item in enumerate(items):
        if isinstance(item, Refusal):
            waiting.seek(start)
            waiting.truncate()
            judge.refuse_file()
            lines = [refusal_line(item, file)]
            break
        lines.append(unread_line(item, file, index) if isinstance(item, Unread) else judge.line(item))
        if len(lines) == _BLOCK:
            waiting.write(_bytes(lines))
            lines.clear()
    waiting.write(_bytes(lines))
    judge.accept_file()


def _hand_on(waiting: IO[bytes], proofs: dict[SessionKey, Proof], take: Callable[[Sequence[str]], object]) -> None:
    """Gives away all lines that wait."""
    waiting.seek(0)
    for lines in batched(settled((text.decode().rstrip("\n") for text in waiting), proofs), _BLOCK, strict=False):
        take(lines)
    waiting.seek(0)
    waiting.truncate()


@contextmanager
def _progress(arguments: _Arguments) -> Iterator[Callable[[int], object]]:
    """A bar for a person who waits: on standard error, only on a terminal that shows nothing else meanwhile, only for
    long files. Gives what is to be told of each number of bytes."""
    sizes = [Path(file).stat().st_size if Path(file).is_file() else None for file in arguments.files]
    total = None if None in sizes else sum(filter(None, sizes))
    quiet = arguments.sessions or arguments.format == "table" or not sys.stdout.isatty()
    if not sys.stderr.isatty() or not quiet or (total is not None and total < _LONG):
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("reading"), BarColumn(), DownloadColumn(binary_units=True), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reading", total=total)
        yield lambda taken: progress.advance(task, taken)
