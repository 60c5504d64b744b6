extension microsoftGraphV1

metadata description = 'The app registration that people and programs sign in to: two app roles, no secret, no certificate.'

@description('Name of the registration, unique in the tenant; deploying it again finds it by this.')
param uniqueName string

@description('Name that people see when they sign in.')
param displayName string

@description('Host name of the app.')
param hostName string

@description('Object id of the identity that stands in for a client secret.')
param identityPrincipalId string

@description('Object ids of users, groups or service principals that may read.')
param readerPrincipalIds array

@description('Object ids of users, groups or service principals that may read and operate.')
param operatorPrincipalIds array

@description('Whether the Azure CLI may get tokens for the app without anybody\'s consent. Who gets one still needs a role.')
param preauthorizeAzureCli bool

// The Azure CLI has this application id in every tenant.
var azureCliId = '04b07795-8ddb-461a-bbee-02f9e1bf7b46'

// Ids of our own, made from the name, so that a second deployment changes nothing.
var readerRoleId = guid(uniqueName, 'Reader')
var operatorRoleId = guid(uniqueName, 'Operator')
var scopeId = guid(uniqueName, 'user_impersonation')
var issuer = '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'

resource registration 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: uniqueName
  displayName: displayName
  signInAudience: 'AzureADMyOrg'
  identifierUris: [
    'api://${tenant().tenantId}/${uniqueName}'
  ]
  web: {
    redirectUris: [
      'https://${hostName}/.auth/login/aad/callback'
    ]
    implicitGrantSettings: {
      // Easy Auth asks for the id token together with the code.
      enableIdTokenIssuance: true
      enableAccessTokenIssuance: false
    }
  }
  api: {
    requestedAccessTokenVersion: 2
    oauth2PermissionScopes: [
      {
        id: scopeId
        value: 'user_impersonation'
        type: 'User'
        isEnabled: true
        adminConsentDisplayName: 'Use ${displayName} as the signed-in user'
        adminConsentDescription: 'Lets a program call ${displayName} with the rights of the person who uses it.'
        userConsentDisplayName: 'Use ${displayName} as you'
        userConsentDescription: 'Lets a program call ${displayName} with your rights.'
      }
    ]
    preAuthorizedApplications: preauthorizeAzureCli ? [
      {
        appId: azureCliId
        delegatedPermissionIds: [
          scopeId
        ]
      }
    ] : []
  }
  appRoles: [
    {
      id: readerRoleId
      value: 'Reader'
      displayName: 'Reader'
      description: 'Reads the summary, findings, incidents, coverage and evidence.'
      isEnabled: true
      allowedMemberTypes: [
        'User'
        'Application'
      ]
    }
    {
      id: operatorRoleId
      value: 'Operator'
      displayName: 'Operator'
      description: 'Reads, and also handles incidents, exceptions, rescans, replays and erasure.'
      isEnabled: true
      allowedMemberTypes: [
        'User'
        'Application'
      ]
    }
  ]
}

// Trust in the app's identity takes the place of a client secret, so there is none to leak or to renew.
resource trust 'Microsoft.Graph/applications/federatedIdentityCredentials@v1.0' = {
  name: '${registration.uniqueName}/function-app'
  description: 'The managed identity of the function app signs people in.'
  issuer: issuer
  subject: identityPrincipalId
  audiences: [
    'api://AzureADTokenExchange'
  ]
}

resource servicePrincipal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: registration.appId
  // Nobody gets a token without a role, so a person who was not admitted stops at the sign-in page.
  appRoleAssignmentRequired: true
  // Shows it among the tenant's enterprise applications, where an administrator gives the roles.
  tags: [
    'WindowsAzureActiveDirectoryIntegratedApp'
  ]
}

resource readers 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [for principalId in readerPrincipalIds: {
  principalId: principalId
  resourceId: servicePrincipal.id
  appRoleId: readerRoleId
}]

resource operators 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [for principalId in operatorPrincipalIds: {
  principalId: principalId
  resourceId: servicePrincipal.id
  appRoleId: operatorRoleId
}]

@description('Client id of the registration.')
output clientId string = registration.appId

@description('Audience that a token for the API names.')
output audience string = registration.identifierUris[0]
