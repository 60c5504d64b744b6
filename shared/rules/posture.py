"""Rules about accounts, not sign-ins: what an account's registration and use say before anything happens.

They follow the tenant-wide requirement (every account of the partner's tenant, guests included) and stay apart from the
compliance of delegated sign-ins. Severities: high where an account that opens customers can be taken over with its
password alone; medium for the same in an account without such rights, since it is the step before; low for hygiene.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from shared.rules.rule import Severity


class AccountSignals(NamedTuple):
    """What the rules look at. `registered` and `capable` are None where the registration report has not the account
    (disabled, very new, or no licence); `dormant` is None where too little of the log was read to say."""

    privileged: bool  # a delegated admin, or an administrator of the tenant
    guest: bool = False
    registered: bool | None = True
    capable: bool | None = True
    dormant: bool | None = False


@dataclass(frozen=True, slots=True)
class PostureRule:
    """A rule and its facts. `fits` gives the severity, or None where the rule does not fit. `common_issue` is the
    number in mission.md, section 4."""

    id: str
    title: str
    attack: str
    meaning: str
    what_to_do: str
    fits: Callable[[AccountSignals], Severity | None]
    positive: tuple[AccountSignals, ...]
    negative: tuple[AccountSignals, ...]
    common_issue: int | None = None


_STAFF: Final = AccountSignals(privileged=False)
_ADMIN: Final = AccountSignals(privileged=True)
_BARE: Final = {"registered": False, "capable": False}


def _by_privilege(account: AccountSignals) -> Severity:
    return Severity.HIGH if account.privileged else Severity.MEDIUM


MFA_NOT_REGISTERED: Final = PostureRule(
    id="mfa-not-registered",
    title="Account without a registered MFA method",
    attack="T1078.004",
    common_issue=1,
    meaning="Whoever has the password may register the second factor themselves, as the first to be asked for it.",
    what_to_do="Have the person register now, in a trusted place or with a Temporary Access Pass; else disable it.",
    fits=lambda a: _by_privilege(a) if a.registered is False else None,
    positive=(_ADMIN._replace(**_BARE), _STAFF._replace(**_BARE), _STAFF._replace(**_BARE, guest=True)),
    negative=(_ADMIN, _STAFF._replace(capable=False), _ADMIN._replace(registered=None, capable=None)),
)

MFA_NOT_CAPABLE: Final = PostureRule(
    id="mfa-not-capable",
    title="Registered MFA method that policy does not allow",
    attack="T1556.006",
    meaning="A method is registered, but the tenant's policy does not let the account use it, so MFA cannot be done.",
    what_to_do="Allow the method in the authentication methods policy, or have the person register another.",
    fits=lambda a: (Severity.MEDIUM if a.privileged else Severity.LOW) if a.registered and a.capable is False else None,
    positive=(_ADMIN._replace(capable=False), _STAFF._replace(capable=False)),
    negative=(_ADMIN, _ADMIN._replace(**_BARE), _ADMIN._replace(capable=None)),
)

GUEST_WITHOUT_MFA: Final = PostureRule(
    id="guest-without-mfa",
    title="Guest of the partner's tenant who cannot do MFA there",
    attack="T1199",
    meaning=(
        "Guests count in the requirement. The partner's tenant knows no usable second factor of this one; MFA done at "
        "home counts only where cross-tenant access settings trust it."
    ),
    what_to_do="Require MFA of guests by Conditional Access, trust MFA of the home tenant, or remove the guest.",
    fits=lambda a: _by_privilege(a) if a.guest and a.capable is False else None,
    positive=(
        _STAFF._replace(**_BARE, guest=True),
        _ADMIN._replace(**_BARE, guest=True),
        _STAFF._replace(guest=True, capable=False),
    ),
    negative=(_STAFF._replace(guest=True), _STAFF._replace(**_BARE), _STAFF._replace(guest=True, capable=None)),
)

DELEGATED_ADMIN_DORMANT: Final = PostureRule(
    id="delegated-admin-dormant",
    title="Delegated admin rights that nobody uses",
    attack="T1078.004",
    meaning="Nobody signed in with the account for four weeks, so nobody would miss it; with it customers stay open.",
    what_to_do="Take the account out of its groups and roles, or make it eligible (PIM) instead of a standing member.",
    fits=lambda a: (Severity.MEDIUM if a.capable is False else Severity.LOW) if a.privileged and a.dormant else None,
    positive=(_ADMIN._replace(dormant=True), _ADMIN._replace(**_BARE, dormant=True)),
    negative=(_ADMIN, _ADMIN._replace(dormant=None), _STAFF._replace(dormant=True)),
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
