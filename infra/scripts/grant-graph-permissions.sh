#!/bin/sh
# Gives the managed identity of the app its Microsoft Graph application permissions. Run it as Privileged Role
# Administrator (or Global Administrator), signed in with `az login`. It says what it does, and running it again changes
# nothing.
#
#   grant-graph-permissions.sh PRINCIPAL_ID PERMISSION...
#
# Without arguments it runs as the azd hook: it takes both from the environment of azd and does nothing where the
# deployment itself has given the permissions (GRANT_GRAPH_PERMISSIONS is not false).
set -eu

GRAPH_APP_ID=00000003-0000-0000-c000-000000000000 # Microsoft Graph, the same in every tenant

if [ $# -eq 0 ]; then
  if [ "${GRANT_GRAPH_PERMISSIONS:-true}" != false ]; then
    echo "Graph permissions: given by the deployment itself."
    exit 0
  fi
  # One permission an argument: the list holds no spaces but those between its entries.
  # shellcheck disable=SC2086
  set -- "${AZURE_IDENTITY_PRINCIPAL_ID:?run azd provision first}" ${GRAPH_PERMISSIONS:?run azd provision first}
fi
if [ $# -lt 2 ]; then
  echo "usage: $0 PRINCIPAL_ID PERMISSION..." >&2
  exit 2
fi
principal=$1
shift

explain() {
  echo "Graph permissions: $1" >&2
  echo "Somebody who may give them (Privileged Role Administrator) runs:" >&2
  echo "  az login && sh infra/scripts/grant-graph-permissions.sh $principal $permissions" >&2
  exit 1
}
permissions=$*

command -v az >/dev/null || explain "the Azure CLI (az) is not installed here."
graph_url=$(az cloud show --query endpoints.microsoftGraphResourceId --output tsv) || explain "az is not signed in."
graph_url=${graph_url%/}
graph=$(az ad sp show --id "$GRAPH_APP_ID" --query id --output tsv) || explain "az cannot read the tenant."
assignments="$graph_url/v1.0/servicePrincipals/$principal/appRoleAssignments"

given() { # the ids of the Graph roles that the identity has
  az rest --method GET --url "$assignments" --query "value[?resourceId=='$graph'].appRoleId" --output tsv
}

before=$(given) || explain "az cannot read what the identity $principal may do."
echo "Graph permissions of the identity $principal:"
for permission in "$@"; do
  role=$(az ad sp show --id "$GRAPH_APP_ID" --output tsv \
    --query "appRoles[?value=='$permission' && contains(allowedMemberTypes, 'Application')].id | [0]")
  if [ -z "$role" ]; then
    echo "  $permission: Microsoft Graph has no such application permission" >&2
    exit 1
  fi
  if printf '%s\n' "$before" | grep -qix "$role"; then
    echo "  $permission: there already"
  else
    echo "  $permission: giving it"
    az rest --method POST --url "$assignments" --headers Content-Type=application/json --output none \
      --body "{\"principalId\": \"$principal\", \"resourceId\": \"$graph\", \"appRoleId\": \"$role\"}" ||
      explain "giving $permission was refused."
  fi
done
echo "Done. A token that the app holds already shows new permissions after up to a day; restart the app to have them at once."
