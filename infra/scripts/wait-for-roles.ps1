#!/usr/bin/env pwsh
<#
.SYNOPSIS
    azd hook before the code is deployed: waits until roles that were given a moment ago hold everywhere.
.DESCRIPTION
    Otherwise the first deployment would end with 403. Waits where one is younger than two minutes, else not at all.
#>
$ErrorActionPreference = 'Stop'
$seconds = if ($env:ROLE_WAIT_SECONDS) { [int]$env:ROLE_WAIT_SECONDS } else { 90 }
if (-not (Get-Command az -ErrorAction SilentlyContinue) -or -not $env:AZURE_IDENTITY_PRINCIPAL_ID) {
    Write-Host 'Roles: not looked at. Should the deployment end with 403, Azure was slow: run azd deploy again.'
    exit 0
}
$since = [DateTime]::UtcNow.AddMinutes(-2).ToString('yyyy-MM-ddTHH:mm:ss')
$young = az role assignment list --assignee $env:AZURE_IDENTITY_PRINCIPAL_ID --all `
    --query "[?createdOn >= '$since'] | length(@)" --output tsv
if ($LASTEXITCODE -ne 0) { $young = '1' }
if ($young -ne '0') {
    Write-Host "Roles: given a moment ago; waiting $seconds seconds until they hold everywhere."
    Start-Sleep -Seconds $seconds
}
exit 0
