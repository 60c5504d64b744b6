targetScope = 'subscription'

metadata name = 'Partner MFA Monitor'
metadata description = 'Everything that the monitor needs in one resource group: azd up deploys it, azd down removes it.'

// ---- Where ----------------------------------------------------------------------------------------------------------

@description('Name of the azd environment. It names the resource group; every other name is made from it, the subscription and the region.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Region of every resource: one of the public cloud that offers Flex Consumption. National clouds are not among them: the Graph extension of the template does not reach them.')
@allowed([
  'australiaeast'
  'australiasoutheast'
  'brazilsouth'
  'canadacentral'
  'centralindia'
  'centralus'
  'eastasia'
  'eastus'
  'eastus2'
  'francecentral'
  'germanywestcentral'
  'italynorth'
  'japaneast'
  'koreacentral'
  'northcentralus'
  'northeurope'
  'norwayeast'
  'southafricanorth'
  'southcentralus'
  'southeastasia'
  'southindia'
  'spaincentral'
  'swedencentral'
  'uaenorth'
  'uksouth'
  'ukwest'
  'westcentralus'
  'westeurope'
  'westus'
  'westus2'
  'westus3'
])
@metadata({
  azd: {
    type: 'location'
  }
})
param location string

@description('Tags for every resource, beside azd-env-name and application.')
param extraTags object = {}

// ---- Whose log, and who may read it ----------------------------------------------------------------------------------

@description('Tenant id of the partner; empty for the tenant of the subscription. The identity of the app can read no other tenant.')
@maxLength(36)
param partnerTenantId string = ''

@description('Tenants whose logs are read, comma-separated ids; empty for the partner\'s own.')
param monitoredTenantIds string = ''

@description('Whether this deployment gives the app its Graph permissions. It takes a Privileged Role Administrator; without one set it to false and let infra/scripts/grant-graph-permissions do it.')
param grantGraphPermissions bool = true

@description('Who lets callers in. easyauth: Entra ID, roles Reader and Operator. key: function keys of the host; a caller is Operator.')
@allowed([
  'easyauth'
  'key'
])
param authMode string = 'easyauth'

@description('Client id of an app registration made by somebody else, for easyauth; empty makes one (it takes a Cloud Application Administrator).')
@maxLength(36)
param authClientId string = ''

@description('Whether the Azure CLI may get tokens for the app without consent, so that runbooks can be carried out from a shell. It takes the role all the same.')
param preauthorizeAzureCli bool = true

@description('Object ids of users, groups or service principals with the role Reader.')
param readerPrincipalIds array = []

@description('Object ids of users, groups or service principals with the role Operator.')
param operatorPrincipalIds array = []

// ---- How the product works (docs: README.md, settings) ----------------------------------------------------------------

@description('When due slices are looked for; six-field NCRONTAB, UTC. The heartbeat alert expects at least one run an hour.')
@minLength(11)
param scanSchedule string = '0 */5 * * * *'

@description('When pending alerts are sent out; six-field NCRONTAB, UTC.')
@minLength(11)
param alertSchedule string = '0 * * * * *'

@description('When roster, customers and posture are read anew; six-field NCRONTAB, UTC.')
@minLength(11)
param directorySchedule string = '0 20 */6 * * *'

@description('When tables are exported and old rows deleted; six-field NCRONTAB, UTC.')
@minLength(11)
param maintenanceSchedule string = '0 40 2 * * *'

@description('Groups with delegated rights outside of GDAP relationships, comma-separated object ids.')
param furtherGroupIds string = ''

@description('Domains whose sign-ins a federated identity provider handles, comma-separated; those that Graph does not tell.')
param federatedDomains string = ''

@description('Whether the domains of the partner tenant and what Entra ID does with their provider\'s MFA are read: two more permissions.')
param readFederation bool = true

@description('Days of log that the first run reads.')
@minValue(1)
@maxValue(30)
param lookbackDays int = 30

@description('Minutes of log in a slice; a day must be a whole number of slices.')
@minValue(5)
@maxValue(1440)
param sliceMinutes int = 15

@description('Days that Entra ID keeps the sign-in log: 30 with P1 or P2, 7 on Free.')
@minValue(1)
@maxValue(30)
param retentionDays int = 30

@description('Days that findings, incidents and roll-ups are kept.')
@minValue(30)
@maxValue(3650)
param findingRetentionDays int = 400

@description('Days that records which could not be read are kept.')
@minValue(1)
@maxValue(400)
param quarantineRetentionDays int = 30

@description('standard: the rules. strict: also every non-interactive success.')
@allowed([
  'standard'
  'strict'
])
param policy string = 'standard'

@description('Days without a finding after which an incident closes.')
@minValue(1)
@maxValue(90)
param incidentQuietDays int = 7

@description('Hours in which an incident is announced at most once.')
@minValue(1)
@maxValue(720)
param realertHours int = 24

@description('Days after which an acknowledged incident is open again.')
@minValue(1)
@maxValue(90)
param acknowledgedDays int = 14

@description('New incidents in one cycle from which they become one alert.')
@minValue(2)
@maxValue(1000)
param stormThreshold int = 20

@description('Channels of alerts: objects with name (letters and digits) and kind (generic, teams or slack). Their secrets must be in the vault first (README.md).')
@maxLength(20)
param channels array = []

@description('Further settings of the app by their names (README.md, Settings of the app), such as options of channels. They win over the other parameters; what is a secret is a Key Vault reference.')
param extraSettings object = {}

@description('Hosts of webhooks inside the app\'s own network, comma-separated; all others must have public addresses.')
param alertAllowedHosts string = ''

@description('Address under which people reach the app, for links in alerts; empty for the one that Azure gives it.')
param publicUrl string = ''

@description('Percent of the log that must have been read; less is an alert.')
@minValue(1)
@maxValue(100)
param coverageTargetPercent int = 95

// ---- Capacity -------------------------------------------------------------------------------------------------------

@description('Memory of an instance in MB: 2048, 4096, or 512 where the region offers it.')
@minValue(512)
@maxValue(4096)
param instanceMemoryMB int = 2048

@description('Most instances of a group of functions at once. Graph, not the instances, sets the pace, and whoever may call the open route must not be able to run up a bill. A region that still asks for 40 says so.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 10

@description('What a new version or setting does to running work: Recreate ends it, and its leases bring it back; RollingUpdate lets it finish (a preview of Microsoft\'s).')
@allowed([
  'Recreate'
  'RollingUpdate'
])
param siteUpdateStrategy string = 'Recreate'

// ---- What is kept ---------------------------------------------------------------------------------------------------

@description('Redundancy of the storage account; empty takes three zones where the region has them, else one.')
@allowed([
  ''
  'Standard_LRS'
  'Standard_ZRS'
  'Standard_GRS'
  'Standard_GZRS'
])
param storageSku string = ''

@description('Days that a table export cannot be changed or deleted; then it is deleted.')
@minValue(1)
@maxValue(400)
param exportRetentionDays int = 30

@description('true once somebody has locked the immutability policy of the exports: a locked policy refuses to be deployed again.')
param exportPolicyLocked bool = false

@description('true brings back the deleted, purge-protected vault of an earlier deployment under this name; the preprovision hook sets it.')
param recoverVault bool = false

@description('Days that logs are kept. Application Insights\' tables cost nothing for the first 90.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 90

@description('Most log data in a day, GB; beyond it logs are dropped until the next day.')
@minValue(1)
@maxValue(100)
param logDailyCapGb int = 1

// ---- Network --------------------------------------------------------------------------------------------------------

@description('Whether storage and vault are reached through a virtual network only. It takes the provider Microsoft.App registered in the subscription, and costs about 65 USD a month.')
param vnetEnabled bool = false

@description('Address space of the virtual network.')
@minLength(9)
param vnetPrefix string = '10.42.0.0/24'

@description('Subnet of the app, /27 or wider.')
@minLength(9)
param appSubnetPrefix string = '10.42.0.0/26'

@description('Subnet of the private endpoints, /28 or wider.')
@minLength(9)
param endpointSubnetPrefix string = '10.42.0.64/27'

@description('Addresses from which people reach the app, and with vnetEnabled vault and storage: single ones, or ranges of /30 and wider. Empty: the app\'s sign-in page for all, vault and storage for nobody.')
@maxLength(100)
param allowedIpRanges array = []

// ---- Watching the watcher -------------------------------------------------------------------------------------------

@description('E-mail addresses that hear when the monitor itself is in trouble; without one and without a webhook the owners of the subscription do. Each confirms a code within 30 minutes.')
@maxLength(20)
param alertEmails array = []

@description('Webhook that hears too, by Azure Monitor\'s common alert schema.')
@secure()
param alertWebhookUrl string = ''

@description('Whether the app\'s code was deployed before: the rule that counts executions begins then. The hook after the first azd deploy sets it.')
param appDeployed bool = true

@description('Amount of a month, in the currency of the subscription, near which somebody is told; 0 for no budget.')
@minValue(0)
@maxValue(1000000)
param budgetAmount int = 0

@description('First day of the month from which the budget counts, YYYY-MM-01.')
@maxLength(10)
param budgetStart string = ''

@description('Who gets the product\'s alerts as mail, by a small Logic App that is a webhook; empty deploys none (docs/operations.md).')
@maxLength(50)
param mailRecipients array = []

@description('Where the mail service keeps its data.')
@minLength(2)
param mailDataLocation string = 'Europe'

@description('Minutes that sign-in data may be late before an alert.')
@minValue(15)
@maxValue(10080)
param signInLagMinutes int = 180

// ---- Names ----------------------------------------------------------------------------------------------------------

var abbreviations = loadJsonContent('abbreviations.json')
// 13 characters; the same for the same subscription, environment and region, so a redeployment finds its resources.
var token = uniqueString(subscription().id, environmentName, location)
var displayName = 'Partner MFA Monitor (${environmentName})'
var tags = union(extraTags, {
  'azd-env-name': environmentName
  application: 'partner-mfa-monitor'
})

// ---- What the app may ask Graph: README.md says what for, a test that the code does ask -----------------------------

var graphPermissions = union([
  'AuditLog.Read.All'
  'DelegatedAdminRelationship.Read.All'
  'GroupMember.Read.All'
  'Policy.Read.All'
  'PrivilegedEligibilitySchedule.Read.AzureADGroup'
  'RoleManagement.Read.Directory'
], readFederation ? [
  'Domain-InternalFederation.Read.All'
  'Domain.Read.All'
] : [])

// Flex Consumption is offered there, availability zones are not.
var regionsWithoutZones = [
  'australiasoutheast'
  'northcentralus'
  'southindia'
  'ukwest'
  'westcentralus'
  'westus'
]
var fittingSku = contains(regionsWithoutZones, location) ? 'Standard_LRS' : 'Standard_ZRS'

var easyAuth = authMode == 'easyauth'
var registerApp = easyAuth && empty(authClientId)

// With the virtual network, storage and vault keep a public endpoint only for the addresses that are let in by name.
var publicNetworkAccess = vnetEnabled && empty(allowedIpRanges) ? 'Disabled' : 'Enabled'

// ---- Resources ------------------------------------------------------------------------------------------------------

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: '${abbreviations.resourceGroup}${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: '${abbreviations.managedIdentity}${token}'
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: '${abbreviations.logAnalytics}${token}'
    appInsightsName: '${abbreviations.appInsights}${token}'
    location: location
    tags: tags
    retentionDays: logRetentionDays
    dailyCapGb: logDailyCapGb
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: '${abbreviations.storageAccount}${token}'
    location: location
    tags: tags
    sku: empty(storageSku) ? fittingSku : storageSku
    publicNetworkAccess: publicNetworkAccess
    privateOnly: vnetEnabled
    allowedIpRanges: vnetEnabled ? allowedIpRanges : []
    exportRetentionDays: exportRetentionDays
    exportPolicyLocked: exportPolicyLocked
    workspaceId: monitoring.outputs.workspaceId
  }
}

module keyVault 'modules/key-vault.bicep' = {
  name: 'key-vault'
  scope: group
  params: {
    name: '${abbreviations.keyVault}${token}'
    location: location
    tags: tags
    recover: recoverVault
    publicNetworkAccess: publicNetworkAccess
    privateOnly: vnetEnabled
    allowedIpRanges: vnetEnabled ? allowedIpRanges : []
    workspaceId: monitoring.outputs.workspaceId
  }
}

module network 'modules/network.bicep' = if (vnetEnabled) {
  name: 'network'
  scope: group
  params: {
    name: '${abbreviations.virtualNetwork}${token}'
    appSecurityGroupName: '${abbreviations.networkSecurityGroup}app-${token}'
    endpointSecurityGroupName: '${abbreviations.networkSecurityGroup}endpoints-${token}'
    natGatewayName: '${abbreviations.natGateway}${token}'
    publicIpName: '${abbreviations.publicIp}${token}'
    location: location
    tags: tags
    addressPrefix: vnetPrefix
    appSubnetPrefix: appSubnetPrefix
    endpointSubnetPrefix: endpointSubnetPrefix
  }
}

module privateEndpoints 'modules/private-endpoints.bicep' = if (vnetEnabled) {
  name: 'private-endpoints'
  scope: group
  params: {
    namePrefix: abbreviations.privateEndpoint
    nameSuffix: token
    location: location
    tags: tags
    networkId: network!.outputs.id
    subnetId: network!.outputs.endpointSubnetId
    storageAccountId: storage.outputs.id
    keyVaultId: keyVault.outputs.id
  }
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  scope: group
  params: {
    principalId: identity.outputs.principalId
    storageAccountName: storage.outputs.name
    keyVaultName: keyVault.outputs.name
    packSignerName: keyVault.outputs.packSignerName
    appInsightsName: monitoring.outputs.appInsightsName
  }
}

module functionApp 'modules/function-app.bicep' = {
  name: 'function-app'
  scope: group
  params: {
    planName: '${abbreviations.appServicePlan}${token}'
    name: '${abbreviations.functionApp}${token}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    storageAccountName: storage.outputs.name
    deploymentContainer: storage.outputs.deploymentContainer
    appInsightsName: monitoring.outputs.appInsightsName
    keyVaultName: keyVault.outputs.name
    workspaceId: monitoring.outputs.workspaceId
    easyAuth: easyAuth
    channels: channels
    extraSettings: extraSettings
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    siteUpdateStrategy: siteUpdateStrategy
    subnetId: vnetEnabled ? network!.outputs.appSubnetId : ''
    allowedIpRanges: allowedIpRanges
    // By the names of shared/app/settings.py; a test compares the two.
    settings: {
      AUTH_MODE: authMode
      PARTNER_TENANT_ID: empty(partnerTenantId) ? tenant().tenantId : partnerTenantId
      MONITORED_TENANT_IDS: monitoredTenantIds
      AZURE_CLIENT_ID: identity.outputs.clientId
      SCAN_SCHEDULE: scanSchedule
      ALERT_SCHEDULE: alertSchedule
      DIRECTORY_SCHEDULE: directorySchedule
      MAINTENANCE_SCHEDULE: maintenanceSchedule
      FURTHER_GROUP_IDS: furtherGroupIds
      FEDERATED_DOMAINS: federatedDomains
      READ_FEDERATION: string(readFederation)
      LOOKBACK_DAYS: string(lookbackDays)
      SLICE_MINUTES: string(sliceMinutes)
      RETENTION_DAYS: string(retentionDays)
      FINDING_RETENTION_DAYS: string(findingRetentionDays)
      QUARANTINE_RETENTION_DAYS: string(quarantineRetentionDays)
      COVERAGE_TARGET_PERCENT: string(coverageTargetPercent)
      POLICY: policy
      INCIDENT_QUIET_DAYS: string(incidentQuietDays)
      REALERT_HOURS: string(realertHours)
      ACKNOWLEDGED_DAYS: string(acknowledgedDays)
      STORM_THRESHOLD: string(stormThreshold)
      ALERT_ALLOWED_HOSTS: alertAllowedHosts
      PUBLIC_URL: publicUrl
      PACK_KEY_URI: 'https://${keyVault.outputs.name}${environment().suffixes.keyvaultDns}/keys/${keyVault.outputs.packSignerName}'
    }
  }
  // The first start must find its roles and, in a private network, the way to storage and vault.
  dependsOn: [
    roles
    privateEndpoints
  ]
}

module graphGrants 'modules/graph-permissions.bicep' = if (grantGraphPermissions) {
  name: 'graph-permissions'
  scope: group
  params: {
    principalId: identity.outputs.principalId
    permissions: graphPermissions
  }
  // A new identity takes a moment to be known everywhere in Entra ID; the function app takes longer than that.
  dependsOn: [
    functionApp
  ]
}

module appRegistration 'modules/app-registration.bicep' = if (registerApp) {
  name: 'app-registration'
  scope: group
  params: {
    uniqueName: '${abbreviations.functionApp}${token}'
    displayName: displayName
    hostName: functionApp.outputs.hostName
    identityPrincipalId: identity.outputs.principalId
    preauthorizeAzureCli: preauthorizeAzureCli
    readerPrincipalIds: readerPrincipalIds
    operatorPrincipalIds: operatorPrincipalIds
  }
}

var audience = registerApp ? appRegistration!.outputs.audience : 'api://${authClientId}'

module authentication 'modules/authentication.bicep' = {
  name: 'authentication'
  scope: group
  params: {
    functionAppName: functionApp.outputs.name
    enabled: easyAuth
    clientId: registerApp ? appRegistration!.outputs.clientId : authClientId
    audiences: easyAuth ? [
      audience
    ] : []
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    actionGroupName: '${abbreviations.actionGroup}${token}'
    ruleNamePrefix: abbreviations.alertRule
    ruleNameSuffix: token
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    functionAppId: functionApp.outputs.id
    appDeployed: appDeployed
    emails: alertEmails
    webhookUrl: alertWebhookUrl
    signInLagMinutes: signInLagMinutes
  }
}

module budget 'modules/budget.bicep' = if (budgetAmount > 0) {
  name: 'budget'
  scope: group
  params: {
    amount: budgetAmount
    startDate: budgetStart
    emails: alertEmails
  }
}

module mail 'modules/mail.bicep' = if (!empty(mailRecipients)) {
  name: 'mail'
  scope: group
  params: {
    workflowName: '${abbreviations.logicApp}${token}'
    emailServiceName: '${abbreviations.emailService}${token}'
    communicationServiceName: '${abbreviations.communicationService}${token}'
    location: location
    dataLocation: mailDataLocation
    tags: tags
    recipients: mailRecipients
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    displayName: displayName
  }
}

// ---- What azd keeps in its environment: names and ids, never a key --------------------------------------------------

@description('Tenant of the deployment.')
output AZURE_TENANT_ID string = tenant().tenantId

@description('Resource group of everything.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Name of the function app.')
output AZURE_FUNCTION_NAME string = functionApp.outputs.name

@description('Address of the function app.')
output AZURE_FUNCTION_URL string = 'https://${functionApp.outputs.hostName}'

@description('Name of the Key Vault.')
output AZURE_KEY_VAULT_NAME string = keyVault.outputs.name

@description('Name of the storage account.')
output AZURE_STORAGE_ACCOUNT_NAME string = storage.outputs.name

@description('Object id of the identity of the app.')
output AZURE_IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId

@description('Graph permissions that the app needs, for the script that gives them.')
output GRAPH_PERMISSIONS string = join(graphPermissions, ' ')

@description('Client id that people and programs sign in to; empty with function keys.')
output AUTH_REGISTRATION_CLIENT_ID string = registerApp ? appRegistration!.outputs.clientId : authClientId

@description('What a person or a program asks a token for; empty with function keys.')
output AUTH_SCOPE string = easyAuth ? '${audience}/.default' : ''

@description('Id by which queries name the workspace.')
output AZURE_LOG_ANALYTICS_ID string = monitoring.outputs.customerId

@description('Name of the action group, for a test of it.')
output AZURE_ACTION_GROUP_NAME string = alerts.outputs.actionGroupName

@description('Alert rule that is off until the app was deployed once, for the hook that puts it on.')
output NO_EXECUTIONS_RULE string = alerts.outputs.noExecutionsRuleId

@description('Trigger of the Logic App that turns alerts into mail; empty without one.')
output MAIL_TRIGGER_ID string = empty(mailRecipients) ? '' : mail!.outputs.triggerId

@description('Address that the app has outwards; empty without the virtual network.')
output OUTBOUND_ADDRESS string = vnetEnabled ? network!.outputs.outboundAddress : ''
