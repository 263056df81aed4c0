metadata description = 'One log search alert for each query under infra/queries. What to do when one fires: docs/alarms.md.'

@description('Required. First part of the names of the alarms.')
param name string

@description('Required. Region of the alarms: the region of the workspace.')
param location string

@description('Required. Resource id of the Log Analytics workspace that has the traces of the functions and the audit logs of the vaults.')
param workspaceId string

@description('Optional. Resource id of the action group to notify. Empty: alarms appear in the portal only and notify no one.')
param actionGroupId string = ''

@description('Required. Time of this deployment, as ISO 8601.')
param deployedAt string

@description('Optional. Tags of the alarms.')
param tags { *: string } = {}

// The log lines as a table with typed columns, which the queries of the other files use.
var events = loadTextContent('../queries/rotatorEvents.kql')

// Each query returns rows if something is wrong, and none if all is well.
var alarms = [
  {
    name: 'saveWaiting'
    title: 'A refresh token waits for its vault'
    description: 'A provider has issued a new refresh token and the vault does not accept it. It exists in the memory of one process only. Make the vault accept writes, and do not stop or deploy the function app meanwhile.'
    query: '${events}${loadTextContent('../queries/saveWaiting.kql')}'
    severity: 0
    window: 'P1D'
    frequency: 'PT5M'
    dimensions: ['connection']
  }
  // The window says whether it has run before; the query itself looks at the last ten minutes.
  {
    name: 'noSweep'
    title: 'No sweep has succeeded for 10 minutes'
    description: 'Nothing renews tokens. Look at the last sweep_failed or settings_invalid in the log. If the timer has stopped, call /api/health: it runs a sweep, and a restart does not.'
    query: '${events}${loadTextContent('../queries/noSweep.kql')}'
    severity: 1
    window: 'P1D'
    frequency: 'PT5M'
    dimensions: []
  }
  // The window says whether it had connections before.
  {
    name: 'connectionsGone'
    title: 'The rotator has no connections any more'
    description: 'It had connections and has read a configuration without any, so nothing renews their tokens. If this is not on purpose, deploy again with all parameters, or upload the connections file again.'
    query: '${events}${loadTextContent('../queries/connectionsGone.kql')}'
    severity: 1
    window: 'P1D'
    frequency: 'PT5M'
    dimensions: []
  }
  {
    name: 'needsOperator'
    title: 'A connection needs an operator'
    description: 'No retry can help this connection, or the connections as a whole. The code says what is wrong, and the fix in the status says what to do. For reauthorization_required, sign in again and set the refresh token.'
    query: '${events}${loadTextContent('../queries/needsOperator.kql')}'
    severity: 1
    window: 'PT15M'
    frequency: 'PT5M'
    dimensions: ['connection', 'code']
  }
  {
    name: 'tokenOverdue'
    title: 'An access token was not renewed in time'
    description: 'An access token is past 90 % of its life, or a connection has failed for half an hour before its first one. Consumers have no access, or lose it when the token expires. The status of the connection says why its rotations fail.'
    query: '${events}${loadTextContent('../queries/tokenOverdue.kql')}'
    severity: 1
    window: 'PT10M'
    frequency: 'PT5M'
    dimensions: ['connection']
  }
  {
    name: 'credentialExpiring'
    title: 'A client secret or refresh token expires within 14 days'
    description: 'Set the next client secret before the old one expires. For a refresh token, sign in again.'
    query: '${events}${loadTextContent('../queries/credentialExpiring.kql')}'
    severity: 2
    window: 'P1D'
    frequency: 'PT1H'
    dimensions: ['connection', 'secret']
  }
  {
    name: 'timerDead'
    title: 'Only calls of /api/health keep tokens fresh'
    description: 'The timer starts no sweeps, and a restart does not help. Keep the calls going: tokens stay fresh as long as they come. Then get a new timer with a new function app.'
    query: '${events}${loadTextContent('../queries/timerDead.kql')}'
    severity: 2
    window: 'PT1H'
    frequency: 'PT1H'
    dimensions: []
  }
  {
    name: 'vaultThrottled'
    title: 'A vault throttles the rotator'
    description: 'The rotator could not read or write a secret because its vault was throttling requests. If it does not pass, spread the connections over more vaults.'
    query: '${events}${loadTextContent('../queries/vaultThrottled.kql')}'
    severity: 2
    window: 'PT15M'
    frequency: 'PT5M'
    dimensions: ['connection']
  }
  {
    name: 'vaultThrottledAudit'
    title: 'A vault refuses requests with 429'
    description: 'A vault gets too many requests, from the rotator or from other clients. Its audit log says from which ones.'
    query: loadTextContent('../queries/vaultThrottledAudit.kql')
    severity: 2
    window: 'PT15M'
    frequency: 'PT5M'
    dimensions: ['vault']
  }
  {
    name: 'lateWriteUndone'
    title: 'A late write of a refresh token was undone'
    description: 'A process that had been stopped for longer than its lease wrote over a newer refresh token. Nothing was lost. If it happens often, the instances are short of memory or CPU.'
    query: '${events}${loadTextContent('../queries/lateWriteUndone.kql')}'
    severity: 3
    window: 'PT15M'
    frequency: 'PT5M'
    dimensions: ['connection']
  }
]

resource rules 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for alarm in alarms: {
    name: '${name}-${alarm.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: '${name}: ${alarm.title}'
      description: '${alarm.description} More: docs/alarms.md, ${alarm.name}.'
      severity: alarm.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: alarm.frequency
      windowSize: alarm.window
      // Fires once and resolves when the rows are gone.
      autoMitigate: true
      // A new workspace has no such tables until the first lines and audit events arrive.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: replace(alarm.query, '1970-01-01T00:00:00Z', deployedAt)
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            dimensions: [
              for dimension in alarm.dimensions: {
                name: dimension
                operator: 'Include'
                values: ['*']
              }
            ]
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: empty(actionGroupId) ? [] : [actionGroupId]
      }
    }
  }
]
