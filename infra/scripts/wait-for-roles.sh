#!/bin/sh
# azd hook before the code is deployed: a role that was given a moment ago does not hold everywhere yet, and the first
# deployment would end with 403. Waits where one is younger than two minutes, else not at all.
set -eu

seconds=${ROLE_WAIT_SECONDS:-90}
if ! command -v az >/dev/null || [ -z "${AZURE_IDENTITY_PRINCIPAL_ID:-}" ]; then
  echo "Roles: not looked at. Should the deployment end with 403, Azure was slow: run azd deploy again."
  exit 0
fi
since=$(date -u -d '2 minutes ago' +%Y-%m-%dT%H:%M:%S 2>/dev/null || date -u -v-2M +%Y-%m-%dT%H:%M:%S)
young=$(az role assignment list --assignee "$AZURE_IDENTITY_PRINCIPAL_ID" --all \
  --query "[?createdOn >= '$since'] | length(@)" --output tsv) || young=1
if [ "${young:-0}" != 0 ]; then
  echo "Roles: given a moment ago; waiting $seconds seconds until they hold everywhere."
  sleep "$seconds"
fi
