#!/bin/sh
# azd hook after provisioning, for a registration that somebody else made (AUTH_CLIENT_ID): says what is still to be done
# there, now that the app's address and identity are known. It changes nothing. docs/operations.md has the whole order.
set -eu

[ -n "${AUTH_CLIENT_ID:-}" ] || exit 0
: "${AZURE_FUNCTION_URL:?run azd provision first}" "${AZURE_TENANT_ID:?}" "${AZURE_IDENTITY_PRINCIPAL_ID:?}"
cat <<TEXT
The registration $AUTH_CLIENT_ID: its owner runs once, in bash:
  az ad app update --id $AUTH_CLIENT_ID --web-redirect-uris $AZURE_FUNCTION_URL/.auth/login/aad/callback
  az ad app federated-credential create --id $AUTH_CLIENT_ID --parameters '{"name": "function-app",
    "issuer": "https://login.microsoftonline.com/$AZURE_TENANT_ID/v2.0", "subject": "$AZURE_IDENTITY_PRINCIPAL_ID",
    "audiences": ["api://AzureADTokenExchange"]}'
Then its enterprise application gets people: Reader or Operator, to nobody by itself (not to who deployed either).
TEXT
