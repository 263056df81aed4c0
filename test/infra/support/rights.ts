import { ofType, type Resource, resolved, type Snapshot } from './arm.ts';
import { GUID, ROLES } from './roles.ts';

/** One row of the table of rights: `who | on | may`, actions sorted. */
type Right = string;

const ASSIGNMENTS = 'Microsoft.Authorization/roleAssignments';
const DEFINITIONS = 'Microsoft.Authorization/roleDefinitions';
const DEPLOYER = '[deployer().objectId]';
const SECRET_ACTIONS = /^Microsoft\.KeyVault\/vaults\/secrets\/(\w+)\/action$/;

/** The table in the section "Rights" of docs/security.md, first three columns. */
export function documentedRights(markdown: string): Right[] {
  const section = markdown.split(/^## /m).find((part) => part.startsWith('Rights')) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| ---'));
  return rows.slice(1).map((row) => {
    const [, who = '', on = '', may = ''] = row.split('|').map((cell) => cell.trim());
    return rightOf(who, on, may.includes('`') ? (may.match(/\w+/g) ?? []) : [may]);
  });
}

/** The rights that a deployment gives to each principal. */
export function deployedRights(snapshot: Snapshot): Right[] {
  return ofType(snapshot, ASSIGNMENTS).map((assignment) => {
    const { principalId, roleDefinitionId } = assignment.properties;
    return rightOf(
      whoIs(principalId),
      labelOf(scopeOf(assignment), snapshot),
      mayOf(roleDefinitionId, snapshot),
    );
  });
}

/**
 * Violations that the table does not show: custom roles with a wider scope, and assignments that are not on one resource or do not say
 * what kind of principal the rotator is. The name of an assignment must differ for each principal and role.
 */
export function rightsViolations(snapshot: Snapshot): string[] {
  const assignments = ofType(snapshot, ASSIGNMENTS).flatMap((assignment) => assignmentViolations(assignment));
  const roles = ofType(snapshot, DEFINITIONS).flatMap(({ id, properties }) =>
    (properties.assignableScopes as string[])
      .filter((scope) => scope.toLowerCase() !== id.split(`/providers/${DEFINITIONS}`)[0]?.toLowerCase())
      .map((scope) => `the custom role ${properties.roleName} can be assigned on ${scope}`),
  );
  return [...assignments, ...roles];
}

function assignmentViolations(assignment: Resource): string[] {
  const { principalId, principalType, roleDefinitionId } = assignment.properties;
  const scope = scopeOf(assignment);
  const found: string[] = [];
  if (!/^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/./.test(scope)) {
    found.push(`a role is assigned on ${scope}, which is not a resource`);
  }
  // The property is missing for a service principal, so only a safe access tells the type: https://github.com/Azure/bicep-reps/pull/14
  if (principalId === DEPLOYER && !principalType.includes("tryGet(deployer(), 'userPrincipalName')"))
    found.push(`the principal that deploys has the type ${principalType}`);
  if (whoIs(principalId) !== 'rotator') return found;
  if (principalType !== 'ServicePrincipal') found.push(`the rotator has the type ${principalType}`);
  const parts = [scope, '.principalId', roleDefinitionId.match(GUID)?.at(-1)];
  if (!assignment.name.startsWith('[guid(') || !parts.every((part) => assignment.name.includes(part))) {
    found.push(`the name of an assignment on ${scope} is not made of scope, principal and role`);
  }
  return found;
}

function rightOf(who: string, on: string, may: readonly string[]): Right {
  return `${who} | ${on} | ${[...may].sort().join(', ')}`;
}

/** The parameter files have operators that begin with 1 and consumers that begin with 2, and let a workflow deploy. */
function whoIs(principalId: string): string {
  if (principalId === DEPLOYER) return 'workflow';
  if (principalId.includes('userAssignedIdentities')) return 'rotator';
  return { 1: 'operators', 2: 'consumers' }[principalId[0] ?? ''] ?? `unknown ${principalId}`;
}

/** If only Azure knows the name of a resource, its id is an expression with the scope as its first argument. */
function scopeOf({ id }: Resource): string {
  return (
    /^\[\w+\('([^']*)', 'Microsoft.Authorization/.exec(id)?.[1] ??
    id.split(`/providers/${ASSIGNMENTS}`)[0] ??
    id
  );
}

function labelOf(scope: string, snapshot: Snapshot): string {
  const name = scope.split('/').at(-1) ?? '';
  const type = /\/providers\/([^/]+\/[^/]+)/.exec(scope)?.[1];
  if (type === 'Microsoft.KeyVault/vaults') return vaultLabel(name, snapshot);
  if (type === 'Microsoft.Insights/components') return 'Application Insights';
  if (type !== 'Microsoft.Storage/storageAccounts') return scope;
  return scope.includes('/containers/') ? `container ${name}` : 'storage account';
}

function vaultLabel(name: string, { outputs }: Snapshot): string {
  const names = (output = '') => new URL(resolved(output)).hostname.split('.')[0] === name;
  if (names(outputs.CREDENTIAL_VAULT_URL)) return 'credential vault';
  return names(outputs.TOKEN_VAULT_URL) ? 'token vault' : `unknown vault ${name}`;
}

function mayOf(roleDefinitionId: string, snapshot: Snapshot): string[] {
  const guid = roleDefinitionId.match(GUID)?.at(-1) ?? roleDefinitionId;
  const custom = ofType(snapshot, DEFINITIONS).find(({ name }) => name === guid);
  if (!custom) return [ROLES.get(guid) ?? `unknown role ${guid}`];
  const [{ actions = [], dataActions = [] }, ...more] = custom.properties.permissions;
  return [...actions, ...dataActions, ...more.map(String)].map(
    (action) => SECRET_ACTIONS.exec(action)?.[1] ?? action,
  );
}
