"""Rules about accounts, not sign-ins: what an account's registration and use say before anything happens.

They follow the tenant-wide requirement (every account of the partner's tenant, guests included) and stay apart from the
compliance of delegated sign-ins. Severities: high where an account that opens customers can be taken over with its
password alone; medium for the same in an account without such rights, since it is the step before; low for hygiene.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from shared.rules.rule import Owner, Remedy, RuleOf, Severity


class AccountSignals(NamedTuple):
    """What the rules look at. `registered` and `capable` are None where the registration report has not the account
    (disabled, very new, or no licence); `dormant` is None where too little of the log was read to say. `proven`: the
    sign-ins show MFA all the same (External MFA, a provider's, a certificate), which the report knows nothing of."""

    privileged: bool  # a delegated admin, or an administrator of the tenant
    guest: bool = False
    registered: bool | None = True
    capable: bool | None = True
    dormant: bool | None = False
    proven: bool = False


type PostureRule = RuleOf[AccountSignals, AccountSignals]


_STAFF: Final = AccountSignals(privileged=False)
_ADMIN: Final = AccountSignals(privileged=True)
_BARE: Final = {"registered": False, "capable": False}


def _by_privilege(account: AccountSignals) -> Severity:
    return Severity.HIGH if account.privileged else Severity.MEDIUM


MFA_NOT_REGISTERED: Final[PostureRule] = RuleOf(
    id="mfa-not-registered",
    title="Account without a registered MFA method",
    attack="T1078.004",
    common_issue=1,
    meaning="Whoever has the password may register the second factor themselves, as the first to be asked for it.",
    remedy=Remedy(
        owner=Owner.PARTNER_ADMIN,
        first=(
            "Look whether anybody signed in with the account lately, and from where. If nobody knows the "
            "sign-in, disable the account before somebody else registers a method."
        ),
        now=(
            "Give the person a Temporary Access Pass to register with "
            "(New-MgUserAuthenticationTemporaryAccessPassMethod -UserId <account>), or disable the account."
        ),
        prevent=(
            'Conditional Access, user action "Register security information": only from trusted places or with a pass.'
        ),
        check="The registration report names a method; it is up to a day behind.",
        link="https://learn.microsoft.com/entra/identity/authentication/howto-authentication-temporary-access-pass",
    ),
    fits=lambda a: _by_privilege(a) if a.registered is False and not a.proven else None,
    positive={
        "an administrator": _ADMIN._replace(**_BARE),
        "anybody of the tenant": _STAFF._replace(**_BARE),
        "a guest": _STAFF._replace(**_BARE, guest=True),
    },
    negative={
        "registered": _ADMIN,
        "registered and not allowed": _STAFF._replace(capable=False),
        "not in the report": _ADMIN._replace(registered=None, capable=None),
        "its sign-ins prove MFA": _ADMIN._replace(**_BARE, proven=True),
    },
)

MFA_NOT_CAPABLE: Final[PostureRule] = RuleOf(
    id="mfa-not-capable",
    title="Registered MFA method that policy does not allow",
    attack="T1556.006",
    meaning="A method is registered, but the tenant's policy does not let the account use it, so MFA cannot be done.",
    remedy=Remedy(
        owner=Owner.PARTNER_ADMIN,
        first="Ask the person which method they use, and look whether the account signs in with a password alone.",
        now=(
            "Have the person register a method that is allowed, or allow theirs (Entra admin center, "
            "Authentication methods)."
        ),
        prevent=(
            "Authentication methods policy: the methods that people are told to register are allowed for all of them."
        ),
        check="The registration report calls the account capable; it is up to a day behind.",
        link="https://learn.microsoft.com/entra/identity/authentication/concept-authentication-methods-manage",
    ),
    fits=lambda a: (Severity.MEDIUM if a.privileged else Severity.LOW) if a.registered and a.capable is False else None,
    positive={
        "an administrator": _ADMIN._replace(capable=False),
        "anybody of the tenant": _STAFF._replace(capable=False),
    },
    negative={
        "capable": _ADMIN,
        "not registered": _ADMIN._replace(**_BARE),
        "not in the report": _ADMIN._replace(capable=None),
    },
)

GUEST_WITHOUT_MFA: Final[PostureRule] = RuleOf(
    id="guest-without-mfa",
    title="Guest of the partner's tenant who cannot do MFA there",
    attack="T1199",
    meaning=(
        "Guests count in the requirement. The partner's tenant knows no usable second factor of this one; MFA done at "
        "home counts only where cross-tenant access settings trust it."
    ),
    remedy=Remedy(
        owner=Owner.PARTNER_ADMIN,
        first="Ask whoever invited the guest whether they are still needed, and look at what the guest may open.",
        now=(
            "Trust MFA of the guest's home tenant (External Identities, Cross-tenant access "
            "settings), or remove the guest."
        ),
        prevent="Conditional Access for guests and external users: demand MFA for all resources.",
        check="The guest's next sign-in has evidence proven, claim or external.",
        link="https://learn.microsoft.com/entra/external-id/authentication-conditional-access",
    ),
    fits=lambda a: _by_privilege(a) if a.guest and a.capable is False and not a.proven else None,
    positive={
        "a guest without a method": _STAFF._replace(**_BARE, guest=True),
        "a guest who is an administrator": _ADMIN._replace(**_BARE, guest=True),
        "a guest whose method is not allowed": _STAFF._replace(guest=True, capable=False),
    },
    negative={
        "a guest who can": _STAFF._replace(guest=True),
        "no guest": _STAFF._replace(**_BARE),
        "not in the report": _STAFF._replace(guest=True, capable=None),
        "their sign-ins prove MFA": _ADMIN._replace(**_BARE, guest=True, proven=True),
    },
)

DELEGATED_ADMIN_DORMANT: Final[PostureRule] = RuleOf(
    id="delegated-admin-dormant",
    title="Delegated admin rights that nobody uses",
    attack="T1078.004",
    meaning="Nobody signed in with the account for four weeks, so nobody would miss it; with it customers stay open.",
    remedy=Remedy(
        owner=Owner.PARTNER_ADMIN,
        first=(
            "Ask the person or their manager whether the account is still needed; look whether it is an "
            "emergency account, which stays."
        ),
        now=(
            "Take the account out of its groups (Remove-MgGroupMemberByRef -GroupId <group> "
            "-DirectoryObjectId <account>)."
        ),
        prevent="Privileged Identity Management for groups: members are eligible and activate when they need it.",
        check="The account is on the roster no more, or signs in again.",
        link="https://learn.microsoft.com/entra/id-governance/privileged-identity-management/groups-assign-member-owner",
    ),
    fits=lambda a: (
        (Severity.MEDIUM if a.capable is False and not a.proven else Severity.LOW)
        if a.privileged and a.dormant
        else None
    ),
    positive={"nobody signs in": _ADMIN._replace(dormant=True), "nor could": _ADMIN._replace(**_BARE, dormant=True)},
    negative={
        "in use": _ADMIN,
        "too little was read": _ADMIN._replace(dormant=None),
        "no rights": _STAFF._replace(dormant=True),
    },
)

POSTURE_RULES: Final[tuple[PostureRule, ...]] = (
    MFA_NOT_REGISTERED,
    MFA_NOT_CAPABLE,
    GUEST_WITHOUT_MFA,
    DELEGATED_ADMIN_DORMANT,
)
POSTURE_RULE: Final = {rule.id: rule for rule in POSTURE_RULES}


def fitting_posture(account: AccountSignals) -> tuple[tuple[str, Severity], ...]:
    """The rules that fit an account, by id, each with its severity."""
    return tuple((rule.id, severity) for rule in POSTURE_RULES if (severity := rule.fits(account)))
