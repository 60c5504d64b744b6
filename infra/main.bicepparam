using 'main.bicep'

// Every value comes from the azd environment: `azd env set NAME VALUE`, then `azd provision`. README.md lists the names.
// A list is comma-separated. Each value has a default, so that the file also compiles where no environment is selected;
// azd cannot unset a variable, so an empty one (`azd env set NAME ""`) is the default too.

param environmentName = filter([readEnvironmentVariable('AZURE_ENV_NAME', ''), 'partner-mfa'], value => !empty(value))[0]
param location = filter([readEnvironmentVariable('AZURE_LOCATION', ''), 'westeurope'], value => !empty(value))[0]
param extraTags = json(filter([readEnvironmentVariable('EXTRA_TAGS', ''), '{}'], value => !empty(value))[0])

param partnerTenantId = readEnvironmentVariable('PARTNER_TENANT_ID', '')
param monitoredTenantIds = readEnvironmentVariable('MONITORED_TENANT_IDS', '')
param grantGraphPermissions = bool(filter([readEnvironmentVariable('GRANT_GRAPH_PERMISSIONS', ''), 'true'], value => !empty(value))[0])
param readFederation = bool(filter([readEnvironmentVariable('READ_FEDERATION', ''), 'true'], value => !empty(value))[0])
param authMode = filter([readEnvironmentVariable('AUTH_MODE', ''), 'easyauth'], value => !empty(value))[0]
param authClientId = readEnvironmentVariable('AUTH_CLIENT_ID', '')
param preauthorizeAzureCli = bool(filter([readEnvironmentVariable('PREAUTHORIZE_AZURE_CLI', ''), 'true'], value => !empty(value))[0])
param readerPrincipalIds = map(filter(split(readEnvironmentVariable('READER_PRINCIPAL_IDS', ''), ','), id => !empty(trim(id))), id => trim(id))
// azd says who deploys: without a list, that is the first Operator.
var deployerId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
var operatorIds = readEnvironmentVariable('OPERATOR_PRINCIPAL_IDS', '')
param operatorPrincipalIds = map(filter(split(empty(operatorIds) ? deployerId : operatorIds, ','), id => !empty(trim(id))), id => trim(id))

param scanSchedule = filter([readEnvironmentVariable('SCAN_SCHEDULE', ''), '0 */5 * * * *'], value => !empty(value))[0]
param alertSchedule = filter([readEnvironmentVariable('ALERT_SCHEDULE', ''), '0 * * * * *'], value => !empty(value))[0]
param directorySchedule = filter([readEnvironmentVariable('DIRECTORY_SCHEDULE', ''), '0 20 */6 * * *'], value => !empty(value))[0]
param maintenanceSchedule = filter([readEnvironmentVariable('MAINTENANCE_SCHEDULE', ''), '0 40 2 * * *'], value => !empty(value))[0]
param furtherGroupIds = readEnvironmentVariable('FURTHER_GROUP_IDS', '')
param federatedDomains = readEnvironmentVariable('FEDERATED_DOMAINS', '')
param lookbackDays = int(filter([readEnvironmentVariable('LOOKBACK_DAYS', ''), '30'], value => !empty(value))[0])
param sliceMinutes = int(filter([readEnvironmentVariable('SLICE_MINUTES', ''), '15'], value => !empty(value))[0])
param retentionDays = int(filter([readEnvironmentVariable('RETENTION_DAYS', ''), '30'], value => !empty(value))[0])
param findingRetentionDays = int(filter([readEnvironmentVariable('FINDING_RETENTION_DAYS', ''), '400'], value => !empty(value))[0])
param quarantineRetentionDays = int(filter([readEnvironmentVariable('QUARANTINE_RETENTION_DAYS', ''), '30'], value => !empty(value))[0])
param policy = filter([readEnvironmentVariable('POLICY', ''), 'standard'], value => !empty(value))[0]
param incidentQuietDays = int(filter([readEnvironmentVariable('INCIDENT_QUIET_DAYS', ''), '7'], value => !empty(value))[0])
param realertHours = int(filter([readEnvironmentVariable('REALERT_HOURS', ''), '24'], value => !empty(value))[0])
param acknowledgedDays = int(filter([readEnvironmentVariable('ACKNOWLEDGED_DAYS', ''), '14'], value => !empty(value))[0])
param stormThreshold = int(filter([readEnvironmentVariable('STORM_THRESHOLD', ''), '20'], value => !empty(value))[0])
// A JSON object, for example {"CHANNELS__SOC__MINIMUM_SEVERITY": "high"}
param extraSettings = json(filter([readEnvironmentVariable('EXTRA_SETTINGS', ''), '{}'], value => !empty(value))[0])
param alertAllowedHosts = readEnvironmentVariable('ALERT_ALLOWED_HOSTS', '')
param publicUrl = readEnvironmentVariable('PUBLIC_URL', '')
param coverageTargetPercent = int(filter([readEnvironmentVariable('COVERAGE_TARGET_PERCENT', ''), '95'], value => !empty(value))[0])
// For example soc=teams,siem=generic
param channels = map(filter(split(readEnvironmentVariable('ALERT_CHANNELS', ''), ','), channel => !empty(trim(channel))), channel => {
  name: trim(split(channel, '=')[0])
  kind: trim(split(channel, '=')[1])
})

param instanceMemoryMB = int(filter([readEnvironmentVariable('INSTANCE_MEMORY_MB', ''), '2048'], value => !empty(value))[0])
param maximumInstanceCount = int(filter([readEnvironmentVariable('MAXIMUM_INSTANCE_COUNT', ''), '10'], value => !empty(value))[0])
param siteUpdateStrategy = filter([readEnvironmentVariable('SITE_UPDATE_STRATEGY', ''), 'Recreate'], value => !empty(value))[0]

param storageSku = readEnvironmentVariable('STORAGE_SKU', '')
param exportRetentionDays = int(filter([readEnvironmentVariable('EXPORT_RETENTION_DAYS', ''), '30'], value => !empty(value))[0])
param exportPolicyLocked = bool(filter([readEnvironmentVariable('EXPORT_POLICY_LOCKED', ''), 'false'], value => !empty(value))[0])
param recoverVault = bool(filter([readEnvironmentVariable('RECOVER_VAULT', ''), 'false'], value => !empty(value))[0])
param logRetentionDays = int(filter([readEnvironmentVariable('LOG_RETENTION_DAYS', ''), '90'], value => !empty(value))[0])
param logDailyCapGb = int(filter([readEnvironmentVariable('LOG_DAILY_CAP_GB', ''), '1'], value => !empty(value))[0])

param vnetEnabled = bool(filter([readEnvironmentVariable('VNET_ENABLED', ''), 'false'], value => !empty(value))[0])
param vnetPrefix = filter([readEnvironmentVariable('VNET_PREFIX', ''), '10.42.0.0/24'], value => !empty(value))[0]
param appSubnetPrefix = filter([readEnvironmentVariable('APP_SUBNET_PREFIX', ''), '10.42.0.0/26'], value => !empty(value))[0]
param endpointSubnetPrefix = filter([readEnvironmentVariable('ENDPOINT_SUBNET_PREFIX', ''), '10.42.0.64/27'], value => !empty(value))[0]
param allowedIpRanges = map(filter(split(readEnvironmentVariable('ALLOWED_IP_RANGES', ''), ','), range => !empty(trim(range))), range => trim(range))

param alertEmails = map(filter(split(readEnvironmentVariable('ALERT_EMAILS', ''), ','), email => !empty(trim(email))), email => trim(email))
param signInLagMinutes = int(filter([readEnvironmentVariable('SIGN_IN_LAG_MINUTES', ''), '180'], value => !empty(value))[0])
param alertWebhookUrl = readEnvironmentVariable('ALERT_WEBHOOK_URL', '')
// The hooks set it: before the first azd deploy there is no execution to count.
param appDeployed = bool(filter([readEnvironmentVariable('APP_DEPLOYED', ''), 'false'], value => !empty(value))[0])
param budgetAmount = int(filter([readEnvironmentVariable('BUDGET_AMOUNT', ''), '0'], value => !empty(value))[0])
param budgetStart = readEnvironmentVariable('BUDGET_START', '')
param mailRecipients = map(filter(split(readEnvironmentVariable('MAIL_RECIPIENTS', ''), ','), address => !empty(trim(address))), address => trim(address))
param mailDataLocation = filter([readEnvironmentVariable('MAIL_DATA_LOCATION', ''), 'Europe'], value => !empty(value))[0]
