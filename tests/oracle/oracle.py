"""A second, independent reading of the verdict's semantics (version 2): slow, literal, free of the product's own code.

The differential tests compare the product with it. Sign-ins come in as `json.loads` made them, assessments go out as
plain dicts. It is written from the text that docs/semantics.md tells in the product's words, one function a sentence.
Where that text can be read in two ways, the comment marked "Reading" says which way was taken.
All moments are compared as instants in UTC; a moment without an offset is UTC.
"""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple, TypedDict

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None
type JsonObject = dict[str, Json]
type Logged = tuple[JsonObject, JsonObject | None]
"""A sign-in and the diagnostic envelope (without its `properties`) that it came in, if it came in one."""
type Proofs = dict[tuple[str, str], list[tuple[datetime, str]]]
"""By person and session: when each root was, and the evidence that it gave."""


class Assessment(TypedDict):
    id: str
    identity: str
    scope: str
    outcome: str
    evidence: str
    verdict: str
    rules: list[str]
    severity: str | None
    why: str | None
    strength: str | None


class Case(NamedTuple):
    """One sign-in with all that its judgement may look at."""

    record: JsonObject
    envelope: JsonObject | None
    directory: JsonObject


PARTNER_CENTER = ("fa3d9a0c3fb042cc919347c7ecd2edbd", "https://api.partnercenter.microsoft.com")
WINDOWS_SIGN_IN = "38aa3b87a06d4817b2757a316988d93b"
AGENTIC = {"agenticapp", "agenticappinstance", "agenticappbuilder", "agentidentityblueprintprincipal", "agentiduser"}
USER_EVENTS = {"interactiveuser", "noninteractiveuser"}
APP_EVENTS = {"serviceprincipal", "managedidentity"}
NOT_DELEGATED = {"b2bcollaboration", "b2bdirectconnect", "passthrough", "microsoftsupport"}
GUEST_ACCESS = {"b2bcollaboration", "b2bdirectconnect", "passthrough"}
INTERRUPTED = {
    *(50058, 50072, 50074, 50076, 50078, 50079, 50097, 50125, 50140, 50158, 50161, 50199, 16000),
    *(65001, 90094, 90095),
}
BLOCKED = {
    *(50053, 50057, 50105, 50131, 50177, 50178, 53000, 53001, 53002, 53003, 53004, 53009, 53010, 53011, 53012),
    *(500212, 500213, 530032, 530034, 530035),
}
PASSWORD_WAS_RIGHT = {
    *(50055, 50072, 50074, 50076, 50079, 50105, 50131, 50144, 50158, 53000, 53001, 53002, 53003, 53004, 53011),
    *(530034, 65001),
}
ROOT_INTERRUPTS = {50097, 50140, 50199}
LEGACY_CLIENTS = {
    # docs/entra-facts.md, "Legacy authentication"; compared without case, spaces and hyphens.
    "authenticatedsmtp",
    "autodiscover",
    "exchangeactivesync",
    "exchangeonlinepowershell",
    "exchangewebservices",
    "imap4",
    "mapioverhttp",
    "offlineaddressbook",
    "outlookanywhere",
    "outlookservice",
    "pop3",
    "reportingwebservices",
    "otherclients",
    "mapi",
    "imap",
    "pop",
    "smtp",
    "otherclient",
    "legacyauthenticationclients",
}
EXCHANGE_PASSWORD_FLOW = ("bav2ropc", "cbainprod", "cbaintar")
DENIES = ("denied", "not completed", "not satisfied", "failed", "notcompleted", "notsatisfied")
PENDING = ("in progress", "inprogress")
ONE_STEP_METHODS = (
    *("fido2", "passkey", "windowshelloforbusiness", "platformcredential", "secureenclavekey"),
    *("phonesignin", "temporaryaccesspass"),
)
SECOND_FACTORS = (
    *("mobileappnotification", "mobileappcode", "authenticator", "oath", "verificationcode", "textmessage", "sms"),
    *("phonecall", "voice", "externalauthenticationmethod", "externalmfa", "softwareonetimepasscode"),
    *("hardwareonetimepasscode", "mobilephone", "alternatemobilephone", "officephone", "externalauthmethod"),
)
FIRST_FACTORS = ("textmessage", "sms", "email", "qrcode", "phonecall")
STRENGTHS: dict[str, tuple[str, ...]] = {
    "phishing-resistant": ("fido2", "passkey", "windowshelloforbusiness", "platformcredential", "secureenclavekey"),
    "passwordless": ("phonesignin",),
    "app": ("mobileapp", "authenticator", "oath", "verificationcode", "onetimepasscode"),
    "phone": ("textmessage", "sms", "phonecall", "voice", "mobilephone", "officephone"),
}
MICROSOFTS_CONTROLS = {
    *("mfa", "requiremfa", "requiremultifactorauthentication", "multifactorauthentication"),
    "federatedmultifactorauth",
}
CUSTOM_CONTROLS = ("mfa", "duo", "multifactor", "2fa", "twofactor", "authenticator")
PROVED_BY_ITSELF = {"proven", "external", "claim"}
ABSENT = {"none", "skipped"}
SEVERITIES = ("critical", "high", "medium", "low")


# --- text -------------------------------------------------------------------------------------------------------------


def text(record: JsonObject | None, member: str) -> str:
    """A text member; absent, null and empty are the same."""
    value = (record or {}).get(member)
    return value if isinstance(value, str) else ""


def words(value: str) -> str:
    """Text is compared without case and hyphens, and a run of spaces is one space."""
    return " ".join(value.lower().replace("-", "").split())


def squeeze(value: str) -> str:
    """Names (methods, enum values, ids, grant controls): without case, and without any space or hyphen."""
    return "".join(value.lower().replace("-", "").split())


def name(record: JsonObject | None, member: str) -> str:
    return squeeze(text(record, member))


def opened(value: Json) -> Json:
    """Some exports put an object or a list into a member as JSON text."""
    return json.loads(value) if isinstance(value, str) and value.strip()[:1] in ("{", "[") else value


def child(record: JsonObject, member: str) -> JsonObject:
    value = opened(record.get(member))
    return value if isinstance(value, dict) else {}


def items(record: JsonObject, member: str) -> list[Json]:
    value = opened(record.get(member))
    return value if isinstance(value, list) else []


def children(record: JsonObject, member: str) -> list[JsonObject]:
    return [item for item in items(record, member) if isinstance(item, dict)]


def names(record: JsonObject, member: str) -> list[str]:
    return [squeeze(item) for item in items(record, member) if isinstance(item, str)]


def moment(value: str) -> datetime:
    at = datetime.fromisoformat(value)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def category(case: Case) -> str:
    """Of the envelope, else of the record."""
    return name(case.envelope, "category") or name(case.record, "category")


# --- identity ---------------------------------------------------------------------------------------------------------


def event_types(record: JsonObject) -> set[str]:
    """The event types that are known."""
    return set(names(record, "signInEventTypes")) & (USER_EVENTS | APP_EVENTS)


def is_agent(record: JsonObject) -> bool:
    """The subject is agentic; or nobody says what it is, and the client is one that has no person behind it."""
    agent = child(record, "agent")
    subject, client = name(agent, "agentSubjectType"), name(agent, "agentType")
    if subject in AGENTIC:
        return True
    if subject == "notagentic":
        return False
    return client == "agentiduser" or (client in AGENTIC and not text(record, "userId"))


def is_app(case: Case) -> bool:
    """What kind of log it is stands in the event types, else in the category, else in who is named.

    Reading: a category that nobody knows is a category, so that who is named is not asked.
    """
    types, log = event_types(case.record), category(case)
    if types:
        return bool(types & APP_EVENTS) and not types & USER_EVENTS
    if log:
        return any(app in log for app in APP_EVENTS)
    named = text(case.record, "userId") or text(case.record, "userPrincipalName")
    return bool(text(case.record, "servicePrincipalId")) and not named


def identity_of(case: Case) -> str:
    return "agent" if is_agent(case.record) else "app" if is_app(case) else "user"


# --- who and where ----------------------------------------------------------------------------------------------------


def masked_digits(record: JsonObject) -> str:
    """The 32 hex digits of a masked user name. Reading: the name must begin with user_, spaces before it aside."""
    masked = re.match(r"user_([0-9a-f]{32})@", text(record, "userPrincipalName").strip().lower())
    return masked.group(1) if masked else ""


def is_valid(entry: JsonObject, at: datetime) -> bool:
    """Half-open: valid at `from`, no longer valid at `to`; a missing end is open."""
    begins, ends = text(entry, "from"), text(entry, "to")
    return (not begins or moment(begins) <= at) and (not ends or at < moment(ends))


def is_listed(who: str, case: Case) -> bool:
    """Among the delegated admins that were valid when the sign-in was made."""
    at = moment(text(case.record, "createdDateTime"))
    return bool(who) and any(
        name(admin, "userId") == who and is_valid(admin, at) for admin in children(case.directory, "delegatedAdmins")
    )


def in_roster(case: Case) -> bool:
    """The user id or the digits of the masked name are in the roster."""
    return is_listed(name(case.record, "userId"), case) or is_listed(masked_digits(case.record), case)


def person_of(case: Case) -> str:
    """Whichever is in the roster, the user id first; else the user id, else the digits."""
    user, digits = name(case.record, "userId"), masked_digits(case.record)
    for who in (user, digits):
        if is_listed(who, case):
            return who
    return user or digits


def is_partner_user(case: Case) -> bool:
    return name(case.record, "homeTenantId") == name(case.directory, "partnerTenantId") or in_roster(case)


def access_type(case: Case) -> str:
    return name(case.record, "crossTenantAccessType")


def resource_is_partners(case: Case) -> bool:
    """A missing resource tenant is the partner's, unless the access is a service provider's."""
    resource = name(case.record, "resourceTenantId")
    if not resource:
        return access_type(case) != "serviceprovider"
    return resource == name(case.directory, "partnerTenantId")


def is_known_customer(case: Case) -> bool:
    at, resource = moment(text(case.record, "createdDateTime")), name(case.record, "resourceTenantId")
    return bool(resource) and any(
        name(customer, "tenantId") == resource and is_valid(customer, at)
        for customer in children(case.directory, "customers")
    )


def is_partner_center(value: str) -> bool:
    """Its app id or its API audience; a slash at the end is no difference."""
    return value.removesuffix("/") in PARTNER_CENTER


def is_on_premises(case: Case) -> bool:
    return (
        category(case) == "adfssigninlogs"
        or name(case.record, "resourceId") in {"radius", "adfs"}
        or name(case.record, "tokenIssuerType") in {"npsextension", "adfederationservicesmfaadapter"}
    )


def scope_of(case: Case) -> str:
    """The first that fits. Reading: the scope of an app or agent is found in the same way."""
    partner_user, partners = is_partner_user(case), resource_is_partners(case)
    access, customer = access_type(case), is_known_customer(case)
    delegated = access == "serviceprovider" or (customer and access not in NOT_DELEGATED)
    if partner_user and not partners and delegated:
        return "customer"
    if partner_user and any(is_partner_center(name(case.record, member)) for member in ("appId", "resourceId")):
        return "partner-center"
    if partners and is_on_premises(case):
        return "on-premises"
    chosen = is_legacy_client(case) or is_password_flow(case) or is_device_code(case)
    if partner_user and partners and name(case.record, "appId") == WINDOWS_SIGN_IN and not chosen:
        return "device"
    if partners and in_roster(case):
        return "partner-tenant"
    if in_roster(case) and customer and access in GUEST_ACCESS:
        return "guest"
    return "none"


# --- outcome ----------------------------------------------------------------------------------------------------------


def result_code(case: Case) -> int | None:
    """The record's own error code, else a result type; None where nothing is said. A word is -1, which is no code.

    Reading: a result type is digits or a word after white space is taken off; a sign makes it a word.
    """
    code = child(case.record, "status").get("errorCode")
    if isinstance(code, int):
        return code
    result = text(case.envelope, "resultType").strip() or text(case.record, "resultType").strip()
    if not result:
        return None
    if re.fullmatch(r"[0-9]+", result):
        return int(result)
    return 0 if words(result) == "success" else -1


def outcome_of(case: Case) -> str:
    """No code at all counts as a success, so that the sign-in is graded."""
    code = result_code(case)
    if code is None or code == 0:
        return "success"
    if code in INTERRUPTED:
        return "interrupted"
    return "blocked" if code in BLOCKED else "failed"


# --- protocols --------------------------------------------------------------------------------------------------------


def is_legacy_client(case: Case) -> bool:
    """The client's name holds one of the listed names, whatever stands round it."""
    return any(legacy in name(case.record, "clientAppUsed") for legacy in LEGACY_CLIENTS)


def is_password_flow(case: Case) -> bool:
    """The ROPC grant, or Exchange's own password flow, which a word of the user agent gives away."""
    agent = text(case.record, "userAgent").lower()
    return name(case.record, "authenticationProtocol") == "ropc" or any(
        re.search(rf"(?<![0-9a-z]){word}(?![0-9a-z])", agent) for word in EXCHANGE_PASSWORD_FLOW
    )


def is_device_code(case: Case) -> bool:
    """By device code, or with a token that began as one."""
    return (
        name(case.record, "authenticationProtocol") == "devicecode"
        or name(case.record, "originalTransferMethod") == "devicecodeflow"
    )


def is_interactive(case: Case) -> bool:
    """By the event types, else the category, else isInteractive; where nothing tells, not.

    Reading: event types and categories that name neither kind of user sign-in tell nothing.
    """
    types, log = event_types(case.record), category(case)
    if types & USER_EVENTS:
        return "interactiveuser" in types
    if log in {"signinlogs", "noninteractiveusersigninlogs"}:
        return log == "signinlogs"
    return case.record.get("isInteractive") is True


# --- steps and statements ---------------------------------------------------------------------------------------------


def speaks_of_first_factor(statement: str) -> bool:
    return words(statement).startswith("first factor")


def statements(case: Case) -> list[str]:
    """The steps' result details and the status's additional details, but what is said of the first factor."""
    said = [text(step, "authenticationStepResultDetail") for step in children(case.record, "authenticationDetails")]
    said.append(text(child(case.record, "status"), "additionalDetails"))
    return [words(statement) for statement in said if not speaks_of_first_factor(statement)]


def steps(case: Case) -> list[JsonObject]:
    """The steps that were done now: not those whose statement speaks of a first factor that was satisfied before."""
    return [
        step
        for step in children(case.record, "authenticationDetails")
        if not speaks_of_first_factor(text(step, "authenticationStepResultDetail"))
    ]


def denies(statement: str) -> bool:
    return any(no in statement for no in DENIES)


def is_pending(statement: str) -> bool:
    return any(later in statement for later in PENDING)


def proves_nothing(statement: str) -> bool:
    return denies(statement) or is_pending(statement)


def state_of(step: JsonObject) -> str:
    """Pending by its statement, else failed by `succeeded` or by its statement, else it stands."""
    statement = words(text(step, "authenticationStepResultDetail"))
    if is_pending(statement):
        return "pending"
    return "failed" if step.get("succeeded") is False or denies(statement) else "stands"


def method_of(step: JsonObject) -> str:
    return name(step, "authenticationMethod")


def certificate_level(case: Case) -> str:
    """multi, single or "" by the entry of the processing details. Reading: where several entries differ, multi."""
    levels = {
        name(entry, "value")
        for entry in children(case.record, "authenticationProcessingDetails")
        if name(entry, "key") == "usercertificateauthenticationlevel"
    }
    if "multifactorauthentication" in levels:
        return "multi"
    return "single" if "singlefactorauthentication" in levels else ""


def is_certificate(method: str) -> bool:
    return "certificate" in method


def is_multi_factor_certificate(method: str, case: Case) -> bool:
    return is_certificate(method) and ("multifactor" in method or certificate_level(case) == "multi")


def is_passwordless_authenticator(method: str) -> bool:
    return "passwordless" in method and "authenticator" in method


def is_one_step(method: str, case: Case) -> bool:
    """MFA in one step."""
    return (
        any(known in method for known in ONE_STEP_METHODS)
        or is_passwordless_authenticator(method)
        or is_multi_factor_certificate(method, case)
    )


def is_second_factor(method: str, case: Case) -> bool:
    return any(known in method for known in SECOND_FACTORS) and not is_one_step(method, case)


def is_password(method: str) -> bool:
    return method.startswith("password") and not method.startswith("passwordless")


def is_first_factor(method: str, case: Case) -> bool:
    single = "singlefactor" in method or certificate_level(case) == "single"
    return (
        is_password(method)
        or method.startswith(FIRST_FACTORS)
        or method == "federated"
        or (is_certificate(method) and single)
    )


def has_untold_certificate(case: Case) -> bool:
    """A standing certificate of which neither its name nor the entry tells the level."""
    return any(
        is_certificate(method_of(step)) and not re.search("(single|multi)factor", method_of(step))
        for step in steps(case)
        if state_of(step) == "stands"
    ) and not certificate_level(case)


def methods_standing(case: Case) -> list[str]:
    return [method_of(step) for step in steps(case) if state_of(step) == "stands"]


def has_second_factor(case: Case, *states: str, beside: str = "") -> bool:
    """Whether a second-factor step of another method text than `beside` is in one of the states."""
    return any(
        is_second_factor(method_of(step), case) and method_of(step) != beside and state_of(step) in states
        for step in steps(case)
    )


# --- evidence ---------------------------------------------------------------------------------------------------------


def says_skipped(statement: str) -> bool:
    """MFA was skipped, or has expired, or its registration was prompted."""
    of_mfa = "mfa" in statement or "multifactor" in statement
    expired = "expired" in statement and "not expired" not in statement and of_mfa
    prompted = "registration" in statement and "prompted" in statement and "not prompted" not in statement
    return "skipped" in statement or expired or statement.startswith("has expired") or prompted


def says_external(statement: str) -> bool:
    told = all(part in statement for part in ("mfa requirement satisfied by", "claim", "external provider"))
    return told and not proves_nothing(statement)


def says_done_now(statement: str) -> bool:
    told = statement.startswith("mfa completed in") or any(
        done in statement
        for done in (
            "mfa successfully completed",
            "satisfied by strong authentication",
            "mfa requirement satisfied by multifactor device",
        )
    )
    return told and not proves_nothing(statement)


def says_claim(statement: str) -> bool:
    return "mfa requirement satisfied by" in statement and not proves_nothing(statement)


def is_federated(case: Case) -> bool:
    """By the token's issuer, by the domain of the user name, or by a step (whatever became of it) named Federated."""
    federated = case.directory.get("federatedDomains")
    domains = [domain.lower() for domain in federated if isinstance(domain, str)] if isinstance(federated, list) else []
    user = text(case.record, "userPrincipalName").strip().lower()
    return (
        name(case.record, "tokenIssuerType").startswith("adfederationservices")
        or ("@" in user and user.rsplit("@", 1)[1] in domains)
        or any(method_of(step) == "federated" for step in children(case.record, "authenticationDetails"))
    )


def first_five(case: Case) -> str:
    """Steps 1 to 5, as for a success; "" where none of them fits."""
    said = statements(case)
    external = any(says_external(statement) for statement in said)
    proven = any(says_done_now(statement) for statement in said) or any(
        is_one_step(method, case) for method in methods_standing(case)
    )
    if any(says_skipped(statement) for statement in said) and not external and not proven:
        return "skipped"
    if is_password_flow(case) or is_legacy_client(case):
        return "none"
    if external:
        return "external"
    if proven:
        return "proven"
    return "claim" if any(says_claim(statement) for statement in said) else ""


def confirms_later(case: Case) -> bool:
    """A first factor was performed now, and a second factor of another method stands or is pending."""
    return any(
        is_first_factor(method, case) and has_second_factor(case, "stands", "pending", beside=method)
        for method in methods_standing(case)
    )


def own_evidence(case: Case) -> str:
    """Steps 1 to 7 of a user's success: `contradiction` for an unknown at once, "" where the session is asked."""
    if settled := first_five(case):
        return settled
    if name(case.record, "authenticationRequirement") == "multifactorauthentication":
        failed = has_second_factor(case, "failed") and not has_second_factor(case, "stands", "pending")
        return "contradiction" if failed else "claim"
    if any(is_first_factor(method, case) for method in methods_standing(case)):
        goes_on = is_federated(case) or confirms_later(case) or has_untold_certificate(case)
        return "" if goes_on else "none"
    return ""


class Graded(NamedTuple):
    evidence: str
    why: str | None


def graded(case: Case, session: str | None) -> Graded:
    """The evidence of a user's success, and why it is unknown."""
    own = own_evidence(case)
    if own == "contradiction":
        return Graded("unknown", "contradiction")
    if own:
        return Graded(own, None)
    has_session = bool(text(case.record, "sessionId").strip())
    if session == "proven":
        return Graded("session", None)
    if session == "none":
        return Graded("none", None)
    if session == "mixed":
        return Graded("unknown", "session-mixed")
    if confirms_later(case):
        return Graded("unknown", "second-factor-unconfirmed")
    if has_untold_certificate(case):
        return Graded("unknown", "certificate-level-untold")
    if is_federated(case):
        return Graded("unknown", "federated-silent")
    return Graded("unknown", "session-unseen" if has_session else "no-session")


def strength_of(case: Case) -> str:
    """The best step of this record that stands."""
    methods = methods_standing(case)
    if any(is_multi_factor_certificate(method, case) for method in methods):
        return "phishing-resistant"
    for strength, known in STRENGTHS.items():
        if any(any(part in method for part in known) for method in methods):
            return strength
        if strength == "passwordless" and any(is_passwordless_authenticator(method) for method in methods):
            return strength
    return "untold"


# --- sessions ---------------------------------------------------------------------------------------------------------


def session_key(case: Case) -> tuple[str, str] | None:
    """The same person and sessionId; where there is no person there is no session."""
    who, session = person_of(case), name(case.record, "sessionId")
    return (who, session) if who and session else None


def root_evidence(case: Case) -> str:
    """What a record proves for its session; "" where it is no root."""
    if identity_of(case) != "user" or not is_partner_user(case) or not is_interactive(case):
        return ""
    if outcome_of(case) == "success":
        own = own_evidence(case)
        return own if own in PROVED_BY_ITSELF | ABSENT else ""
    own = first_five(case)
    return own if result_code(case) in ROOT_INTERRUPTS and own in PROVED_BY_ITSELF else ""


def proofs_of(records: Sequence[Logged], directory: JsonObject) -> Proofs:
    """What the roots of a log prove; the log holds each id once, in the version that was served last."""
    proofs: Proofs = {}
    final = {text(record, "id"): Case(record, envelope, directory) for record, envelope in records}
    for case in final.values():
        key, own = session_key(case), root_evidence(case)
        if key and own:
            proofs.setdefault(key, []).append((moment(text(case.record, "createdDateTime")), own))
    return proofs


def session_proof(case: Case, proofs: Proofs) -> str | None:
    """At or before this sign-in: all proved it, all did not, or some of each; None when none was seen."""
    key, at = session_key(case), moment(text(case.record, "createdDateTime"))
    seen = {own for began, own in proofs.get(key, []) if began <= at} if key else set()
    if not seen:
        return None
    return "proven" if seen <= PROVED_BY_ITSELF else "none" if seen <= ABSENT else "mixed"


# --- verdict and rules ------------------------------------------------------------------------------------------------


def verdict_of(identity: str, scope: str, outcome: str, evidence: str) -> str:
    """Apps and agents first, then what is out of scope, then what is no success, then the evidence decides."""
    if identity in {"app", "agent"}:
        return "not-applicable"
    if scope in {"none", "device", "on-premises"}:
        return "out-of-scope"
    if outcome != "success":
        return "not-applicable"
    if evidence in {"proven", "external", "claim", "session"}:
        return "compliant"
    return "non-compliant" if evidence in {"none", "skipped"} else "unknown"


def is_custom(control: str) -> bool:
    """A grant control that holds a word of MFA and is none of Microsoft's own."""
    microsofts = control in MICROSOFTS_CONTROLS or "authenticationstrength" in control
    return any(part in control for part in CUSTOM_CONTROLS) and not microsofts


def has_custom_control(case: Case) -> bool:
    return any(
        is_custom(control)
        for policy in children(case.record, "appliedConditionalAccessPolicies")
        if name(policy, "result") == "success"
        for control in names(policy, "enforcedGrantControls")
    )


def password_was_right(case: Case) -> bool:
    code = result_code(case)
    return code in PASSWORD_WAS_RIGHT or (
        code == 500121 and any(is_password(method) for method in methods_standing(case))
    )


def rules_of(case: Case, scope: str, evidence: Graded, policy: str) -> dict[str, str]:
    """Every rule of the table that fits, in its order, with the severity."""
    if identity_of(case) != "user" or scope not in {"customer", "partner-center", "partner-tenant", "guest"}:
        return {}
    outcome, interactive = outcome_of(case), is_interactive(case)
    success, grade = outcome == "success", evidence.evidence
    legacy, password_flow = is_legacy_client(case), is_password_flow(case)
    protocol = "critical" if scope in {"customer", "partner-center"} else "high"
    right = password_was_right(case)
    attempt = "medium" if right else "low"
    third_party = grade in {"none", "unknown"} and (is_federated(case) or has_custom_control(case))
    denied = any("user declined" in statement or "fraud" in statement for statement in statements(case))
    doubtful = "medium" if evidence.why in {"contradiction", "session-mixed"} else "low"
    refused = outcome in {"blocked", "failed"}
    table = [
        ("legacy-auth", success and legacy, protocol),
        ("password-flow", success and password_flow, protocol),
        ("interactive-without-mfa", success and interactive and grade == "none", "high"),
        ("non-interactive-without-mfa", success and not interactive and grade == "none", "high"),
        ("mfa-skipped", success and grade == "skipped", "medium"),
        ("third-party-mfa-unrecognised", success and third_party, "medium"),
        ("device-code", success and is_device_code(case), "medium"),
        ("mfa-evidence-unknown", grade == "unknown", doubtful),
        ("mfa-denied", not success and denied, "high" if right else "medium"),
        ("legacy-auth-attempt", not success and legacy, attempt),
        ("password-flow-attempt", not success and password_flow, attempt),
        ("device-code-attempt", refused and is_device_code(case), attempt),
        ("non-interactive", policy == "strict" and success and not interactive, "medium"),
    ]
    return {rule: "low" if scope == "guest" else severity for rule, fits, severity in table if fits}


def assess(
    record: JsonObject, envelope: JsonObject | None, directory: JsonObject, policy: str, session: str | None
) -> Assessment:
    """Judge one sign-in. `policy` is standard or strict, `session` what its session proved: proven, none, mixed or,
    where none was seen, None (without a sessionId it is not asked)."""
    case = Case(record, envelope, directory)
    identity, scope, outcome = identity_of(case), scope_of(case), outcome_of(case)
    evidence = Graded("not-applicable", None)
    if identity == "user" and outcome == "success":
        evidence = graded(case, session)
    rules = rules_of(case, scope, evidence, policy)
    satisfied = evidence.evidence in {"proven", "external", "claim", "session"}
    return {
        "id": text(record, "id"),
        "identity": identity,
        "scope": scope,
        "outcome": outcome,
        "evidence": evidence.evidence,
        "verdict": verdict_of(identity, scope, outcome, evidence.evidence),
        "rules": list(rules),
        "severity": min(rules.values(), key=SEVERITIES.index, default=None),
        "why": evidence.why,
        "strength": strength_of(case) if satisfied else None,
    }


def assess_log(
    records: Sequence[Logged],
    directory: JsonObject,
    policy: str,
    sessions: bool = True,
) -> list[Assessment]:
    """Judge one log in input order, the whole log's sessions first; with `sessions` off, every session is unseen."""
    proofs = proofs_of(records, directory) if sessions else {}
    return [
        assess(record, envelope, directory, policy, session_proof(Case(record, envelope, directory), proofs))
        for record, envelope in records
    ]
