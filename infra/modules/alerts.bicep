metadata description = 'Watching the watcher: Azure Monitor asks the logs from outside the app, so a stopped app is noticed too.'

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

@description('E-mail addresses that hear of alerts; when there is none, the owners of the subscription do.')
param emails array

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
    // An alert that nobody gets is worse than one too many.
    armRoleReceivers: empty(emails) ? [
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
    query: '''
AppRequests
| where Name == "plan_scans" and Success == true
| summarize Runs = count()
| where Runs == 0
'''
  }
  {
    name: 'function-failures'
    title: 'Functions fail'
    severity: 2
    window: 'PT30M'
    // An answer of 400 to 499 is the caller's mistake, not the app's.
    query: '''
AppRequests
| where Success == false
| where not(coalesce(toint(ResultCode), 0) between (400 .. 499))
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
