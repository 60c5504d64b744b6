extension microsoftGraphV1

metadata description = 'Gives the identity of the app its Microsoft Graph permissions. Whoever deploys this must be Privileged Role Administrator.'

@description('Object id of the service principal of the identity.')
param principalId string

@description('Names of the application permissions of Microsoft Graph.')
param permissions array

// Microsoft Graph has this application id in every tenant.
resource graph 'Microsoft.Graph/servicePrincipals@v1.0' existing = {
  appId: '00000003-0000-0000-c000-000000000000'
}

resource grants 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [for permission in permissions: {
  principalId: principalId
  resourceId: graph.id
  appRoleId: filter(graph.appRoles, role => role.value == permission)[0].id
}]
