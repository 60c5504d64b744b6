#!/bin/sh
# azd hook before provisioning. A vault that `azd down` deleted keeps its name for 90 days (purge protection), so the
# next `azd up` under the same name must bring it back instead of making one. This looks for it and tells the template
# by RECOVER_VAULT. It changes nothing in Azure.
set -eu

skip() {
  echo "Deleted vault: not looked for, $1. It matters only after azd down; then: azd env set RECOVER_VAULT true"
  # A vault that is there is not to be brought back, whatever an earlier deployment was told.
  if [ -n "${AZURE_KEY_VAULT_NAME:-}" ] && [ "${RECOVER_VAULT:-false}" = true ]; then azd env set RECOVER_VAULT false; fi
  exit 0
}
[ -n "${AZURE_SUBSCRIPTION_ID:-}" ] || skip "this environment has no subscription yet"
command -v az >/dev/null || skip "the Azure CLI (az) is not installed"

mine="properties.tags.\"azd-env-name\" == '$AZURE_ENV_NAME' && properties.tags.application == 'partner-mfa-monitor'"
here="properties.location == '${AZURE_LOCATION:-}'"
name=$(az keyvault list-deleted --subscription "$AZURE_SUBSCRIPTION_ID" --resource-type vault \
  --query "[?$mine && $here].name | [0]" --output tsv) || skip "az could not list deleted vaults (az login)"

if [ -n "$name" ]; then
  echo "Deleted vault: $name is brought back, with its secrets."
  azd env set RECOVER_VAULT true
else
  echo "Deleted vault: none of this environment."
  azd env set RECOVER_VAULT false
fi
