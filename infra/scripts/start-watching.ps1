#!/usr/bin/env pwsh
<#
.SYNOPSIS
    azd hook after the code was deployed: puts on the alert rule that counts executions.
.DESCRIPTION
    Before the first deployment it would have woken somebody for an app that is not there yet. Waits for the first
    execution, five minutes at most.
#>
$ErrorActionPreference = 'Stop'
$tries = if ($env:WATCH_TRIES) { [int]$env:WATCH_TRIES } else { 15 }
$pause = if ($env:WATCH_PAUSE_SECONDS) { [int]$env:WATCH_PAUSE_SECONDS } else { 20 }
if ($env:APP_DEPLOYED -eq 'true') { exit 0 }

function Exit-WithCommand([string] $Reason) {
    Write-Host "Alert rule no-executions: still off, $Reason. The next azd provision puts it on, or now:"
    Write-Host "  az resource update --ids `"$env:NO_EXECUTIONS_RULE`" --set properties.enabled=true"
    exit 0
}
azd env set APP_DEPLOYED true
if (-not (Get-Command az -ErrorAction SilentlyContinue)) { Exit-WithCommand 'az is not installed' }
$app = az functionapp show --resource-group $env:AZURE_RESOURCE_GROUP --name $env:AZURE_FUNCTION_NAME --query id --output tsv
if ($LASTEXITCODE -ne 0) { Exit-WithCommand 'az cannot read the app' }
for (; $tries -gt 0; $tries--) {
    $count = az monitor metrics list --resource $app --metric OnDemandFunctionExecutionCount --aggregation Total `
        --interval PT1M --query 'length(value[].timeseries[].data[] | [?total > `0`])' --output tsv
    if ($LASTEXITCODE -eq 0 -and $count -and $count -ne '0') {
        az resource update --ids $env:NO_EXECUTIONS_RULE --set properties.enabled=true --output none
        if ($LASTEXITCODE -ne 0) { Exit-WithCommand 'az may not change it' }
        Write-Host 'Alert rule no-executions: on.'
        exit 0
    }
    Start-Sleep -Seconds $pause
}
Exit-WithCommand 'no function has run yet'
