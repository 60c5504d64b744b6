#!/usr/bin/env pwsh
<#
.SYNOPSIS
    azd hook before provisioning: what would make the deployment fail after minutes is said before anything is made.
.DESCRIPTION
    It looks at the cloud, at the settings and at the rights of whoever is signed in to az, and changes nothing in Azure.
    `azd env set CHECK_RIGHTS false` leaves the rights alone, for those whose roles are of their own making.
#>
$ErrorActionPreference = 'Stop'

function Exit-Deployment([string] $Reason, [string[]] $Lines) {
    Write-Host "Before the deployment: $Reason"
    foreach ($line in $Lines) { Write-Host "  $line" }
    exit 1
}
function Write-Note([string] $Text) { Write-Host "Before the deployment: $Text" }

# ---- the cloud and the tools

if ($env:GRAPH_BASE_URL -and $env:GRAPH_BASE_URL.TrimEnd('/') -ne 'https://graph.microsoft.com') {
    Exit-Deployment 'GRAPH_BASE_URL names a national cloud, and this template deploys to the public one only:' @(
        "Microsoft's Bicep extension for Graph does not reach the others.")
}
if ($env:AZD_BICEP_TOOL_PATH) {
    # else azd brings its own
    $text = & $env:AZD_BICEP_TOOL_PATH --version
    if ("$text" -notmatch '(\d+\.\d+\.\d+)' -or [version]$Matches[1] -lt [version]'0.36.0') {
        Exit-Deployment 'AZD_BICEP_TOOL_PATH names a Bicep older than 0.36.1, which does not know the types of Microsoft Graph.'
    }
}

# ---- the settings

$open = @()
if ($env:EXTRA_SETTINGS) {
    foreach ($member in ($env:EXTRA_SETTINGS | ConvertFrom-Json).PSObject.Properties) {
        if ($member.Name -match '^CHANNELS__\w+__(URL|SECRET|PREVIOUS_SECRET)$' -and "$($member.Value)" -notlike '@Microsoft.KeyVault(*') {
            $open += $member.Name
        }
    }
}
if ($open) {
    Exit-Deployment "EXTRA_SETTINGS holds a secret in the open: $($open -join ' ')" @(
        'Put it into the vault, and here: @Microsoft.KeyVault(VaultName=...;SecretName=...)')
}

# The rule that counts executions begins once there is code to execute (start-watching).
$deployed = if ($env:AZURE_FUNCTION_NAME) { 'true' } else { 'false' }
if ($env:APP_DEPLOYED -ne $deployed) { azd env set APP_DEPLOYED $deployed }

# ---- the rights

if ($env:CHECK_RIGHTS -eq 'false') { Write-Note 'rights are not looked at (CHECK_RIGHTS).'; exit 0 }
if (-not (Get-Command az -ErrorAction SilentlyContinue)) {
    Write-Note 'rights are not looked at, the Azure CLI (az) is not installed.'; exit 0
}
$cloud = az cloud show --query name --output tsv
if ($LASTEXITCODE -ne 0) { Write-Note 'rights are not looked at, az is not signed in.'; exit 0 }
if ($cloud -ne 'AzureCloud') {
    Exit-Deployment "az works with $cloud, and this template deploys to the public cloud only (az cloud set --name AzureCloud)."
}
$me = az ad signed-in-user show --query id --output tsv 2>$null
if ($LASTEXITCODE -ne 0) { Write-Note 'rights are not looked at, no person is signed in to az (az login).'; exit 0 }

if ($env:AZURE_SUBSCRIPTION_ID) {
    $roles = @(az role assignment list --assignee $me --scope "/subscriptions/$env:AZURE_SUBSCRIPTION_ID" --include-inherited `
            --include-groups --query '[].roleDefinitionName' --output tsv)
    $known = $LASTEXITCODE -eq 0
    $assigns = $roles -contains 'Role Based Access Control Administrator' -or $roles -contains 'User Access Administrator'
    if ($known -and $roles -notcontains 'Owner' -and -not ($roles -contains 'Contributor' -and $assigns)) {
        Exit-Deployment 'whoever is signed in to az may not deploy to this subscription.' @(
            'It takes Owner, or Contributor and Role Based Access Control Administrator. One that is eligible (PIM) must be activated.',
            'With other roles that suffice: azd env set CHECK_RIGHTS false')
    }
}

# The ids of directory roles are the same in every tenant.
$global = '62e90394-69f5-4237-9190-012177145e10'
$privileged = 'e8611ab8-c189-46e8-94e1-60213ab1f814'
$applications = '9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3'
$cloudApplications = '158c047a-c907-4556-b7ef-446551a6b5f7'
$held = @(az rest --method GET --headers ConsistencyLevel=eventual --query 'value[].roleTemplateId' --output tsv `
        --url 'https://graph.microsoft.com/v1.0/me/transitiveMemberOf/microsoft.graph.directoryRole?$count=true')
if ($LASTEXITCODE -ne 0) {
    Write-Note 'the directory roles could not be read; without them the deployment stops at its last steps.'; exit 0
}
function Test-Role([string[]] $Roles) { return [bool]($held | Where-Object { $Roles -contains $_ }) }

if ($env:GRANT_GRAPH_PERMISSIONS -ne 'false' -and -not (Test-Role $global, $privileged)) {
    Exit-Deployment 'giving the app its Graph permissions takes a Privileged Role Administrator, and you are none now.' @(
        'Activate the role (PIM), or leave it to somebody else, who gets the one command to run from the hook after it:',
        '  azd env set GRANT_GRAPH_PERMISSIONS false')
}
$easyAuth = -not $env:AUTH_MODE -or $env:AUTH_MODE -eq 'easyauth'
if ($easyAuth -and -not $env:AUTH_CLIENT_ID -and -not (Test-Role $global, $applications, $cloudApplications)) {
    Exit-Deployment 'registering the app for sign-in takes a Cloud Application Administrator, and you are none now.' @(
        'Activate the role (PIM), or use a registration that somebody else makes (docs/operations.md), or function keys:',
        '  azd env set AUTH_CLIENT_ID <client id>',
        '  azd env set AUTH_MODE key')
}
Write-Note 'the rights suffice.'
exit 0
