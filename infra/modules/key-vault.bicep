metadata description = 'The vault for the addresses and keys of the alert channels, and the key that signs evidence. The template writes no secret into it: people do.'

@description('Name of the vault, 3 to 24 characters.')
@minLength(3)
@maxLength(24)
param name string

@description('Region of the vault.')
param location string

@description('Tags of every resource.')
param tags object

@description('Whether a deleted vault of this name is to be brought back instead of a new one made.')
param recover bool

@description('Whether the vault has a public endpoint at all.')
@allowed([
  'Enabled'
  'Disabled'
])
param publicNetworkAccess string = 'Disabled'

@description('Whether the public endpoint, if there is one, takes allowedIpRanges only.')
param privateOnly bool = true

@description('Addresses or ranges that may reach the vault from outside when it is private.')
param allowedIpRanges array

@description('Log Analytics workspace that gets the audit log.')
param workspaceId string

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  // checkov:skip=CKV_AZURE_109: a Flex Consumption app without a virtual network has no fixed address; vnetEnabled denies by default
  // checkov:skip=CKV_AZURE_189: the app needs the public endpoint unless vnetEnabled gives it a private one and closes this
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    createMode: recover ? 'recover' : 'default'
    // Roles, not access policies: one place that says who may read.
    enableRbacAuthorization: true
    // Neither an accident nor an intruder can destroy the secrets for good before the 90 days are over.
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: publicNetworkAccess
    networkAcls: {
      defaultAction: privateOnly ? 'Deny' : 'Allow'
      bypass: 'AzureServices'
      ipRules: [for range in allowedIpRanges: {
        value: range
      }]
    }
  }
}

// Signs what is handed to auditors (ES256). Its fingerprint is what they compare, so it is neither rotated nor expired
// by itself; it is made in the vault and cannot leave it.
resource packSigner 'Microsoft.KeyVault/vaults/keys@2024-11-01' = {
  // checkov:skip=CKV_AZURE_40: a signature from years ago must still be checked by the same key, so it does not expire
  // checkov:skip=CKV_AZURE_112: a key in software costs nothing; whoever needs a hardware module takes the premium vault
  parent: vault
  name: 'evidence-packs'
  tags: tags
  properties: {
    kty: 'EC'
    curveName: 'P-256'
    keyOps: [
      'sign'
      'verify'
    ]
    attributes: {
      enabled: true
      exportable: false
    }
  }
}

// Who read or changed which secret.
resource auditLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'AuditEvent'
        enabled: true
      }
    ]
  }
}

@description('Resource id of the vault.')
output id string = vault.id

@description('Name of the vault.')
output name string = vault.name

@description('Name of the key that signs evidence.')
output packSignerName string = packSigner.name
