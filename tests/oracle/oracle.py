"""A second, independent reading of design.md, "Verdict semantics": slow, literal and free of the product's own code.

The differential tests compare the product with it. Sign-ins come in as `json.loads` made them, assessments go out as
plain dicts. Where the text can be read in two ways, the comment marked "Reading" says which way was taken.
All moments are compared as instants in UTC; a moment without an offset is UTC.
"""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypedDict

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None
type JsonObject = dict[str, Json]
type Logged = tuple[JsonObject, JsonObject | None]
"""A sign-in and the diagnostic envelope (without its `properties`) that it came in, if it came in one."""
type Proofs = dict[tuple[str, str], list[tuple[datetime, str]]]
"""By user and session: when each root authentication was, and the evidence that it gave."""


class Assessment(TypedDict):
    id: str
    identity: str
    scope: str
    outcome: str
    evidence: str
    verdict: str
    rules: list[str]
    severity: str | None


PARTNER_CENTER = "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"
WINDOWS_SIGN_IN = "38aa3b87-a06d-4817-b275-7a316988d93b"
NOT_DELEGATED = {"b2bcollaboration", "b2bdirectconnect", "passthrough", "microsoftsupport"}
INTERRUPTED = {50058, 50072, 50074, 50076, 50078, 50079, 50097, 50125, 50140, 50158, 50161, 50199, 16000}
BLOCKED = {50053, 50057, 50131, 53003, 53004, 500212, 500213, 530034, 530035}
PASSWORD_WAS_RIGHT = {50055, 50072, 50074, 50076, 50079, 50158, 53003}
LEGACY_CLIENTS = {
    # docs/entra-facts.md, "Legacy authentication": the names, then the other spellings that were seen.
    "authenticated smtp",
    "autodiscover",
    "exchange activesync",
    "exchange online powershell",
    "exchange web services",
    "imap4",
    "mapi over http",
    "offline address book",
    "outlook anywhere (rpc over http)",
    "outlook service",
    "pop3",
    "reporting web services",
    "other clients",
    "imap",
    "pop",
    "smtp",
    "other client",
    "exchange active sync",
}
EXCHANGE_PASSWORD_FLOW = ("bav2ropc", "cbainprod", "cbaintar")
DONE_NOW = (
    "mfa completed in azure ad",
    "mfa successfully completed",
    "mfa completed in the cloud",
    "satisfied by strong authentication",
)
# Reading: Microsoft itself writes "in-progress", which without its hyphen is one word; the design means it too.
BUT_NOT_DONE = ("denied", "not completed", "in progress", "inprogress", "failed")
ONE_STEP_METHODS = (
    "fido2",
    "passkey",
    "windows hello for business",
    "passwordless phone signin",
    "temporary access pass",
)
FIRST_FACTORS = ("password", "text message", "sms", "email", "certificate", "x.509", "qr code", "phone call")
MFA_PROVED = {"proven", "external", "claim"}
MFA_ABSENT = {"none", "skipped"}
SEVERITIES = ("critical", "high", "medium", "low")


def text(record: JsonObject | None, name: str) -> str:
    """A text member; absent, null and empty are the same."""
    value = (record or {}).get(name)
    return value if isinstance(value, str) else ""


def key(record: JsonObject | None, name: str) -> str:
    """A member that identifies or enumerates something; case never tells two of them apart."""
    return text(record, name).lower()


def opened(value: Json) -> Json:
    """Some exports put an object or a list into a member as JSON text."""
    return json.loads(value) if isinstance(value, str) and value.strip()[:1] in ("{", "[") else value


def child(record: JsonObject, name: str) -> JsonObject:
    value = opened(record.get(name))
    return value if isinstance(value, dict) else {}


def children(record: JsonObject, name: str) -> list[JsonObject]:
    value = opened(record.get(name))
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def words(value: str) -> str:
    """Text is compared without case and hyphens, and a run of spaces is one space."""
    return " ".join(value.lower().replace("-", "").split())


def moment(value: str) -> datetime:
    at = datetime.fromisoformat(value)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


# --- identity ---------------------------------------------------------------------------------------------------------


def event_types(record: JsonObject) -> set[str]:
    value = opened(record.get("signInEventTypes"))
    return {item.lower() for item in value if isinstance(item, str)} if isinstance(value, list) else set()


def identity_of(record: JsonObject, envelope: JsonObject | None) -> str:
    """An agent type that says more than "not an agent" makes an agent; else a sign-in of an application without a
    user is an app; everything else is a user.

    Reading: what kind of sign-in it is stands in signInEventTypes, else in the category, else in the members that
    name who signed in (a service principal and no user).
    """
    agent_type = key(child(record, "agent"), "agentType")
    if agent_type and agent_type != "notagentic":
        return "agent"
    types = event_types(record)
    if types & {"serviceprincipal", "managedidentity"}:
        return "app"
    if types & {"interactiveuser", "noninteractiveuser"}:
        return "user"
    category = key(envelope, "category")
    if category in {"serviceprincipalsigninlogs", "managedidentitysigninlogs"}:
        return "app"
    if category in {"signinlogs", "noninteractiveusersigninlogs"}:
        return "user"
    names_a_user = text(record, "userId") or text(record, "userPrincipalName")
    return "app" if text(record, "servicePrincipalId") and not names_a_user else "user"


# --- who and where ----------------------------------------------------------------------------------------------------


def object_id(record: JsonObject) -> str:
    """The user id; without one, the 32 hex digits of a masked user name. Hyphens and case do not count.

    Reading: a user id that is there is the only one looked at, whether or not it is in the roster.
    """
    if text(record, "userId"):
        return key(record, "userId").replace("-", "")
    masked = re.match(r"user_([0-9a-f]{32})@", key(record, "userPrincipalName"))
    return masked.group(1) if masked else ""


def is_valid(entry: JsonObject, at: datetime) -> bool:
    """Half-open: valid at `from`, no longer valid at `to`; a missing end is open."""
    begins, ends = text(entry, "from"), text(entry, "to")
    return (not begins or moment(begins) <= at) and (not ends or at < moment(ends))


def in_roster(record: JsonObject, directory: JsonObject) -> bool:
    """The user is among the delegated admins that were valid when the sign-in was made."""
    at, who = moment(text(record, "createdDateTime")), object_id(record)
    return bool(who) and any(
        key(admin, "userId").replace("-", "") == who and is_valid(admin, at)
        for admin in children(directory, "delegatedAdmins")
    )


def is_partner_user(record: JsonObject, directory: JsonObject) -> bool:
    """At home in the partner's tenant, or in the roster."""
    return key(record, "homeTenantId") == key(directory, "partnerTenantId") or in_roster(record, directory)


def resource_is_partners(record: JsonObject, directory: JsonObject) -> bool:
    """A missing resource tenant is the partner's, unless the access is a service provider's."""
    resource = key(record, "resourceTenantId")
    if not resource:
        return key(record, "crossTenantAccessType") != "serviceprovider"
    return resource == key(directory, "partnerTenantId")


def is_known_customer(record: JsonObject, directory: JsonObject) -> bool:
    at, resource = moment(text(record, "createdDateTime")), key(record, "resourceTenantId")
    return bool(resource) and any(
        key(customer, "tenantId") == resource and is_valid(customer, at)
        for customer in children(directory, "customers")
    )


def scope_of(record: JsonObject, directory: JsonObject) -> str:
    """The first that fits of: delegated access to a customer, Partner Center, a device of the partner, the partner's
    tenant by somebody on the roster, none.

    Reading: the scope of an app or agent is found in the same way; nothing in the text leaves them out.
    """
    partner_user = is_partner_user(record, directory)
    partners = resource_is_partners(record, directory)
    access = key(record, "crossTenantAccessType")
    delegated = access == "serviceprovider" or (is_known_customer(record, directory) and access not in NOT_DELEGATED)
    if partner_user and not partners and delegated:
        return "customer"
    if partner_user and PARTNER_CENTER in {key(record, "appId"), key(record, "resourceId")}:
        return "partner-center"
    if partner_user and partners and key(record, "appId") == WINDOWS_SIGN_IN:
        return "device"
    if partners and in_roster(record, directory):
        return "partner-tenant"
    return "none"


# --- outcome ----------------------------------------------------------------------------------------------------------


def result_code(record: JsonObject, envelope: JsonObject | None) -> int | None:
    """The record's own error code, else the envelope's result, which is text.

    Reading: a result that is not a number is no code.
    """
    code = child(record, "status").get("errorCode")
    if isinstance(code, int):
        return code
    result = text(envelope, "resultType").strip()
    return int(result) if re.fullmatch(r"-?\d+", result) else None


def outcome_of(record: JsonObject, envelope: JsonObject | None) -> str:
    """No code at all counts as a success, so that the sign-in is graded."""
    code = result_code(record, envelope)
    if code is None or code == 0:
        return "success"
    if code in INTERRUPTED:
        return "interrupted"
    return "blocked" if code in BLOCKED else "failed"


# --- evidence ---------------------------------------------------------------------------------------------------------


def is_legacy_client(record: JsonObject) -> bool:
    """What stands before a semicolon in the client's name is one of the listed names."""
    return text(record, "clientAppUsed").split(";")[0].strip().lower() in LEGACY_CLIENTS


def is_password_flow(record: JsonObject) -> bool:
    """The ROPC grant, or Exchange's own password flow, which the user agent gives away.

    Reading: the user agent contains the name; more may stand round it.
    """
    agent = key(record, "userAgent")
    return key(record, "authenticationProtocol") == "ropc" or any(name in agent for name in EXCHANGE_PASSWORD_FLOW)


def statements(record: JsonObject) -> list[str]:
    """Every step's result detail, and the additional details of the status."""
    said = [text(step, "authenticationStepResultDetail") for step in children(record, "authenticationDetails")]
    said.append(text(child(record, "status"), "additionalDetails"))
    return [words(statement) for statement in said]


def methods_not_failed(record: JsonObject) -> list[str]:
    """Reading: a step failed when its `succeeded` is false; absent or null is not failed, whatever its text says."""
    return [
        words(text(step, "authenticationMethod"))
        for step in children(record, "authenticationDetails")
        if step.get("succeeded") is not False
    ]


def says_skipped(statement: str) -> bool:
    """MFA was skipped, or has expired, or its registration was prompted.

    Reading: "skipped" is enough by itself; "expired" must be said of MFA (or, as Microsoft lists it, of nothing named).
    """
    of_mfa = "mfa" in statement or "multifactor" in statement or statement.startswith("has expired")
    expired = "expired" in statement and "not expired" not in statement and of_mfa
    prompted = "registration prompted" in statement or "registration was prompted" in statement
    return "skipped" in statement or expired or prompted


def says_external(statement: str) -> bool:
    """The *MFA* requirement (not the first factor's) was satisfied by an external provider's claim."""
    return "mfa requirement satisfied by claim provided by external provider" in statement


def says_done_now(statement: str) -> bool:
    """One of the four texts, unless the same statement takes it back.

    Reading: taken back by the listed words only.
    """
    return any(done in statement for done in DONE_NOW) and not any(no in statement for no in BUT_NOT_DONE)


def says_claim(statement: str) -> bool:
    """An earlier MFA stands in the token; the first factor's claim is another text."""
    return "mfa requirement satisfied by claim in the token" in statement


def is_one_step_mfa(method: str) -> bool:
    """A method that is MFA by itself; a certificate only when its name says multi-factor."""
    return any(name in method for name in ONE_STEP_METHODS) or ("certificate" in method and "multifactor" in method)


def is_first_factor(method: str) -> bool:
    """Reading: "begins with" is literal, so "Single-factor certificate" is none of them."""
    return method.startswith(FIRST_FACTORS) and not method.startswith("passwordless")


def is_federated(record: JsonObject, directory: JsonObject) -> bool:
    """By the token's issuer, by the domain of the user name, or by a step (failed or not) named Federated."""
    federated = directory.get("federatedDomains")
    domains = [name.lower() for name in federated if isinstance(name, str)] if isinstance(federated, list) else []
    name = key(record, "userPrincipalName")
    return (
        key(record, "tokenIssuerType").startswith("adfederationservices")
        or ("@" in name and name.rsplit("@", 1)[1] in domains)
        or any(
            words(text(step, "authenticationMethod")) == "federated"
            for step in children(record, "authenticationDetails")
        )
    )


def own_evidence(record: JsonObject, envelope: JsonObject | None, directory: JsonObject) -> str:
    """Steps 1 to 7: what the sign-in says itself. Nothing said is `unknown`; only a user's success is graded."""
    if identity_of(record, envelope) != "user" or outcome_of(record, envelope) != "success":
        return "not-applicable"
    said = statements(record)
    methods = methods_not_failed(record)
    external = any(says_external(statement) for statement in said)
    proven = any(says_done_now(statement) for statement in said) or any(is_one_step_mfa(method) for method in methods)
    if any(says_skipped(statement) for statement in said) and not external and not proven:
        return "skipped"
    if is_password_flow(record) or is_legacy_client(record):
        return "none"
    if external:
        return "external"
    if proven:
        return "proven"
    if any(says_claim(statement) for statement in said):
        return "claim"
    if key(record, "authenticationRequirement") == "multifactorauthentication":
        return "claim"
    if any(is_first_factor(method) for method in methods) and not is_federated(record, directory):
        return "none"
    return "unknown"


def evidence_of(
    record: JsonObject, envelope: JsonObject | None, directory: JsonObject, session: str | None = None
) -> str:
    """Step 8: a sign-in that says nothing is what its session proved, if that is of one kind and it has a session."""
    own = own_evidence(record, envelope, directory)
    if own == "unknown" and text(record, "sessionId"):
        return {"proven": "session", "none": "none"}.get(session or "", "unknown")
    return own


# --- sessions ---------------------------------------------------------------------------------------------------------


def session_key(record: JsonObject) -> tuple[str, str] | None:
    """The same user and sessionId. Reading: the same object id, else the same user name."""
    who, session = object_id(record) or key(record, "userPrincipalName"), text(record, "sessionId")
    return (who, session) if who and session else None


def proofs_of(records: Sequence[Logged], directory: JsonObject) -> Proofs:
    """What the interactive successes of users proved by themselves, by user and session.

    Reading: the log holds each id once, in the version that was served last, so an older version proves nothing.
    """
    proofs: Proofs = {}
    final = {text(record, "id"): (record, envelope) for record, envelope in records}
    for record, envelope in final.values():
        who = session_key(record)
        own = own_evidence(record, envelope, directory)
        if who and own in MFA_PROVED | MFA_ABSENT and is_interactive(record, envelope):
            proofs.setdefault(who, []).append((moment(text(record, "createdDateTime")), own))
    return proofs


def sessions(records: Sequence[Logged], directory: JsonObject) -> Proofs:
    """What step 8 asks of a log: see `proofs_of`."""
    return proofs_of(records, directory)


def session_proof(record: JsonObject, proofs: Proofs) -> str | None:
    """At or before this sign-in: all proved it, all did not, or some of each; None when none was seen."""
    who, at = session_key(record), moment(text(record, "createdDateTime"))
    seen = {own for began, own in proofs.get(who, []) if began <= at} if who else set()
    if not seen:
        return None
    return "proven" if seen <= MFA_PROVED else "none" if seen <= MFA_ABSENT else "mixed"


# --- verdict and rules ------------------------------------------------------------------------------------------------


def is_interactive(record: JsonObject, envelope: JsonObject | None) -> bool:
    """By the event types, else the category, else isInteractive.

    Reading: a source that names neither kind of user sign-in says nothing; one not known to be interactive is not.
    """
    types, category = event_types(record), key(envelope, "category")
    if types & {"interactiveuser", "noninteractiveuser"}:
        return "interactiveuser" in types
    if category in {"signinlogs", "noninteractiveusersigninlogs"}:
        return category == "signinlogs"
    return record.get("isInteractive") is True


def verdict_of(identity: str, scope: str, outcome: str, evidence: str) -> str:
    """Apps and agents first, then what is out of scope, then what is no success, then the evidence decides."""
    if identity in {"app", "agent"}:
        return "not-applicable"
    if scope in {"none", "device"}:
        return "out-of-scope"
    if outcome != "success":
        return "not-applicable"
    if evidence in {"proven", "external", "claim", "session"}:
        return "compliant"
    return "non-compliant" if evidence in {"none", "skipped"} else "unknown"


def is_device_code(record: JsonObject) -> bool:
    """By device code, or with a token that began as one."""
    return (
        key(record, "authenticationProtocol") == "devicecode"
        or key(record, "originalTransferMethod") == "devicecodeflow"
    )


def rules_of(
    record: JsonObject, envelope: JsonObject | None, directory: JsonObject, scope: str, evidence: str, policy: str
) -> dict[str, str]:
    """Every rule of the table that fits, in its order, with the severity. Only users, only the three judged scopes."""
    if identity_of(record, envelope) != "user" or scope not in {"customer", "partner-center", "partner-tenant"}:
        return {}
    success = outcome_of(record, envelope) == "success"
    interactive = is_interactive(record, envelope)
    legacy, password_flow = is_legacy_client(record), is_password_flow(record)
    protocol = "critical" if scope in {"customer", "partner-center"} else "high"
    attempt = "medium" if result_code(record, envelope) in PASSWORD_WAS_RIGHT else "low"
    unrecognised = is_federated(record, directory) and evidence in {"none", "unknown"}
    table = [
        ("legacy-auth", success and legacy, protocol),
        ("password-flow", success and password_flow, protocol),
        ("interactive-without-mfa", success and interactive and evidence == "none", "high"),
        ("non-interactive-without-mfa", success and not interactive and evidence == "none", "high"),
        ("mfa-skipped", success and evidence == "skipped", "medium"),
        ("third-party-mfa-unrecognised", success and unrecognised, "medium"),
        ("device-code", success and is_device_code(record), "medium"),
        ("mfa-evidence-unknown", evidence == "unknown", "low"),
        ("legacy-auth-attempt", not success and legacy, attempt),
        ("password-flow-attempt", not success and password_flow, attempt),
        ("non-interactive", policy == "strict" and success and not interactive, "medium"),
    ]
    return {rule: severity for rule, fits, severity in table if fits}


def assess(
    record: JsonObject, envelope: JsonObject | None, directory: JsonObject, policy: str, session: str | None
) -> Assessment:
    """Judge one sign-in. `directory` is the directory file of design.md, `policy` standard or strict, `session` what
    its session proved: proven, none, mixed or, where none was seen, None (without a sessionId it is not asked)."""
    identity, scope, outcome = identity_of(record, envelope), scope_of(record, directory), outcome_of(record, envelope)
    evidence = evidence_of(record, envelope, directory, session)
    rules = rules_of(record, envelope, directory, scope, evidence, policy)
    return {
        "id": text(record, "id"),
        "identity": identity,
        "scope": scope,
        "outcome": outcome,
        "evidence": evidence,
        "verdict": verdict_of(identity, scope, outcome, evidence),
        "rules": list(rules),
        "severity": min(rules.values(), key=SEVERITIES.index, default=None),
    }


def assess_log(
    records: Sequence[Logged],
    directory: JsonObject,
    policy: str,
    sessions: bool = True,
) -> list[Assessment]:
    """Judge one log in input order, the whole log's sessions first; with `sessions` off, every session is unseen."""
    proofs = proofs_of(records, directory) if sessions else {}
    return [assess(record, envelope, directory, policy, session_proof(record, proofs)) for record, envelope in records]
