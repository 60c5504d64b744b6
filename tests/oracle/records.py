"""Seeded sign-ins for differential tests: wide, contradictory and badly kept, but never of a wrong type.

`generate(seed, n)` makes a directory file and n sign-ins (dicts as `json.loads` gives them), each alone or with the
diagnostic envelope that it would come in (to write it: the envelope with the sign-in as its `properties`). Everything
follows from the seed. Names, values and spellings are those of docs/entra-facts.md, plus unknown ones.
"""

import copy
import json
import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tests.oracle.oracle import Json, JsonObject, Logged

EPOCH = datetime(2026, 10, 1, tzinfo=UTC)
BOUNDARIES = [EPOCH + timedelta(days=days, hours=6) for days in (5, 10, 15, 20)]
LAST_DAY = 25
ABSENT = "absent"

PARTNER_CENTER = "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"
WINDOWS_SIGN_IN = "38aa3b87-a06d-4817-b275-7a316988d93b"
AZURE_PORTAL = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"
GRAPH = "00000003-0000-0000-c000-000000000000"
PARTNER_CENTER_AUDIENCES = ["https://api.partnercenter.microsoft.com", "https://api.partnercenter.microsoft.com/"]
ON_PREMISES_RESOURCES = ["radius", "adfs", "Radius"]

NOT_DELEGATED = ["b2bCollaboration", "b2bDirectConnect", "passthrough", "microsoftSupport"]
OLD_OR_UNKNOWN_ACCESS: list[Json] = ["none", "", None, ABSENT, "unknownFutureValue", "partnerLink"]
PROTOCOLS: list[Json] = [
    *("none", "oAuth2", "wsFederation", "saml20", "authenticationTransfer", "nativeAuth", "prtGrant", "onBehalfOf"),
    *("authorizationCodeWithPkce", "authorizationCodeWithoutPkce", "refreshTokenGrant", "kerberos", "gnap", "", None),
]
TRANSFERS: list[Json] = ["none", "authenticationTransfer", "unknownFutureValue", "", None, ABSENT]
TOKENS: list[Json] = [
    *("none", "primaryRefreshToken", "saml11", "saml20", "remoteDesktopToken", "refreshToken", "newToken", None),
]
ISSUERS: list[Json] = [*["AzureAD"] * 40, *["AzureADBackupAuth", "unknownFutureValue", "", None] * 4, "NPSExtension"]
FEDERATED_ISSUERS = ["ADFederationServices", "ADFederationServices", "ADFederationServicesMFAAdapter"]
AGENTS = [
    *("agenticApp", "agenticAppInstance", "agenticAppBuilder", "agentIdentityBlueprintPrincipal", "agentIDuser"),
    "agentOfTomorrow",
]
LEGACY_CLIENTS = [
    *("Authenticated SMTP", "Autodiscover", "Exchange ActiveSync", "Exchange Online PowerShell"),
    *("Exchange Web Services", "IMAP4", "MAPI over HTTP", "Offline Address Book", "Outlook Anywhere (RPC over HTTP)"),
    *("Outlook Service", "POP3", "Reporting Web Services", "Other clients", "AutoDiscover", "MAPI Over HTTP", "IMAP"),
    *("POP", "SMTP", "Other client", "Exchange Active Sync", "Other clients; IMAP", "Other clients; Older Office"),
    *(
        "Exchange ActiveSync;Browser",
        "other clients ; POP",
        "MAPI",
        "Outlook Anywhere",
        "Exchange ActiveSync (supported)",
    ),
    *(
        "Legacy authentication clients",
        "Exchange ActiveSync (unsupported)",
        "Authenticated-SMTP",
        "ExchangeWebServices",
    ),
    *("IMAP4x", "Universal Outlook; IMAP", "Browser; Other clients", "Browser (IMAP)"),
]
MODERN_CLIENTS: list[Json] = [
    *("Browser", "Mobile Apps and Desktop clients", "Modern clients", "Universal Outlook", "Client of tomorrow"),
    *("ActiveSync", "", None),
]
PASSWORD_FLOW_AGENTS = ["BAV2ROPC", "CBAInPROD", "CBAInTAR", "bav2ropc", "BAV2ROPC/1.0"]
AGENTS_OF_BROWSERS: list[Json] = [
    *("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "python-requests/2.32", "xBAV2ROPC", "CBAInPRODUCTION/1.0"),
    *("", None),
]
INTERRUPTS = [
    *(50058, 50072, 50074, 50076, 50078, 50079, 50097, 50125, 50140, 50158, 50161, 50199, 16000),
    *(65001, 90094, 90095),
]
BLOCKS = [
    *(50053, 50057, 50105, 50131, 50177, 50178, 53000, 53001, 53002, 53003, 53004, 53009, 53010, 53011, 53012),
    *(500212, 500213, 530032, 530034, 530035),
]
RIGHT_PASSWORDS = [
    *(50055, 50072, 50074, 50076, 50079, 50105, 50131, 50144, 50158, 53000, 53001, 53002, 53003, 53004, 53011),
    *(530034, 65001, 500121, 500121, 500121),
]
FAILURES = [50126, 500121, 50055, 50034, 700016, 7000218, 1, -1]
RESULT_WORDS = ["Success", "success", "Failure", "Interrupted", "0", "00000"]

DONE = [
    "MFA completed in Azure AD",
    "MFA successfully completed",
    "MFA completed in the cloud",
    "MFA completed in Entra ID",
    "MFA completed in a place of tomorrow",
    "MFA requirement satisfied by strong authentication",
    "MFA requirement satisfied by multi-factor device",
]
NOT_DONE: list[Json] = [
    "MFA not completed in Azure AD",
    "MFA not successfully completed",
    "MFA completed in Azure AD: denied by the user",
    "MFA completed in Azure AD - failed",
    "MFA successfully completed; primary step not completed",
    "MFA completed in the cloud; in progress",
    "MFA completed in the cloud; authentication in-progress",
    "MFA denied; satisfied by strong authentication",
    "MFA denied; user declined the authentication",
    "MFA denied; user did not respond to mobile app notification",
    "MFA denied; fraud code entered",
    "First factor was not denied; user declined",
    "Authentication in progress",
    "Authentication in-progress",
    "MFA not-completed in Azure AD",
    "MFA requirement satisfied by multi-factor device: failed",
    "First factor satisfied; MFA successfully completed",
    "It says MFA completed in Azure AD",
    "MFA required in Azure AD",
    "Authentication failed during strong authentication request",
    "completed in the cloud",
    "successfully completed",
]
EXTERNAL = "MFA requirement satisfied by claim provided by external provider"
NOT_EXTERNAL: list[Json] = [
    "MFA requirement satisfied by claim provided by external provider: denied",
    "First factor requirement satisfied by claim provided by external provider",
    "MFA requirement not satisfied by claim provided by external provider",
    "Redirected to external provider for multi-factor authentication",
]
CLAIM = "MFA requirement satisfied by claim in the token"
NOT_CLAIM: list[Json] = [
    "MFA requirement satisfied by claim in the token; in progress",
    "MFA requirement satisfied by something of tomorrow",
    "First factor requirement satisfied by claim in the token",
    "MFA requirement not satisfied by claim in the token",
    "satisfied by claim in the token",
]
SKIPPED = [
    *(f"MFA requirement skipped due to {why}" for why in ("app password", "location", "IP address")),
    *(f"MFA requirement skipped due to {why}" for why in ("registered device", "remembered device")),
    "MFA requirement skipped due to an ADFS InsideCorpNet claim",
    "MFA requirement skipped as flow exercised was Windows broker logon flow",
    "MFA requirement has expired due to the policies configured on tenant",
    "has expired due to the policies configured on tenant",
    "MFA registration prompted",
    "registration prompted",
]
NOT_SKIPPED: list[Json] = ["Password has expired", "MFA has not expired", "MFA registration not prompted"]
PLAIN: list[Json] = ["Correct password", "Invalid username or password", "User approved", "", None, ABSENT]

ONE_STEP = [
    *("Platform credential", "macOS Secure Enclave Key", "macOsSecureEnclaveKey", "Phone sign-in", "fido2SecurityKey"),
    *("Passwordless Microsoft Authenticator", "Microsoft Authenticator passwordless", "windowsHelloForBusiness"),
    *("microsoftAuthenticatorPasswordless", "passkeyDeviceBound", "Microsoft Authenticator phone sign-in"),
    *("FIDO2 security key", "Passkey (device-bound)", "Passkey (Microsoft Authenticator)", "Temporary Access Pass"),
    *("Windows Hello for Business", "Multi-factor certificate", "X.509 certificate (multi-factor)"),
    "Passwordless phone sign-in",
]
FIRST_FACTORS = [
    *("Password", "Password", "Password", "Text message", "SMS", "Email one-time passcode", "E-mail code"),
    *("Certificate (single-factor)", "X.509 Certificate", "QR code", "QR code PIN"),
    *("Phone call approval (Authentication phone)", "passwordHash", "textMessage", "qrCodePin", "Federated"),
    *("X.509 Certificate", "x509CertificateSingleFactor"),
]
SECOND_FACTORS = [
    *("Mobile app notification", "Mobile app verification code", "Mobile app code", "Microsoft Authenticator"),
    *("OATH verification code", "Software OATH token", "Text message", "SMS", "Phone call", "Voice", "External MFA"),
    *("External authentication method", "microsoftAuthenticatorPush", "softwareOneTimePasscode", "officePhone"),
    *(
        "hardwareOneTimePasscode",
        "mobilePhone",
        "alternateMobilePhone",
        "externalAuthMethod",
        "Mobile-app notification",
    ),
]
PENDING_OR_NOT: list[Json] = [
    *("Authentication in progress", "Authentication in-progress", "MFA denied; user declined the authentication"),
    *("Authentication failed", "MFA required in Azure AD", "", None, ABSENT),
]
DENIED = [
    *("MFA denied; user declined the authentication", "MFA denied; fraud code entered", "Fraud reported by the user"),
    *("MFA denied; user did not respond to mobile app notification", "First factor failed: user declined"),
]
LEVELS: list[Json] = [
    *("multiFactorAuthentication", "singleFactorAuthentication", "multi-factor authentication", "unknownFutureValue"),
    *("", None),
]
CERTIFICATES = ["X.509 Certificate", "Certificate", "X.509 certificate (single-factor)", "Multi-factor certificate"]
CONTROLS: list[Json] = [
    *(
        "Mfa",
        "RequireDuoMfa",
        "RequireMfa",
        "Duo",
        "require multi-factor authentication",
        "MyAuthenticator",
        "2FA-Okta",
    ),
    *("RequireAuthenticationStrength", "Require authentication strength: MFA", "FederatedMultiFactorAuth", "Block"),
    *("RequireCompliantDevice", "two-factor by Vendor", "Multifactor Authentication", "", None),
]
POLICY_RESULTS: list[Json] = [
    "success",
    "success",
    "success",
    "Success",
    "failure",
    "reportOnlySuccess",
    "notApplied",
    None,
]
CATEGORIES = [
    *("SignInLogs", "NonInteractiveUserSignInLogs", "ADFSSignInLogs", "CategoryOfTomorrow"),
    *("ServicePrincipalSignInLogs", "MicrosoftServicePrincipalSignInLogs", "ManagedIdentitySignInLogs"),
]
OTHER_METHODS: list[Json] = [
    *("Previously satisfied", "Mobile app notification", "OATH verification code", "Windows Hello", "Passwordless"),
    *("Authenticator App", "Software OATH token", "Voice", "Pass key", "Email one-time passcode", "Other"),
    *("Single-factor certificate", "Federated identity", "Satisfied by token", "Method of tomorrow", "", None, ABSENT),
]
REQUIREMENTS = ["Primary authentication", "Multi-factor authentication", "Multifactor authentication"]
COMPOUNDS = {"multi-factor": "multifactor", "Passkey": "Pass-key", "Email": "E-mail", "sign-in": "signin"}

STORIES = {
    "proven": 12,
    "one-step": 9,
    "external": 6,
    "claim": 9,
    "requirement": 4,
    "first-factor": 22,
    "skipped": 9,
    "silent": 16,
    "soup": 13,
    "second-factor": 16,
    "denied": 11,
    "certificate": 8,
}


class Person(NamedTuple):
    object_id: str
    name: str
    home: str


class World(NamedTuple):
    """Who and what one log is about."""

    partner: str
    customers: list[str]
    others: list[str]
    technicians: list[Person]
    colleagues: list[Person]
    strangers: list[Person]


def guid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def any_case(rng: random.Random, value: str) -> str:
    return rng.choice([value, value, value.upper(), value.title()])


def pick(rng: random.Random, weights: dict[str, int]) -> str:
    return rng.choices(list(weights), list(weights.values()))[0]


def put(record: JsonObject, name: str, value: Json) -> None:
    if value != ABSENT:
        record[name] = value


# --- the directory ----------------------------------------------------------------------------------------------------


def make_world(rng: random.Random) -> World:
    partner, others = guid(rng), [guid(rng) for _ in range(3)]

    def people(group: str, count: int, homes: list[str]) -> list[Person]:
        domains = ("contoso.example", "contoso.example", "wingtip.example", "sub.wingtip.example", "fabrikam.example")
        return [
            Person(guid(rng), f"{group}{number}@{domains[number % len(domains)]}", homes[number % len(homes)])
            for number in range(count)
        ]

    return World(
        partner=partner,
        customers=[guid(rng) for _ in range(7)],
        others=others,
        technicians=people("tech", 10, [partner, partner, partner, others[0]]),
        colleagues=people("colleague", 4, [partner]),
        strangers=people("stranger", 4, others),
    )


def validity(rng: random.Random, number: int) -> list[JsonObject]:
    """The ranges of one entry of the directory; the sixth left and came back, the seventh has two that touch."""
    first, second, third, fourth = BOUNDARIES
    ranges: list[list[tuple[datetime | None, datetime | None]]] = [
        [(None, None)],
        [(first, None)],
        [(None, third)],
        [(first, third)],
        [(None, None)],
        [(first, second), (third, None)],
        [(None, second), (second, fourth)],
    ]

    def one(begins: datetime | None, ends: datetime | None) -> JsonObject:
        entry: JsonObject = {}
        for name, at in (("from", begins), ("to", ends)):
            put(entry, name, rng.choice([ABSENT, None]) if at is None else stamp(rng, at, exact=True))
        return entry

    return [one(begins, ends) for begins, ends in ranges[number % len(ranges)]]


def make_directory(rng: random.Random, world: World) -> JsonObject:
    customers: list[Json] = [
        {"tenantId": any_case(rng, tenant), "displayName": f"Customer {number}", **valid}
        for number, tenant in enumerate(world.customers)
        for valid in validity(rng, number)
    ]
    admins: list[Json] = [
        {"userId": any_case(rng, who.object_id), "userPrincipalName": who.name, "roles": ["AdminAgents"], **valid}
        for number, who in enumerate(world.technicians)
        for valid in validity(rng, number)
    ]
    return {
        "partnerTenantId": any_case(rng, world.partner),
        "customers": customers,
        "delegatedAdmins": admins,
        "federatedDomains": ["wingtip.example", "Fabrikam.Example"],
    }


# --- when, who, where -------------------------------------------------------------------------------------------------


def moment(rng: random.Random) -> datetime:
    """Anywhere in the log, or at, just before or just after a boundary of the directory."""
    if rng.random() < 0.4:
        return rng.choice(BOUNDARIES) + timedelta(seconds=rng.choice([-1, 0, 0, 1]))
    return EPOCH + timedelta(seconds=rng.randrange(LAST_DAY * 86400))


def stamp(rng: random.Random, at: datetime, *, exact: bool = False) -> str:
    """The same instant as Graph, an envelope or another time zone writes it."""
    form = rng.choice(["Z", "Z", "+00:00", "+02:00"] if exact else ["Z", "Z", "Z", "+00:00", ".0Z", ".1234567Z"])
    if form == "+02:00":
        return (at + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S") + form
    return at.strftime("%Y-%m-%dT%H:%M:%S") + form


def some_person(rng: random.Random, world: World) -> Person:
    return rng.choice(rng.choices([world.technicians, world.colleagues, world.strangers], [78, 12, 10])[0])


def identify(rng: random.Random, world: World, who: Person) -> JsonObject:
    """How one log shows a user: plainly, masked as in a customer's log, or only in part."""
    hexadecimal = who.object_id.replace("-", "")
    masked = rng.choice(["user_{}@contoso.example", "USER_{}@customer.example"]).format(any_case(rng, hexadecimal))
    seen: JsonObject = {
        "userDisplayName": who.name.split("@", maxsplit=1)[0],
        "userId": any_case(rng, who.object_id),
        "userPrincipalName": rng.choice([who.name, who.name, who.name.title()]),
        "homeTenantId": any_case(rng, who.home),
        "userType": rng.choice(["member", "guest", "Member", None]),
    }
    how = pick(rng, {"plain": 74, "masked": 11, "masked-too": 4, "masked-other": 3, "no-id": 3, "no-name": 3, "bad": 2})
    if how in {"masked", "masked-too", "masked-other", "bad"}:
        seen |= {"userDisplayName": "Contoso Technician", "userPrincipalName": masked}
    if how in {"masked", "no-id", "bad"}:
        del seen["userId"]
        put(seen, "userId", rng.choice([ABSENT, None, ""]))
    if how == "masked-other":
        seen["userId"] = rng.choice(world.strangers).object_id
    if how == "bad":
        seen["userPrincipalName"] = rng.choice([f"user_{hexadecimal[1:]}@x.example", f"a.user_{hexadecimal}@x.example"])
    if how == "no-name":
        seen["userPrincipalName"] = rng.choice([None, ""])
    if rng.random() < 0.12:
        seen["homeTenantId"] = rng.choice([None, "", world.others[1]])
    return seen


def place(rng: random.Random, world: World) -> JsonObject:
    """Which application and resource, in whose tenant."""
    where: JsonObject = {
        "appId": AZURE_PORTAL,
        "appDisplayName": "Azure Portal",
        "resourceId": GRAPH,
        "resourceDisplayName": "Microsoft Graph",
        "resourceTenantId": any_case(rng, world.partner),
        "crossTenantAccessType": rng.choice(["none", None, ""]),
    }
    customer = any_case(rng, rng.choice(world.customers))
    kinds = {
        "delegated": 24,
        "old": 15,
        "guest": 9,
        "nowhere": 8,
        "center": 16,
        "device": 10,
        "home": 25,
        "odd": 5,
        "on-premises": 6,
        "audience": 3,
    }
    kind = pick(rng, kinds)
    if kind == "delegated":
        tenant = rng.choice([customer, customer, rng.choice(world.others), None, "", ABSENT])
        del where["resourceTenantId"]
        put(where, "resourceTenantId", tenant)
        where["crossTenantAccessType"] = "serviceProvider"
    elif kind == "old":
        where["resourceTenantId"] = rng.choice([customer, customer, customer, world.others[2]])
        del where["crossTenantAccessType"]
        put(where, "crossTenantAccessType", rng.choice(OLD_OR_UNKNOWN_ACCESS))
    elif kind == "guest":
        where |= {"resourceTenantId": customer, "crossTenantAccessType": rng.choice(NOT_DELEGATED)}
    elif kind == "nowhere":
        del where["resourceTenantId"]
        put(where, "resourceTenantId", rng.choice([None, "", ABSENT]))
        where["crossTenantAccessType"] = rng.choice(["none", None, "", "b2bCollaboration"])
    elif kind == "on-premises":
        where["resourceId"] = rng.choice(ON_PREMISES_RESOURCES)
    elif kind == "audience":
        where["resourceId"] = rng.choice(PARTNER_CENTER_AUDIENCES)
    elif kind == "odd":
        where["crossTenantAccessType"] = rng.choice(["serviceProvider", *NOT_DELEGATED, "unknownFutureValue"])
    if kind == "center" or rng.random() < 0.02:
        where[rng.choice(["appId", "resourceId"])] = any_case(rng, PARTNER_CENTER)
    if kind == "device" or rng.random() < 0.02:
        where |= {"appId": any_case(rng, WINDOWS_SIGN_IN), "appDisplayName": "Windows Sign In"}
    return where


# --- what was done ----------------------------------------------------------------------------------------------------


def respell(rng: random.Random, value: Json) -> Json:
    """The same text with other case, hyphens or spaces, or within a longer text."""
    if not isinstance(value, str) or value == ABSENT or rng.random() < 0.5:
        return value
    for one, other in COMPOUNDS.items():
        if rng.random() < 0.5:
            value = value.replace(one, other)
    how = rng.choice(["upper", "lower", "title", "spaces", "end", "spelling"])
    if how == "spaces":
        return " " + value.replace(" ", "  " if rng.random() < 0.7 else " \t ") + " "
    if how == "end":
        return value + "."
    return {"upper": value.upper(), "lower": value.lower(), "title": value.title()}.get(how, value)


def step(rng: random.Random, method: Json, detail: Json, succeeded: Json = ABSENT) -> JsonObject:
    made: JsonObject = {
        "authenticationStepDateTime": stamp(rng, moment(rng)),
        "authenticationMethodDetail": rng.choice(["Password in the cloud", "", None]),
        "authenticationStepRequirement": rng.choice(REQUIREMENTS),
    }
    put(made, "authenticationMethod", respell(rng, method))
    put(made, "authenticationStepResultDetail", respell(rng, detail))
    put(made, "succeeded", succeeded)
    return made


def succeeded(rng: random.Random) -> Json:
    return rng.choice([True, True, True, False, None, ABSENT])


def any_statement(rng: random.Random) -> Json:
    pools: list[list[Json]] = [[*DONE], NOT_DONE, [EXTERNAL], NOT_EXTERNAL, [CLAIM], NOT_CLAIM, [*SKIPPED], NOT_SKIPPED]
    return rng.choice(rng.choice([*pools, PLAIN, PLAIN]))


def any_step(rng: random.Random) -> JsonObject:
    pools: list[list[Json]] = [[*ONE_STEP], [*FIRST_FACTORS], [*FIRST_FACTORS], OTHER_METHODS, ["Federated"]]
    return step(rng, rng.choice(rng.choice(pools)), any_statement(rng), succeeded(rng))


def story(rng: random.Random, kind: str) -> JsonObject:
    """What a sign-in says of its authentication."""
    password = step(rng, rng.choice(FIRST_FACTORS), "Correct password", rng.choice([True, True, None, ABSENT]))
    previously = "Previously satisfied"
    steps: list[Json] = []
    said: Json = rng.choice([None, "", ABSENT])
    required = "singleFactorAuthentication"
    if kind == "proven":
        result = rng.choice([*DONE, rng.choice(NOT_DONE)])
        steps = [password, step(rng, "Mobile app notification", result, succeeded(rng))]
        required = rng.choice(["multiFactorAuthentication", "singleFactorAuthentication"])
    elif kind == "one-step":
        steps = [step(rng, rng.choice(ONE_STEP), rng.choice(PLAIN), succeeded(rng))]
        if rng.random() < 0.3:
            steps.append(step(rng, previously, rng.choice([CLAIM, rng.choice(SKIPPED)]), True))
    elif kind == "external":
        text = rng.choice([EXTERNAL, EXTERNAL, EXTERNAL, rng.choice(NOT_EXTERNAL)])
        steps = [step(rng, rng.choice(["Federated", previously]), text, succeeded(rng))]
        if rng.random() < 0.3:
            steps.append(password)
    elif kind == "claim":
        text = rng.choice([CLAIM, CLAIM, CLAIM, rng.choice(NOT_CLAIM)])
        steps = [step(rng, previously, rng.choice([text, rng.choice(NOT_CLAIM)]), True)]
        said = respell(rng, text)
    elif kind == "requirement":
        steps = rng.choice([[], [password]])
        required = "multiFactorAuthentication"
    elif kind == "first-factor":
        steps = [step(rng, rng.choice(FIRST_FACTORS), rng.choice(PLAIN), succeeded(rng))]
        if rng.random() < 0.2:
            steps.append(step(rng, rng.choice(OTHER_METHODS), rng.choice(NOT_DONE), False))
    elif kind == "skipped":
        steps = [password, step(rng, previously, rng.choice(SKIPPED), succeeded(rng))]
        if rng.random() < 0.2:
            steps.append(any_step(rng))
    elif kind == "second-factor":
        first = rng.choice([[password], [password], []])
        second = [step(rng, rng.choice(SECOND_FACTORS), rng.choice(PENDING_OR_NOT), succeeded(rng))]
        if rng.random() < 0.3:
            second.append(step(rng, rng.choice(SECOND_FACTORS), rng.choice(PENDING_OR_NOT), succeeded(rng)))
        steps = [*first, *second]
        required = rng.choice(["multiFactorAuthentication", "singleFactorAuthentication"])
    elif kind == "denied":
        steps = [password, step(rng, rng.choice(SECOND_FACTORS), rng.choice(DENIED), False)]
        said = rng.choice([respell(rng, rng.choice(DENIED)), None])
    elif kind == "certificate":
        steps = [step(rng, rng.choice(CERTIFICATES), rng.choice(PLAIN), succeeded(rng))]
        if rng.random() < 0.3:
            steps.append(password)
    elif kind == "soup":
        steps = [any_step(rng) for _ in range(rng.randrange(1, 5))]
        said = respell(rng, any_statement(rng))
        required = rng.choice(["multiFactorAuthentication", "singleFactorAuthentication", "none", ""])
    else:
        silent = step(rng, previously, "First factor requirement satisfied by claim in the token", True)
        other = step(rng, rng.choice(OTHER_METHODS), rng.choice(PLAIN), succeeded(rng))
        steps = rng.choice([[], [silent], [other]])
    told: JsonObject = {"authenticationDetails": steps, "authenticationRequirement": required}
    put(told, "additionalDetails", said)
    if kind == "certificate" or rng.random() < 0.05:
        entries: list[Json] = [{"key": "Is CAE Token", "value": "True"}]
        if rng.random() < 0.75:
            level = respell(rng, rng.choice(LEVELS))
            entries.append({"key": "User certificate authentication level", "value": level})
        told["authenticationProcessingDetails"] = entries
    return told


def protocol(rng: random.Random) -> JsonObject:
    """Over what the sign-in came; about a third is of a kind that the rules know."""
    came: JsonObject = {
        "clientAppUsed": rng.choice(MODERN_CLIENTS),
        "userAgent": rng.choice(AGENTS_OF_BROWSERS),
        "authenticationProtocol": rng.choice(PROTOCOLS),
        "incomingTokenType": rng.choice(TOKENS),
    }
    put(came, "originalTransferMethod", rng.choice(TRANSFERS))
    kind = pick(rng, {"modern": 62, "legacy": 13, "ropc": 8, "exchange": 7, "device-code": 5, "transferred": 5})
    if kind == "legacy" or (kind == "ropc" and rng.random() < 0.5):
        came["clientAppUsed"] = rng.choice(LEGACY_CLIENTS)
    if kind == "ropc":
        came["authenticationProtocol"] = "ropc"
    elif kind == "exchange":
        came["userAgent"] = rng.choice(PASSWORD_FLOW_AGENTS)
    elif kind == "device-code":
        came["authenticationProtocol"] = "deviceCode"
    elif kind == "transferred":
        came["originalTransferMethod"] = "deviceCodeFlow"
    return came


def error_code(rng: random.Random) -> Json:
    kind = pick(rng, {"success": 58, "no-code": 4, "interrupted": 9, "blocked": 10, "failed": 11, "right-password": 8})
    codes: dict[str, list[Json]] = {
        "success": [0],
        "no-code": [None, ABSENT],
        "interrupted": [*INTERRUPTS],
        "blocked": [*BLOCKS],
        "failed": [*FAILURES],
        "right-password": [*RIGHT_PASSWORDS],
    }
    return rng.choice(codes[kind])


def kind_of_events(rng: random.Random, *, interactive: bool) -> JsonObject:
    kind = "interactiveUser" if interactive else "nonInteractiveUser"
    told: JsonObject = {}
    known: Json = [kind]
    vague: list[Json] = [ABSENT, None, [], ["unknownFutureValue"], ["eventOfTomorrow", kind]]
    put(told, "signInEventTypes", rng.choice([*vague, known, known, known, known]))
    put(told, "isInteractive", rng.choice([interactive, interactive, interactive, not interactive, None, ABSENT]))
    return told


# --- whole records ----------------------------------------------------------------------------------------------------


def user_record(
    rng: random.Random, world: World, who: Person, at: datetime, kind: str, code: Json, *, interactive: bool
) -> JsonObject:
    told = story(rng, kind)
    status: JsonObject = {"failureReason": rng.choice(["Other.", None])}
    put(status, "errorCode", code)
    put(status, "additionalDetails", told.pop("additionalDetails", ABSENT))
    record: JsonObject = {
        "id": guid(rng),
        "createdDateTime": stamp(rng, at),
        "correlationId": guid(rng),
        "uniqueTokenIdentifier": rng.choice(["bm90LWEtdG9rZW4", None]),
        "status": status,
        "tokenIssuerType": rng.choice(FEDERATED_ISSUERS) if rng.random() < 0.08 else rng.choice(ISSUERS),
        "servicePrincipalId": rng.choice(["", None]),
        **identify(rng, world, who),
        **place(rng, world),
        **told,
        **protocol(rng),
        **kind_of_events(rng, interactive=interactive),
    }
    put(record, "sessionId", rng.choice([guid(rng), guid(rng), "", None, ABSENT]))
    no_agent: list[Json] = [ABSENT, ABSENT, None, {}, {"agentType": "notAgentic"}, {"agentType": None}]
    put(record, "agent", rng.choice(no_agent))
    record["appliedConditionalAccessPolicies"] = policies(rng)
    if rng.random() < 0.06:  # Log Analytics tells these beside the record
        put(record, "category", rng.choice([ABSENT, None, rng.choice(CATEGORIES)]))
        put(record, "resultType", rng.choice([ABSENT, "", rng.choice(RESULT_WORDS), "50126"]))
    return record


def policies(rng: random.Random) -> Json:
    """What Conditional Access says: mostly one policy, a custom control now and then."""
    made: list[Json] = [{"id": guid(rng), "result": "success", "conditionsSatisfied": "none"}]
    if rng.random() < 0.12:
        controls: list[Json] = [rng.choice(CONTROLS) for _ in range(rng.randrange(1, 3))]
        made.append({"displayName": "MFA", "result": rng.choice(POLICY_RESULTS), "enforcedGrantControls": controls})
    return rng.choice([made, made, made, None, []])


def app_record(rng: random.Random, world: World) -> JsonObject:
    """An application without a user, known by its event type, its category or only by its service principal."""
    record = user_record(rng, world, some_person(rng, world), moment(rng), "silent", error_code(rng), interactive=False)
    for name in ("userId", "userPrincipalName", "userDisplayName", "agent"):
        record.pop(name, None)
    record |= {"servicePrincipalName": "backup", "clientCredentialType": "certificate"}
    types: list[Json] = [["servicePrincipal"], ["managedIdentity"], [], None]
    record["signInEventTypes"] = rng.choice(types)
    record["servicePrincipalId"] = "" if record["signInEventTypes"] and rng.random() < 0.4 else guid(rng)
    record |= {"isInteractive": rng.choice([False, None]), "authenticationProtocol": "clientCredentials"}
    return record


def any_user_record(rng: random.Random, world: World) -> JsonObject:
    return user_record(
        rng,
        world,
        some_person(rng, world),
        moment(rng),
        pick(rng, STORIES),
        error_code(rng),
        interactive=rng.random() < 0.6,
    )


def session_records(rng: random.Random, world: World) -> list[JsonObject]:
    """One session: roots that prove, do not, or differ, and silent children before, at and after them."""
    who, session, start = rng.choice(world.technicians), guid(rng), moment(rng)
    alike = [["proven"], ["claim"], ["external", "one-step"], ["first-factor"], ["skipped", "first-factor"]]
    roots = rng.choice([*alike, ["one-step", "first-factor"], ["claim", "skipped"], ["second-factor"], ["certificate"]])
    made = []
    for kind in roots:
        at = start + timedelta(seconds=rng.choice([0, 0, 60]))
        code = rng.choice([0, 0, 0, 0, 50074, 50097, 50140, 50199])
        made.append(user_record(rng, world, who, at, kind, code, interactive=rng.random() < 0.9))
    for _ in range(rng.randrange(1, 4)):
        at = start + timedelta(seconds=rng.choice([-1, 0, 1, 60, 3600]))
        made.append(user_record(rng, world, who, at, "silent", 0, interactive=rng.random() < 0.2))
    if rng.random() < 0.2:  # somebody else's session of the same name
        made.append(user_record(rng, world, rng.choice(world.strangers), start, "proven", 0, interactive=True))
    nameless = rng.random() < 0.1
    for record in made:
        record["sessionId"] = session
        if nameless:
            record |= {"userId": None, "userPrincipalName": rng.choice([who.name, who.name.upper()])}
    rng.shuffle(made)
    return made


def agent_record(rng: random.Random, world: World) -> JsonObject:
    """An agent by itself, or one that acts for a person: then the person is judged."""
    record = any_user_record(rng, world)
    agent: JsonObject = {"parentAppId": guid(rng)}
    put(agent, "agentType", rng.choice([*AGENTS, "notAgentic", None, ABSENT]))
    subjects: list[Json] = [ABSENT, ABSENT, None, "notAgentic", "notAgentic", rng.choice(AGENTS), "unknownFutureValue"]
    put(agent, "agentSubjectType", rng.choice(subjects))
    record["agent"] = agent
    if rng.random() < 0.2:
        record["userId"] = ""
    return record


def damage(rng: random.Random, record: JsonObject) -> None:
    """Any member but the two that a record needs may be missing, null or empty."""
    for name in sorted(record.keys() - {"id", "createdDateTime"}):
        if rng.random() >= 0.015:
            continue
        value = record.pop(name)
        empty: Json = "" if isinstance(value, str) else [] if isinstance(value, list) else None
        put(record, name, rng.choice([ABSENT, None, empty]))


def enveloped(rng: random.Random, record: JsonObject) -> Logged:
    """The record as a diagnostic setting exports it: some members as JSON text, the code perhaps only outside."""
    is_app = "servicePrincipalName" in record
    types = record.get("signInEventTypes")
    if is_app:
        kind = rng.choice(
            ["ServicePrincipalSignInLogs", "ManagedIdentitySignInLogs", "MicrosoftServicePrincipalSignInLogs"]
        )
    elif types == ["nonInteractiveUser"] or (not types and rng.random() < 0.4):
        kind = "NonInteractiveUserSignInLogs"
    else:
        kind = "SignInLogs"
    status = record.get("status")
    code = status.get("errorCode") if isinstance(status, dict) else None
    envelope: JsonObject = {
        "time": record["createdDateTime"],
        "resourceId": "/tenants/x/providers/Microsoft.aadiam",
        "operationName": "Sign-in activity",
        "tenantId": record.get("resourceTenantId"),
        "resultSignature": "None",
        "correlationId": record.get("correlationId"),
    }
    put(envelope, "category", rng.choice([*[kind] * 8, None, ABSENT, "CategoryOfTomorrow", "ADFSSignInLogs"]))
    if is_app and envelope.get("category") == kind and rng.random() < 0.5:
        record["servicePrincipalId"] = ""  # the category alone says what it is
    put(envelope, "resultType", rng.choice(["", None, ABSENT]) if code is None else str(code))
    if isinstance(status, dict) and rng.random() < 0.4:
        status.pop("errorCode", None)
        put(status, "errorCode", rng.choice([None, ABSENT, ABSENT]))
    elif rng.random() < 0.1:
        envelope["resultType"] = rng.choice(["0", "50126", "53003", *RESULT_WORDS])
    if isinstance(record.get("userType"), str):
        record["userType"] = str(record["userType"]).capitalize()
    applied = "appliedConditionalAccessPolicies"
    if rng.random() < 0.5:
        record[applied] = [{"id": guid(rng), "result": "success", "conditionsSatisfied": 19}]
    if rng.random() < 0.4:
        details = "authenticationProcessingDetails"
        for name in ("status", "authenticationDetails", "signInEventTypes", "agent", applied, details):
            value = record.get(name)
            if isinstance(value, dict | list) and rng.random() < 0.7:
                record[name] = json.dumps(value)
    return record, envelope


def served_again(rng: random.Random, world: World, logged: Logged) -> Logged:
    """The same id in another file: word for word, or with details that were filled in later."""
    record, envelope = copy.deepcopy(logged)
    if rng.random() < 0.6:
        told = story(rng, pick(rng, STORIES))
        told.pop("additionalDetails", None)
        record |= told
    return record, envelope


def generate(seed: int, n: int) -> tuple[JsonObject, list[Logged]]:
    """A directory file and n sign-ins of one log, in no order of time, ids now and then served twice."""
    rng = random.Random(seed)  # noqa: S311 - test data must repeat, not be secret
    world = make_world(rng)
    directory = make_directory(rng, world)
    made: list[Logged] = []
    while len(made) < n:
        kind = pick(rng, {"user": 68, "session": 18, "app": 5, "agent": 9, "again": 4})
        if kind == "again" and made:
            made.append(served_again(rng, world, rng.choice(made)))
            continue
        records = (
            session_records(rng, world)
            if kind == "session"
            else [app_record(rng, world)]
            if kind == "app"
            else [agent_record(rng, world)]
            if kind == "agent"
            else [any_user_record(rng, world)]
        )
        for record in records:
            damage(rng, record)
            made.append(enveloped(rng, record) if rng.random() < 0.35 else (record, None))
    return directory, made[:n]
