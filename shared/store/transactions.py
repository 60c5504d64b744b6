"""A transaction on the wire: what the SDK would send, and what it would make of the answer.

The SDK builds each of a hundred rows as a message of e-mail inside a message of e-mail and takes the answer apart in
the same way: five times the processor time of all else that a write takes. Authentication, retries and the log of
requests stay the SDK's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

from azure.core.exceptions import HttpResponseError, ServiceResponseError
from azure.core.rest import HttpRequest
from azure.data.tables import UpdateMode
from azure.data.tables._serialize import _add_entity_properties
from azure.data.tables.aio import TableClient

_HEADERS: Final = {
    "x-ms-version": "2019-02-02",
    "DataServiceVersion": "3.0",
    "MaxDataServiceVersion": "3.0;NetFx",
    "Accept": "application/json",
}
_VERBS: Final = {"create": "POST", "upsert": "PATCH", "update": "PATCH", "delete": "DELETE"}
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode  # ASCII, whatever the text is
_STATUS: Final = re.compile(rb"^HTTP/1\.1 (\d{3})", re.MULTILINE)
_ETAG: Final = re.compile(rb"^etag:[ \t]*(.+?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


async def submit(client: TableClient, operations: Sequence[Sequence[Any]]) -> list[str]:
    """All or nothing, of one partition; gives the new etags ("" for a deletion). Raises HttpResponseError with the
    status and code of the operation that failed, ServiceResponseError where the answer is none."""
    if len({operation[1]["PartitionKey"] for operation in operations}) != 1:
        raise ValueError("a transaction is of one partition")  # the emulator takes any
    batch, changes = f"batch_{uuid4()}", f"changeset_{uuid4()}"
    request = HttpRequest(
        "POST",
        f"{client.url}/$batch",
        headers={**_HEADERS, "Content-Type": f"multipart/mixed; boundary={batch}"},
        content="\r\n".join(_lines(f"{client.url}/{client.table_name}", operations, batch, changes)).encode("ascii"),
    )
    # The SDK has no public way to send a body of one's own.
    response = await client._client.send_request(request, stream=True)  # noqa: SLF001
    body = await response.read()
    parts = [*_parts(body)] if response.status_code == 202 else [(response.status_code, body)]
    failed = next(((status, part) for status, part in parts if not 200 <= status < 300), None)
    if failed is not None:
        raise _error(response, *failed)
    if len(parts) != len(operations):
        raise ServiceResponseError(f"{len(parts)} answers to a transaction of {len(operations)} rows")
    return [found[1].decode() if (found := _ETAG.search(part)) else "" for _, part in parts]


def _lines(table: str, operations: Sequence[Sequence[Any]], batch: str, changes: str) -> Iterator[str]:
    yield from (f"--{batch}", f"Content-Type: multipart/mixed; boundary={changes}", "")
    for number, operation in enumerate(operations):
        yield from (
            f"--{changes}",
            "Content-Type: application/http",
            "Content-Transfer-Encoding: binary",
            f"Content-ID: {number}",
            "",
            *_operation(table, operation),
        )
    yield from (f"--{changes}--", "", f"--{batch}--", "")


def _operation(table: str, operation: Sequence[Any]) -> Iterator[str]:
    verb, row, *options = operation
    how: dict[str, Any] = options[0] if options else {}
    method = "PUT" if how.get("mode") == UpdateMode.REPLACE else _VERBS[verb]
    etag = how.get("etag") or ("*" if verb in ("delete", "update") else None)
    place = "" if verb == "create" else f"(PartitionKey='{_key(row['PartitionKey'])}',RowKey='{_key(row['RowKey'])}')"
    yield f"{method} {table}{place} HTTP/1.1"
    yield "DataServiceVersion: 3.0"
    yield "Accept: application/json;odata=minimalmetadata"
    if etag:
        yield f"If-Match: {etag}"
    if verb == "delete":
        yield from ("", "")
        return
    body = _encode(_add_entity_properties(row))
    yield from ("Prefer: return-no-content", "Content-Type: application/json", f"Content-Length: {len(body)}", "", body)


def _key(text: str) -> str:
    return quote(text.replace("'", "''"), safe="")


def _parts(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The status of each operation's answer, and the answer from there on."""
    found = [*_STATUS.finditer(body)]
    for place, match in enumerate(found):
        end = found[place + 1].start() if place + 1 < len(found) else len(body)
        yield int(match[1]), body[match.end() : end]


def _error(response: Any, status: int, part: bytes) -> HttpResponseError:
    code = re.search(rb'"code"\s*:\s*"([A-Za-z]+)"', part)
    error = HttpResponseError(f"a transaction failed with {status}", response=response)
    error.status_code = status
    error.error_code = code[1].decode() if code else response.headers.get("x-ms-error-code")  # type: ignore[attr-defined]
    return error
