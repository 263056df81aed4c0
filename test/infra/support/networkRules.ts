import { ofType, type Resource, type Snapshot } from './arm.ts';

interface Subnet {
  readonly name: string;
  readonly properties: {
    readonly defaultOutboundAccess?: boolean;
    readonly delegations?: readonly { readonly properties: { readonly serviceName: string } }[];
  };
}

const WITH_FIREWALL = ['Microsoft.KeyVault/vaults', 'Microsoft.Storage/storageAccounts'];

/**
 * The violations of private networking; empty if it is off. With a network, the rules require closed firewalls, the app inside, and an
 * endpoint with its name for each service that it uses.
 */
export function networkViolations(snapshot: Snapshot): string[] {
  if (ofType(snapshot, 'Microsoft.Network/privateEndpoints').length === 0) return [];
  const open = WITH_FIREWALL.flatMap((type) => ofType(snapshot, type)).filter(
    ({ properties }) => properties.networkAcls.defaultAction !== 'Deny',
  );
  const outside = ofType(snapshot, 'Microsoft.Web/sites').filter(
    ({ properties }) => !/functionsSubnetId|\/subnets\//.test(`${properties.virtualNetworkSubnetId}`),
  );
  return [
    ...open.map(({ name }) => `${name} is open to every address despite private networking`),
    ...outside.map(({ name }) => `${name} is not in the network`),
    ...endpointViolations(snapshot),
    ...ofType(snapshot, 'Microsoft.Network/virtualNetworks').flatMap(subnetViolations),
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

/** The network of the deployment: the subnet of the functions comes first. */
function subnetViolations({ properties }: Resource): string[] {
  const subnets: readonly Subnet[] = properties.subnets;
  const service = subnets[0]?.properties.delegations?.[0]?.properties.serviceName;
  const delegation =
    service === 'Microsoft.App/environments' ? [] : [`the functions' subnet is delegated to ${service}`];
  // Another default comes with another API version: https://learn.microsoft.com/azure/virtual-network/ip-services/default-outbound-access
  const silent = subnets.filter(
    ({ properties: { defaultOutboundAccess } }) => defaultOutboundAccess === undefined,
  );
  return [
    ...delegation,
    ...silent.map(({ name }) => `the subnet ${name} does not set defaultOutboundAccess`),
  ];
}
