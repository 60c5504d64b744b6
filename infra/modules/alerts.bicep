metadata description = 'Watching the watcher: Azure Monitor asks logs and a metric from outside the app, so a stopped app is noticed too.'

@description('Name of the action group.')
param actionGroupName string

@description('Start of the names of the alert rules.')
param ruleNamePrefix string

@description('End of the names of the alert rules.')
param ruleNameSuffix string

@description('Region of the rules: that of the workspace.')
param location string

@description('Tags of every resource.')
param tags object

@description('Log Analytics workspace that the rules ask.')
param workspaceId string

@description('Resource id of the function app, for the one rule that needs no logs.')
param functionAppId string

@description('Whether the app was deployed already. Before that it cannot have a heartbeat, and nobody is to be woken for it.')
param appDeployed bool

@description('E-mail addresses that hear of alerts; when there is no address and no webhook, the owners of the subscription do.')
param emails array

@description('Webhook that gets the alerts too, by the common alert schema; empty for none.')
@secure()
param webhookUrl string

@description('Minutes that sign-in data may be late before an alert.')
param signInLagMinutes int

// The built-in role Owner; its id is the same in every tenant.
var ownerRoleId = '8e3af657-a8ff-443c-a75c-2fe8c4bcb635'

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: actionGroupName
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'partner-mfa'
    enabled: true
    emailReceivers: [for (email, i) in emails: {
      name: 'email-${i}'
      emailAddress: email
      useCommonAlertSchema: true
    }]
    webhookReceivers: empty(webhookUrl) ? [] : [
      {
        name: 'webhook'
        serviceUri: webhookUrl
        useCommonAlertSchema: true
      }
    ]
    // An alert that nobody gets is worse than one too many.
    armRoleReceivers: empty(emails) && empty(webhookUrl) ? [
      {
        name: 'subscription-owners'
        roleId: ownerRoleId
        useCommonAlertSchema: true
      }
    ] : []
  }
}

// The app logs an event as one line of JSON with a member "event" (docs/operations.md lists them). {event} is replaced.
var eventQuery = '''
AppTraces
| where Message has "{event}"
| extend Event = parse_json(Message)
| where tostring(Event.event) == "{event}"
'''

// Each rule fires when its query gives a row, and resolves by itself when it gives none any more. The heartbeat is
// asked as "no row of success" inside the query, since a rule that waits for rows never sees that there are none.
var rules = [
  {
    name: 'no-heartbeat'
    title: 'The scan has not run for an hour'
    severity: 0
    window: 'PT1H'
    // Looks back two days (below): the rule is there before the code, and a monitor that never ran has not stopped.
    query: '''
let runs = AppRequests | where Name == "plan_scans" and Success == true;
let seen = toscalar(runs | count);
runs
| where TimeGenerated > ago(1h)
| summarize Runs = count()
| where Runs == 0 and seen > 0
'''
  }
  {
    name: 'function-failures'
    title: 'Functions fail'
    severity: 2
    window: 'PT30M'
    // Success tells of the invocation alone: a route that answers 503 has run well. So the answer's code is asked too.
    query: '''
AppRequests
| where Success == false or toint(ResultCode) >= 500
| summarize Failures = count() by Name
| where Failures >= 3
'''
  }
  {
    name: 'slice-parked'
    title: 'A slice of the sign-in log was given up after its last attempt'
    severity: 2
    window: 'PT30M'
    query: replace(eventQuery, '{event}', 'slice_parked')
  }
  {
    name: 'poison-message'
    title: 'A message went to a poison queue'
    severity: 2
    window: 'PT30M'
    query: replace(eventQuery, '{event}', 'poison_message')
  }
  {
    name: 'coverage-below-target'
    title: 'Less of the sign-in log was read than the target'
    severity: 2
    window: 'PT1H'
    query: replace(eventQuery, '{event}', 'coverage_below_target')
  }
  {
    name: 'ingestion-lag'
    title: 'Sign-in data is late'
    severity: 2
    window: 'PT30M'
    query: '${replace(eventQuery, '{event}', 'ingestion_lag')}| where toint(Event.lagSeconds) > ${signInLagMinutes} * 60'
  }
  {
    name: 'permission-missing'
    title: 'The monitor lacks a permission or a licence'
    severity: 1
    window: 'PT3H'
    // The app checks itself once an hour. Twice, since what was just given takes a while to hold everywhere.
    query: '''
AppTraces
| where Message has "preflight"
| extend Event = parse_json(Message)
| where tostring(Event.event) == "preflight"
| where toint(Event.missingPermissions) + toint(Event.missingLicences) > 0
| summarize Times = count()
| where Times >= 2
'''
  }
  {
    name: 'webhook-dead'
    title: 'Alerts do not arrive: a channel is dead'
    severity: 1
    window: 'PT3H'
    // Either a message was given up after a day of tries, or the channel's settings are wrong.
    query: '''
AppTraces
| where Message has_any ("alert_dead", "preflight")
| extend Event = parse_json(Message)
| where tostring(Event.event) == "alert_dead" or (tostring(Event.event) == "preflight" and toint(Event.deadChannels) > 0)
'''
  }
  {
    name: 'records-quarantined'
    title: 'Records of the sign-in log could not be read'
    severity: 2
    window: 'PT1H'
    query: replace(eventQuery, '{event}', 'records_quarantined')
  }
  {
    name: 'request-budget-overrun'
    title: 'Graph requests are over their budget'
    severity: 3
    window: 'PT1H'
    query: replace(eventQuery, '{event}', 'request_budget_overrun')
  }
  {
    name: 'maintenance-failed'
    title: 'The tables were not exported, or old rows not deleted, tonight'
    severity: 2
    window: 'PT1H'
    query: replace(eventQuery, '{event}', 'maintenance_failed')
  }
  {
    name: 'log-cap-reached'
    title: 'The daily cap on logs is reached: the other alerts are blind until tomorrow'
    severity: 1
    window: 'PT1H'
    query: '''
_LogOperation
| where Category =~ "Ingestion" and Detail contains "OverQuota"
'''
  }
]

// No identity: a rule keeps the rights that its deployer had when it was deployed, and reads this one workspace.
resource alertRules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in rules: {
  name: '${ruleNamePrefix}${rule.name}-${ruleNameSuffix}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: rule.title
    description: '${rule.title}. What to do: docs/operations.md, "${rule.name}".'
    severity: rule.severity
    enabled: true
    scopes: [
      workspaceId
    ]
    // A quarter of an hour is soon enough for a log that is itself minutes to hours late, and costs a third of 5 minutes.
    evaluationFrequency: 'PT15M'
    windowSize: rule.window
    // The most that a rule can ask for; a monitor that stands still for longer is left to no-executions.
    overrideQueryTimeRange: rule.name == 'no-heartbeat' ? 'P2D' : null
    // A new workspace has no tables yet; without this the first deployment would fail on the queries.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: rule.query
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    autoMitigate: true
    actions: {
      actionGroups: [
        actionGroup.id
      ]
      customProperties: {
        runbook: 'docs/operations.md#${rule.name}'
      }
    }
  }
}]

// Everything above rests on logs. This one does not: it holds when the cap is reached, when telemetry is refused and when
// the workspace is gone. It asks the platform how often any function ran.
resource noExecutions 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${ruleNamePrefix}no-executions-${ruleNameSuffix}'
  location: 'global'
  tags: tags
  properties: {
    description: 'No function has run for an hour. What to do: docs/operations.md, "no-executions".'
    severity: 0
    enabled: appDeployed
    scopes: [
      functionAppId
    ]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT1H'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'executions'
          metricNamespace: 'Microsoft.Web/sites'
          metricName: 'OnDemandFunctionExecutionCount'
          timeAggregation: 'Total'
          operator: 'LessThan'
          threshold: 1
        }
      ]
    }
    autoMitigate: true
    actions: [
      {
        actionGroupId: actionGroup.id
        webHookProperties: {
          runbook: 'docs/operations.md#no-executions'
        }
      }
    ]
  }
}

@description('Resource id of the rule that is off until the app was deployed once.')
output noExecutionsRuleId string = noExecutions.id

@description('Name of the action group, for a test of it.')
output actionGroupName string = actionGroup.name
