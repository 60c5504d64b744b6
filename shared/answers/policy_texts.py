"""What the answer about policies says in words. Facts: docs/entra-facts.md, "Policies as configured"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.basics.spelling import id_key, squeezed
from shared.graph.policies import DOMAINS, FEDERATION
from shared.people.role_names import role_name
from shared.posture.holes import GUESTS
from shared.posture.policies import MfaWay, PolicyVerdict

WAYS: Final = {
    MfaWay.SECURITY_DEFAULTS: (
        "Security defaults are on: everybody has to register for MFA, and is asked when it matters."
    ),
    MfaWay.CONDITIONAL_ACCESS: "Conditional Access: a policy that is on demands MFA.",
    MfaWay.FEDERATED_OR_PER_USER: (
        "A domain is federated, and neither security defaults nor a policy demand MFA: the provider does what there is "
        "of it, or the older setting of each user."
    ),
    MfaWay.NONE_SEEN: (
        "Neither security defaults nor a policy demand MFA, and no domain is federated. The older setting of each user "
        "is not read."
    ),
    MfaWay.CANNOT_TELL: "It cannot be told: a part of the policies could not be read (see missing).",
}
COVERED: Final = {
    PolicyVerdict.YES: "Each of {all} delegated admins has to do MFA for every application.",
    PolicyVerdict.PARTLY: (
        "{covered} of {all} delegated admins have to do MFA for every application; {unsure} cannot be told."
    ),
    PolicyVerdict.NO: "None of {all} delegated admins has to do MFA for every application.",
    PolicyVerdict.CANNOT_TELL: "It cannot be told: the policies or a group could not be read, or the roster is empty.",
}
LEGACY: Final = {
    "yes": "A policy blocks legacy authentication for everybody, or security defaults are on.",
    "partly": "A policy blocks legacy authentication, and leaves somebody or something out.",
    "no": "No policy that is on blocks legacy authentication, and security defaults are off.",
    "cannot-tell": "It cannot be told: the Conditional Access policies could not be read.",
}
DEVICE_CODE: Final = {
    "yes": "A policy blocks the device code flow for everybody.",
    "partly": "A policy blocks the device code flow, and leaves somebody or something out.",
    "no": "No policy that is on blocks the device code flow; security defaults do not block it.",
    "cannot-tell": "It cannot be told: the Conditional Access policies could not be read.",
}
PROVIDER_MFA: Final = {
    "accepted": "Entra ID accepts MFA that the provider did, and does MFA itself where the provider did none.",
    "enforced": "Entra ID accepts MFA that the provider did, and sends people there for it where it did none.",
    "rejected": "Entra ID ignores the provider's MFA and always does MFA itself.",
    "not-set": "federatedIdpMfaBehavior is not set: the older setting SupportsMfa decides, which Graph does not tell.",
    "cannot-tell": "How the domain is federated could not be read (see missing).",
}
_OFF: Final = "The setting READ_FEDERATION is off."
MISSING: Final = {
    "all": "The policies were never read: the first refresh of the directory is not done (see GET preflight).",
    DOMAINS: _OFF,
    FEDERATION: _OFF,
}
_WORDS: Final = {
    GUESTS: "all guests and external users",
    "alltrusted": "all trusted locations",
    "serviceprovider": "service provider users",
    "internalguest": "internal guests",
    "b2bcollaborationguest": "B2B collaboration guests",
    "b2bcollaborationmember": "B2B collaboration members",
    "b2bdirectconnectuser": "B2B direct connect users",
    "otherexternaluser": "other external users",
}


def rule_part_name(rule: str, part: str, names: Mapping[str, str | None]) -> str | None:
    """What a part of an exclusion is called; `names` are those that are known, by key. None where it has no name."""
    if rule == "role":
        name = role_name(part.lower())
        return None if name == part.lower() else name
    return _WORDS.get(squeezed(part)) or names.get(id_key(part))
