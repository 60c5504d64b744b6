#!/bin/sh
# azd hook after the code was deployed: puts on the alert rule that counts executions. Before the first deployment it
# would have woken somebody for an app that is not there yet. Waits for the first execution, five minutes at most.
set -eu

tries=${WATCH_TRIES:-15}
pause=${WATCH_PAUSE_SECONDS:-20}
[ "${APP_DEPLOYED:-false}" != true ] || exit 0
by_hand() {
  echo "Alert rule no-executions: still off, $1. The next azd provision puts it on, or now:"
  echo "  az resource update --ids \"${NO_EXECUTIONS_RULE:-}\" --set properties.enabled=true"
  exit 0
}
azd env set APP_DEPLOYED true
command -v az >/dev/null || by_hand "az is not installed"
app=$(az functionapp show --resource-group "$AZURE_RESOURCE_GROUP" --name "$AZURE_FUNCTION_NAME" --query id --output tsv) ||
  by_hand "az cannot read the app"
while [ "$tries" -gt 0 ]; do
  # shellcheck disable=SC2016
  count=$(az monitor metrics list --resource "$app" --metric OnDemandFunctionExecutionCount --aggregation Total \
    --interval PT1M --query 'length(value[].timeseries[].data[] | [?total > `0`])' --output tsv) || count=0
  case "$count" in
  '' | 0) ;;
  *)
    az resource update --ids "$NO_EXECUTIONS_RULE" --set properties.enabled=true --output none || by_hand "az may not change it"
    echo "Alert rule no-executions: on."
    exit 0
    ;;
  esac
  tries=$((tries - 1))
  sleep "$pause"
done
by_hand "no function has run yet"
