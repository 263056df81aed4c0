metadata description = 'One workbook that shows the state, the age and the failures of every connection: infra/workbook.json.'

@description('Required. The title of the workbook begins with this.')
param name string

@description('Required. Where the workbook lives: the region of the workspace.')
param location string

@description('Required. Resource id of the Log Analytics workspace that has the traces of the functions.')
param workspaceId string

@description('Optional. Tags of the workbook.')
param tags { *: string } = {}

var events = loadTextContent('../queries/rotatorEvents.kql')
// A parameter's id has to be a GUID; which one does not matter.
var content = json(replace(loadTextContent('../workbook.json'), 'TIME_RANGE_ID', guid('timeRange')))

// In the file a query is a list of lines, so that people can read it, and leaves out what every query begins with.
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
  // A workbook's name has to be a GUID; the same one at each deployment.
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
