import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { JsonSchema } from '../../../scripts/schema/bicepTypes.ts';
import type { Template, TemplateType } from '../support/arm.ts';
import { ROOT } from '../support/bicepCli.ts';
import type { BicepServer } from '../support/bicepServer.ts';

/** The parts of a value's description that both languages can express. */
type Shape = Readonly<Record<string, unknown>>;

/** The type of the parameter connections matches the JSON Schema and uses the same words, as far as Bicep can express it. */
export function connectionTypeSuite(serverOf: () => BicepServer): void {
  it('the parameter connections accepts the same values as connections.schema.json', async () => {
    const { template } = await serverOf().compile(ROOT, join('infra', 'main.bicep'));
    const schema = JSON.parse(readFileSync(join(ROOT, 'connections.schema.json'), 'utf8'));
    const parameter = template.parameters?.connections ?? {};
    expect(shapeOfType(parameter, template)).toEqual(shapeOfSchema(schema.properties.connections));
  });
}

function shapeOfSchema(schema: JsonSchema, required = true): Shape {
  const { anyOf, properties, additionalProperties, required: names = [] } = schema;
  // Bicep has no union of types.
  const words = wordsOfSchema(schema);
  // The parameter takes only the names that are listed.
  const [listed] = anyOf ?? [];
  if (listed?.enum && anyOf?.every(({ type }) => type === 'string'))
    return { ...shapeOfSchema(listed, required), ...words };
  if (anyOf) return { type: 'any', required, ...words };
  const fields = Object.entries(properties ?? {}).map(([name, field]) => [
    name,
    shapeOfSchema(field, names.includes(name)),
  ]);
  return {
    // Bicep has whole numbers only.
    type: { number: 'int', integer: 'int', boolean: 'bool' }[schema.type ?? ''] ?? schema.type,
    required,
    ...words,
    ...(schema.enum && { values: [...schema.enum].sort() }),
    ...lengthsOfSchema(schema),
    ...((schema.type === 'number' || schema.type === 'integer') && {
      least: schema.minimum ?? (schema.exclusiveMinimum ?? 0) + 1,
    }),
    ...(schema.maximum !== undefined && { most: schema.maximum }),
    ...(fields.length > 0 && { fields: Object.fromEntries(fields) }),
    ...(schema.type === 'object' && { others: othersOfSchema(additionalProperties) }),
  };
}

/** Bicep has no defaults for members. */
function wordsOfSchema({ description, default: fallback }: JsonSchema): Shape {
  if (description === undefined) return {};
  return { words: fallback === undefined ? description : `${description} Default: ${fallback}.` };
}

/** Bicep has no patterns: it takes the lengths of "^[...]{1,127}$". */
function lengthsOfSchema({ minLength, pattern = '' }: JsonSchema): Shape {
  const [, least, most] = /\{(\d+),(\d+)\}\$$/.exec(pattern) ?? [];
  const shortest = minLength ?? (least === undefined ? undefined : Number(least));
  return {
    ...(shortest !== undefined && { shortest }),
    ...(most !== undefined && { longest: Number(most) }),
  };
}

function othersOfSchema(others: JsonSchema | boolean | undefined): Shape | boolean {
  return typeof others === 'object' ? shapeOfSchema(others) : (others ?? true);
}

function shapeOfType(declared: TemplateType, template: Template): Shape {
  const { nullable = false, ...referred } = { ...declared, ...target(declared, template) };
  const { type = 'any', allowedValues, properties, additionalProperties, minLength, maxLength } = referred;
  const words = referred.metadata?.description ?? declared.metadata?.description;
  const fields = Object.entries(properties ?? {}).map(([name, field]) => [
    name,
    shapeOfType(field, template),
  ]);
  return {
    type,
    required: !(declared.nullable ?? nullable),
    ...(words !== undefined && { words }),
    ...(allowedValues && { values: [...allowedValues].sort() }),
    ...(minLength !== undefined && { shortest: minLength }),
    ...(maxLength !== undefined && { longest: maxLength }),
    ...(referred.minValue !== undefined && { least: referred.minValue }),
    ...(referred.maxValue !== undefined && { most: referred.maxValue }),
    ...(fields.length > 0 && { fields: Object.fromEntries(fields) }),
    ...(type === 'object' && { others: othersOfType(additionalProperties, template) }),
  };
}

function othersOfType(others: TemplateType | boolean | undefined, template: Template): Shape | boolean {
  return typeof others === 'object' ? shapeOfType(others, template) : (others ?? true);
}

/** The definition that a declaration refers to: "#/definitions/NAME". */
function target({ $ref }: TemplateType, template: Template): TemplateType {
  return $ref === undefined ? {} : (template.definitions?.[$ref.replace('#/definitions/', '')] ?? {});
}
