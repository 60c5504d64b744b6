metadata description = 'Mail when the resource group costs more than expected. It stops nothing.'

@description('Amount of a month, in the currency of the subscription.')
@minValue(1)
param amount int

@description('First day of the month from which it counts, YYYY-MM-01: this month or a later one.')
@minLength(10)
@maxLength(10)
param startDate string

@description('E-mail addresses that hear of it; when there is none, the owners of the subscription do.')
param emails array

resource budget 'Microsoft.Consumption/budgets@2024-08-01' = {
  name: 'partner-mfa-monitor'
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: {
      startDate: startDate
    }
    notifications: {
      nearly: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: emails
        contactRoles: empty(emails) ? [
          'Owner'
        ] : []
      }
      foreseen: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: emails
        contactRoles: empty(emails) ? [
          'Owner'
        ] : []
      }
    }
  }
}
