metadata description = 'Easy Auth in front of the whole app: Entra ID of this tenant, no client secret, one open path. Or off, with function keys.'

@description('Name of the function app.')
param functionAppName string

@description('Whether Entra ID lets callers in. It is declared in both cases: what a template does not name stays as it was.')
param enabled bool

@description('Client id of the app registration; empty where Easy Auth is off.')
param clientId string

@description('Audiences that a caller\'s token may name beside the client id.')
param audiences array

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  name: functionAppName
}

var entraId = {
  enabled: true
  registration: {
    clientId: clientId
    // This tenant only: a token of any other issuer is refused.
    openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
    // Not a secret: the setting holds the client id of the identity whose token is the client assertion.
    clientSecretSettingName: 'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID'
  }
  validation: {
    allowedAudiences: concat([
      clientId
    ], audiences)
  }
}

resource settings 'Microsoft.Web/sites/config@2024-11-01' = {
  // These checks are about the configuration "web" of a site; this one is "authsettingsV2" and cannot hold what they ask for.
  // checkov:skip=CKV_AZURE_13: this resource is the authentication; the check looks for its predecessor
  // checkov:skip=CKV_AZURE_63: not a property of authsettingsV2; requests are logged in Application Insights
  // checkov:skip=CKV_AZURE_65: not a property of authsettingsV2; detailed errors are a feature of IIS
  // checkov:skip=CKV_AZURE_66: not a property of authsettingsV2; request tracing is a feature of IIS
  // checkov:skip=CKV_AZURE_80: not a property of authsettingsV2; the app is Python
  // checkov:skip=CKV_AZURE_88: not a property of authsettingsV2; Flex Consumption has no content share
  // checkov:skip=CKV_AZURE_222: not a property of authsettingsV2; function-app.bicep says who reaches the app
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: enabled
      runtimeVersion: '~1'
    }
    globalValidation: {
      requireAuthentication: enabled
      // A browser is sent to the sign-in page; a program brings its token. The path is the only one without data.
      unauthenticatedClientAction: enabled ? 'RedirectToLoginPage' : 'AllowAnonymous'
      redirectToProvider: enabled ? 'azureactivedirectory' : ''
      excludedPaths: [
        '/api/health'
      ]
    }
    httpSettings: {
      requireHttps: true
      forwardProxy: {
        // X-Forwarded-Host of a caller must not choose where the sign-in comes back to.
        convention: 'NoProxy'
      }
    }
    identityProviders: enabled ? {
      azureActiveDirectory: entraId
    } : {}
    login: {
      // The app reads the principal, never the tokens: do not keep any.
      tokenStore: {
        enabled: false
      }
      preserveUrlFragmentsForLogins: false
    }
  }
}
