metadata description = 'One workbook that shows the state, the age and the failures of every connection: infra/workbook.json.'

@description('Required. First part of the title of the workbook.')
param name string

@description('Required. Region of the workbook: the region of the workspace.')
param location string

@description('Required. Resource id of the Log Analytics workspace that has the traces of the functions.')
param workspaceId string

@description('Optional. Tags of the workbook.')
param tags { *: string } = {}

var events = loadTextContent('../queries/rotatorEvents.kql')
// The id of a parameter must be a GUID, but any GUID works.
var content = json(replace(loadTextContent('../workbook.json'), 'TIME_RANGE_ID', guid('timeRange')))

// In the file, a query is a list of lines, which is easier to read, without the part that every query begins with.
var items = map(
  content.items,
  item =>
    contains(item.content, 'query')
      ? shallowMerge([
          item
          { content: shallowMerge([item.content, { query: '${events}${join(item.content.query, '\n')}' }]) }
        ])
      : item
)

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  // The name of a workbook must be a GUID, and the same one in each deployment.
  name: guid(resourceGroup().id, 'workbook', name)
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: '${name}: connections'
    category: 'workbook'
    sourceId: workspaceId
    serializedData: string(shallowMerge([content, { items: items, fallbackResourceIds: [workspaceId] }]))
  }
}
