"""What a rule is: its facts, the small pure function that says whether it fits, and cases that show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, Final, Literal, NamedTuple

from shared.signin.evidence import Evidence, Why
from shared.signin.outcome import Outcome
from shared.signin.traits import HEADLINE, Scope

# The end of every rule's `check`.
CLOSES: Final = (
    "Its incident closes by itself after INCIDENT_QUIET_DAYS (7 unless set otherwise) without another such sign-in."
)

SeverityName = Literal["low", "medium", "high", "critical"]
_SEVERITIES: Final[tuple[SeverityName, ...]] = ("low", "medium", "high", "critical")


class Severity(IntEnum):
    """How bad; comparable. `label` is the text in answers and tables."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def label(self) -> SeverityName:
        """low, medium, high or critical."""
        return _SEVERITIES[self - 1]

    @classmethod
    def of(cls, label: str) -> Severity:
        """The severity of that label; ValueError when there is none."""
        try:
            return cls[label.upper()]
        except KeyError:
            raise ValueError(f"{label!r} is not a severity: use low, medium, high or critical") from None


class Policy(StrEnum):
    """How much is a finding: strict also reports every non-interactive use."""

    STANDARD = "standard"
    STRICT = "strict"


class Signals(NamedTuple):
    """What the rules look at: a user sign-in in a watched scope, already graded.

    `provider`: somebody else than Entra may have done MFA. `refused`: a person declined the prompt or reported fraud.
    """

    scope: Scope
    outcome: Outcome
    evidence: Evidence
    why: Why | None
    interactive: bool
    legacy: bool
    password_flow: bool
    device_code: bool
    provider: bool
    refused: bool
    password_right: bool
    policy: Policy

    @property
    def success(self) -> bool:
        """Whether a token was issued."""
        return self.outcome is Outcome.SUCCESS

    @property
    def headline(self) -> bool:
        """Whether it reaches a customer or Partner Center."""
        return self.scope in HEADLINE


type Record = Mapping[str, Any]  # members of a sign-in record, laid over the sample partner's plain sign-in


class Owner(StrEnum):
    """Who can do what a rule asks for first."""

    PARTNER_ADMIN = "partner-admin"
    APPLICATION_OWNER = "application-owner"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do: `first` in the first minutes, to tell an attack from a habit; `now` one command or click for its
    `owner`; `prevent` is the policy that keeps it from coming back, `check` how one sees that it worked, `link` a
    page of Microsoft."""

    owner: Owner
    first: str
    now: str
    prevent: str
    check: str
    link: str


@dataclass(frozen=True, slots=True)
class RuleOf[S, C]:
    """A rule and its facts. `fits` gives the severity of what it looks at (S), or None where the rule does not fit.

    `positive` and `negative` are named cases (C) that show it. `on_evidence` says that the rule rests on details that
    arrive late, so that its incident is announced only once the slice was read again (docs/architecture.md).
    `common_issue` is the number of one of the six common issues with MFA (docs/entra-facts.md).
    """

    id: str
    title: str
    attack: str
    meaning: str
    remedy: Remedy
    fits: Callable[[S], Severity | None]
    positive: Mapping[str, C]
    negative: Mapping[str, C]
    common_issue: int | None = None
    on_evidence: bool = False

    @property
    def what_to_do(self) -> str:
        """What to do now, in a sentence."""
        return self.remedy.now


type Rule = RuleOf[Signals, Record]


def when(severity: Severity, fits: Callable[[Signals], bool]) -> Callable[[Signals], Severity | None]:
    """A rule with one severity."""
    return lambda signals: severity if fits(signals) else None


def by_scope(signals: Signals) -> Severity:
    """Critical where a customer or Partner Center was reached, else high."""
    return Severity.CRITICAL if signals.headline else Severity.HIGH


def of_attempt(signals: Signals) -> Severity:
    """Medium when only something after the password stopped it, else low."""
    return Severity.MEDIUM if signals.password_right else Severity.LOW


# The sample partner of the cases: one roster, one customer. Cases lay their members over PLAIN, an interactive sign-in
# of a technician into the customer's tenant with MFA done.
PARTNER: Final = "11111111-1111-1111-1111-111111111111"
CUSTOMER: Final = "22222222-2222-2222-2222-222222222222"
TECHNICIAN: Final = "33333333-3333-3333-3333-333333333333"
PLAIN: Final[Record] = {
    "id": "case",
    "createdDateTime": "2026-11-02T09:00:00Z",
    "userId": TECHNICIAN,
    "userPrincipalName": "technician@partner.example",
    "homeTenantId": PARTNER,
    "resourceTenantId": CUSTOMER,
    "crossTenantAccessType": "serviceProvider",
    "appId": "c44b4083-3bb0-49c1-b47d-974e53cbdf3c",
    "clientAppUsed": "Browser",
    "signInEventTypes": ["interactiveUser"],
    "authenticationProtocol": "oAuth2",
    "authenticationRequirement": "multiFactorAuthentication",
    "status": {"errorCode": 0},
    "authenticationDetails": [
        {"authenticationMethod": "Password", "succeeded": True},
        {"authenticationStepResultDetail": "MFA completed in Azure AD", "succeeded": True},
    ],
}
# Members that several cases lay over it.
PASSWORD_ONLY: Final[Record] = {
    "authenticationRequirement": "singleFactorAuthentication",
    "authenticationDetails": [{"authenticationMethod": "Password", "succeeded": True}],
}
SILENT: Final[Record] = {"authenticationRequirement": "singleFactorAuthentication", "authenticationDetails": []}
NON_INTERACTIVE: Final[Record] = {"signInEventTypes": ["nonInteractiveUser"]}
AT_HOME: Final[Record] = {"resourceTenantId": PARTNER, "crossTenantAccessType": "none"}
FEDERATED: Final[Record] = {"tokenIssuerType": "ADFederationServices"}


def refused(code: int) -> Record:
    """The members of a sign-in that ended with that code."""
    return {"status": {"errorCode": code}}
