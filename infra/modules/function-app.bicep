metadata description = 'The function app on Flex Consumption, with its settings.'

@description('Name of the plan.')
param planName string

@description('Name of the app. At most 32 characters: the host cuts its id there, and two apps with the same id share leases.')
@maxLength(32)
param name string

@description('Region of the app.')
param location string

@description('Tags of every resource.')
param tags object

@description('Resource id of the identity of the app.')
param identityId string

@description('Client id of the identity of the app.')
param identityClientId string

@description('Name of the storage account.')
param storageAccountName string

@description('Name of the container for the deployment package.')
param deploymentContainer string

@description('Name of the Application Insights component.')
param appInsightsName string

@description('Name of the Key Vault that holds the channels\' addresses and keys.')
param keyVaultName string

@description('Settings of the product, by the names of shared/app/settings.py; every value a string.')
param settings object

@description('Further settings of the product: options of channels, the engine\'s constants. They win over the others.')
param extraSettings object

@description('Channels of alerts: objects with name (letters and digits) and kind (generic, teams, slack).')
param channels array

@description('Whether Easy Auth is in front of the app; then its client assertion comes from the identity.')
param easyAuth bool

@description('Memory of an instance in MB.')
@allowed([
  512
  2048
  4096
])
param instanceMemoryMB int

@description('Most instances that a group of functions may have at once: the HTTP functions are one, every other one is its own.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int

@description('What a new version or setting does to running work: Recreate ends it, RollingUpdate (a preview) lets it finish.')
@allowed([
  'Recreate'
  'RollingUpdate'
])
param siteUpdateStrategy string

@description('Resource id of the subnet for outgoing traffic; empty for none.')
param subnetId string

@description('Address ranges (CIDR) that reach the app; empty lets everybody reach the sign-in page.')
param allowedIpRanges array

@description('Log Analytics workspace that gets the host log.')
param workspaceId string

resource storageAccount 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageAccountName
}

resource appInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: appInsightsName
}

var endpoints = storageAccount.properties.primaryEndpoints

// What the host and the platform read. AzureWebJobsStorage itself is never set: even a blank one wins over the URIs.
var hostSettings = [
  {
    name: 'AzureWebJobsStorage__credential'
    value: 'managedidentity'
  }
  {
    name: 'AzureWebJobsStorage__clientId'
    value: identityClientId
  }
  {
    name: 'AzureWebJobsStorage__blobServiceUri'
    value: endpoints.blob
  }
  {
    name: 'AzureWebJobsStorage__queueServiceUri'
    value: endpoints.queue
  }
  {
    name: 'AzureWebJobsStorage__tableServiceUri'
    value: endpoints.table
  }
  {
    // The host's own page at "/" would only say that a Functions app lives here.
    name: 'AzureWebJobsDisableHomepage'
    value: 'true'
  }
  {
    name: 'APPLICATIONINSIGHTS_CONNECTION_STRING'
    value: appInsights.properties.ConnectionString
  }
  {
    name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING'
    value: 'ClientId=${identityClientId};Authorization=AAD'
  }
]

// Easy Auth reads the client id of the identity here instead of a client secret (authentication.bicep names it).
var easyAuthSettings = easyAuth ? [
  {
    name: 'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID'
    value: identityClientId
  }
] : []

// A webhook's address is as good as its password, so both are whole Key Vault references; a part of a setting cannot be
// one. Only the generic payload is signed: Teams and Slack have no use for a signature.
var channelSettings = [for channel in channels: {
  'CHANNELS__${toUpper(channel.name)}__KIND': channel.kind
  'CHANNELS__${toUpper(channel.name)}__URL': '@Microsoft.KeyVault(VaultName=${keyVaultName};SecretName=channel-${toLower(channel.name)}-url)'
}]

var signedChannels = filter(channels, channel => channel.kind == 'generic')

var channelSecrets = [for channel in signedChannels: {
  'CHANNELS__${toUpper(channel.name)}__SECRET': '@Microsoft.KeyVault(VaultName=${keyVaultName};SecretName=channel-${toLower(channel.name)}-secret)'
}]

// The later ones win, and no name stands twice: Azure refuses that.
var allSettings = shallowMerge(concat([
  settings
], channelSettings, channelSecrets, [
  extraSettings
]))

var productSettings = [for setting in items(allSettings): {
  name: setting.key
  value: string(setting.value)
}]

var functionAppConfig = {
  deployment: {
    storage: {
      type: 'blobContainer'
      value: '${endpoints.blob}${deploymentContainer}'
      authentication: {
        type: 'UserAssignedIdentity'
        userAssignedIdentityResourceId: identityId
      }
    }
  }
  scaleAndConcurrency: {
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    triggers: {
      http: {
        // Handlers wait for storage most of the time. Without this Python takes one request an instance.
        perInstanceConcurrency: 16
      }
    }
  }
  runtime: {
    name: 'python'
    version: '3.13'
  }
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  // checkov:skip=CKV_AZURE_225: a lost zone delays a scan, which then catches up by itself; not every region has zones
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  // checkov:skip=CKV_AZURE_222: people reach the dashboard from outside; Easy Auth and allowedIpRanges say who
  // checkov:skip=CKV_AZURE_17: callers prove themselves with Entra tokens; client certificates would shut browsers out
  // checkov:skip=CKV_AZURE_212: Flex Consumption scales from zero; the tables say what is due, so no instance has to stand by
  // checkov:skip=CKV_AZURE_213: instances come and go with the work; the heartbeat alert watches from outside
  // checkov:skip=CKV_AZURE_78: Flex Consumption has no FTP and refuses the property ftpsState; the publishing credentials are off below
  name: name
  location: location
  // azd finds the app by this tag when it deploys the service "api".
  tags: union(tags, {
    'azd-service-name': 'api'
  })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: 'Enabled'
    clientAffinityEnabled: false
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: union(functionAppConfig, siteUpdateStrategy == 'Recreate' ? {} : {
      siteUpdateStrategy: {
        type: siteUpdateStrategy
      }
    })
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      http20Enabled: true
      remoteDebuggingEnabled: false
      // The deployment site stays out of it: it takes Entra tokens only, and the address of a build agent changes.
      ipSecurityRestrictionsDefaultAction: empty(allowedIpRanges) ? 'Allow' : 'Deny'
      ipSecurityRestrictions: [for (range, i) in allowedIpRanges: {
        name: 'allowed-${i}'
        priority: 100 + i
        action: 'Allow'
        ipAddress: contains(range, '/') ? range : '${range}/32'
      }]
      appSettings: concat(hostSettings, easyAuthSettings, productSettings)
    }
  }
}

// User name and password for deployments: off, so that nobody deploys without an Entra identity.
resource ftpCredentials 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource scmCredentials 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

// The host's own log by a second way: it also arrives when Application Insights refuses the app's telemetry.
resource hostLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: app
  name: 'host'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'FunctionAppLogs'
        enabled: true
      }
    ]
  }
}

@description('Resource id of the app.')
output id string = app.id

@description('Name of the app.')
output name string = app.name

@description('Host name of the app.')
output hostName string = app.properties.defaultHostName
