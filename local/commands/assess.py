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
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from itertools import batched
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Final

from pydantic import ValidationError

from local.commands.json_records import Fault, Unread
from local.commands.log_files import STANDARD_INPUT, read_log, read_text
from shared.rules.assess import Assessment, assess
from shared.rules.rule import Policy, Severity
from shared.signin.decoding import reason_of
from shared.signin.directory import Directory, DirectoryFile
from shared.signin.model import SignIn
from shared.signin.sessions import Proof, Root, Session, SessionKey, root_of, session_of

type Line = Callable[[SignIn, Assessment], str]

_BLOCK: Final = 1000  # lines written at once
_IN_MEMORY: Final = 16 << 20
_LONG: Final = 16 << 20  # a file of which one waits for the end
# In the order of the choices of a waiting line.
_ANSWERS: Final = (Session.SATISFIED, Session.MISSING, Session.MIXED, Session.UNSEEN)


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


# --- judging ----------------------------------------------------------------------------------------------------------


class Judge:
    """Judges records as they come, and remembers what speaks for a session."""

    def __init__(self, directory: Directory, policy: Policy, line: Line, *, sessions: bool) -> None:
        """`line` makes the text of a judged record."""
        self._directory, self._policy, self._line, self._sessions = directory, policy, line, sessions
        # By id, because only the version of a record that was served last counts.
        self._roots: dict[str, Root] = {}

    def line(self, sign_in: SignIn) -> str:
        """What is said of a record: a JSON object, or a list that waits for its session (`settled`)."""
        judged = assess(sign_in, self._directory, self._policy)
        if not self._sessions:
            return self._line(sign_in, judged)
        if root := root_of(sign_in, self._directory):
            self._roots[sign_in.id] = root
        else:
            self._roots.pop(sign_in.id, None)
        if not judged.asks_session or (key := session_of(sign_in, self._directory)) is None:
            return self._line(sign_in, judged)
        choices = [
            self._line(sign_in, assess(sign_in, self._directory, self._policy, answer)) for answer in _ANSWERS[:-1]
        ]
        return json.dumps([*key, sign_in.instant.isoformat(), *choices, self._line(sign_in, judged)])

    def proofs(self) -> dict[SessionKey, Proof]:
        """What the sessions proved, once all records were seen."""
        proofs: dict[SessionKey, Proof] = {}
        for root in self._roots.values():
            proofs.setdefault(root.session, Proof()).add(root.at, root.own)
        return proofs


def settled(lines: Iterable[str], proofs: dict[SessionKey, Proof]) -> Iterator[str]:
    """The lines with what waited for a session decided."""
    for line in lines:
        if line.startswith("["):
            user, session, at, *choices = json.loads(line)
            proof = proofs.get((user, session))
            answer = proof.at(datetime.fromisoformat(at)) if proof else Session.UNSEEN
            yield choices[_ANSWERS.index(answer)]
        else:
            yield line


def judged_lines(files: Iterable[str], judge: Judge, on_bytes: Callable[[int], object]) -> Iterator[str]:
    """Reads the files and gives a line for all that is in them; what cannot be read is a line with `error`."""
    for file in files:
        for index, record in enumerate(read_log(file, on_bytes)):
            yield _unread(record, file, index) if isinstance(record, Unread) else judge.line(record)


# --- the lines of the output ------------------------------------------------------------------------------------------

_text: Final = json.JSONEncoder(ensure_ascii=False).encode


def _unread(unread: Unread, file: str, index: int) -> str:
    return f'{{"error":{_text(unread.reason)},"file":{_text(file)},"index":{index}}}'


def json_line(sign_in: SignIn, judged: Assessment) -> str:
    """The line of a record as design.md, "Interfaces", has it."""
    return (
        f'{{"id":{_text(sign_in.id)},"identity":"{judged.identity}","scope":"{judged.scope}",'
        f'"outcome":"{judged.outcome}","evidence":"{judged.evidence}","verdict":"{judged.verdict}",'
        f'{_rules(judged.fits) if judged.fits else _NO_RULES},"why":{_or_null(judged.why)},'
        f'"strength":{_or_null(judged.strength)}}}'
    )


def _or_null(value: str | None) -> str:
    return "null" if value is None else f'"{value}"'


_NO_RULES: Final = '"rules":[],"severity":null'


@lru_cache(1024)
def _rules(fits: tuple[tuple[str, Severity], ...]) -> str:
    severity = max(severity for _, severity in fits)
    return f'"rules":{json.dumps([rule for rule, _ in fits], separators=(",", ":"))},"severity":"{severity.label}"'


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
        _judge(arguments, directory, json_line, printed.take)
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
    with SpooledTemporaryFile(_IN_MEMORY) as waiting:
        with _progress(arguments) as on_bytes:
            for lines in batched(judged_lines(arguments.files, judge, on_bytes), _BLOCK, strict=False):
                if arguments.sessions:
                    waiting.write(_bytes(lines))
                else:
                    take(lines)
        waiting.seek(0)
        for lines in batched(
            settled((text.decode().rstrip("\n") for text in waiting), judge.proofs()), _BLOCK, strict=False
        ):
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
