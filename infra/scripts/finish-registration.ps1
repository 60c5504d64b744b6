#!/usr/bin/env pwsh
<#
.SYNOPSIS
    azd hook after provisioning, for a registration that somebody else made (AUTH_CLIENT_ID): says what is still to be done.
.DESCRIPTION
    Only now are the app's address and identity known. It changes nothing. docs/operations.md has the whole order.
#>
$ErrorActionPreference = 'Stop'
if (-not $env:AUTH_CLIENT_ID) { exit 0 }
if (-not $env:AZURE_FUNCTION_URL -or -not $env:AZURE_TENANT_ID -or -not $env:AZURE_IDENTITY_PRINCIPAL_ID) {
    Write-Host 'The registration: run azd provision first.'
    exit 1
}
Write-Host @"
The registration $($env:AUTH_CLIENT_ID): its owner runs once, in bash:
  az ad app update --id $($env:AUTH_CLIENT_ID) --web-redirect-uris $($env:AZURE_FUNCTION_URL)/.auth/login/aad/callback
  az ad app federated-credential create --id $($env:AUTH_CLIENT_ID) --parameters '{"name": "function-app",
    "issuer": "https://login.microsoftonline.com/$($env:AZURE_TENANT_ID)/v2.0", "subject": "$($env:AZURE_IDENTITY_PRINCIPAL_ID)",
    "audiences": ["api://AzureADTokenExchange"]}'
Then its enterprise application gets people: Reader or Operator, to nobody by itself (not to who deployed either).
"@
exit 0
