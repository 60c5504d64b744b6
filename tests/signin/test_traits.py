"""Whose sign-in it is, into what, and how it ended."""

import pytest

from shared.rules.rule import AT_HOME, CUSTOMER, PARTNER, PASSWORD_ONLY, TECHNICIAN, Policy, Record, refused
from shared.signin.outcome import IN_WORDS, result_code
from shared.signin.traits import is_interactive, is_via_agent, person_key
from tests.signin.records import (
    DIRECTORY,
    OTHER_TENANT,
    PARTNER_CENTER_APP,
    STRANGER,
    JsonObject,
    assessed,
    directory_of,
    sign_in,
)

WINDOWS_SIGN_IN = "38aa3b87-a06d-4817-b275-7a316988d93b"
NOBODY: Record = {"userId": None, "userPrincipalName": None}
MASKED = f"user_{TECHNICIAN.replace('-', '')}@customer.example"
GUEST: Record = {"homeTenantId": OTHER_TENANT}  # the technician again, as an account of some other tenant
COLLEAGUE: Record = {"userId": STRANGER, "userPrincipalName": "colleague@partner.example"}  # not on the roster


def scope_of(members: Record) -> str:
    return assessed(members).scope


def identity_of(members: Record) -> str:
    return assessed(members).identity


# --- identity ---------------------------------------------------------------------------------------------------------


AGENTIC = [
    "agenticApp", "agenticAppInstance", "agenticAppBuilder", "agentIdentityBlueprintPrincipal", "agentIDuser",
    "AgenticApp", "agent-ID-user",
]  # fmt: skip
UNTOLD: list[JsonObject] = [
    {},
    {"agentSubjectType": None},
    {"agentSubjectType": ""},
    {"agentSubjectType": "ofNextYear"},
]


@pytest.mark.parametrize("subject", AGENTIC)
@pytest.mark.parametrize("client", [None, "notAgentic", "agenticAppInstance"])
def test_an_agent_is_one_by_its_subject(subject: str, client: str | None) -> None:
    agent: JsonObject = {"agentType": client, "agentSubjectType": subject}
    assert identity_of({"agent": agent}) == "agent"
    assert identity_of({"agent": agent, "signInEventTypes": ["servicePrincipal"]}) == "agent"


@pytest.mark.parametrize("client", [*AGENTIC, "aKindOfNextYear"])
def test_an_agent_that_acts_for_a_person_hides_nobody(client: str) -> None:
    """A wrong all clear of version 1: the technician's password-only sign-in was nobody's."""
    agent: JsonObject = {"agentType": client, "agentSubjectType": "notAgentic"}
    found = assessed({**PASSWORD_ONLY, "agent": agent})
    assert (found.identity, found.verdict, found.rules) == ("user", "non-compliant", ("interactive-without-mfa",))
    assert is_via_agent(sign_in({"agent": agent}))


@pytest.mark.parametrize("subject", UNTOLD)
def test_where_the_subject_is_not_told_only_an_agents_user_or_nobody_is_an_agent(subject: JsonObject) -> None:
    def identity(client: str, **members: object) -> str:
        return identity_of({"agent": {**subject, "agentType": client}, **members})

    assert identity("agentIDuser") == "agent"
    assert [identity(client) for client in AGENTIC[:4]] == ["user"] * 4
    assert [identity(client, userId=None) for client in AGENTIC[:4]] == ["agent"] * 4
    assert identity("aKindOfNextYear") == identity("aKindOfNextYear", userId=None) == "user"
    assert identity("notAgentic", userId=None) == "user"


@pytest.mark.parametrize(
    "agent", [None, {}, {"agentType": None}, {"agentType": ""}, {"agentType": "notAgentic"}], ids=str
)
def test_a_user_is_not_an_agent(agent: JsonObject | None) -> None:
    assert identity_of({"agent": agent}) == "user"
    assert not is_via_agent(sign_in({"agent": agent}))


@pytest.mark.parametrize(
    "members",
    [
        {"signInEventTypes": ["servicePrincipal"]},
        {"signInEventTypes": ["managedIdentity"]},
        {"signInEventTypes": ["aTypeOfNextYear", "managedIdentity"]},
        {"signInEventTypes": None, "category": "ServicePrincipalSignInLogs"},
        {"signInEventTypes": [], "category": "ManagedIdentitySignInLogs"},
        {"signInEventTypes": ["aTypeOfNextYear"], "category": "ManagedIdentitySignInLogs"},
        {"signInEventTypes": None, "category": "MicrosoftServicePrincipalSignInLogs"},
        {"signInEventTypes": None, **NOBODY, "servicePrincipalId": "44444444-4444-4444-4444-444444444444"},
    ],
    ids=str,
)
def test_an_app_is_one_by_its_log_or_by_having_no_user(members: Record) -> None:
    found = assessed(members)
    assert (found.identity, found.evidence, found.verdict) == ("app", "not-applicable", "not-applicable")


@pytest.mark.parametrize(
    "members",
    [
        {"signInEventTypes": None},
        {"signInEventTypes": ["aTypeOfNextYear"]},
        {"signInEventTypes": ["nonInteractiveUser"], "category": "ServicePrincipalSignInLogs"},
        {"signInEventTypes": None, "servicePrincipalId": "44444444-4444-4444-4444-444444444444"},
        {"signInEventTypes": None, **NOBODY},
        {"signInEventTypes": ["interactiveUser"], **NOBODY, "servicePrincipalId": "x"},
        {"signInEventTypes": None, "category": "ALogOfNextYear", **NOBODY, "servicePrincipalId": "x"},
        {"signInEventTypes": ["servicePrincipal", "nonInteractiveUser"]},
    ],
    ids=str,
)
def test_anyone_else_is_a_user(members: Record) -> None:
    assert identity_of(members) == "user"


@pytest.mark.parametrize(
    "members", [{"signInEventTypes": ["servicePrincipal"]}, {"agent": {"agentSubjectType": "agenticApp"}}]
)
@pytest.mark.parametrize("end", [PASSWORD_ONLY, refused(50126), {"clientAppUsed": "IMAP4"}, {"userId": STRANGER}])
def test_apps_and_agents_break_no_rule(members: Record, end: Record) -> None:
    found = assessed({**members, **end}, policy=Policy.STRICT)
    assert (found.verdict, found.rules, found.severity) == ("not-applicable", (), None)


@pytest.mark.parametrize(
    ("members", "interactive"),
    [
        ({"signInEventTypes": ["interactiveUser"], "isInteractive": False}, True),
        ({"signInEventTypes": ["nonInteractiveUser"], "isInteractive": True}, False),
        ({"signInEventTypes": ["nonInteractiveUser"], "category": "SignInLogs"}, False),
        ({"signInEventTypes": ["aTypeOfNextYear"], "category": "SignInLogs", "isInteractive": False}, True),
        ({"signInEventTypes": None, "category": "NonInteractiveUserSignInLogs", "isInteractive": True}, False),
        ({"signInEventTypes": None, "category": None, "isInteractive": True}, True),
        ({"signInEventTypes": [], "category": "ACategoryOfNextYear", "isInteractive": False}, False),
        ({"signInEventTypes": None}, False),
    ],
    ids=str,
)
def test_interactive_by_event_type_else_category_else_flag(members: Record, interactive: bool) -> None:
    assert is_interactive(sign_in(members)) is interactive


# --- who --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user_id", "name", "key"),
    [
        (TECHNICIAN, "x@y", TECHNICIAN.replace("-", "")),
        (f" {{{TECHNICIAN.upper()}}} ", None, TECHNICIAN.replace("-", "")),
        (None, MASKED, TECHNICIAN.replace("-", "")),
        ("", MASKED.upper(), TECHNICIAN.replace("-", "")),
        ("00000000-0000-0000-0000-000000000000", MASKED, TECHNICIAN.replace("-", "")),
        (STRANGER, MASKED, TECHNICIAN.replace("-", "")),  # the roster has this one
        (STRANGER, MASKED.replace("3", "4"), STRANGER.replace("-", "")),
        (TECHNICIAN, MASKED.replace("3", "4"), TECHNICIAN.replace("-", "")),
        (None, "user_1234@customer.example", ""),
        (None, MASKED.partition("@")[0], ""),
        (None, MASKED.replace("user_", "user_3"), ""),
        (None, "user_" + "z" * 32 + "@customer.example", ""),
        (None, "xuser_" + "3" * 32 + "@customer.example", ""),
        (None, None, ""),
    ],
)
def test_the_user_is_the_object_id_else_the_digits_of_a_masked_name(
    user_id: str | None, name: str | None, key: str
) -> None:
    assert person_key(sign_in({"userId": user_id, "userPrincipalName": name}), DIRECTORY) == key


def test_a_masked_technician_in_a_customers_log_is_in_scope() -> None:
    assert scope_of({**GUEST, "userId": None, "userPrincipalName": MASKED, "homeTenantId": None}) == "customer"


# --- scope ------------------------------------------------------------------------------------------------------------

DELEGATED = ["serviceProvider", "ServiceProvider", "none", "", None, "aTypeOfNextYear", "unknownFutureValue"]
NOT_DELEGATED = ["b2bCollaboration", "b2bDirectConnect", "passthrough", "microsoftSupport", "B2BCollaboration"]


@pytest.mark.parametrize("who", [{}, COLLEAGUE, GUEST], ids=["technician", "colleague", "guest on the roster"])
@pytest.mark.parametrize("access", DELEGATED)
def test_a_partner_user_in_a_customers_tenant_is_scope_customer(who: Record, access: str | None) -> None:
    assert scope_of({**who, "crossTenantAccessType": access}) == "customer"


@pytest.mark.parametrize("who", [{}, GUEST], ids=["technician", "guest on the roster"])
@pytest.mark.parametrize("access", [access for access in NOT_DELEGATED if access != "microsoftSupport"])
def test_a_technician_as_a_guest_of_a_customer_is_graded_apart_and_low(who: Record, access: str) -> None:
    found = assessed({**who, **PASSWORD_ONLY, "clientAppUsed": "IMAP4", "crossTenantAccessType": access})
    assert (found.scope, found.verdict) == ("guest", "non-compliant")
    assert {severity.label for _, severity in found.fits} == {"low"}


@pytest.mark.parametrize(
    "members",
    [
        {**COLLEAGUE, "crossTenantAccessType": "b2bCollaboration"},
        {"crossTenantAccessType": "microsoftSupport"},
        {"crossTenantAccessType": "b2bCollaboration", "resourceTenantId": OTHER_TENANT},
    ],
    ids=["not on the roster", "support", "no customer"],
)
def test_any_other_guest_is_out_of_scope(members: Record) -> None:
    found = assessed({**PASSWORD_ONLY, **members}, policy=Policy.STRICT)
    assert (found.scope, found.verdict, found.rules) == ("none", "out-of-scope", ())


def test_a_tenant_that_is_no_known_customer_counts_only_for_a_service_provider() -> None:
    assert scope_of({"resourceTenantId": OTHER_TENANT}) == "customer"
    assert scope_of({"resourceTenantId": OTHER_TENANT, "crossTenantAccessType": "none"}) == "none"
    assert scope_of({"resourceTenantId": OTHER_TENANT, "crossTenantAccessType": "aTypeOfNextYear"}) == "none"


@pytest.mark.parametrize("missing", [None, "", "  "])
def test_a_missing_resource_tenant_is_the_partners_but_for_a_service_provider(missing: str | None) -> None:
    assert scope_of({"resourceTenantId": missing, "crossTenantAccessType": "none"}) == "partner-tenant"
    assert scope_of({"resourceTenantId": missing, "crossTenantAccessType": "serviceProvider"}) == "customer"


@pytest.mark.parametrize("access", [*DELEGATED, *NOT_DELEGATED])
def test_the_partners_own_tenant_is_never_a_customer(access: str | None) -> None:
    directory = directory_of(customers=[{"tenantId": PARTNER}])
    assert assessed({"resourceTenantId": PARTNER, "crossTenantAccessType": access}, directory).scope == "partner-tenant"


@pytest.mark.parametrize(
    "target",
    [
        {"appId": PARTNER_CENTER_APP},
        {"appId": PARTNER_CENTER_APP.upper()},
        {"resourceId": PARTNER_CENTER_APP},
        {"resourceId": "https://api.partnercenter.microsoft.com"},
        {"resourceId": "https://api.partnercenter.microsoft.com/"},
    ],
    ids=str,
)
@pytest.mark.parametrize("who", [{}, COLLEAGUE, GUEST], ids=["technician", "colleague", "guest on the roster"])
def test_partner_center_is_a_scope_of_its_own_for_every_partner_user(who: Record, target: Record) -> None:
    assert scope_of({**AT_HOME, **who, **target}) == "partner-center"


def test_a_customers_tenant_outranks_partner_center() -> None:
    assert scope_of({"appId": PARTNER_CENTER_APP}) == "customer"


def test_partner_center_used_by_a_stranger_is_out_of_scope() -> None:
    assert scope_of({**COLLEAGUE, "homeTenantId": OTHER_TENANT, "appId": PARTNER_CENTER_APP}) == "none"


def test_signing_in_to_a_device_at_home_is_counted_apart() -> None:
    found = assessed({**AT_HOME, **PASSWORD_ONLY, "appId": WINDOWS_SIGN_IN}, policy=Policy.STRICT)
    assert (found.scope, found.evidence, found.verdict, found.rules) == ("device", "none", "out-of-scope", ())
    assert scope_of({**AT_HOME, **COLLEAGUE, "appId": WINDOWS_SIGN_IN}) == "device"


@pytest.mark.parametrize(
    "members",
    [{"clientAppUsed": "IMAP4"}, {"authenticationProtocol": "ropc"}, {"authenticationProtocol": "deviceCode"}],
    ids=str,
)
def test_a_client_that_only_calls_itself_windows_is_judged(members: Record) -> None:
    """Clients choose their app id: the device scope would be a hiding place."""
    assert scope_of({**AT_HOME, "appId": WINDOWS_SIGN_IN, **members}) == "partner-tenant"


@pytest.mark.parametrize(
    "members",
    [
        {"category": "ADFSSignInLogs"},
        {"resourceId": "radius"},
        {"resourceId": "ADFS"},
        {"tokenIssuerType": "NPSExtension"},
        {"tokenIssuerType": "ADFederationServicesMFAAdapter"},
    ],
    ids=str,
)
def test_what_gives_no_token_for_the_cloud_is_counted_apart(members: Record) -> None:
    for who in ({}, COLLEAGUE, {"userId": STRANGER, "homeTenantId": OTHER_TENANT}):
        found = assessed({**AT_HOME, **PASSWORD_ONLY, **who, **members}, policy=Policy.STRICT)
        assert (found.scope, found.verdict, found.rules) == ("on-premises", "out-of-scope", ())
    assert scope_of(members) == "customer"


def test_signing_in_to_a_device_elsewhere_is_judged_like_any_other_application() -> None:
    assert scope_of({"appId": WINDOWS_SIGN_IN}) == "customer"
    elsewhere: Record = {"resourceTenantId": OTHER_TENANT, "crossTenantAccessType": "none"}
    assert scope_of({**elsewhere, "appId": WINDOWS_SIGN_IN}) == "none"


def test_at_home_only_the_roster_is_watched() -> None:
    """Common issues 2 and 3: whoever holds no delegated rights is not measured here."""
    assert scope_of(AT_HOME) == "partner-tenant"
    assert scope_of({**AT_HOME, **GUEST}) == "partner-tenant"
    assert scope_of({**AT_HOME, **COLLEAGUE}) == "none"


def test_a_stranger_is_out_of_scope_and_their_evidence_is_graded_all_the_same() -> None:
    found = assessed({**COLLEAGUE, "homeTenantId": CUSTOMER}, policy=Policy.STRICT)
    assert (found.scope, found.evidence, found.verdict, found.rules) == ("none", "proven", "out-of-scope", ())


def test_someone_without_a_name_is_nobody_on_the_roster() -> None:
    assert scope_of({**NOBODY, "homeTenantId": None}) == "none"


# --- outcome ----------------------------------------------------------------------------------------------------------

INTERRUPTED = (
    50058, 50072, 50074, 50076, 50078, 50079, 50097, 50125, 50140, 50158, 50161, 50199, 16000, 65001, 90094, 90095,
)  # fmt: skip
BLOCKED = (
    50053, 50057, 50105, 50131, 50177, 50178, 53000, 53001, 53002, 53003, 53004, 53009, 53010, 53011, 53012,
    500212, 500213, 530032, 530034, 530035,
)  # fmt: skip
FAILED = (50055, 50126, 500121, 50034, 70008, 53005, 53008, 53013, 1, -1)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (0, "success"),
        *((code, "interrupted") for code in INTERRUPTED),
        *((code, "blocked") for code in BLOCKED),
        *((code, "failed") for code in FAILED),
    ],
)
def test_a_result_code_is_an_outcome_wherever_it_is_written(code: int, outcome: str) -> None:
    assert assessed({"status": {"errorCode": code}}).outcome == outcome
    assert assessed({"status": None, "resultType": code}).outcome == outcome
    assert assessed({"status": None, "resultType": str(code)}).outcome == outcome
    assert assessed({"status": {"errorCode": None}, "resultType": f" {code} "}).outcome == outcome


@pytest.mark.parametrize("code", [*INTERRUPTED, *BLOCKED, *FAILED])
def test_only_a_success_is_judged(code: int) -> None:
    found = assessed({**PASSWORD_ONLY, **refused(code)})
    assert (found.evidence, found.verdict, found.rules) == ("not-applicable", "not-applicable", ())


def test_the_records_own_code_outranks_its_envelopes() -> None:
    assert result_code(sign_in({"status": {"errorCode": 0}, "resultType": "50126"})) == 0
    assert result_code(sign_in({"status": {"errorCode": 50126}, "resultType": "0"})) == 50126


@pytest.mark.parametrize("missing", [None, ""])
def test_a_record_without_any_code_is_graded_as_a_success(missing: str | None) -> None:
    assert assessed({"status": None, "resultType": missing}).outcome == "success"
    assert assessed({**PASSWORD_ONLY, "status": {}, "resultType": missing}).verdict == "non-compliant"


@pytest.mark.parametrize("word", ["Success", "SUCCESS", " success ", "0", "00"])
def test_a_result_in_words_that_says_success_is_one(word: str) -> None:
    assert assessed({"status": None, "resultType": word}).outcome == "success"


@pytest.mark.parametrize("word", ["Failure", "failed", "-", "Other", "0x0"])
def test_any_other_word_is_a_failure(word: str) -> None:
    assert result_code(sign_in({"status": None, "resultType": word})) == IN_WORDS
    assert assessed({**PASSWORD_ONLY, "status": None, "resultType": word}).verdict == "not-applicable"


@pytest.mark.parametrize("code", ["1234567890", "50126000000000000000", "-1234567890"])
def test_a_long_code_is_no_success(code: str) -> None:
    found = assessed({"status": None, "resultType": code})
    assert (found.outcome, found.verdict) == ("failed", "not-applicable")


# --- clients ----------------------------------------------------------------------------------------------------------

LEGACY = [
    "Authenticated SMTP", "Autodiscover", "AutoDiscover", "Exchange ActiveSync", "Exchange Active Sync",
    "Exchange Online PowerShell", "Exchange Web Services", "IMAP4", "IMAP", "MAPI over HTTP", "MAPI Over HTTP",
    "Offline Address Book", "Outlook Anywhere (RPC over HTTP)", "Outlook Service", "POP3", "POP", "SMTP",
    "Reporting Web Services", "Other clients", "Other client", "Other clients; IMAP", "other  CLIENTS ; x", "IMAP4;",
    "MAPI", "Outlook Anywhere", "Exchange ActiveSync (supported)", "Exchange ActiveSync (unsupported)",
    "Legacy authentication clients", "Other clients; MAPI Over HTTP", "IMAP4 over TLS", "(IMAP4)", "Browser; IMAP4",
    "Universal Outlook (POP)", "Mapi-over-Http/RPC",
]  # fmt: skip
MODERN = [
    "Browser", "Mobile Apps and Desktop clients", "Modern clients", "Universal Outlook", "Outlook", "Unknown", "",
    "Exchange", "ActiveSync", "Web Services", "Office clients", None,
]  # fmt: skip


@pytest.mark.parametrize("client", LEGACY)
def test_a_legacy_client(client: str) -> None:
    assert "legacy-auth" in assessed({"clientAppUsed": client}).rules


@pytest.mark.parametrize("client", MODERN)
def test_a_modern_client(client: str | None) -> None:
    found = assessed({"clientAppUsed": client})
    assert (found.verdict, found.rules) == ("compliant", ())


@pytest.mark.parametrize("agent", ["BAV2ROPC", "bav2ropc", "CBAInPROD", "CBAInTAR", "Mozilla/5.0 BAV2ROPC/1.0 (x)"])
def test_exchanges_own_password_flow_is_known_by_its_user_agent(agent: str) -> None:
    assert "password-flow" in assessed({"userAgent": agent}).rules


@pytest.mark.parametrize("agent", ["Mozilla/5.0", "ropc", "CBA", "MYBAV2ROPCX", "", None])
def test_any_other_user_agent_is_no_password_flow(agent: str | None) -> None:
    assert assessed({"userAgent": agent}).rules == ()


@pytest.mark.parametrize("event_types", [["interactiveUser"], ["nonInteractiveUser"]])
def test_ropc_is_found_in_both_streams(event_types: list[str]) -> None:
    """docs/entra-facts.md: a successful ROPC record stands among the interactive ones."""
    members: Record = {
        "authenticationProtocol": "ropc", "clientAppUsed": "Exchange Web Services", "signInEventTypes": event_types,
    }  # fmt: skip
    assert {"password-flow", "legacy-auth"} <= set(assessed(members).rules)


def test_a_sample_partner_has_the_technician_on_its_roster() -> None:
    assert DIRECTORY.is_admin(sign_in({}).user_key, sign_in({}).at)
    assert not DIRECTORY.is_admin("", sign_in({}).at)
