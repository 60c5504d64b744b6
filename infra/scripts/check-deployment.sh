#!/bin/sh
# azd hook before provisioning: what would make the deployment fail after minutes is said before anything is made. It
# looks at the cloud, at the settings and at the rights of whoever is signed in to az, and changes nothing in Azure.
# `azd env set CHECK_RIGHTS false` leaves the rights alone, for those whose roles are of their own making.
set -eu

stop() {
  echo "Before the deployment: $1" >&2
  shift
  for line in "$@"; do echo "  $line" >&2; done
  exit 1
}
note() { echo "Before the deployment: $1"; }

# ---- the cloud and the tools

case "${GRAPH_BASE_URL:-}" in
'' | https://graph.microsoft.com | https://graph.microsoft.com/) ;;
*) stop "GRAPH_BASE_URL names a national cloud, and this template deploys to the public one only:" \
  "Microsoft's Bicep extension for Graph does not reach the others." ;;
esac
if [ -n "${AZD_BICEP_TOOL_PATH:-}" ]; then # else azd brings its own
  "$AZD_BICEP_TOOL_PATH" --version | awk '
    match($0, /[0-9]+\.[0-9]+\.[0-9]+/) { split(substr($0, RSTART, RLENGTH), v, "."); found = v[1] * 1000 + v[2] }
    END { exit !(found >= 36) }' ||
    stop "AZD_BICEP_TOOL_PATH names a Bicep older than 0.36.1, which does not know the types of Microsoft Graph."
fi

# ---- the settings

open=$(printf '%s' "${EXTRA_SETTINGS:-}" |
  grep -Eo '"CHANNELS__[A-Za-z0-9_]+__(URL|SECRET|PREVIOUS_SECRET)" *: *"[^"]*"' |
  grep -v '"@Microsoft\.KeyVault(' | cut -d '"' -f 2 | tr '\n' ' ' || true)
[ -z "$open" ] || stop "EXTRA_SETTINGS holds a secret in the open: $open" \
  "Put it into the vault, and here: @Microsoft.KeyVault(VaultName=…;SecretName=…)"

# The rule that counts executions begins once there is code to execute (start-watching).
deployed=false
if [ -n "${AZURE_FUNCTION_NAME:-}" ]; then deployed=true; fi
if [ "${APP_DEPLOYED:-}" != "$deployed" ]; then azd env set APP_DEPLOYED "$deployed"; fi

# ---- the rights

if [ "${CHECK_RIGHTS:-true}" = false ]; then
  note "rights are not looked at (CHECK_RIGHTS)."
  exit 0
fi
command -v az >/dev/null || { note "rights are not looked at, the Azure CLI (az) is not installed." && exit 0; }
cloud=$(az cloud show --query name --output tsv) || { note "rights are not looked at, az is not signed in." && exit 0; }
[ "$cloud" = AzureCloud ] || stop "az works with $cloud, and this template deploys to the public cloud only (az cloud set --name AzureCloud)."
me=$(az ad signed-in-user show --query id --output tsv 2>/dev/null) || {
  note "rights are not looked at, no person is signed in to az (az login)."
  exit 0
}

if [ -n "${AZURE_SUBSCRIPTION_ID:-}" ]; then
  roles=$(az role assignment list --assignee "$me" --scope "/subscriptions/$AZURE_SUBSCRIPTION_ID" --include-inherited \
    --include-groups --query "[].roleDefinitionName" --output tsv) || roles=unknown
  has() { printf '%s\n' "$roles" | grep -qxE "$1"; }
  has 'Owner|unknown' || { has Contributor && has 'Role Based Access Control Administrator|User Access Administrator'; } ||
    stop "whoever is signed in to az may not deploy to this subscription." \
      "It takes Owner, or Contributor and Role Based Access Control Administrator. One that is eligible (PIM) must be activated." \
      "With other roles that suffice: azd env set CHECK_RIGHTS false"
fi

# The ids of directory roles are the same in every tenant.
global=62e90394-69f5-4237-9190-012177145e10
privileged=e8611ab8-c189-46e8-94e1-60213ab1f814
applications=9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3
cloud_applications=158c047a-c907-4556-b7ef-446551a6b5f7
# shellcheck disable=SC2016
held=$(az rest --method GET --headers ConsistencyLevel=eventual --query "value[].roleTemplateId" --output tsv \
  --url 'https://graph.microsoft.com/v1.0/me/transitiveMemberOf/microsoft.graph.directoryRole?$count=true') || {
  note "the directory roles could not be read; without them the deployment stops at its last steps."
  exit 0
}
holds() { printf '%s\n' "$held" | grep -qixE "$1"; }

if [ "${GRANT_GRAPH_PERMISSIONS:-true}" != false ] && ! holds "$global|$privileged"; then
  stop "giving the app its Graph permissions takes a Privileged Role Administrator, and you are none now." \
    "Activate the role (PIM), or leave it to somebody else, who gets the one command to run from the hook after it:" \
    "  azd env set GRANT_GRAPH_PERMISSIONS false"
fi
mode=${AUTH_MODE:-easyauth}
if [ "${mode:-easyauth}" = easyauth ] && [ -z "${AUTH_CLIENT_ID:-}" ] &&
  ! holds "$global|$applications|$cloud_applications"; then
  stop "registering the app for sign-in takes a Cloud Application Administrator, and you are none now." \
    "Activate the role (PIM), or use a registration that somebody else makes (docs/operations.md), or function keys:" \
    "  azd env set AUTH_CLIENT_ID <client id>" \
    "  azd env set AUTH_MODE key"
fi
note "the rights suffice."
