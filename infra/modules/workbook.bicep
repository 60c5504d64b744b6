metadata description = 'An Azure Monitor workbook: compliance, coverage and the health of the app over time.'

@description('Region of the workbook.')
param location string

@description('Tags of every resource.')
param tags object

@description('Log Analytics workspace that the workbook asks.')
param workspaceId string

@description('Name that people see.')
param displayName string

// The last event of a day counts: the app logs one whenever it writes the day's roll-up anew.
var complianceQuery = '''
AppTraces
| where Message has "compliance_day"
| extend Event = parse_json(Message)
| where tostring(Event.event) == "compliance_day"
| extend Day = todatetime(Event["date"])
| summarize arg_max(TimeGenerated, Event) by Day
| project Day, Compliance = todouble(Event.compliancePercent), Coverage = todouble(Event.coveragePercent)
| order by Day asc
'''

var signInsQuery = '''
AppTraces
| where Message has "compliance_day"
| extend Event = parse_json(Message)
| where tostring(Event.event) == "compliance_day"
| extend Day = todatetime(Event["date"])
| summarize arg_max(TimeGenerated, Event) by Day
| project Day, Compliant = tolong(Event.compliant), NonCompliant = tolong(Event.nonCompliant), Unknown = tolong(Event.unknown)
| order by Day asc
'''

var eventsQuery = '''
AppTraces
| where Message has_any ("slice_parked", "poison_message", "coverage_below_target", "ingestion_lag", "request_budget_overrun", "maintenance_failed", "records_quarantined", "alert_dead")
| extend Event = parse_json(Message)
| where isnotempty(Event.event)
| summarize Events = count() by Name = tostring(Event.event), bin(TimeGenerated, 1h)
| order by TimeGenerated asc
'''

var functionsQuery = '''
AppRequests
| summarize Runs = count(), Failures = countif(Success == false), P95Seconds = round(percentile(DurationMs, 95) / 1000, 1), LastRun = max(TimeGenerated) by Function = Name
| order by Function asc
'''

var charts = [
  {
    name: 'compliance'
    title: 'Compliance and coverage, percent a day (customer and Partner Center sign-ins)'
    query: complianceQuery
    visualization: 'linechart'
  }
  {
    name: 'sign-ins'
    title: 'Delegated sign-ins a day by verdict; unknown never counts as compliant'
    query: signInsQuery
    visualization: 'barchart'
  }
  {
    name: 'events'
    title: 'Events that alerts are made of'
    query: eventsQuery
    visualization: 'timechart'
  }
  {
    name: 'functions'
    title: 'Functions'
    query: functionsQuery
    visualization: 'table'
  }
]

var introduction = [
  {
    type: 1
    name: 'introduction'
    content: {
      json: 'No number here is evidence: the tables are. A day without a point was not measured. Runbooks: docs/operations.md.'
    }
  }
  {
    type: 9
    name: 'parameters'
    content: {
      version: 'KqlParameterItem/1.0'
      style: 'pills'
      queryType: 0
      resourceType: 'microsoft.operationalinsights/workspaces'
      parameters: [
        {
          id: guid(workspaceId, 'range')
          version: 'KqlParameterItem/1.0'
          name: 'Range'
          label: 'Time range'
          type: 4
          isRequired: true
          value: {
            durationMs: 2592000000
          }
          typeSettings: {
            selectableValues: [
              {
                durationMs: 86400000
              }
              {
                durationMs: 604800000
              }
              {
                durationMs: 2592000000
              }
              {
                durationMs: 7776000000
              }
            ]
          }
        }
      ]
    }
  }
]

var drawings = [for chart in charts: {
  type: 3
  name: chart.name
  content: {
    version: 'KqlItem/1.0'
    title: chart.title
    query: chart.query
    size: 0
    timeContextFromParameter: 'Range'
    queryType: 0
    resourceType: 'microsoft.operationalinsights/workspaces'
    crossComponentResources: [
      workspaceId
    ]
    visualization: chart.visualization
  }
}]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'compliance')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: displayName
    category: 'workbook'
    sourceId: toLower(workspaceId)
    version: 'Notebook/1.0'
    serializedData: string({
      version: 'Notebook/1.0'
      items: concat(introduction, drawings)
      fallbackResourceIds: [
        workspaceId
      ]
    })
  }
}
