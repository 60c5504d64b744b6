"""What only a finding needs of a record, read from its source for findings alone. Pure.

None of it decides a verdict, so whatever cannot be read is left out and never quarantines the record. All of it is
hostile text, cut to a length that a row can hold.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from shared.signin.applied import AppliedPolicy, applied_policies
from shared.signin.hiding import cleaned

LONGEST: Final = 1024
_MOST_REQUIREMENTS: Final = 20
_LONG_REQUIREMENT: Final = 200


class Details(NamedTuple):
    """Beside what the verdict needs: into what, where from, on what device, who demanded what, and the ids that join to
    other logs.

    Example of `requirements`: ("multiConditionalAccess: Conditional Access", "securityDefaults").
    """

    country: str = ""
    device_name: str = ""
    device_trust: str = ""
    resource_name: str = ""
    token_id: str = ""
    correlation_id: str = ""
    original_request_id: str = ""
    requirements: tuple[str, ...] = ()
    policies: tuple[AppliedPolicy, ...] = ()


class _Members(msgspec.Struct, rename="camel"):
    location: Any = None
    device_detail: Any = None
    resource_display_name: Any = None
    unique_token_identifier: Any = None
    correlation_id: Any = None
    original_request_id: Any = None
    authentication_requirement_policies: Any = None


_DECODER: Final = msgspec.json.Decoder(_Members)


def read_details(source: msgspec.Raw | Mapping[str, Any], policies: bytes | msgspec.Raw) -> Details:
    """The details of a record. `policies` is its appliedConditionalAccessPolicies, as JSON."""
    try:
        if isinstance(source, msgspec.Raw):
            members = _DECODER.decode(bytes(source).decode("utf-8", "replace"))
        else:
            members = msgspec.convert(source, _Members)
    except (ValueError, RecursionError):
        members = _Members()
    location, device = _object(members.location), _object(members.device_detail)
    return Details(
        country=text_of(location.get("countryOrRegion")),
        device_name=text_of(device.get("displayName")),
        device_trust=text_of(device.get("trustType")),
        resource_name=text_of(members.resource_display_name),
        token_id=text_of(members.unique_token_identifier),
        correlation_id=text_of(members.correlation_id),
        original_request_id=text_of(members.original_request_id),
        requirements=_requirements(_unwrapped(members.authentication_requirement_policies)),
        policies=_policies(bytes(policies)),
    )


def text_of(value: object, longest: int = LONGEST) -> str:
    """Text as a row can hold it; "" for anything else."""
    return cleaned(value[:longest]) if isinstance(value, str) else ""


@lru_cache(256)
def _policies(raw: bytes) -> tuple[AppliedPolicy, ...]:
    """One tenant's sign-ins meet the same few policies with the same few results."""
    try:
        return applied_policies(_unwrapped(msgspec.json.decode(raw.decode("utf-8", "replace"))))
    except (ValueError, RecursionError):
        return ()


def _requirements(value: object) -> tuple[str, ...]:
    parts = [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []
    texts = (
        ": ".join(filter(None, (text_of(part.get("requirementProvider")), text_of(part.get("detail")))))
        for part in parts[:_MOST_REQUIREMENTS]
    )
    return tuple(text[:_LONG_REQUIREMENT] for text in texts if text)


def _object(value: object) -> dict[str, Any]:
    unwrapped = _unwrapped(value)
    return unwrapped if isinstance(unwrapped, dict) else {}


def _unwrapped(value: object) -> object:
    """What JSON text in a member says."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None
