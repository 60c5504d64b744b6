"""The tenant's own policies from Graph v1.0, as raw JSON: what to ask, and what came of each question.

Each part is read for itself: a permission or licence that is missing for one leaves the others. A part that could not
be read is missing, with a sentence that says why, and never an empty list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import msgspec

from shared.graph.client import GraphClient
from shared.graph.problems import BadAnswer, GraphProblem, Throttled, Unavailable

_RETRIES: Final = 3
_MOST_PAGES: Final = 20
_MOST_DOMAINS: Final = 100

CONDITIONAL_ACCESS: Final = "conditionalAccess"
NAMED_LOCATIONS: Final = "namedLocations"
STRENGTHS: Final = "authenticationStrengths"
CROSS_TENANT: Final = "crossTenantAccess"
SECURITY_DEFAULTS: Final = "securityDefaults"
DOMAINS: Final = "domains"
FEDERATION: Final = "federation"

_LISTS: Final = {
    CONDITIONAL_ACCESS: "v1.0/identity/conditionalAccess/policies",
    NAMED_LOCATIONS: "v1.0/identity/conditionalAccess/namedLocations",
    STRENGTHS: "v1.0/policies/authenticationStrengthPolicies",
    DOMAINS: "v1.0/domains?$select=id,authenticationType,isVerified,isDefault",
}
_OBJECTS: Final = {
    CROSS_TENANT: "v1.0/policies/crossTenantAccessPolicy/default",
    SECURITY_DEFAULTS: "v1.0/policies/identitySecurityDefaultsEnforcementPolicy?$select=isEnabled",
}

type Part = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RawPolicies:
    """What Graph said. `parts` holds a list or an object by the names of this module, `federation` the federation
    configurations by domain; a name is missing where it could not be read, and `problems` says why, by name.
    `interrupted`: Graph throttled or did not answer, so that the same question may be answered another time."""

    parts: Mapping[str, Any]
    problems: Mapping[str, str]
    interrupted: bool = False


async def read_policies(client: GraphClient, *, federation: bool) -> RawPolicies:
    """Read every part. `federation`: whether the domains and how they are federated may be read. Raises nothing that
    Graph says; a GraphProblem ends in `problems`."""
    parts: dict[str, Any] = {}
    problems: dict[str, str] = {}
    interrupted = False
    for name, path in (*_LISTS.items(), *_OBJECTS.items()):
        if name == DOMAINS and not federation:
            continue
        try:
            parts[name] = await _list(client, path) if name in _LISTS else await _object(client, path)
        except GraphProblem as problem:
            problems[name] = str(problem)
            interrupted |= isinstance(problem, Throttled | Unavailable)
    if DOMAINS in parts:
        try:
            parts[FEDERATION] = await _federation(client, parts[DOMAINS])
        except GraphProblem as problem:
            problems[FEDERATION] = str(problem)
            interrupted |= isinstance(problem, Throttled | Unavailable)
    return RawPolicies(parts, problems, interrupted)


async def _federation(client: GraphClient, domains: list[Part]) -> dict[str, list[Part]]:
    names = [str(d.get("id") or "") for d in domains if str(d.get("authenticationType")).lower() == "federated"]
    return {
        name: await _list(client, f"v1.0/domains/{quote(name, safe='')}/federationConfiguration")
        for name in filter(None, names[:_MOST_DOMAINS])
    }


async def _object(client: GraphClient, path: str) -> Part:
    return _decoded(await client.get(f"{client.base_url}/{path}", sdk_retries=_RETRIES))


async def _list(client: GraphClient, path: str) -> list[Part]:
    found: list[Part] = []
    url = f"{client.base_url}/{path}"
    for _ in range(_MOST_PAGES):
        body = _decoded(await client.get(url, sdk_retries=_RETRIES))
        value = body.get("value")
        if not isinstance(value, list):
            raise BadAnswer("Graph's answer has no list.")  # an answer without `value` is no empty list
        found += [part for part in value if isinstance(part, dict)]
        link = body.get("@odata.nextLink")
        if link is None:
            return found
        url = str(link)
    raise BadAnswer(f"Graph's pages of {path.partition('?')[0]} do not end.")


def _decoded(body: bytes) -> Part:
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise BadAnswer("Graph's answer is no JSON.") from error
    if not isinstance(value, dict):
        raise BadAnswer("Graph's answer is no object.")
    return value
