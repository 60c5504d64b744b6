metadata description = 'The storage account: host state, deployment package, queues, the product tables and the immutable table exports.'

@description('Name of the storage account, 3 to 24 lower case letters and digits.')
@minLength(3)
@maxLength(24)
param name string

@description('Region of the account.')
param location string

@description('Tags of every resource.')
param tags object

@description('Redundancy of the account.')
param sku string

@description('Whether the account has a public endpoint at all.')
@allowed([
  'Enabled'
  'Disabled'
])
param publicNetworkAccess string = 'Disabled'

@description('Whether the public endpoint, if there is one, takes allowedIpRanges only.')
param privateOnly bool = true

@description('Addresses (single, or ranges of /30 and wider) that may reach the account from outside when it is private.')
param allowedIpRanges array

@description('Days that a table export cannot be changed or deleted; it is deleted after them.')
@minValue(1)
@maxValue(400)
param exportRetentionDays int

@description('Whether somebody has locked the immutability policy of the exports. A locked policy refuses to be deployed again.')
param exportPolicyLocked bool

@description('Log Analytics workspace that gets the diagnostic logs.')
param workspaceId string

// The queues exist before the first message, so that the triggers and the scaler find them on the first start.
var queueNames = [
  'scan-slices'
  'scan-slices-poison'
  'alerts'
  'alerts-poison'
  'evidence-packs'
  'evidence-packs-poison'
]

var deploymentContainer = 'deployments'
var exportContainer = 'table-exports'
var statementContainer = 'statements'

// Reads and writes are the app's own work, thousands a day; who deleted evidence is what an auditor asks.
var auditedCategory = 'StorageDelete'

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  // checkov:skip=CKV_AZURE_35: a Flex Consumption app without a virtual network has no fixed address; vnetEnabled denies by default
  // checkov:skip=CKV_AZURE_59: the app needs the public endpoint unless vnetEnabled gives it private ones and closes this
  // checkov:skip=CKV_AZURE_206: the redundancy is a parameter; its default keeps three copies in three zones
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: sku
  }
  properties: {
    accessTier: 'Hot'
    // Account keys give everything to whoever holds one and name nobody in the log.
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    allowBlobPublicAccess: false
    // Findings must not be copied into another organisation's account.
    allowCrossTenantReplication: false
    supportsHttpsTrafficOnly: true
    minimumTlsVersion: 'TLS1_2'
    publicNetworkAccess: publicNetworkAccess
    networkAcls: {
      defaultAction: privateOnly ? 'Deny' : 'Allow'
      // Lets Azure Monitor collect the diagnostic logs; the app itself comes through the private endpoints.
      bypass: 'AzureServices'
      ipRules: [for range in allowedIpRanges: {
        action: 'Allow'
        value: range
      }]
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    // A package or an export that was deleted by mistake can be had back for a week.
    deleteRetentionPolicy: {
      enabled: true
      days: 7
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: 7
    }
  }
}

resource deployments 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: blobs
  name: deploymentContainer
  properties: {
    publicAccess: 'None'
  }
}

resource exports 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: blobs
  name: exportContainer
  properties: {
    publicAccess: 'None'
  }
}

// What was stated to auditors: a blob a month. It outlives the exports, and is not under their policy, since names are
// taken out of its second blob when a person is erased.
resource statements 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: blobs
  name: statementContainer
  properties: {
    publicAccess: 'None'
  }
}

// Table Storage has no backup, so its exports must survive even the app's own identity. The policy is deployed
// unlocked; locking it cannot be undone, so a person does that (docs/operations.md).
resource exportPolicy 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2025-01-01' = if (!exportPolicyLocked) {
  parent: exports
  name: 'default'
  properties: {
    immutabilityPeriodSinceCreationInDays: exportRetentionDays
    allowProtectedAppendWrites: false
  }
}

// Exports hold personal data: they go when they may go.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'delete-old-exports'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                '${exportContainer}/'
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterCreationGreaterThan: exportRetentionDays
                }
              }
            }
          }
        }
      ]
    }
  }
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' = [for queueName in queueNames: {
  parent: queues
  name: queueName
}]

resource tables 'Microsoft.Storage/storageAccounts/tableServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource blobLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: blobs
  name: 'deletes'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: auditedCategory
        enabled: true
      }
    ]
  }
}

resource queueLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: queues
  name: 'deletes'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: auditedCategory
        enabled: true
      }
    ]
  }
}

resource tableLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: tables
  name: 'deletes'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: auditedCategory
        enabled: true
      }
    ]
  }
}

@description('Resource id of the account.')
output id string = account.id

@description('Name of the account.')
output name string = account.name

@description('Name of the container that holds the deployment package.')
output deploymentContainer string = deploymentContainer
