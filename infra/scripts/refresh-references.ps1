#!/usr/bin/env pwsh
<#
.SYNOPSIS
    Has the platform read every Key Vault reference of the app anew. Also the azd hook after provisioning.
.DESCRIPTION
    It does so by itself once a day; after a secret was changed, and after `azd down` and `azd up`, nobody wants to wait
    that long.
#>
$ErrorActionPreference = 'Stop'
if (-not $env:ALERT_CHANNELS -and -not $env:EXTRA_SETTINGS) { Write-Host 'Key Vault references: there are none.'; exit 0 }
if (-not (Get-Command az -ErrorAction SilentlyContinue)) {
    Write-Host 'Key Vault references: az is not installed; they are read again within a day.'
    exit 0
}
if (-not $env:AZURE_RESOURCE_GROUP -or -not $env:AZURE_FUNCTION_NAME) {
    Write-Host 'Key Vault references: run azd provision first.'
    exit 1
}
$app = az functionapp show --resource-group $env:AZURE_RESOURCE_GROUP --name $env:AZURE_FUNCTION_NAME --query id --output tsv
if ($LASTEXITCODE -ne 0) { exit 1 }
az rest --method POST --output none --url "$app/config/configreferences/appsettings/refresh?api-version=2022-03-01"
if ($LASTEXITCODE -ne 0) { exit 1 }
Write-Host 'Key Vault references: read again.'
exit 0
