metadata description = 'A webhook that turns alerts into mail, for those who have neither Teams nor Slack: a Logic App that sends by Azure Communication Services, with its own identity and no password.'

@description('Name of the Logic App.')
param workflowName string

@description('Name of the e-mail service.')
param emailServiceName string

@description('Name of the communication service.')
param communicationServiceName string

@description('Region of the Logic App.')
param location string

@description('Where the e-mail service keeps its data, such as Europe or United States.')
param dataLocation string

@description('Tags of every resource.')
param tags object

@description('Who gets the mail.')
@minLength(1)
param recipients array

resource emailService 'Microsoft.Communication/emailServices@2023-04-01' = {
  name: emailServiceName
  location: 'global'
  tags: tags
  properties: {
    dataLocation: dataLocation
  }
}

// Azure's own domain: nothing to prove in DNS, and a few hundred messages an hour at most.
resource domain 'Microsoft.Communication/emailServices/domains@2023-04-01' = {
  parent: emailService
  name: 'AzureManagedDomain'
  location: 'global'
  tags: tags
  properties: {
    domainManagement: 'AzureManaged'
    userEngagementTracking: 'Disabled'
  }
}

resource communicationService 'Microsoft.Communication/communicationServices@2023-04-01' = {
  name: communicationServiceName
  location: 'global'
  tags: tags
  properties: {
    dataLocation: dataLocation
    linkedDomains: [
      domain.id
    ]
  }
}

var addresses = [for recipient in recipients: {
  address: recipient
}]

// What comes in is alerts.md's JSON. Names in it come from a log that strangers write to, so the mail is plain text.
var subject = 'Partner MFA Monitor: @{triggerBody()[\'severity\']}, @{triggerBody()[\'type\']}@{if(triggerBody()[\'test\'], \' (test)\', \'\')}'
var text = join([
  '@{triggerBody()[\'type\']}, severity @{triggerBody()[\'severity\']}, @{triggerBody()[\'timestamp\']}'
  'To read it: @{coalesce(triggerBody()?[\'data\']?[\'url\'], triggerBody()?[\'data\']?[\'incident\']?[\'url\'], \'the monitor\')}'
  ''
  '@{string(triggerBody()[\'data\'])}'
], '\n')

// The trigger's own address holds a key, so it goes into the vault as the channel's URL (docs/operations.md). What
// passes through is kept out of the run history.
var hidden = {
  secureData: {
    properties: [
      'inputs'
      'outputs'
    ]
  }
}

resource workflow 'Microsoft.Logic/workflows@2019-05-01' = {
  name: workflowName
  location: location
  tags: tags
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    state: 'Enabled'
    definition: {
      '$schema': 'https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#'
      contentVersion: '1.0.0.0'
      triggers: {
        alert: {
          type: 'Request'
          kind: 'Http'
          inputs: {
            method: 'POST'
            schema: {
              type: 'object'
              required: [
                'version'
                'type'
                'severity'
                'timestamp'
                'test'
                'data'
              ]
            }
          }
          operationOptions: 'EnableSchemaValidation'
          runtimeConfiguration: hidden
        }
      }
      actions: {
        send: {
          type: 'Http'
          inputs: {
            method: 'POST'
            uri: 'https://${communicationService.properties.hostName}/emails:send?api-version=2023-03-31'
            headers: {
              'Content-Type': 'application/json'
            }
            body: {
              senderAddress: 'DoNotReply@${domain.properties.mailFromSenderDomain}'
              recipients: {
                to: addresses
              }
              content: {
                subject: subject
                plainText: text
              }
            }
            authentication: {
              type: 'ManagedServiceIdentity'
              audience: 'https://communication.azure.com'
            }
          }
          runAfter: {}
          runtimeConfiguration: hidden
        }
        taken: {
          type: 'Response'
          kind: 'Http'
          inputs: {
            statusCode: 200
          }
          runAfter: {
            send: [
              'Succeeded'
            ]
          }
        }
        // The monitor then tries again for a day, and says so when it gives up.
        refused: {
          type: 'Response'
          kind: 'Http'
          inputs: {
            statusCode: 502
          }
          runAfter: {
            send: [
              'Failed'
              'TimedOut'
            ]
          }
        }
      }
    }
  }
}

// Communication and Email Service Owner; there is no narrower built-in role that sends.
var senderRoleId = '09976791-48a7-449e-bb21-39d1a415f350'

resource sender 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: communicationService
  name: guid(communicationService.id, workflow.id, senderRoleId)
  properties: {
    principalId: workflow.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', senderRoleId)
    description: 'Sends the alerts as mail.'
  }
}

@description('Resource id of the Logic App\'s trigger, for the command that asks for its address.')
output triggerId string = '${workflow.id}/triggers/alert'
