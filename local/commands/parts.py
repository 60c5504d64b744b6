"""A log in parts that several processes can judge at once, and are put together again in order.

A small file is one part. A big one of JSON lines is cut at the ends of lines: the places of a plain file, so that each
process reads its own; the unpacked text of another. What has no lines stays one part.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from local.commands.csv_log import delimiter_of
from local.commands.json_lines import read_lines
from local.commands.json_records import RecordReader
from local.commands.json_text import LARGEST
from local.commands.judging import Judge, Judged
from local.commands.log_files import holds_json_lines, read_log
from local.commands.shapes import Intake
from local.commands.shapes.auth_details import Steps
from local.commands.sources import STANDARD_INPUT, beginning, failing, file_bytes, text_of
from local.commands.spool import Outbox
from local.commands.unread import Fault

_SIZE: Final = 4 << 20  # of a part, about
_CHUNK: Final = 256 << 10  # of a part, read at once: what the processor keeps at hand
_WORTH_IT: Final = 24 << 20  # bytes of files from which on processes pay their start
_AHEAD: Final = 3  # parts for each process that are read or judged before their turn


@dataclass(frozen=True, slots=True)
class Part:
    """A file, or a piece of one that holds JSON lines: the bytes from `start` up to `end`, the `text` itself, which may
    end in a `fault`, or all text after the first `skip` bytes of it. `size` is how much of the file it is; `here` is
    said of what no other process can read."""

    file: str
    size: int = 0
    here: bool = False
    start: int | None = None
    end: int = 0
    text: bytes | None = None
    fault: str | None = None
    skip: int = 0


def parts_of(file: str) -> Iterator[Part]:
    """The parts of a file in order."""
    if file == STANDARD_INPUT or not Path(file).is_file():
        return iter([Part(file, here=True)])
    size = Path(file).stat().st_size
    head, _ = beginning(text_of(file_bytes(file)))
    if delimiter_of(head):
        return iter([Part(file, here=True)])  # its steps are known here alone
    if size < 2 * _SIZE or not holds_json_lines(head):
        return iter([Part(file, size)])
    with Path(file).open("rb") as plain:
        is_plain = plain.read(len(head)) == head
    return _ranges(file, size) if is_plain else _texts(file)


def _ranges(file: str, size: int) -> Iterator[Part]:
    """Parts of a plain file."""
    start = 0
    with Path(file).open("rb") as plain:
        while start < size:
            plain.seek(min(start + _SIZE, size))
            while (rest := plain.readline(_SIZE)) and not rest.endswith(b"\n"):
                pass
            end = plain.tell()
            yield Part(file, end - start, start=start, end=end)
            start = end


def _texts(file: str) -> Iterator[Part]:
    """Parts of a file that must be unpacked or encoded anew first."""
    taken = 0

    def on_bytes(count: int) -> None:
        nonlocal taken
        taken += count

    held: list[bytes] = []
    size = told = before = 0  # bytes held, bytes of the file that were told of, bytes of text that went before
    fault = None
    try:
        for chunk in text_of(file_bytes(file, on_bytes)):
            held.append(chunk)
            size += len(chunk)
            if size >= _SIZE and b"\n" in chunk:
                whole, _, rest = chunk.rpartition(b"\n")
                yield Part(file, taken - told, text=b"".join([*held[:-1], whole, b"\n"]))
                before += size - len(rest)
                held, size, told = [rest], len(rest), taken
            elif size > LARGEST:  # a line that is longer than anything should be: read on as a stream
                yield Part(file, Path(file).stat().st_size - told, skip=before)
                return
    except Fault as broke:
        fault = str(broke)
    yield Part(file, taken - told, text=b"".join(held), fault=fault)


def judge_part(
    judge: Judge, part: Part, on_bytes: Callable[[int], object] = lambda _: None, steps: Steps | None = None
) -> Judged:
    """Read and judge a part."""
    intake = Intake()
    if part.start is None and part.text is None and not part.skip:
        return judge.judge(read_log(part.file, intake, on_bytes, steps), intake)
    return judge.judge(read_lines(RecordReader(intake), intake, _chunks(part)), intake)


def _chunks(part: Part) -> Iterator[bytes]:
    if part.skip:
        return _skipping(text_of(file_bytes(part.file)), part.skip)
    if part.start is not None:
        return _read_range(part.file, part.start, part.end)
    whole = part.text or b""
    text = (whole[at : at + _CHUNK] for at in range(0, len(whole), _CHUNK))
    return chain(text, failing(Fault(part.fault))) if part.fault else text


def _skipping(chunks: Iterator[bytes], skip: int) -> Iterator[bytes]:
    for chunk in chunks:
        if skip < len(chunk):
            yield chunk[skip:]
        skip = max(0, skip - len(chunk))


def _read_range(file: str, start: int, end: int) -> Iterator[bytes]:
    try:
        with Path(file).open("rb", buffering=0) as plain:
            plain.seek(start)
            while start < end and (chunk := plain.read(min(_CHUNK, end - start))):
                start += len(chunk)
                yield chunk
    except OSError as error:
        raise Fault(f"the file cannot be read: {error.strerror}") from None


# --- processes --------------------------------------------------------------------------------------------------------

type JudgePart = Callable[[Part], Judged]
type JudgeParts = Callable[[Iterable[Part]], Iterator[tuple[Part, Judged]]]

_work: tuple[Judge, Outbox] | None = None  # of a process that was started


def _start(make: Callable[[], Judge], folder: str) -> None:
    global _work
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who pressed Ctrl-C meant the command, which ends its processes
    _work = make(), Outbox(folder)


def _judge_there(part: Part) -> Judged:
    if _work is None:
        raise RuntimeError("the process was not started for judging")
    judge, outbox = _work
    judged = judge_part(judge, part)
    return replace(judged, frames=outbox.put(judged.frames)) if isinstance(judged.frames, bytes) else judged


def _ready() -> None:
    """Nothing: a process that did it is there."""


@contextmanager
def judging(make: Callable[[], Judge], files: Iterable[str], judge_here: JudgePart) -> Iterator[JudgeParts]:
    """What judges parts, in order: on all processors where the files are big, else here. `make` and what it was made of
    go to other processes; what they wrote is there until the end."""
    workers = os.process_cpu_count() or 1
    sizes = sum(Path(file).stat().st_size for file in files if file != STANDARD_INPUT and Path(file).is_file())
    if workers == 1 or sizes < _WORTH_IT:
        yield lambda parts: ((part, judge_here(part)) for part in parts)
        return
    with TemporaryDirectory(prefix="assess-") as folder:
        pool = ProcessPoolExecutor(workers, initializer=_start, initargs=(make, folder))
        try:
            pool.submit(_ready).result()  # all are started now, before this process has threads
            yield lambda parts: _in_order(pool, parts, workers * _AHEAD, judge_here)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _in_order(
    pool: ProcessPoolExecutor, parts: Iterable[Part], ahead: int, judge_here: JudgePart
) -> Iterator[tuple[Part, Judged]]:
    waiting: deque[tuple[Part, Future[Judged] | None]] = deque()

    def first() -> tuple[Part, Judged]:
        part, future = waiting.popleft()
        return part, future.result() if future else judge_here(part)

    for part in parts:
        waiting.append((part, None if part.here else pool.submit(_judge_there, part)))
        if len(waiting) == ahead:
            yield first()
    while waiting:
        yield first()
