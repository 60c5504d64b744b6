"""`python -m local assess FILE… --directory DIRECTORY.json`: judges the sign-in records in files.

Prints one line of JSON a record, in input order, or a table. Exit 0 when all was read, 3 when something was
quarantined, 2 on misuse with one sentence on standard error, 1 when the machine fails (a full disk).

All files are one log. A record that says nothing of MFA asks its session, and any record of the log may tell: so each
record is judged once, when it is read, for every answer that its session may give; what is said of it waits on disk
until all were read. Memory does not grow with the log. With --no-sessions nothing waits longer than for the end of its
file. Big files are judged on all processors.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from local.commands.judging import Judge, Judged
from local.commands.lines import JsonLines, Pieces
from local.commands.log_files import steps_in
from local.commands.parts import Part, judge_part, judging, parts_of
from local.commands.roots import Roots
from local.commands.shapes import Intake
from local.commands.shapes.auth_details import Steps
from local.commands.sources import STANDARD_INPUT, read_text
from local.commands.spool import Spool
from local.commands.unread import Fault
from shared.rules.rule import Policy
from shared.signin.directory import Directory, DirectoryFile, reason_of

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


def _run(arguments: _Arguments, directory: Directory) -> bool:
    """Judges the files and prints. Returns whether something could not be read."""
    if arguments.format == "jsonl":
        unread = _judge(arguments, directory, JsonLines(directory), sys.stdout.buffer.write)
        sys.stdout.buffer.flush()
        return unread
    from local.commands.assess_table import Table, TableLines

    table = Table()
    unread = _judge(arguments, directory, TableLines(directory), table.take)
    table.show()
    return unread


def _judge(arguments: _Arguments, directory: Directory, pieces: Pieces, take: Callable[[bytes], object]) -> bool:
    """Judges the files and hands on the lines, many at once. Returns whether something could not be read."""
    make = partial(Judge, directory, arguments.policy, pieces, sessions=arguments.sessions)
    with Spool() as spool, Roots() as roots, Steps() as steps:
        details = steps_in(arguments.files, steps)
        files = [file for file in arguments.files if file not in details] or arguments.files
        judge = make()
        with (
            _progress(arguments) as on_bytes,
            judging(make, files, lambda part: judge_part(judge, part, on_bytes, steps)) as judge_parts,
        ):
            for file in files:
                _judge_file(file, judge_parts(parts_of(file)), spool, roots, on_bytes)
                if not arguments.sessions:
                    _hand_on(spool, roots, take)
            _hand_on(spool, roots, take)
        return spool.unread


def _judge_file(
    file: str, parts: Iterable[tuple[Part, Judged]], spool: Spool, roots: Roots, on_bytes: Callable[[int], object]
) -> None:
    """Takes what was judged of a file. Of one that is refused only that is told."""
    spool.begin_file()
    roots.begin_file()
    intake = Intake()
    count = 0
    for part, judged in parts:
        spool.add_part(file, count, judged.frames)
        roots.add(judged.roots, judged.others)
        intake.merge(judged.intake)
        count += judged.count
        if not part.here:
            on_bytes(part.size)
    if reason := intake.refusal():
        spool.refuse_file(file, reason)
        roots.refuse_file()
    else:
        roots.accept_file()


def _hand_on(spool: Spool, roots: Roots, take: Callable[[bytes], object]) -> None:
    for lines in spool.hand_on(roots.proved):
        take(lines)


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
