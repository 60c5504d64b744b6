"""The source article's worked examples under their names: what the product has to tell as it happened."""

import pytest

from shared.rules.assess import Assessment, Verdict
from shared.rules.rule import PARTNER, PASSWORD_ONLY, SILENT, TECHNICIAN, Policy, Record, refused
from shared.signin.directory import Directory
from tests.signin.records import DIRECTORY, PARTNER_CENTER_APP, STRANGER, JsonObject, assessed, directory_of, judged

EXCHANGE_ADMIN_CENTER = "497effe9-df71-4043-a8bb-14cf78c4b63b"
AZURE_RESOURCE_MANAGER = "797f4846-ba00-4fd7-ba43-dac1f8f63013"

PASSWORD: JsonObject = {"authenticationMethod": "Password", "succeeded": True}
MFA_DONE: Record = {
    "authenticationRequirement": "multiFactorAuthentication",
    "authenticationDetails": [
        PASSWORD,
        {
            "authenticationMethod": "Mobile app notification",
            "succeeded": True,
            "authenticationStepResultDetail": "MFA completed in Azure AD",
        },
    ],
}


def at_partner_center(name: str, time: str, members: Record, **more: str) -> Record:
    """An interactive sign-in of a partner's user to Partner Center, in the partner's own tenant."""
    return {
        "id": f"{name} {time}",
        "userPrincipalName": f"{name}@partner.example",
        "createdDateTime": f"{time}Z",
        "appId": PARTNER_CENTER_APP,
        "resourceTenantId": PARTNER,
        "crossTenantAccessType": "none",
        **more,
        **members,
    }


def silent(record: Record, time: str) -> Record:
    """A token refresh in the session of that sign-in."""
    when = {"id": f"silent {time}", "createdDateTime": f"{time}Z"}
    return {**record, **SILENT, "signInEventTypes": ["nonInteractiveUser"], **when}


def verdicts(log: list[Record], directory: Directory = DIRECTORY) -> list[Verdict]:
    return [found.verdict for found in judged(log, directory)]


# --- Contoso: MFA by Entra for everybody ------------------------------------------------------------------------------


def test_contosos_jane_does_mfa_at_the_overview_page_and_is_not_asked_again() -> None:
    overview = at_partner_center("jane", "2026-11-02T09:00:00", MFA_DONE, sessionId="jane-1")
    protected = silent(overview, "2026-11-02T09:05:00")
    found = judged([overview, protected])
    assert [(a.scope, a.evidence, a.verdict, a.rules) for a in found] == [
        ("partner-center", "proven", "compliant", ()),
        ("partner-center", "session", "compliant", ()),
    ]


def test_contosos_jane_is_compliant_too_where_the_log_says_satisfied_by_claim() -> None:
    claim: Record = {
        **SILENT,
        "status": {"errorCode": 0, "additionalDetails": "MFA requirement satisfied by claim in the token"},
    }
    found = assessed(at_partner_center("jane", "2026-11-02T09:05:00", claim))
    assert (found.evidence, found.verdict, found.rules) == ("claim", "compliant", ())


# --- Wingtip: a federated third party does MFA ------------------------------------------------------------------------

FEDERATED: Record = {
    "tokenIssuerType": "ADFederationServices",
    "authenticationRequirement": "singleFactorAuthentication",
}
FEDERATED_STEP: JsonObject = {"authenticationMethod": "Federated", "succeeded": True}


def test_wingtips_trent_does_mfa_at_the_federated_provider_and_the_claim_comes_back() -> None:
    claim: JsonObject = {
        "authenticationStepResultDetail": "MFA requirement satisfied by claim provided by external provider"
    }
    came_back: Record = {**FEDERATED, "authenticationDetails": [FEDERATED_STEP, claim]}
    found = assessed(at_partner_center("trent", "2026-11-02T09:00:00", came_back))
    assert (found.scope, found.evidence, found.verdict, found.rules) == ("partner-center", "external", "compliant", ())


def test_wingtips_trent_without_the_claim_is_unknown_and_names_the_third_party() -> None:
    """Common issue 6: the provider may have done MFA, but Entra was not told. Never compliant, never accused."""
    silent_provider: Record = {**FEDERATED, "authenticationDetails": [FEDERATED_STEP]}
    found = assessed(at_partner_center("trent", "2026-11-02T09:00:00", silent_provider))
    assert (found.evidence, found.verdict) == ("unknown", "unknown")
    assert found.rules == ("third-party-mfa-unrecognised", "mfa-evidence-unknown")


def test_wingtips_trent_is_known_as_federated_by_his_domain_alone() -> None:
    directory = directory_of(federatedDomains=["partner.example"])
    found = assessed(at_partner_center("trent", "2026-11-02T09:00:00", PASSWORD_ONLY), directory)
    assert (found.verdict, found.rules) == ("unknown", ("third-party-mfa-unrecognised", "mfa-evidence-unknown"))


# --- Fabrikam: no MFA -------------------------------------------------------------------------------------------------

MUST_REGISTER = 50079
MFA_NEEDED = (50074, 50076)

OVERVIEW = at_partner_center("john", "2026-11-02T09:00:00", PASSWORD_ONLY, sessionId="john-1", correlationId="overview")


def challenge(code: int, day: int) -> Record:
    """John at a protected page: sent back for MFA."""
    members: Record = {**PASSWORD_ONLY, **refused(code)}
    return at_partner_center("john", f"2026-11-{day:02}T09:10:00", members, correlationId=f"protected-{day}")


def verified(day: int) -> Record:
    """John's MFA sign-in, which shares the correlation of the interrupt before it."""
    return at_partner_center("john", f"2026-11-{day:02}T09:12:00", MFA_DONE, correlationId=f"protected-{day}")


def seen(found: Assessment) -> tuple[str, str, str]:
    return found.outcome, found.evidence, found.verdict


def test_fabrikams_john_on_his_first_day_signs_in_registers_and_verifies() -> None:
    found = judged([OVERVIEW, challenge(MUST_REGISTER, 2), verified(2)])
    assert [seen(a) for a in found] == [
        ("success", "none", "non-compliant"),
        ("interrupted", "not-applicable", "not-applicable"),
        ("success", "proven", "compliant"),
    ]
    assert [a.rules for a in found] == [("interactive-without-mfa",), (), ()]


@pytest.mark.parametrize("code", MFA_NEEDED)
def test_fabrikams_john_on_another_day_only_verifies(code: int) -> None:
    found = judged([challenge(code, 3), verified(3)])
    assert [seen(a) for a in found] == [
        ("interrupted", "not-applicable", "not-applicable"),
        ("success", "proven", "compliant"),
    ]
    assert [a.rules for a in found] == [(), ()]


@pytest.mark.parametrize("code", [MUST_REGISTER, *MFA_NEEDED])
def test_fabrikams_johns_interrupts_count_neither_for_nor_against_him(code: int) -> None:
    found = assessed(challenge(code, 2), policy=Policy.STRICT)
    assert (found.verdict, found.rules, found.severity) == ("not-applicable", (), None)


def test_fabrikams_johns_single_factor_at_the_overview_page_is_non_compliant() -> None:
    """The overview page needed no MFA in the story's day, but a sign-in names the application and not the page:
    it is Partner Center, every page of which needs MFA since September 2025. So the scope is
    partner-center, whether or not John is on the roster, and one factor is non-compliant."""
    for who in (TECHNICIAN, STRANGER):
        found = assessed({**OVERVIEW, "userId": who})
        assert (found.scope, found.verdict, found.rules) == (
            "partner-center",
            "non-compliant",
            ("interactive-without-mfa",),
        )


def test_fabrikams_john_elsewhere_in_his_own_tenant_counts_only_on_the_roster() -> None:
    elsewhere: Record = {**OVERVIEW, "appId": EXCHANGE_ADMIN_CENTER}
    assert (assessed(elsewhere).scope, assessed(elsewhere).verdict) == ("partner-tenant", "non-compliant")
    off_roster = assessed({**elsewhere, "userId": STRANGER})
    assert (off_roster.scope, off_roster.verdict, off_roster.rules) == ("none", "out-of-scope", ())


def test_fabrikams_johns_later_mfa_does_not_heal_the_sign_in_before_it() -> None:
    log: list[Record] = [{**OVERVIEW, "correlationId": "protected-2"}, challenge(MUST_REGISTER, 2), verified(2)]
    assert verdicts(log) == ["non-compliant", "not-applicable", "compliant"]
    assert verdicts(log[::-1]) == ["compliant", "not-applicable", "non-compliant"]


def test_fabrikams_johns_session_with_and_without_mfa_proves_nothing() -> None:
    """One session whose roots differ: a silent token of it may rest on either."""
    with_mfa: Record = {**verified(2), "sessionId": "john-1"}
    before, after = silent(OVERVIEW, "2026-11-02T09:05:00"), silent(OVERVIEW, "2026-11-02T09:30:00")
    assert verdicts([OVERVIEW, before, with_mfa, after]) == ["non-compliant", "non-compliant", "compliant", "unknown"]


# --- Partner delegated administration ---------------------------------------------------------------------------------


def test_a_portal_with_the_customer_as_context_is_scope_customer() -> None:
    found = assessed(MFA_DONE)
    assert (found.scope, found.verdict) == ("customer", "compliant")


def test_a_managed_technician_at_a_customers_portal_is_prompted_and_registered_first() -> None:
    steps: list[Record] = [{**PASSWORD_ONLY, **refused(code)} for code in (MUST_REGISTER, *MFA_NEEDED)]
    assert verdicts([*steps, MFA_DONE]) == ["not-applicable", "not-applicable", "not-applicable", "compliant"]


@pytest.mark.parametrize(
    ("step", "verdict"),
    [("MFA requirement satisfied by claim provided by external provider", "compliant"), (None, "unknown")],
)
def test_a_federated_technician_at_a_customers_portal_goes_to_the_provider(step: str | None, verdict: str) -> None:
    details: list[JsonObject] = [FEDERATED_STEP, {"authenticationStepResultDetail": step}]
    assert assessed({**FEDERATED, "authenticationDetails": details}).verdict == verdict


def test_a_portal_that_asks_for_the_partners_tenant_alone_is_known_by_the_person() -> None:
    """The Exchange admin center: no customer stands in the log, so the roster decides."""
    record = at_partner_center("jane", "2026-11-02T09:00:00", PASSWORD_ONLY, appId=EXCHANGE_ADMIN_CENTER)
    found = assessed(record)
    assert (found.scope, found.verdict, found.rules) == (
        "partner-tenant",
        "non-compliant",
        ("interactive-without-mfa",),
    )
    assert assessed({**record, "userId": STRANGER}).scope == "none"


def test_an_application_that_sends_the_password_to_a_customers_api_is_critical() -> None:
    """Partners must avoid the password flow: Entra cannot prompt in it, whatever the record says beside."""
    ropc: Record = {"authenticationProtocol": "ropc", "resourceId": AZURE_RESOURCE_MANAGER}
    found = assessed(ropc)
    assert (found.scope, found.evidence, found.verdict) == ("customer", "none", "non-compliant")
    assert found.rules == ("password-flow", "interactive-without-mfa")
    assert found.severity is not None
    assert found.severity.label == "critical"


def test_an_app_only_token_goes_on_without_mfa() -> None:
    found = assessed({"signInEventTypes": ["servicePrincipal"], "appId": PARTNER_CENTER_APP, **PASSWORD_ONLY})
    assert (found.identity, found.verdict, found.rules) == ("app", "not-applicable", ())
