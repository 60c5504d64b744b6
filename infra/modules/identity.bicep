metadata description = 'The one identity of the app: it reads Graph, the storage account and the vault, and stands in for the client secret of Easy Auth.'

@description('Name of the identity.')
param name string

@description('Region of the identity.')
param location string

@description('Tags of every resource.')
param tags object

// User-assigned, not system-assigned: it exists before the app does, so its roles are in place when the app first
// starts, and they outlive the app when it is made anew. Give it to nothing but this app: whoever holds it reads the
// sign-in logs of the whole tenant.
resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('Resource id of the identity.')
output id string = identity.id

@description('Client id: names the identity when a token is asked for.')
output clientId string = identity.properties.clientId

@description('Object id of its service principal: what roles and permissions are given to.')
output principalId string = identity.properties.principalId
