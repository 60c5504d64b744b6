"""A sample on disk.

- `log.jsonl.gz`: every record with its history (`LogRecord.to_json`), what the local Graph serves;
- `signins.jsonl.gz`: the partner's log as it is in the end, one Graph record a line;
- `signins-customer.jsonl.gz`: the same of the one customer's log;
- `truth.json`, `directory.json`: `Sample.truth` and `Sample.directory`; `people.json`: everything of `People`.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import cast

from pydantic import TypeAdapter

from .model import JsonObject, LogRecord, People, Sample, iso

LOG = "log.jsonl.gz"


def write_sample(sample: Sample, directory: Path) -> None:
    """Write all files of `sample` into `directory`, which is made. The same sample gives the same bytes."""
    directory.mkdir(parents=True, exist_ok=True)
    _write_lines(directory / LOG, (entry.to_json() for entry in sample.log))
    for name, tenant_id in (
        ("signins.jsonl.gz", sample.people.partner_tenant_id),
        ("signins-customer.jsonl.gz", sample.customer_log_tenant_id),
    ):
        _write_lines(directory / name, (entry.final for entry in sample.log if entry.tenant_id == tenant_id))
    for name, content in (
        ("truth.json", sample.truth()),
        ("directory.json", sample.directory()),
        ("people.json", asdict(sample.people)),
    ):
        (directory / name).write_text(json.dumps(content, indent=1, default=_time) + "\n", encoding="utf-8")


def read_log(directory: Path) -> Iterator[LogRecord]:
    """The log of a sample directory, in its order.

    Raises OSError where it is not there, ValueError or TypeError where it is bad.
    """
    with gzip.open(directory / LOG, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield entry_from_json(cast("JsonObject", json.loads(line)))


def read_people(directory: Path) -> People:
    """Everybody and every tenant of a sample directory. Raises OSError where it is not there, ValueError where bad."""
    return TypeAdapter(People).validate_json((directory / "people.json").read_bytes())


def entry_from_json(line: JsonObject) -> LogRecord:
    """The inverse of `LogRecord.to_json`. Raises TypeError on another shape."""
    tenant_id, available_at, record, late = (
        line.get(name) for name in ("tenantId", "availableAt", "record", "lateDetails")
    )
    if not isinstance(tenant_id, str) or not isinstance(available_at, str) or not isinstance(record, dict):
        raise TypeError("A log line needs tenantId, availableAt and record.")
    if late is None:
        return LogRecord(tenant_id, datetime.fromisoformat(available_at), record)
    if not isinstance(late, dict) or not isinstance(late.get("record"), dict) or not isinstance(late.get("at"), str):
        raise TypeError("lateDetails needs at and record.")
    late_at = datetime.fromisoformat(late["at"])
    return LogRecord(tenant_id, datetime.fromisoformat(available_at), record, late_at, late["record"])


def _write_lines(path: Path, lines: Iterable[JsonObject]) -> None:
    # No name and no time in the gzip header, or equal samples would differ.
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, 0) as packed:
        for line in lines:
            packed.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")


def _time(value: object) -> str:
    if isinstance(value, datetime):
        return iso(value)
    raise TypeError(f"{type(value).__name__} does not go into JSON")
