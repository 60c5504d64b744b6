"""Broken records: each kind is one way in which a record can be unreadable."""

from __future__ import annotations

import json
from typing import Final

from local.sample import JsonObject

from .control import MalformedFault

_WHOLE: Final = {"not-an-object": b"42", "null": b"null"}
_LACKS: Final = {"missing-id": "id", "missing-time": "createdDateTime"}
_SAYS: Final[dict[str, JsonObject]] = {
    "null-id": {"id": None},
    "bad-time": {"createdDateTime": "yesterday"},
    "number-as-time": {"createdDateTime": 1763600000},
    "status-is-text": {"status": "0"},
    "details-is-object": {"authenticationDetails": {"authenticationMethod": "Password"}},
    "text-as-flag": {"isInteractive": "perhaps"},
}


def malformed(fault: MalformedFault, like: bytes | None) -> bytes:
    """The JSON of the fault's record: the one it carries, else one `like` a real record but for one member."""
    if fault.record is not None:
        return json.dumps(fault.record).encode()
    if fault.shape in _WHOLE:
        return _WHOLE[fault.shape]
    record: JsonObject = json.loads(like) if like else {"id": "?", "createdDateTime": "2026-01-01T00:00:00Z"}
    record = {**record, "id": f"malformed-{record['id']}", **_SAYS.get(fault.shape, {})}
    record.pop(_LACKS.get(fault.shape, ""), None)
    return json.dumps(record, separators=(",", ":")).encode()
