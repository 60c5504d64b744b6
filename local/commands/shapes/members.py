"""The members of Graph's signIn, by whatever case they come in.

PowerShell and Log Analytics write `UserPrincipalName`, some collectors `userprincipalname`. Which version of Graph has
a member tells the version that a file came from (docs/entra-facts.md, "What a record of v1.0 does not have").
"""

from __future__ import annotations

from typing import Any, Final


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


V1: Final = _names(
    """
    appDisplayName appId appliedConditionalAccessPolicies clientAppUsed conditionalAccessStatus correlationId
    createdDateTime deviceDetail id ipAddress isInteractive location resourceDisplayName resourceId riskDetail
    riskEventTypes riskEventTypes_v2 riskLevelAggregated riskLevelDuringSignIn riskState status userDisplayName userId
    userPrincipalName
    """
)
BETA_ONLY: Final = _names(
    """
    agent appliedEventListeners appOwnerTenantId appTokenProtectionStatus authenticationAppDeviceDetails
    authenticationAppPolicyEvaluationDetails authenticationContextClassReferences authenticationDetails
    authenticationMethodsUsed authenticationProcessingDetails authenticationProtocol authenticationRequirement
    authenticationRequirementPolicies autonomousSystemNumber azureResourceId clientCredentialType
    conditionalAccessAudiences crossTenantAccessType federatedCredentialId flaggedForReview globalSecureAccessIpAddress
    homeTenantId homeTenantName incomingTokenType ipAddressFromResourceProvider isTenantRestricted
    isThroughGlobalSecureAccess managedServiceIdentity mfaDetail networkLocationDetails originalRequestId
    originalTransferMethod privateLinkDetails processingTimeInMilliseconds resourceOwnerTenantId
    resourceServicePrincipalId resourceTenantId servicePrincipalCredentialKeyId servicePrincipalCredentialThumbprint
    servicePrincipalId servicePrincipalName sessionId sessionLifetimePolicies signInEventTypes signInIdentifier
    signInIdentifierType signInTokenProtectionStatus tokenIssuerName tokenIssuerType tokenProtectionStatusDetails
    uniqueTokenIdentifier userAgent userType
    """
)
SIGN_IN: Final = V1 | BETA_ONLY
# Of the envelope, of Log Analytics, and of the objects within a record.
_OTHERS: Final = _names(
    """
    category level operationName properties resultDescription resultSignature resultType tenantId time
    timeGenerated resourceIdentity aadTenantId tableName type
    additionalDetails additionalProperties agentSubjectType agentType authenticationMethod authenticationMethodDetail
    authenticationStepDateTime authenticationStepRequirement authenticationStepResultDetail authenticationStrength
    conditionalAccessCondition conditionsNotSatisfied conditionsSatisfied countryOrRegion deviceId displayName
    enforcedGrantControls enforcedSessionControls errorCode excludeRulesSatisfied failureReason geoCoordinates
    includeRulesSatisfied isCompliant isManaged operatingSystem parentAppId requirementProvider ruleSatisfied trustType
    """
)

_NAMES: Final = {name.lower(): name for name in (*_OTHERS, *SIGN_IN)}
# A record with so many of a sign-in's members is one, however broken.
_ENOUGH: Final = 4


def canonical(record: dict[str, Any]) -> dict[str, Any]:
    """The record with its members named as Graph names them, also in the objects and lists that it holds.

    >>> canonical({"UserId": "u", "Status": {"ErrorCode": 0}, "IPAddress": "203.0.113.7"})
    {'userId': 'u', 'status': {'errorCode': 0}, 'ipAddress': '203.0.113.7'}
    """
    named: dict[str, Any] = {}
    for name, value in record.items():
        known = name_of(name)
        if known == name or known not in record:  # what is spelled as Graph spells it counts before what is not
            named[known] = _inside(value)
    return named


def _inside(value: Any) -> Any:
    if isinstance(value, dict):
        return canonical(value)
    return [_inside(one) for one in value] if isinstance(value, list) else value


def name_of(name: str) -> str:
    """A member's name as Graph writes it; one that nobody knows begins with a small letter at least."""
    return _NAMES.get(name.lower()) or name[:1].lower() + name[1:]


def is_like_a_sign_in(names: set[str]) -> bool:
    """Whether somebody meant a sign-in, by the (canonical) names of a record's members."""
    return len(names & SIGN_IN) >= _ENOUGH
