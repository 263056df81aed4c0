/** A parameter, an output or a part of a type in a compiled template. */
export interface TemplateType {
  readonly type?: string;
  readonly $ref?: string;
  readonly nullable?: boolean;
  readonly allowedValues?: readonly unknown[];
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minValue?: number;
  readonly maxValue?: number;
  readonly properties?: Readonly<Record<string, TemplateType>>;
  readonly additionalProperties?: TemplateType | boolean;
  readonly metadata?: { readonly description?: string; readonly azd?: { readonly type: string } };
}

/** The output of `bicep build`: modules are templates within resources of type deployments. */
export interface Template {
  readonly $schema: string;
  readonly definitions?: Readonly<Record<string, TemplateType>>;
  readonly parameters?: Readonly<Record<string, TemplateType>>;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, TemplateType & { readonly value: unknown }>>;
  readonly resources: Readonly<Record<string, TemplateResource>>;
}

/** A resource before its expressions are evaluated. */
interface TemplateResource {
  readonly type: string;
  readonly existing?: boolean;
  readonly name?: string;
  readonly dependsOn?: readonly string[];
  readonly copy?: { readonly mode?: string; readonly batchSize?: number };
  readonly properties?: { readonly template?: Template; readonly siteConfig?: object };
}

/** A resource as a deployment would send it. A value that only Azure knows is `[expression]`. */
export interface Resource {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: each type of resource has its own properties
  readonly properties: any;
  // biome-ignore lint/suspicious/noExplicitAny: as for properties
  readonly [other: string]: any;
}

/** What `bicep snapshot` predicts. */
export interface Snapshot {
  readonly predictedResources: readonly Resource[];
  readonly diagnostics: readonly unknown[];
  readonly outputs: Readonly<Record<string, string>>;
}

/** The template and all modules in it, by their path of symbolic names. */
export function allTemplates(template: Template, path = 'main'): [string, Template][] {
  const modules = Object.entries(template.resources).flatMap(([name, { properties }]) =>
    properties?.template ? allTemplates(properties.template, `${path}.${name}`) : [],
  );
  return [[path, template], ...modules];
}

/** Every text in a value at any depth, including names of properties. */
export function allTexts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, part]) => [name, ...allTexts(part)]);
}

/** The resources of one type. */
export function ofType(snapshot: Snapshot, type: string): Resource[] {
  return snapshot.predictedResources.filter((resource) => resource.type === type);
}

/** A setting's value. The parts that only Azure knows are filled in as in its public cloud. */
export function resolved(value: string): string {
  const clientId = '40000000-0000-4000-8000-000000000001';
  const known = value
    .replace(/reference\('[^']*userAssignedIdentities[^']*', '[^']*'\)\.clientId/g, `'${clientId}'`)
    .replaceAll('environment().suffixes.keyvaultDns', "'.vault.azure.net'")
    .replaceAll('environment().suffixes.storage', "'core.windows.net'");
  if (!known.startsWith('[')) return known;
  return evaluated(known.slice(1, -1)) ?? value;
}

/** Texts and `format` of texts; undefined for anything else. */
function evaluated(expression: string): string | undefined {
  const inner = /format\('([^']*)'((?:, '[^']*')+)\)/.exec(expression);
  if (!inner) return /^'([^']*)'$/.exec(expression)?.[1];
  const parts = [...(inner[2] ?? '').matchAll(/'([^']*)'/g)].map(([, part]) => part ?? '');
  const text = (inner[1] ?? '').replace(/\{(\d+)\}/g, (_, index) => parts[Number(index)] ?? '');
  return evaluated(expression.replace(inner[0], `'${text}'`));
}
