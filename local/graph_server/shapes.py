"""Broken records: each kind is one way in which a record can be unreadable."""

from __future__ import annotations

import json

from local.sample import JsonObject

from .control import MalformedFault


def malformed(fault: MalformedFault, like: bytes | None) -> bytes:
    """The JSON of the fault's record: the one it carries, else one `like` a real record but for one member."""
    if fault.record is not None:
        return json.dumps(fault.record).encode()
    record: JsonObject = json.loads(like) if like else {"id": "?", "createdDateTime": "2026-01-01T00:00:00Z"}
    record["id"] = f"malformed-{record['id']}"
    match fault.shape:
        case "not-an-object":
            return b"42"
        case "null":
            return b"null"
        case "missing-id":
            del record["id"]
        case "null-id":
            record["id"] = None
        case "missing-time":
            del record["createdDateTime"]
        case "bad-time":
            record["createdDateTime"] = "yesterday"
        case "number-as-time":
            record["createdDateTime"] = 1763600000
        case "status-is-text":
            record["status"] = "0"
        case "details-is-object":
            record["authenticationDetails"] = {"authenticationMethod": "Password"}
        case "text-as-flag":
            record["isInteractive"] = "perhaps"
    return json.dumps(record, separators=(",", ":")).encode()
