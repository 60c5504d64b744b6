#!/bin/sh
# Has the platform read every Key Vault reference of the app anew. It does so by itself once a day; after a secret was
# changed, and after `azd down` and `azd up`, nobody wants to wait that long. Also the azd hook after provisioning.
set -eu

if [ -z "${ALERT_CHANNELS:-}${EXTRA_SETTINGS:-}" ]; then
  echo "Key Vault references: there are none."
  exit 0
fi
command -v az >/dev/null || { echo "Key Vault references: az is not installed; they are read again within a day." && exit 0; }
: "${AZURE_RESOURCE_GROUP:?run azd provision first}" "${AZURE_FUNCTION_NAME:?run azd provision first}"
app=$(az functionapp show --resource-group "$AZURE_RESOURCE_GROUP" --name "$AZURE_FUNCTION_NAME" --query id --output tsv)
az rest --method POST --output none --url "$app/config/configreferences/appsettings/refresh?api-version=2022-03-01"
echo "Key Vault references: read again."
