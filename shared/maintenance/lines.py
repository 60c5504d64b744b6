"""An exported table: lines of JSON, gzipped. The first names the table, the last counts and hashes the others.

A row is written as the table service itself writes it in JSON: `<column>@odata.type` says the type where JSON does not.
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from azure.data.tables import EdmType, EntityProperty

FORMAT: Final = 1
_GZIP: Final = 31  # zlib's number for the gzip format
_TYPE: Final = "@odata.type"
_CHUNK: Final = 1 << 20


class Damaged(Exception):  # noqa: N818 - what happened to the export
    """An export is cut off, changed, or none at all."""


def row_to_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row that was read, with the types of its columns."""
    made: dict[str, Any] = {}
    for name, value in row.items():
        kind, made[name] = _to_json(value)
        if kind:
            made[name + _TYPE] = kind
    return made


def _to_json(value: object) -> tuple[str | None, Any]:
    if isinstance(value, EntityProperty):
        return EdmType(value.edm_type).value, str(value.value)
    if isinstance(value, bytes):
        return EdmType.BINARY.value, base64.b64encode(value).decode()
    if isinstance(value, datetime):
        # The service keeps seven digits of a second and a datetime six, so its own words are kept.
        said = getattr(value, "tables_service_value", None) or f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        return EdmType.DATETIME.value, said
    if isinstance(value, UUID):
        return EdmType.GUID.value, str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return EdmType.DOUBLE.value, {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    if isinstance(value, str | bool | int | float):
        return None, value
    raise TypeError(f"a column of type {type(value).__name__} cannot be exported")


def row_of_json(made: Mapping[str, Any]) -> dict[str, Any]:
    """The row that row_to_json wrote, ready to be written."""
    return {name: _of_json(made.get(name + _TYPE), value) for name, value in made.items() if not name.endswith(_TYPE)}


def _of_json(kind: str | None, value: Any) -> Any:
    match kind:
        case None:
            return value
        case EdmType.BINARY:
            return base64.b64decode(value)
        case EdmType.INT64:
            return EntityProperty(int(value), EdmType.INT64)
        case EdmType.GUID:
            return UUID(value)
        case EdmType.DOUBLE:
            return float(value.replace("Infinity", "inf"))
        case EdmType.DATETIME:
            return EntityProperty(value, EdmType.DATETIME)
        case _:
            raise Damaged(f"an export holds a column of type {kind}, which this version does not know")


async def written(table: str, at: datetime, rows: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[bytes]:
    """The bytes of a table's export, a piece at a time. `at` is when the export began, UTC."""
    squeezer = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
    digest = sha256()
    count = 0
    head = _line({"table": table, "format": FORMAT, "at": at.isoformat()})
    digest.update(head)
    waiting = squeezer.compress(head)
    async for row in rows:
        line = _line(row_to_json(row))
        digest.update(line)
        waiting += squeezer.compress(line)
        count += 1
        if len(waiting) >= _CHUNK:
            yield waiting
            waiting = b""
    yield waiting + squeezer.compress(_line({"rows": count, "sha256": digest.hexdigest()})) + squeezer.flush()


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def read_head(path: Path) -> tuple[str, datetime]:
    """Which table a file holds and when its export began. Raises Damaged unless its last line confirms all others."""
    head: tuple[str, datetime] | None = None
    digest = sha256()
    count = 0
    before: bytes | None = None
    for line in _lines(path):
        if before is not None:
            digest.update(before)
            if head is None:
                head = _head(path, before)
            else:
                count += 1
        before = line
    try:
        said = json.loads(before or b"")
    except ValueError:
        said = None
    if head is None or said != {"rows": count, "sha256": digest.hexdigest()}:
        raise Damaged(f"{path.name} is cut off or was changed: its last line does not confirm the others")
    return head


def _head(path: Path, line: bytes) -> tuple[str, datetime]:
    try:
        said = json.loads(line)
        if said["format"] != FORMAT:
            raise Damaged(f"{path.name} has the format {said['format']}, which this version does not know")
        return str(said["table"]), datetime.fromisoformat(said["at"])
    except (ValueError, KeyError, TypeError):
        raise Damaged(f"{path.name} is no export of a table") from None


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file that read_head has confirmed."""
    lines = _lines(path)
    next(lines)
    before: bytes | None = None
    for line in lines:
        if before is not None:
            yield row_of_json(json.loads(before))
        before = line


def _lines(path: Path) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(_GZIP)
    rest = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            try:
                *whole, rest = (rest + unpacker.decompress(chunk)).split(b"\n")
            except zlib.error:
                raise Damaged(f"{path.name} is no gzip file, or was changed") from None
            for line in whole:
                yield line + b"\n"
    if rest or not unpacker.eof:
        raise Damaged(f"{path.name} is cut off")
