import { ofType, type Snapshot } from './arm.ts';

const WITH_FIREWALL = ['Microsoft.KeyVault/vaults', 'Microsoft.Storage/storageAccounts'];

/**
 * The violations of private networking; empty if it is off. With a network, the rules require closed firewalls, the app inside, and an
 * endpoint with its name for each service that it uses.
 */
export function networkViolations(snapshot: Snapshot): string[] {
  if (ofType(snapshot, 'Microsoft.Network/virtualNetworks').length === 0) return [];
  const open = WITH_FIREWALL.flatMap((type) => ofType(snapshot, type)).filter(
    ({ properties }) => properties.networkAcls.defaultAction !== 'Deny',
  );
  const outside = ofType(snapshot, 'Microsoft.Web/sites').filter(
    ({ properties }) => !`${properties.virtualNetworkSubnetId}`.includes('functionsSubnetId'),
  );
  return [
    ...open.map(({ name }) => `${name} is open to every address despite private networking`),
    ...outside.map(({ name }) => `${name} is not in the network`),
    ...endpointViolations(snapshot),
    ...delegationViolations(snapshot),
  ];
}

function endpointViolations(snapshot: Snapshot): string[] {
  const endpoints = ofType(snapshot, 'Microsoft.Network/privateEndpoints');
  const groups = endpoints.map(
    ({ properties }) => properties.privateLinkServiceConnections[0].properties.groupIds[0],
  );
  const wanted = ['blob', 'table', 'vault', 'vault'];
  const zones = ofType(snapshot, 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups');
  const complete = groups.sort().join() === wanted.join() && zones.length === wanted.length;
  return complete ? [] : [`private endpoints exist for ${groups.join()} with ${zones.length} names`];
}

function delegationViolations(snapshot: Snapshot): string[] {
  const [network] = ofType(snapshot, 'Microsoft.Network/virtualNetworks');
  const [functions] = network?.properties.subnets ?? [];
  const service = functions?.properties.delegations?.[0]?.properties.serviceName;
  return service === 'Microsoft.App/environments' ? [] : [`the functions' subnet is delegated to ${service}`];
}
