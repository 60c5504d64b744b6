"""Builds one sign-in record as Graph beta gives it, with the members that the product does not model too.

Names and nesting follow Microsoft's documentation of the beta signIn resource. A record is about 6 KB of JSON.
"""

from __future__ import annotations

import base64
import random
import uuid
from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta

from .auth import MULTI_FACTOR, Auth
from .catalog import DEVICES, FAILURE_REASONS, PLACES, POLICIES, App
from .model import Employee, JsonObject, Technician, iso
from .people import guid

_POLICY_NAMESPACE = uuid.UUID("5d8b8f0e-4a55-4a0c-9a0e-4f6e2f0a7c11")


def policy_id(name: str) -> str:
    """The id of the policy of that name."""
    return str(uuid.uuid5(_POLICY_NAMESPACE, name))


@dataclass(frozen=True, slots=True)
class Draft:
    """One sign-in before it becomes a record.

    `cross` None leaves crossTenantAccessType out, as old records do; `client` and `user_agent` None mean the usual.
    `agent_subject` is who an agent acts for, by kind (None: itself). `masked` writes the user as a customer's log does;
    `hide_user_id` leaves only the masked name.
    """

    who: Technician | Employee
    when: datetime
    app: App
    tenant: str
    auth: Auth
    _: KW_ONLY
    interactive: bool = True
    cross: str | None = "none"
    code: int = 0
    protocol: str = "oAuth2"
    client: str | None = None
    user_agent: str | None = None
    session: str | None = None
    correlation: str | None = None
    transfer: str = "none"
    agent_type: str | None = None
    agent_subject: str | None = None
    masked: bool = False
    hide_user_id: bool = False


def build(rng: random.Random, draft: Draft) -> JsonObject:
    """The record of a user's sign-in. Draws ids from `rng`; the same draws give the same record."""
    record_id, correlation = guid(rng), draft.correlation or guid(rng)
    # A person keeps to one place and one device, so both come from the user id and not from the draws.
    habit = int(draft.who.user_id[:8], 16)
    place, device = PLACES[habit % len(PLACES)], DEVICES[habit // 7 % len(DEVICES)]
    guest = isinstance(draft.who, Technician) and draft.who.guest
    client = draft.app.client if draft.client is None else draft.client
    record: JsonObject = {
        "id": record_id,
        "createdDateTime": iso(draft.when),
        "userDisplayName": draft.who.display_name,
        "userPrincipalName": draft.who.user_principal_name,
        "userId": draft.who.user_id,
        "appId": draft.app.app_id,
        "appDisplayName": draft.app.name,
        "ipAddress": f"{place.network}.{habit % 250 + 1}",
        "ipAddressFromResourceProvider": None,
        "clientAppUsed": client,
        "userAgent": device.agent if draft.user_agent is None else draft.user_agent,
        "correlationId": correlation,
        "conditionalAccessStatus": _access_status(draft),
        "originalRequestId": record_id,
        "isInteractive": draft.interactive,
        "tokenIssuerName": "",
        "tokenIssuerType": "ADFederationServices" if draft.auth.federated else "AzureAD",
        "processingTimeInMilliseconds": rng.randrange(60, 900),
        "riskDetail": "none",
        "riskLevelAggregated": "none",
        "riskLevelDuringSignIn": "none",
        "riskState": "none",
        "riskEventTypes_v2": [],
        "resourceDisplayName": draft.app.resource_name,
        "resourceId": draft.app.resource_id,
        "resourceTenantId": draft.tenant,
        "homeTenantId": draft.who.home_tenant_id,
        "homeTenantName": "",
        "authenticationMethodsUsed": [],
        "authenticationRequirement": draft.auth.requirement,
        "alternateSignInName": draft.who.user_principal_name,
        "signInIdentifier": draft.who.user_principal_name,
        "signInIdentifierType": "userPrincipalName" if draft.interactive else None,
        "servicePrincipalName": None,
        "servicePrincipalId": "",
        "signInEventTypes": ["interactiveUser" if draft.interactive else "nonInteractiveUser"],
        "userType": "guest" if guest else "member",
        "flaggedForReview": False,
        "isTenantRestricted": False,
        "isThroughGlobalSecureAccess": False,
        "globalSecureAccessIpAddress": None,
        "autonomousSystemNumber": place.asn,
        "crossTenantAccessType": draft.cross,
        "servicePrincipalCredentialKeyId": None,
        "servicePrincipalCredentialThumbprint": "",
        "uniqueTokenIdentifier": base64.urlsafe_b64encode(rng.randbytes(16)).decode().rstrip("="),
        "sessionId": draft.session,
        "incomingTokenType": "none" if draft.interactive else "primaryRefreshToken",
        "authenticationProtocol": draft.protocol,
        "originalTransferMethod": draft.transfer,
        "resourceServicePrincipalId": str(uuid.uuid5(_POLICY_NAMESPACE, draft.tenant + draft.app.resource_id)),
        "resourceOwnerTenantId": draft.tenant,
        "appOwnerTenantId": "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
        "clientCredentialType": "none",
        "conditionalAccessAudiences": [draft.app.resource_id],
        "federatedCredentialId": None,
        "signInTokenProtectionStatus": "none",
        "mfaDetail": None,
        "authenticationAppDeviceDetails": None,
        "authenticationAppPolicyEvaluationDetails": [],
        "managedServiceIdentity": None,
        "status": {
            "errorCode": draft.code,
            "failureReason": FAILURE_REASONS[draft.code],
            "additionalDetails": draft.auth.statement,
        },
        "deviceDetail": {
            "deviceId": str(uuid.uuid5(_POLICY_NAMESPACE, draft.who.user_id)) if device.trust else "",
            "displayName": f"WS-{habit % 9000 + 1000}" if device.trust else "",
            "operatingSystem": device.system,
            "browser": device.browser if client == "Browser" else "",
            "isCompliant": bool(device.trust),
            "isManaged": bool(device.trust),
            "trustType": device.trust,
        },
        "location": {
            "city": place.city,
            "state": place.state,
            "countryOrRegion": place.country,
            "geoCoordinates": {"altitude": None, "latitude": place.latitude, "longitude": place.longitude},
        },
        "appliedConditionalAccessPolicies": _policies(draft),
        "authenticationContextClassReferences": [],
        "authenticationProcessingDetails": [
            {"key": "Login Hint Present", "value": "True"},
            {"key": "Legacy TLS (TLS 1.0, 1.1, 3DES)", "value": "False"},
            {"key": "Is CAE Token", "value": "False"},
            *_certificate(draft.auth),
        ],
        "networkLocationDetails": [{"networkType": "trustedNamedLocation", "networkNames": [f"Office {place.city}"]}],
        "authenticationDetails": _steps(draft),
        "authenticationRequirementPolicies": _requirement_policies(draft),
        "sessionLifetimePolicies": [],
        "privateLinkDetails": {"policyId": "", "policyName": "", "resourceId": "", "policyTenantId": ""},
        "appliedEventListeners": [],
        "tokenProtectionStatusDetails": {"signInSessionStatus": "unbound", "signInSessionStatusCode": 1002},
        "agent": {
            "agentType": draft.agent_type or "notAgentic",
            "agentSubjectType": draft.agent_subject or draft.agent_type or "notAgentic",
            "parentAppId": None,
        },
    }
    if draft.cross is None:
        del record["crossTenantAccessType"]
    if draft.masked and isinstance(draft.who, Technician):
        record["userDisplayName"] = "Northbridge Cloud Services Technician"
        for name in ("userPrincipalName", "alternateSignInName", "signInIdentifier"):
            record[name] = draft.who.masked_name
    if draft.hide_user_id:
        record["userId"] = ""
    return record


def build_app_only(rng: random.Random, when: datetime, tenant: str, name: str, app_id: str) -> JsonObject:
    """The record of a service principal: it has no user, and the log serves it only when it is asked for."""
    record_id = guid(rng)
    return {
        "id": record_id,
        "createdDateTime": iso(when),
        "userDisplayName": None,
        "userPrincipalName": None,
        "userId": "",
        "appId": app_id,
        "appDisplayName": name,
        "ipAddress": f"192.0.2.{rng.randrange(1, 250)}",
        "clientAppUsed": None,
        "correlationId": guid(rng),
        "conditionalAccessStatus": "notApplied",
        "isInteractive": False,
        "tokenIssuerType": "AzureAD",
        "resourceDisplayName": "Microsoft Graph",
        "resourceId": "00000003-0000-0000-c000-000000000000",
        "resourceTenantId": tenant,
        "homeTenantId": None,
        "authenticationRequirement": None,
        "servicePrincipalId": str(uuid.uuid5(_POLICY_NAMESPACE, app_id)),
        "servicePrincipalName": name,
        "servicePrincipalCredentialKeyId": guid(rng),
        "clientCredentialType": "clientSecret",
        "signInEventTypes": ["servicePrincipal"],
        "userType": None,
        "crossTenantAccessType": "none",
        "uniqueTokenIdentifier": base64.urlsafe_b64encode(rng.randbytes(16)).decode().rstrip("="),
        "status": {"errorCode": 0, "failureReason": None, "additionalDetails": None},
        "appliedConditionalAccessPolicies": [],
        "authenticationProcessingDetails": [],
        "authenticationDetails": [],
        "location": {"city": "", "state": "", "countryOrRegion": "", "geoCoordinates": {}},
    }


def _certificate(shape: Auth) -> list[JsonObject]:
    level = shape.certificate_level
    return [{"key": "User certificate authentication level", "value": level}] if level else []


def _steps(draft: Draft) -> list[JsonObject]:
    began = draft.when - timedelta(seconds=8 * (len(draft.auth.steps) - 1))
    return [
        {
            "authenticationStepDateTime": iso(began + timedelta(seconds=8 * index)),
            "authenticationMethod": step.method,
            "authenticationMethodDetail": step.detail or None,
            "succeeded": step.succeeded,
            "authenticationStepResultDetail": step.result or None,
            "authenticationStepRequirement": step.requirement,
        }
        for index, step in enumerate(draft.auth.steps)
    ]


def _requirement_policies(draft: Draft) -> list[JsonObject]:
    if draft.auth.requirement != MULTI_FACTOR:
        return []
    provider = "enforcedForCspAdmins" if draft.cross == "serviceProvider" else "multiConditionalAccess"
    return [{"requirementProvider": provider, "detail": "Conditional Access"}]


def _access_status(draft: Draft) -> str:
    if draft.code in (53003, 530034, 50074, 50076, 50079, 500121):
        return "failure"
    return "success" if draft.auth.requirement == MULTI_FACTOR else "notApplied"


def _policies(draft: Draft) -> list[JsonObject]:
    required = draft.auth.requirement == MULTI_FACTOR
    policies: list[JsonObject] = []
    for name in POLICIES:
        applies = required and name.startswith("Baseline")
        result = _access_status(draft) if applies else "notApplied"
        policies.append(
            {
                "id": policy_id(name),
                "displayName": name,
                "enforcedGrantControls": ["Mfa"] if applies else [],
                "enforcedSessionControls": [],
                "result": result,
                "conditionsSatisfied": "application,users" if applies else "none",
                "conditionsNotSatisfied": "none" if applies else "application",
                "includeRulesSatisfied": [{"conditionalAccessCondition": "users", "ruleSatisfied": "allUsers"}],
                "excludeRulesSatisfied": [],
            }
        )
    return policies
