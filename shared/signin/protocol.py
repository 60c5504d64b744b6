"""How a sign-in was made: the client and the protocol, who federates it, which third party's control it passed. Pure.

Names are explained in docs/semantics.md and docs/entra-facts.md.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from shared.basics.spelling import domain_of, name_key
from shared.signin.directory import Directory
from shared.signin.model import SignIn
from shared.signin.steps import Steps

_LEGACY_CLIENTS: Final = {
    name_key(name)
    for name in (
        *("Authenticated SMTP", "Autodiscover", "Exchange ActiveSync", "Exchange Online PowerShell"),
        *("Exchange Web Services", "IMAP4", "MAPI over HTTP", "MAPI", "Offline Address Book", "Outlook Anywhere"),
        *("Outlook Service", "POP3", "Reporting Web Services", "Other clients", "Legacy authentication clients"),
        *("IMAP", "POP", "SMTP", "Other client"),  # other spellings seen
    )
}
_CLIENT_ENDS: Final = re.compile(r"[;(]")
# Exchange's own password flow announces itself so.
_PASSWORD_FLOW_AGENTS: Final = re.compile(r"\b(bav2ropc|cbainprod|cbaintar)\b", re.IGNORECASE)


@lru_cache(4096)
def is_legacy_client(client_app_used: str | None) -> bool:
    """Whether the client cannot do MFA at all ("Other clients; IMAP" is; "Universal Outlook" is not)."""
    return name_key(_CLIENT_ENDS.split(client_app_used or "", maxsplit=1)[0]) in _LEGACY_CLIENTS


@lru_cache(4096)
def is_password_flow(protocol: str | None, user_agent: str | None) -> bool:
    """Resource owner password credentials, by protocol or by Exchange's own user agents."""
    return name_key(protocol) == "ropc" or bool(user_agent and _PASSWORD_FLOW_AGENTS.search(user_agent))


@lru_cache(1024)
def is_device_code(protocol: str | None, original_transfer_method: str | None) -> bool:
    """Device code flow, or a token that began as one and was refreshed since."""
    return name_key(protocol) == "devicecode" or name_key(original_transfer_method) == "devicecodeflow"


def cannot_do_mfa(sign_in: SignIn) -> bool:
    """Whether the sign-in came over a protocol in which nobody can be asked for a second factor."""
    return _cannot_do_mfa(sign_in.authentication_protocol, sign_in.user_agent, sign_in.client_app_used)


@lru_cache(4096)
def _cannot_do_mfa(protocol: str | None, user_agent: str | None, client_app_used: str | None) -> bool:
    return is_password_flow(protocol, user_agent) or is_legacy_client(client_app_used)


def is_federated(sign_in: SignIn, steps: Steps, directory: Directory) -> bool:
    """Whether an identity provider other than Entra did the first factor."""
    return (
        steps.federated
        or name_key(sign_in.token_issuer_type).startswith("adfederationservices")
        or (bool(directory.federated_domains) and domain_of(sign_in.user_principal_name) in directory.federated_domains)
    )
