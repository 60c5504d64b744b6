"""The bytes that a statement's hash is of, and one customer's statement out of that of all. Pure.

Works on plain JSON, member by member, so that a later version of the app takes the same bytes out of an old statement.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from shared.basics.spelling import id_key
from shared.statement.model import Sealed

type Json = dict[str, Any]


def canonical(value: object) -> bytes:
    """JSON with sorted names, no blanks, in UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def digest(content: bytes) -> str:
    """The SHA-256 in hex."""
    return sha256(content).hexdigest()


def json_of(sealed: Sealed) -> Json:
    """A statement as the JSON that is sealed."""
    made: Json = sealed.model_dump(mode="json", by_alias=True)
    return made


def find_customer(sealed: Mapping[str, Any], wanted: str) -> Json | None:
    """The customer's figures in a statement of all, by tenant id or by name; None where it names no such customer."""
    key, name = id_key(wanted), wanted.strip().lower()
    every: list[Json] = sealed["customers"]
    by_id = (c for c in every if id_key(c["customerId"]) == key)
    by_name = (c for c in every if (c["customerName"] or "").strip().lower() == name)
    return next(by_id, None) or next(by_name, None)


def of_customer(sealed: Mapping[str, Any], customer: Mapping[str, Any]) -> Json:
    """One customer's statement: its own figures and incidents, the exceptions that may concern it, and nothing of any
    other customer. `customer` is an entry of the statement's `customers`."""
    key = customer["customerId"]
    return {
        **sealed,
        "customer": {"customerId": key, "customerName": customer["customerName"]},
        "figures": customer["figures"],
        "byScope": customer["byScope"],
        "trend": [],
        **({"causes": None} if "causes" in sealed else {}),  # an old statement's bytes stay
        "customers": [],
        "incidents": [_incident_of(i, key) for i in sealed["incidents"] if key in i["customers"]],
        "exceptions": [e for e in sealed["exceptions"] if e["customerId"] in (None, key)],
    }


def _incident_of(incident: Json, customer: str) -> Json:
    """An incident as one customer's statement has it: of one about a person wherever they signed in the number is not
    that customer's."""
    return {
        **incident,
        "customers": [customer],
        "signIns": incident["signIns"] if incident["customerId"] == customer else None,
    }


def people_in(sealed: Mapping[str, Any]) -> set[int]:
    """The numbers of the people that a statement speaks of."""
    return {*_numbers(sealed["incidents"]), *_numbers(sealed["exceptions"])}


def _numbers(entries: list[Json]) -> Iterator[int]:
    for entry in entries:
        for member in ("person", "requestedByPerson", "approvedByPerson"):
            if isinstance(number := entry.get(member), int):
                yield number
