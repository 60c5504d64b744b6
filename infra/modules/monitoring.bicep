metadata description = 'Log Analytics workspace and Application Insights; both take telemetry from Entra identities only.'

@description('Name of the Log Analytics workspace.')
param workspaceName string

@description('Name of the Application Insights component.')
param appInsightsName string

@description('Region of both.')
param location string

@description('Tags of every resource.')
param tags object

@description('Days that logs are kept.')
param retentionDays int

@description('Most that the workspace takes in a day, in GB. What comes after is dropped until the next day, and an alert says so.')
param dailyCapGb int

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: retentionDays
    // A loop that logs must not become a bill.
    workspaceCapping: {
      dailyQuotaGb: dailyCapGb
    }
    features: {
      // The workspace keys would let anybody who finds one write false heartbeats.
      disableLocalAuth: true
      // Reading a resource's logs takes rights on that resource.
      enableLogAccessUsingOnlyResourcePermissions: true
    }
    // Ingestion and queries stay reachable: closing them takes an Azure Monitor private link scope, which would also
    // cut every other workspace off from the network that it is linked to. Entra ID decides who gets in.
    publicNetworkAccessForIngestion: 'Enabled'
    publicNetworkAccessForQuery: 'Enabled'
  }
}

resource appInsights 'Microsoft.Insights/components@2020-02-02' = {
  name: appInsightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    IngestionMode: 'LogAnalytics'
    // The instrumentation key alone must not be enough to send telemetry: the heartbeat alert trusts what is here.
    DisableLocalAuth: true
    // Callers' addresses stay masked: the product does not need them.
    DisableIpMasking: false
    publicNetworkAccessForIngestion: 'Enabled'
    publicNetworkAccessForQuery: 'Enabled'
  }
}

@description('Resource id of the workspace.')
output workspaceId string = workspace.id

@description('Id by which queries name the workspace.')
output customerId string = workspace.properties.customerId

@description('Name of the Application Insights component.')
output appInsightsName string = appInsights.name
