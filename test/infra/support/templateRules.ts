import { allTemplates, allTexts, type Template, type TemplateType } from './arm.ts';
import { flexViolations } from './flexConsumption.ts';
import { GUID, ROLES } from './roles.ts';

/** What a part of the template needs, although nothing in it refers to that: Azure would create both at the same time. */
const WAITS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  main: {
    // The app starts with all of its rights, and can reach what it uses.
    functionApp: ['rotatorOnHost', 'rotatorOnCredentialVault', 'rotatorOnTokenVault', 'endpoints'],
    rotatorOnHost: ['storage', 'logs'],
    rotatorOnCredentialVault: ['credentialVault'],
    rotatorOnTokenVault: ['tokenVault'],
    credentialVaultAccess: ['credentialVault', 'logs'],
    tokenVaultAccess: ['tokenVault', 'logs'],
    deployerOnVault: ['credentialVaultAccess'],
    deployerOnStorage: ['storage'],
    endpoints: ['credentialVault', 'tokenVault', 'storage'],
    alarms: ['logs'],
    workbook: ['logs'],
  },
  // The package must not run before callers are checked.
  'main.functionApp': { package: ['authentication'] },
};

const TEMPLATE_OF_A_RESOURCE_GROUP = /\/deploymentTemplate\.json#$/;
/** Functions that return a secret, and settings that contain one. */
const SECRET =
  /\b(list\w*(Keys?|Secrets?|Credentials|Sas)\w*|getSecret)\s*\(|AccountKey=|SharedAccessSignature|[?&]sig=/i;
const SECURE_TYPE = /^secure/i;

/** The violations of a template, or of a module in it, regardless of its parameters; empty if there are none. */
export function templateViolations(template: Template): string[] {
  return allTemplates(template).flatMap(([path, module]) => [
    ...scopeViolations(path, module),
    ...descriptionViolations(path, module),
    ...secretViolations(path, module),
    ...roleViolations(path, module),
    ...flexViolations(path, module),
    ...copyViolations(path, module),
    ...orderViolations(path, module),
    ...(path === 'main' ? regionViolations(module) : []),
  ]);
}

/** Private endpoints in one subnet fail now and then if Azure creates them in parallel. */
function copyViolations(path: string, { resources }: Template): string[] {
  return Object.entries(resources)
    .filter(([, { properties }]) =>
      Object.values(properties?.template?.resources ?? {}).some(
        ({ type }) => type === 'Microsoft.Network/privateEndpoints',
      ),
    )
    .filter(([, { copy }]) => copy?.mode !== 'serial' || copy.batchSize !== 1)
    .map(([name]) => `${path}: ${name} creates private endpoints in parallel`);
}

function orderViolations(path: string, { resources, parameters }: Template): string[] {
  // The templates of the tests for rules have no parameters.
  if (parameters === undefined) return [];
  return Object.entries(WAITS[path] ?? {}).flatMap(([name, needed]) =>
    needed
      .filter((other) => !resources[name]?.dependsOn?.includes(other))
      .map((other) => `${path}: ${name} does not wait for ${other}`),
  );
}

/** The name of a deleted vault stays taken for 90 days, so a try in another region needs other names. */
function regionViolations({ parameters, variables }: Template): string[] {
  if (parameters?.location === undefined) return [];
  return [
    ...(String(variables?.suffix).includes("variables('region')")
      ? []
      : ['the names of the resources do not contain the region']),
    ...(parameters.location.metadata?.azd?.type === 'location'
      ? []
      : ['azd does not know that location is a region']),
  ];
}

function scopeViolations(path: string, { $schema, resources }: Template): string[] {
  const wrongSchema = TEMPLATE_OF_A_RESOURCE_GROUP.test($schema)
    ? []
    : [`${path} is not for a resource group`];
  const secrets = Object.values(resources).filter(({ type }) =>
    /\/vaults\/(secrets|accessPolicies)$/.test(type),
  );
  return [...wrongSchema, ...secrets.map(({ type }) => `${path} declares ${type}`)];
}

function descriptionViolations(path: string, { parameters = {}, outputs = {}, definitions = {} }: Template) {
  const wrongParameters = Object.entries(parameters)
    .filter(([, { metadata }]) => !/^(Required|Optional)\. ./.test(metadata?.description ?? ''))
    .map(([name]) => `${path}: the parameter ${name} is not described as "Required. ..." or "Optional. ..."`);
  const wrongOutputs = Object.entries(outputs)
    .filter(([, { metadata }]) => !metadata?.description)
    .map(([name]) => `${path}: the output ${name} is not described`);
  const wrongFields = Object.entries(definitions).flatMap(([name, { properties = {} }]) =>
    fieldsWithoutDescription(properties).map((field) => `${path}: ${name}.${field} is not described`),
  );
  return [...wrongParameters, ...wrongOutputs, ...wrongFields];
}

function fieldsWithoutDescription(properties: Readonly<Record<string, TemplateType>>): string[] {
  return Object.entries(properties).flatMap(([name, { metadata }]) => (metadata?.description ? [] : [name]));
}

function secretViolations(path: string, { outputs = {}, resources }: Template): string[] {
  const secure = Object.entries(outputs).filter(([, { type = '' }]) => SECURE_TYPE.test(type));
  const texts = allTexts([ownResources(resources), outputs]).filter((text) => SECRET.test(text));
  return [
    ...secure.map(([name]) => `${path}: the output ${name} is a secret`),
    ...texts.map((text) => `${path} reads or contains a secret: ${text}`),
  ];
}

function roleViolations(path: string, template: Template): string[] {
  const own = ownResources(template.resources);
  const guids = allTexts({ ...template, resources: own }).flatMap((text) => text.match(GUID) ?? []);
  const actions = allTexts(own.filter(({ type }) => type === 'Microsoft.Authorization/roleDefinitions'));
  return [
    ...guids
      .filter((guid) => !ROLES.has(guid))
      .map((guid) => `${path} contains the GUID ${guid}, which is not a role of the table`),
    ...actions
      .filter((text) => text.includes('*'))
      .map((text) => `${path}: the custom role contains the wildcard ${text}`),
  ];
}

/** Checks modules separately: their parameters are part of the template that calls them. */
function ownResources(resources: Template['resources']) {
  return Object.values(resources).map(({ properties = {}, ...rest }) => {
    const { template, ...own } = properties;
    return { ...rest, properties: own };
  });
}
