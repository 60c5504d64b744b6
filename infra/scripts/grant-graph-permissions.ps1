#!/usr/bin/env pwsh
<#
.SYNOPSIS
    Gives the managed identity of the app its Microsoft Graph application permissions.
.DESCRIPTION
    Run it as Privileged Role Administrator (or Global Administrator), signed in with `az login`. It says what it does,
    and running it again changes nothing. Without arguments it runs as the azd hook: it takes both from the environment
    of azd and does nothing where the deployment itself has given the permissions (GRANT_GRAPH_PERMISSIONS is not false).
.EXAMPLE
    ./infra/scripts/grant-graph-permissions.ps1 PRINCIPAL_ID AuditLog.Read.All GroupMember.Read.All
#>
param(
    [string] $PrincipalId,
    [Parameter(ValueFromRemainingArguments)] [string[]] $Permissions
)
$ErrorActionPreference = 'Stop'
$GraphAppId = '00000003-0000-0000-c000-000000000000' # Microsoft Graph, the same in every tenant

if (-not $PrincipalId) {
    if ($env:GRANT_GRAPH_PERMISSIONS -ne 'false') {
        Write-Host 'Graph permissions: given by the deployment itself.'
        exit 0
    }
    if (-not $env:AZURE_IDENTITY_PRINCIPAL_ID -or -not $env:GRAPH_PERMISSIONS) {
        Write-Host 'Graph permissions: run azd provision first.'
        exit 1
    }
    $PrincipalId = $env:AZURE_IDENTITY_PRINCIPAL_ID
    $Permissions = $env:GRAPH_PERMISSIONS -split ' '
}
if (-not $Permissions) {
    Write-Host 'usage: grant-graph-permissions.ps1 PRINCIPAL_ID PERMISSION...'
    exit 2
}

function Exit-WithAdvice([string] $Reason) {
    Write-Host "Graph permissions: $Reason"
    Write-Host 'Somebody who may give them (Privileged Role Administrator) runs:'
    Write-Host "  az login; ./infra/scripts/grant-graph-permissions.ps1 $PrincipalId $($Permissions -join ' ')"
    exit 1
}

if (-not (Get-Command az -ErrorAction SilentlyContinue)) { Exit-WithAdvice 'the Azure CLI (az) is not installed here.' }
$graphUrl = az cloud show --query endpoints.microsoftGraphResourceId --output tsv
if ($LASTEXITCODE -ne 0) { Exit-WithAdvice 'az is not signed in.' }
$graph = az ad sp show --id $GraphAppId --output json | ConvertFrom-Json
if ($LASTEXITCODE -ne 0) { Exit-WithAdvice 'az cannot read the tenant.' }
$assignments = "$($graphUrl.TrimEnd('/'))/v1.0/servicePrincipals/$PrincipalId/appRoleAssignments"
$current = az rest --method GET --url $assignments --output json | ConvertFrom-Json
if ($LASTEXITCODE -ne 0) { Exit-WithAdvice "az cannot read what the identity $PrincipalId may do." }
$before = @($current.value | Where-Object resourceId -EQ $graph.id | ForEach-Object appRoleId)

Write-Host "Graph permissions of the identity ${PrincipalId}:"
foreach ($permission in $Permissions) {
    $role = $graph.appRoles | Where-Object { $_.value -eq $permission -and $_.allowedMemberTypes -contains 'Application' }
    if (-not $role) {
        Write-Host "  ${permission}: Microsoft Graph has no such application permission"
        exit 1
    }
    if ($before -contains $role.id) {
        Write-Host "  ${permission}: there already"
        continue
    }
    Write-Host "  ${permission}: giving it"
    # From a file: Windows takes the quotes out of an argument.
    $body = New-TemporaryFile
    @{ principalId = $PrincipalId; resourceId = $graph.id; appRoleId = $role.id } | ConvertTo-Json | Set-Content $body
    az rest --method POST --url $assignments --headers Content-Type=application/json --output none --body "@$body"
    $refused = $LASTEXITCODE -ne 0
    Remove-Item $body
    if ($refused) { Exit-WithAdvice "giving $permission was refused." }
}
Write-Host 'Done. A token that the app holds already shows new permissions after up to a day; restart the app to have them at once.'
