#!/usr/bin/env pwsh
<#
.SYNOPSIS
    azd hook before provisioning: looks for a deleted vault of this environment.
.DESCRIPTION
    A vault that `azd down` deleted keeps its name for 90 days (purge protection), so the next `azd up` under the same
    name must bring it back instead of making one. This tells the template by RECOVER_VAULT. It changes nothing in Azure.
#>
$ErrorActionPreference = 'Stop'

function Exit-Search([string] $Reason) {
    Write-Host "Deleted vault: not looked for, $Reason. It matters only after azd down; then: azd env set RECOVER_VAULT true"
    # A vault that is there is not to be brought back, whatever an earlier deployment was told.
    if ($env:AZURE_KEY_VAULT_NAME -and $env:RECOVER_VAULT -eq 'true') { azd env set RECOVER_VAULT false }
    exit 0
}
if (-not $env:AZURE_SUBSCRIPTION_ID) { Exit-Search 'this environment has no subscription yet' }
if (-not (Get-Command az -ErrorAction SilentlyContinue)) { Exit-Search 'the Azure CLI (az) is not installed' }

$deleted = az keyvault list-deleted --subscription $env:AZURE_SUBSCRIPTION_ID --resource-type vault --output json | ConvertFrom-Json
if ($LASTEXITCODE -ne 0) { Exit-Search 'az could not list deleted vaults (az login)' }
$mine = @($deleted | Where-Object {
        $_.properties.tags.'azd-env-name' -eq $env:AZURE_ENV_NAME -and
        $_.properties.tags.application -eq 'partner-mfa-monitor' -and
        $_.properties.location -eq $env:AZURE_LOCATION
    })

if ($mine) {
    Write-Host "Deleted vault: $($mine[0].name) is brought back, with its secrets."
    azd env set RECOVER_VAULT true
} else {
    Write-Host 'Deleted vault: none of this environment.'
    azd env set RECOVER_VAULT false
}
exit $LASTEXITCODE
