"""The grades of MFA evidence, step by step as docs/semantics.md numbers them, and attempts to be graded too well."""

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
        "MFA completed in Entra ID",
        "MFA completed in whatever it is called next year",
        "MFA requirement satisfied by multi-factor device",
        "MFA requirement satisfied by multifactor device",
        "Satisfied by strong authentication",
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
    "Passwordless Microsoft Authenticator",
    "Microsoft Authenticator passwordless",
    "microsoftAuthenticatorPasswordless",
    "Phone sign-in",
    "Platform Credential",
    "macOS Secure Enclave Key",
    "macOsSecureEnclaveKey",
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
        "MFA requirement not satisfied by strong authentication",
    ],
)
def test_a_denial_proves_nothing_and_its_step_did_not_stand(text: str) -> None:
    denied: JsonObject = {**PASSWORD, "authenticationStepResultDetail": text}
    assert graded({**SILENT, "authenticationDetails": [denied]}) == "unknown"
    assert graded({**SILENT, "authenticationDetails": [PASSWORD, denied]}) == "none"
    assert graded(stated(text)) == "unknown"


@pytest.mark.parametrize(
    "text",
    [
        "MFA was not successfully completed",
        "MFA unsuccessfully completed",
        "MFA required in Azure AD",
        "MFA completed",
        "Well: MFA completed in Azure AD",
        "Authentication completed in Azure AD",
        "strong authentication",
        "methodSucceeded",
    ],
)
def test_what_only_resembles_a_proof_is_none(text: str) -> None:
    step: JsonObject = {**PASSWORD, "authenticationStepResultDetail": text}
    assert graded({**SILENT, "authenticationDetails": [step]}) == "none"
    assert graded(stated(text)) == "unknown"


def test_a_denial_in_one_statement_does_not_spoil_the_proof_in_another() -> None:
    assert graded(stated("MFA denied; user did not respond", DONE)) == "proven"


# --- 5 and 6: claim ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [CLAIM, CLAIM.upper(), CLAIM.replace(" ", " - "), "MFA requirement satisfied by claim", f"{CLAIM[:29]}the moon"],
)
def test_an_earlier_mfa_counts_as_a_claim(text: str) -> None:
    assert graded(stated(text)) == graded(noted(text)) == "claim"


@pytest.mark.parametrize(
    "text",
    [
        FIRST_FACTOR_CLAIM,
        "MFA requirement not satisfied by claim in the token",
        "requirement satisfied by claim in the token",
        "satisfied by claim in the token",
        f"{CLAIM} (in progress)",
    ],
)
def test_what_only_resembles_a_claim_says_nothing(text: str) -> None:
    assert graded(stated(text)) == "unknown"


def test_mfa_that_was_demanded_and_passed_is_a_claim() -> None:
    assert graded(MFA_DEMANDED) == "claim"
    assert graded({**using("Password"), "authenticationRequirement": "multiFactorAuthentication"}) == "claim"
    assert graded({**SILENT, "authenticationRequirement": "multiFactorAuthenticationOfNextYear"}) == "unknown"


APP: JsonObject = {"authenticationMethod": "Mobile app notification"}
PROMPT_FAILED: JsonObject = {**APP, "succeeded": False}


@pytest.mark.parametrize(
    ("steps", "evidence", "why"),
    [
        ([PASSWORD, PROMPT_FAILED], "unknown", "contradiction"),
        ([PROMPT_FAILED], "unknown", "contradiction"),
        ([PASSWORD, {**APP, "authenticationStepResultDetail": "MFA denied; user did not respond"}], "unknown",
         "contradiction"),
        ([PASSWORD, {**APP, "authenticationStepResultDetail": "MFA failed", "succeeded": True}], "unknown",
         "contradiction"),
        ([PASSWORD, PROMPT_FAILED, {**APP, "succeeded": True}], "claim", None),
        ([PASSWORD, PROMPT_FAILED, {"authenticationMethod": "Text message"}], "claim", None),
        ([PASSWORD, PROMPT_FAILED, {**APP, "authenticationStepResultDetail": "Authentication in progress",
                                    "succeeded": False}], "claim", None),
        ([{**PASSWORD, "succeeded": False}], "claim", None),
        ([{"authenticationMethod": "Passwordless phone sign-in", "succeeded": False}], "claim", None),
        ([PROMPT_FAILED | {"authenticationStepResultDetail": FIRST_FACTOR_CLAIM}], "claim", None),
    ],
)  # fmt: skip
def test_mfa_that_was_demanded_while_its_step_failed_contradicts_itself(
    steps: list[Json], evidence: str, why: str | None
) -> None:
    found = assessed({**MFA_DEMANDED, "authenticationDetails": steps})
    assert (found.evidence, found.why) == (evidence, why)
    if why:
        assert found.fits == (("mfa-evidence-unknown", 2),)


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


SMS: JsonObject = {"authenticationMethod": "Text message", "succeeded": True}


@pytest.mark.parametrize(
    ("steps", "evidence", "why"),
    [
        ([PASSWORD, APP], "unknown", "second-factor-unconfirmed"),
        ([PASSWORD, SMS], "unknown", "second-factor-unconfirmed"),
        ([PASSWORD, {**APP, "succeeded": False, "authenticationStepResultDetail": "Authentication in progress"}],
         "unknown", "second-factor-unconfirmed"),
        ([PASSWORD, PROMPT_FAILED], "none", None),
        ([SMS], "none", None),
        ([SMS, SMS], "none", None),
        ([SMS, {"authenticationMethod": "TEXT MESSAGE"}], "none", None),
        ([SMS, {"authenticationMethod": "Phone call"}], "unknown", "second-factor-unconfirmed"),
        ([PASSWORD, {"authenticationMethod": "Passwordless phone sign-in", "succeeded": False}], "none", None),
        ([PASSWORD, {**APP, "authenticationStepResultDetail": FIRST_FACTOR_CLAIM}], "none", None),
        ([{**PASSWORD, "authenticationStepResultDetail": FIRST_FACTOR_CLAIM}], "unknown", "no-session"),
    ],
)  # fmt: skip
def test_a_second_factor_beside_the_first_may_still_be_confirmed(
    steps: list[Json], evidence: str, why: str | None
) -> None:
    found = assessed({**SILENT, "authenticationDetails": steps})
    assert (found.evidence, found.why) == (evidence, why)


CERTIFICATE: JsonObject = {"authenticationMethod": "X.509 Certificate", "succeeded": True}


def certified(level: str | None, *steps: JsonObject, key: str = "User certificate authentication level") -> Record:
    details: list[Json] = [{"key": "Is CAE Token", "value": "False"}, {"key": key, "value": level}]
    return {
        **SILENT,
        "authenticationDetails": [*(steps or (CERTIFICATE,))],
        "authenticationProcessingDetails": details,
    }


@pytest.mark.parametrize("level", ["multiFactorAuthentication", "Multi-Factor Authentication"])
def test_a_certificate_of_the_multi_factor_level_is_mfa(level: str) -> None:
    found = assessed(certified(level))
    assert (found.evidence, found.strength) == ("proven", "phishing-resistant")
    assert graded(certified(level, {**CERTIFICATE, "succeeded": False})) == "unknown"
    assert graded(certified(level, PASSWORD)) == "none"


@pytest.mark.parametrize("level", ["singleFactorAuthentication", "single factor authentication"])
def test_a_certificate_of_the_single_factor_level_is_none(level: str) -> None:
    assert graded(certified(level)) == "none"


@pytest.mark.parametrize(
    "members",
    [
        certified(None),
        certified("aLevelOfNextYear"),
        certified("multiFactorAuthentication", key="User certificate authentication level type"),
        using("X.509 Certificate"),
        using("Certificate"),
        certified(None, PASSWORD, CERTIFICATE),
    ],
)
def test_a_certificate_whose_level_is_not_told_is_unknown(members: Record) -> None:
    found = assessed(members)
    assert (found.evidence, found.why) == ("unknown", "certificate-level-untold")


@pytest.mark.parametrize(
    ("members", "why"),
    [
        (SILENT, "no-session"),
        ({**SILENT, "sessionId": "a"}, "session-unseen"),
        ({**SILENT, **FEDERATED, "sessionId": "a"}, "federated-silent"),
        ({**using("Federated"), "sessionId": "a"}, "federated-silent"),
        ({**using("Federated", "X.509 Certificate")}, "certificate-level-untold"),
        ({**using("Federated", "X.509 Certificate", "SMS")}, "second-factor-unconfirmed"),
        ({**using("Password", "X.509 Certificate", "SMS")}, "second-factor-unconfirmed"),
    ],
)
def test_the_first_reason_that_fits_says_why_an_evidence_is_unknown(members: Record, why: str) -> None:
    found = assessed(members)
    assert (found.evidence, found.why, found.strength) == ("unknown", why, None)


@pytest.mark.parametrize(
    ("methods", "strength"),
    [
        (["Password", "Windows Hello for Business"], "phishing-resistant"),
        (["FIDO2"], "phishing-resistant"),
        (["passKeyDeviceBound"], "phishing-resistant"),
        (["Platform Credential"], "phishing-resistant"),
        (["macOsSecureEnclaveKey"], "phishing-resistant"),
        (["x509CertificateMultiFactor"], "phishing-resistant"),
        (["Mobile app notification", "Passwordless phone sign-in"], "passwordless"),
        (["microsoftAuthenticatorPasswordless"], "passwordless"),
        (["Password", "Mobile app notification"], "app"),
        (["Password", "OATH verification code", "Text message"], "app"),
        (["softwareOneTimePasscode"], "app"),
        (["Password", "Text message"], "phone"),
        (["officePhone"], "phone"),
        (["Password", "External authentication method"], "untold"),
        (["Temporary Access Pass"], "untold"),
        (["Password"], "untold"),
        ([], "untold"),
    ],
)
def test_the_best_step_that_stands_is_how_strong_a_satisfied_one_is(methods: list[str], strength: str) -> None:
    members: Record = {**using(*methods), "status": {"errorCode": 0, "additionalDetails": DONE}}
    found = assessed(members)
    assert (found.evidence, found.strength, found.why) == ("proven", strength, None)


def test_a_step_that_failed_or_was_not_done_now_lends_no_strength() -> None:
    failed: JsonObject = {"authenticationMethod": "FIDO2", "succeeded": False}
    earlier: JsonObject = {"authenticationMethod": "FIDO2", "authenticationStepResultDetail": FIRST_FACTOR_CLAIM}
    assert assessed({**MFA_DEMANDED, "authenticationDetails": [PASSWORD, failed, earlier]}).strength == "untold"


@pytest.mark.parametrize("control", ["RequireDuoMfa", "Duo", "Acme 2FA", "two-factor", "XAuthenticator", "mfaByAcme"])
def test_a_third_partys_control_is_named_and_proves_nothing(control: str) -> None:
    policies = [None, {"result": "Success", "enforcedGrantControls": [None, control]}]
    assert assessed({**SILENT, "appliedConditionalAccessPolicies": policies}).rules == (
        "third-party-mfa-unrecognised",
        "mfa-evidence-unknown",
    )
    assert (
        "third-party-mfa-unrecognised"
        in assessed({**PASSWORD_ONLY, "appliedConditionalAccessPolicies": policies}).rules
    )
    assert assessed({"appliedConditionalAccessPolicies": policies}).rules == ()


@pytest.mark.parametrize(
    ("result", "control"),
    [
        ("success", "mfa"),
        ("success", "Require MFA"),
        ("success", "requireMultifactorAuthentication"),
        ("success", "multiFactorAuthentication"),
        ("success", "federatedMultiFactorAuth"),
        ("success", "authenticationStrength-MFA"),
        ("success", "requireCompliantDevice"),
        ("success", None),
        ("failure", "RequireDuoMfa"),
        ("reportOnlySuccess", "RequireDuoMfa"),
        (None, "RequireDuoMfa"),
    ],
)
def test_microsofts_own_control_or_one_that_did_not_apply_is_no_third_partys(
    result: str | None, control: str | None
) -> None:
    policies = [{"result": result, "enforcedGrantControls": [control]}]
    assert assessed({**SILENT, "appliedConditionalAccessPolicies": policies}).rules == ("mfa-evidence-unknown",)


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
        "MF A completed in Azure AD",
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
