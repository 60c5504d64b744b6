using 'main.bicep'

// Every value comes from the azd environment: `azd env set NAME VALUE`, then `azd provision`. README.md lists the names.
// A list is comma-separated. Each value has a default, so that the file also compiles where no environment is selected.

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'partner-mfa')
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')
param extraTags = json(readEnvironmentVariable('EXTRA_TAGS', '{}'))

param partnerTenantId = readEnvironmentVariable('PARTNER_TENANT_ID', '')
param monitoredTenantIds = readEnvironmentVariable('MONITORED_TENANT_IDS', '')
param graphBaseUrl = readEnvironmentVariable('GRAPH_BASE_URL', 'https://graph.microsoft.com')
param grantGraphPermissions = bool(readEnvironmentVariable('GRANT_GRAPH_PERMISSIONS', 'true'))
param readPartnerSecurityScore = bool(readEnvironmentVariable('READ_PARTNER_SECURITY_SCORE', 'false'))
param authMode = readEnvironmentVariable('AUTH_MODE', 'easyauth')
param authClientId = readEnvironmentVariable('AUTH_CLIENT_ID', '')
param readerPrincipalIds = map(filter(split(readEnvironmentVariable('READER_PRINCIPAL_IDS', ''), ','), id => !empty(trim(id))), id => trim(id))
// azd says who deploys: without a list, that is the first Operator.
var deployerId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
var operatorIds = readEnvironmentVariable('OPERATOR_PRINCIPAL_IDS', '')
param operatorPrincipalIds = map(filter(split(empty(operatorIds) ? deployerId : operatorIds, ','), id => !empty(trim(id))), id => trim(id))

param scanSchedule = readEnvironmentVariable('SCAN_SCHEDULE', '0 */5 * * * *')
param alertSchedule = readEnvironmentVariable('ALERT_SCHEDULE', '0 * * * * *')
param directorySchedule = readEnvironmentVariable('DIRECTORY_SCHEDULE', '0 20 */6 * * *')
param maintenanceSchedule = readEnvironmentVariable('MAINTENANCE_SCHEDULE', '0 40 2 * * *')
param furtherGroupIds = readEnvironmentVariable('FURTHER_GROUP_IDS', '')
param federatedDomains = readEnvironmentVariable('FEDERATED_DOMAINS', '')
param readFederation = bool(readEnvironmentVariable('READ_FEDERATION', 'true'))
param lookbackDays = int(readEnvironmentVariable('LOOKBACK_DAYS', '30'))
param sliceMinutes = int(readEnvironmentVariable('SLICE_MINUTES', '15'))
param retentionDays = int(readEnvironmentVariable('RETENTION_DAYS', '30'))
param findingRetentionDays = int(readEnvironmentVariable('FINDING_RETENTION_DAYS', '400'))
param quarantineRetentionDays = int(readEnvironmentVariable('QUARANTINE_RETENTION_DAYS', '30'))
param policy = readEnvironmentVariable('POLICY', 'standard')
param incidentQuietDays = int(readEnvironmentVariable('INCIDENT_QUIET_DAYS', '7'))
param realertHours = int(readEnvironmentVariable('REALERT_HOURS', '24'))
param acknowledgedDays = int(readEnvironmentVariable('ACKNOWLEDGED_DAYS', '14'))
param stormThreshold = int(readEnvironmentVariable('STORM_THRESHOLD', '20'))
param alertAllowedHosts = readEnvironmentVariable('ALERT_ALLOWED_HOSTS', '')
param publicUrl = readEnvironmentVariable('PUBLIC_URL', '')
param coverageTargetPercent = int(readEnvironmentVariable('COVERAGE_TARGET_PERCENT', '95'))
// For example soc=teams,siem=generic
param channels = map(filter(split(readEnvironmentVariable('ALERT_CHANNELS', ''), ','), channel => !empty(trim(channel))), channel => {
  name: trim(split(channel, '=')[0])
  kind: trim(split(channel, '=')[1])
})

param instanceMemoryMB = int(readEnvironmentVariable('INSTANCE_MEMORY_MB', '2048'))
param maximumInstanceCount = int(readEnvironmentVariable('MAXIMUM_INSTANCE_COUNT', '40'))

param storageSku = readEnvironmentVariable('STORAGE_SKU', 'Standard_ZRS')
param exportRetentionDays = int(readEnvironmentVariable('EXPORT_RETENTION_DAYS', '30'))
param exportPolicyLocked = bool(readEnvironmentVariable('EXPORT_POLICY_LOCKED', 'false'))
param recoverVault = bool(readEnvironmentVariable('RECOVER_VAULT', 'false'))
param logRetentionDays = int(readEnvironmentVariable('LOG_RETENTION_DAYS', '30'))
param logDailyCapGb = int(readEnvironmentVariable('LOG_DAILY_CAP_GB', '1'))

param vnetEnabled = bool(readEnvironmentVariable('VNET_ENABLED', 'false'))
param vnetPrefix = readEnvironmentVariable('VNET_PREFIX', '10.42.0.0/24')
param appSubnetPrefix = readEnvironmentVariable('APP_SUBNET_PREFIX', '10.42.0.0/26')
param endpointSubnetPrefix = readEnvironmentVariable('ENDPOINT_SUBNET_PREFIX', '10.42.0.64/27')
param allowedIpRanges = map(filter(split(readEnvironmentVariable('ALLOWED_IP_RANGES', ''), ','), range => !empty(trim(range))), range => trim(range))

param alertEmails = map(filter(split(readEnvironmentVariable('ALERT_EMAILS', ''), ','), email => !empty(trim(email))), email => trim(email))
param signInLagMinutes = int(readEnvironmentVariable('SIGN_IN_LAG_MINUTES', '180'))
