metadata description = 'Calls /api/health by HTTP, which runs a sweep if the timer is dead. See docs/alarms.md.'

import { tagMap } from 'types.bicep'

@description('Required. First part of the name.')
param name string

@description('Required. Region of the Application Insights component.')
param location string

@description('Required. Tags.')
param tags tagMap

@description('Required. Resource id of the Application Insights component that shows the results.')
param insightsId string

@description('Required. https address of the HTTP functions.')
param url string

@description('Required. Ids of the locations that call.')
@minLength(1)
param locations string[]

resource test 'Microsoft.Insights/webtests@2022-06-15' = {
  name: 'health-${name}'
  location: location
  // The portal finds the test by this tag.
  tags: union(tags, { 'hidden-link:${insightsId}': 'Resource' })
  kind: 'standard'
  properties: {
    Name: 'health-${name}'
    SyntheticMonitorId: 'health-${name}'
    Enabled: true
    Kind: 'standard'
    // Seconds. Azure calls no more often.
    Frequency: 300
    // Seconds. A sweep that the call starts may take 20 s, after a cold start.
    Timeout: 60
    // A dead timer turns each call into a 503: an immediate second call would hide it.
    RetryEnabled: false
    Locations: [for id in locations: { Id: id }]
    Request: {
      RequestUrl: '${url}/api/health'
      HttpVerb: 'GET'
      ParseDependentRequests: false
    }
    ValidationRules: { ExpectedHttpStatusCode: 200, SSLCheck: true }
  }
}
