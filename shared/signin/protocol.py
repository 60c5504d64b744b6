"""How a sign-in was made: the client and the protocol, who federates it, which third party's control it passed. Pure.

Names are explained in docs/semantics.md and docs/entra-facts.md.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from shared.basics.spelling import domain_of, name_key
from shared.signin.directory import Directory
from shared.signin.model import SignIn
from shared.signin.steps import Steps

# The shortest spelling of each: IMAP4, MAPI over HTTP, Authenticated SMTP and Other clients hold one of these.
_LEGACY_CLIENTS: Final = tuple(
    name_key(name)
    for name in (
        *("IMAP", "POP", "SMTP", "MAPI", "Autodiscover", "Exchange ActiveSync", "Exchange Online PowerShell"),
        *("Exchange Web Services", "Offline Address Book", "Outlook Anywhere", "Outlook Service"),
        *("Reporting Web Services", "Other client", "Legacy authentication clients"),
    )
)
# Exchange's own password flow announces itself so.
_PASSWORD_FLOW_AGENTS: Final = re.compile(r"\b(bav2ropc|cbainprod|cbaintar)\b", re.IGNORECASE)


def is_legacy_client(client_app_used: str | None) -> bool:
    """Whether the client cannot do MFA at all ("IMAP4 over TLS" holds such a name; "Universal Outlook" does not)."""
    client = name_key(client_app_used)
    return any(name in client for name in _LEGACY_CLIENTS)


def is_password_flow(protocol: str | None, user_agent: str | None) -> bool:
    """Resource owner password credentials, by protocol or by Exchange's own user agents."""
    return name_key(protocol) == "ropc" or bool(user_agent and _PASSWORD_FLOW_AGENTS.search(user_agent))


def is_device_code(protocol: str | None, original_transfer_method: str | None) -> bool:
    """Device code flow, or a token that began as one and was refreshed since."""
    return name_key(protocol) == "devicecode" or name_key(original_transfer_method) == "devicecodeflow"


class Way(NamedTuple):
    """How a sign-in was made, where that matters. `no_mfa`: nobody can be asked for a second factor in that way."""

    legacy: bool
    password_flow: bool
    device_code: bool
    no_mfa: bool


def way_of(sign_in: SignIn) -> Way:
    """How the sign-in was made."""
    return _way(
        sign_in.authentication_protocol,
        sign_in.user_agent,
        sign_in.client_app_used,
        sign_in.original_transfer_method,
    )


@lru_cache(4096)  # asked of each record again and again, and few differ
def _way(protocol: str | None, user_agent: str | None, client_app_used: str | None, transfer: str | None) -> Way:
    legacy, password_flow = is_legacy_client(client_app_used), is_password_flow(protocol, user_agent)
    return Way(legacy, password_flow, is_device_code(protocol, transfer), legacy or password_flow)


def is_federated(sign_in: SignIn, steps: Steps, directory: Directory) -> bool:
    """Whether an identity provider other than Entra did the first factor."""
    return (
        steps.federated
        or name_key(sign_in.token_issuer_type).startswith("adfederationservices")
        or (bool(directory.federated_domains) and domain_of(sign_in.user_principal_name) in directory.federated_domains)
    )
