"""The grades of MFA evidence, step by step as design.md numbers them, and attempts to be graded too well."""

import pytest

from shared.rules.rule import FEDERATED, PASSWORD_ONLY, SILENT, Record
from shared.signin.evidence import Evidence
from tests.signin.records import Json, JsonObject, assessed, directory_of

CLAIM = "MFA requirement satisfied by claim in the token"
EXTERNAL = "MFA requirement satisfied by claim provided by external provider"
DONE = "MFA completed in Azure AD"
SKIPPED = "MFA skipped due to location"
FIRST_FACTOR_CLAIM = "First factor requirement satisfied by claim in the token"
MFA_DEMANDED: Record = {**SILENT, "authenticationRequirement": "multiFactorAuthentication"}

PASSWORD: JsonObject = {"authenticationMethod": "Password", "succeeded": True}
CANNOT_DO_MFA: list[Record] = [
    {"authenticationProtocol": "ropc"},
    {"userAgent": "BAV2ROPC"},
    {"clientAppUsed": "IMAP4"},
    {"clientAppUsed": "Other clients; Older Office clients"},
]


def stated(*texts: str) -> Record:
    """A single-factor sign-in whose steps have these result details."""
    return {**SILENT, "authenticationDetails": [{"authenticationStepResultDetail": text} for text in texts]}


def noted(text: str) -> Record:
    """A single-factor sign-in with that status.additionalDetails."""
    return {**SILENT, "status": {"errorCode": 0, "additionalDetails": text}}


def using(*methods: str, succeeded: bool | None = True) -> Record:
    """A single-factor sign-in with a step by each of these methods."""
    steps: list[JsonObject] = [{"authenticationMethod": method, "succeeded": succeeded} for method in methods]
    return {**SILENT, "authenticationDetails": steps}


def graded(members: Record) -> Evidence:
    return assessed(members).evidence


# --- 1: skipped -------------------------------------------------------------------------------------------------------

SKIPPING = [
    "MFA skipped due to app password",
    "MFA requirement skipped due to location",
    "MFA requirement skipped due to IP address",
    "MFA requirement skipped due to registered device",
    "MFA requirement skipped due to remembered device",
    "Skipped as the flow was a Windows broker flow",
    "MFA requirement skipped by an ADFS InsideCorpNet claim",
    "MFA requirement has expired due to the policies configured on the tenant",
    "Multi-factor authentication has expired",
    "Has expired due to the policies configured on the tenant",
    "MFA registration prompted",
]


@pytest.mark.parametrize("text", SKIPPING)
def test_a_step_that_was_passed_over_is_skipped_wherever_it_is_stated(text: str) -> None:
    assert graded(stated(text)) == graded(noted(text)) == "skipped"


@pytest.mark.parametrize(
    "text", ["MFA has not expired", "MFA registration not prompted", "The password has expired", "Password expired", ""]
)
def test_what_only_resembles_a_skipped_step_says_nothing(text: str) -> None:
    assert graded(stated(text)) == graded(noted(text)) == "unknown"


@pytest.mark.parametrize("text", SKIPPING)
@pytest.mark.parametrize("beside", [CLAIM, FIRST_FACTOR_CLAIM])
def test_a_claim_does_not_heal_a_skipped_step(text: str, beside: str) -> None:
    assert graded(stated(text, beside)) == "skipped"


@pytest.mark.parametrize("text", SKIPPING)
def test_demanding_mfa_does_not_heal_a_skipped_step(text: str) -> None:
    assert graded({**stated(text), "authenticationRequirement": "multiFactorAuthentication"}) == "skipped"


@pytest.mark.parametrize("text", SKIPPING)
def test_mfa_that_was_done_all_the_same_is_not_skipped(text: str) -> None:
    assert graded(stated(text, DONE)) == "proven"
    assert graded(stated(text, EXTERNAL)) == "external"


# --- 2: protocols that cannot do MFA ----------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", CANNOT_DO_MFA, ids=str)
@pytest.mark.parametrize("text", [DONE, CLAIM, EXTERNAL, FIRST_FACTOR_CLAIM])
def test_nothing_that_is_stated_over_a_protocol_without_mfa_counts(protocol: Record, text: str) -> None:
    assert graded({**stated(text), **protocol}) == "none"
    assert graded({**noted(text), **protocol, "authenticationRequirement": "multiFactorAuthentication"}) == "none"
    assert graded({**using("FIDO2 security key"), **protocol}) == "none"


@pytest.mark.parametrize("protocol", CANNOT_DO_MFA, ids=str)
def test_silence_over_a_protocol_without_mfa_is_none_and_federation_changes_nothing(protocol: Record) -> None:
    assert graded({**SILENT, **protocol}) == "none"
    assert graded({**SILENT, **FEDERATED, **protocol}) == "none"


@pytest.mark.parametrize("protocol", CANNOT_DO_MFA, ids=str)
def test_an_app_password_is_skipped_also_over_a_protocol_without_mfa(protocol: Record) -> None:
    assert graded({**noted("MFA skipped due to app password"), **protocol}) == "skipped"


# --- 3: external ------------------------------------------------------------------------------------------------------


def test_the_mfa_claim_of_an_external_provider_counts() -> None:
    assert graded(stated(EXTERNAL)) == graded(noted(EXTERNAL)) == "external"


def test_an_external_claim_outranks_mfa_done_now() -> None:
    assert graded(stated(DONE, EXTERNAL)) == "external"


def test_an_external_first_factor_says_nothing_of_mfa() -> None:
    text = "First factor requirement satisfied by claim provided by external provider"
    assert graded(stated(text)) == "unknown"


# --- 4: proven --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "MFA completed in Azure AD",
        "MFA successfully completed",
        "MFA completed in the cloud",
        "MFA requirement satisfied by strong authentication",
        "mfa  COMPLETED\tin azure\nad",
        "M-F-A completed in Azure\N{NO-BREAK SPACE}AD",
        "MFA com\N{HYPHEN}pleted in Azure AD",
        "MFA com\N{NON-BREAKING HYPHEN}pleted in Azure AD",
    ],
)
def test_mfa_done_now_is_proven_wherever_it_is_stated(text: str) -> None:
    assert graded(stated(text)) == graded(noted(text)) == "proven"


@pytest.mark.parametrize("succeeded", [True, False, None])
def test_a_statement_counts_even_where_its_step_is_marked_as_failed(succeeded: bool | None) -> None:
    """docs/entra-facts.md: succeeded can be false beside "MFA completed in Azure AD"."""
    step: JsonObject = {"authenticationStepResultDetail": DONE, "succeeded": succeeded}
    assert graded({**SILENT, "authenticationDetails": [PASSWORD, step]}) == "proven"


ONE_STEP = [
    "FIDO2 security key",
    "Passkey (Microsoft Authenticator)",
    "Windows Hello for Business",
    "X.509 certificate (multi-factor)",
    "x509CertificateMultiFactor",
    "Passwordless phone sign-in",
    "Temporary Access Pass",
    "temporaryAccessPassOneTime",
]


@pytest.mark.parametrize("method", ONE_STEP)
def test_a_method_that_is_mfa_in_one_step_proves_it_unless_it_failed(method: str) -> None:
    assert graded(using(method)) == graded(using(method, succeeded=None)) == "proven"
    assert graded(using(method, succeeded=False)) == "unknown"
    failed_first: list[JsonObject] = [{"authenticationMethod": method, "succeeded": False}, PASSWORD]
    assert graded({**SILENT, "authenticationDetails": failed_first}) == "none"


@pytest.mark.parametrize(
    "text",
    [
        "MFA denied; user declined the authentication",
        "MFA denied; duplicate authentication attempt",
        "MFA denied: MFA completed in Azure AD",
        "MFA not completed in Azure AD",
        "MFA successfully completed: not completed",
        "MFA completed in Azure AD (in progress)",
        "MFA completed in the cloud failed",
        "MFA was not successfully completed",
        "MFA unsuccessfully completed",
        "MFA requirement not satisfied by strong authentication",
        "MFA required in Azure AD",
        "MFA completed",
        "Authentication completed in Azure AD",
        "strong authentication",
    ],
)
def test_what_only_resembles_a_proof_is_none(text: str) -> None:
    assert graded(
        {**stated(text), "authenticationDetails": [{**PASSWORD, "authenticationStepResultDetail": text}]}
    ) == ("none")
    assert graded(stated(text)) == "unknown"


def test_a_denial_in_one_statement_does_not_spoil_the_proof_in_another() -> None:
    assert graded(stated("MFA denied; user did not respond", DONE)) == "proven"


# --- 5 and 6: claim ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [CLAIM, CLAIM.upper(), CLAIM.replace(" ", " - ")])
def test_an_earlier_mfa_counts_as_a_claim(text: str) -> None:
    assert graded(stated(text)) == graded(noted(text)) == "claim"


@pytest.mark.parametrize(
    "text",
    [
        FIRST_FACTOR_CLAIM,
        "MFA requirement not satisfied by claim in the token",
        "requirement satisfied by claim in the token",
        "satisfied by claim in the token",
        "MFA requirement satisfied by claim",
    ],
)
def test_what_only_resembles_a_claim_says_nothing(text: str) -> None:
    assert graded(stated(text)) == "unknown"


def test_mfa_that_was_demanded_and_passed_is_a_claim() -> None:
    assert graded(MFA_DEMANDED) == "claim"
    assert graded({**using("Password"), "authenticationRequirement": "multiFactorAuthentication"}) == "claim"
    assert graded({**SILENT, "authenticationRequirement": "multiFactorAuthenticationOfNextYear"}) == "unknown"


def test_a_claim_outranks_a_first_factor_done_now() -> None:
    assert graded({**PASSWORD_ONLY, "status": {"errorCode": 0, "additionalDetails": CLAIM}}) == "claim"


# --- 7: none ----------------------------------------------------------------------------------------------------------

FIRST_FACTORS = [
    "Password",
    "Password in the cloud",
    "Text message",
    "SMS",
    "smsSignIn",
    "Email OTP",
    "E-mail one-time passcode",
    "Certificate",
    "X.509 certificate (single-factor)",
    "x509CertificateSingleFactor",
    "QR code PIN",
    "Phone call approval (authentication phone)",
]


@pytest.mark.parametrize("method", FIRST_FACTORS)
def test_a_first_factor_done_now_and_nothing_else_is_none(method: str) -> None:
    assert graded(using(method)) == graded(using(method, succeeded=None)) == "none"
    assert graded(using(method, succeeded=False)) == "unknown"


@pytest.mark.parametrize(
    "federated",
    [
        {"tokenIssuerType": "ADFederationServices"},
        {"tokenIssuerType": "ADFederationServicesMFAAdapter"},
        {"tokenIssuerType": "adFederationServicesOfNextYear"},
        {"authenticationDetails": [PASSWORD, {"authenticationMethod": "Federated"}]},
    ],
    ids=str,
)
def test_a_federated_first_factor_is_unknown(federated: Record) -> None:
    assert graded({**PASSWORD_ONLY, **federated}) == "unknown"


@pytest.mark.parametrize(
    ("domains", "name", "grade"),
    [
        (["partner.example"], "technician@partner.example", "unknown"),
        (["@Partner.Example "], "TECHNICIAN@PARTNER.EXAMPLE", "unknown"),
        (["partner.example"], "technician@sub.partner.example", "none"),
        (["partner.example"], "technician@notpartner.example", "none"),
        (["partner.example"], "technician@other.example@partner.example", "unknown"),
        (["partner.example"], "partner.example", "none"),
        (["partner.example"], None, "none"),
        ([], "technician@partner.example", "none"),
        ([""], None, "none"),
    ],
)
def test_a_user_of_a_federated_domain_is_federated(domains: list[Json], name: str | None, grade: str) -> None:
    directory = directory_of(federatedDomains=domains)
    assert assessed({**PASSWORD_ONLY, "userPrincipalName": name}, directory).evidence == grade


@pytest.mark.parametrize(
    "issuer", ["AzureAD", "NPSExtension", "AzureADBackupAuth", "", None, "NotADFederationServices"]
)
def test_any_other_issuer_is_not_federated(issuer: str | None) -> None:
    assert graded({**PASSWORD_ONLY, "tokenIssuerType": issuer}) == "none"


# --- 8: unknown -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "method",
    ["Passwordless", "Previously satisfied", "Mobile app notification", "OATH verification code", "A New Method", ""],
)
def test_any_other_method_says_nothing(method: str) -> None:
    assert graded(using(method)) == "unknown"


@pytest.mark.parametrize(
    "members",
    [
        SILENT,
        {**SILENT, "authenticationDetails": None, "authenticationRequirement": None, "status": None},
        {**SILENT, "authenticationDetails": [None, {}], "status": {}},
        {**SILENT, "authenticationDetails": [{"authenticationMethod": None, "succeeded": True}]},
    ],
    ids=str,
)
def test_silence_is_unknown(members: Record) -> None:
    assert graded(members) == "unknown"


@pytest.mark.parametrize("code", [50074, 50126, 53003, 50140, -1])
def test_what_is_no_success_has_no_evidence(code: int) -> None:
    found = assessed({"status": {"errorCode": code, "additionalDetails": DONE}})
    assert (found.evidence, found.verdict) == ("not-applicable", "not-applicable")


# --- attempts to be graded too well -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "MFA completed in Azure AD: not-completed",
        "MFA successfully completed, authentication in-progress",
    ],
)
def test_a_negation_counts_with_its_hyphen_too(text: str) -> None:
    """Entra writes "in-progress"; without its hyphen it is no longer "in progress"."""
    assert graded(stated(text)) != "proven"


@pytest.mark.parametrize(
    "text",
    [
        "MFA com\N{ZERO WIDTH SPACE}pleted in Azure AD",
        "M\N{CYRILLIC CAPITAL LETTER EF}A completed in Azure AD",
        "\N{FULLWIDTH LATIN CAPITAL LETTER M}FA completed in Azure AD",
        "MFA_completed_in_Azure_AD",
        "MFAcompletedinAzureAD",
        "MFA completed in Azure A D",
        "MFA\\ncompleted in Azure AD",
    ],
)
def test_a_text_that_is_spelt_otherwise_proves_nothing(text: str) -> None:
    assert graded(stated(text)) == graded(noted(text)) == "unknown"


@pytest.mark.parametrize("place", ["userAgent", "userDisplayName", "appDisplayName", "resourceDisplayName"])
def test_a_proof_that_somebody_wrote_into_another_member_proves_nothing(place: str) -> None:
    assert graded({**PASSWORD_ONLY, place: f"{DONE}; {CLAIM}; FIDO2 security key"}) == "none"


def test_a_method_does_not_count_as_a_statement_nor_a_statement_as_a_method() -> None:
    assert graded(using(DONE)) == graded(stated("FIDO2 security key")) == "unknown"
