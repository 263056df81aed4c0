import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Template, TemplateType } from '../support/arm.ts';
import { ROOT } from '../support/bicepCli.ts';
import type { BicepServer } from '../support/bicepServer.ts';

/** The parts of JSON Schema (draft 7) that connections.schema.json uses. */
interface Schema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly minLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
}

/** What both can say about a value. */
type Shape = Readonly<Record<string, unknown>>;

/** The type of the parameter connections is the JSON Schema, as far as Bicep can say it. */
export function connectionTypeSuite(serverOf: () => BicepServer): void {
  it('the parameter connections takes what connections.schema.json takes', async () => {
    const { template } = await serverOf().compile(join(ROOT, 'infra', 'main.bicep'));
    const schema = JSON.parse(readFileSync(join(ROOT, 'connections.schema.json'), 'utf8'));
    const parameter = template.parameters?.connections ?? {};
    expect(shapeOfType(parameter, template)).toEqual(shapeOfSchema(schema.properties.connections));
  });
}

function shapeOfSchema(schema: Schema, required = true): Shape {
  const { anyOf, properties, additionalProperties, required: names = [] } = schema;
  // Bicep has no union of types.
  if (anyOf) return { type: 'any', required };
  const fields = Object.entries(properties ?? {}).map(([name, field]) => [
    name,
    shapeOfSchema(field, names.includes(name)),
  ]);
  return {
    // Bicep has whole numbers only.
    type: { number: 'int', boolean: 'bool' }[schema.type ?? ''] ?? schema.type,
    required,
    ...(schema.enum && { values: [...schema.enum].sort() }),
    ...lengthsOfSchema(schema),
    ...(schema.type === 'number' && { least: schema.minimum ?? (schema.exclusiveMinimum ?? 0) + 1 }),
    ...(schema.maximum !== undefined && { most: schema.maximum }),
    ...(fields.length > 0 && { fields: Object.fromEntries(fields) }),
    ...(schema.type === 'object' && { others: othersOfSchema(additionalProperties) }),
  };
}

/** Bicep has no patterns: of "^[...]{1,127}$" it takes the lengths. */
function lengthsOfSchema({ minLength, pattern = '' }: Schema): Shape {
  const [, least, most] = /\{(\d+),(\d+)\}\$$/.exec(pattern) ?? [];
  const shortest = minLength ?? (least === undefined ? undefined : Number(least));
  return {
    ...(shortest !== undefined && { shortest }),
    ...(most !== undefined && { longest: Number(most) }),
  };
}

function othersOfSchema(others: Schema | boolean | undefined): Shape | boolean {
  return typeof others === 'object' ? shapeOfSchema(others) : (others ?? true);
}

function shapeOfType(declared: TemplateType, template: Template): Shape {
  const { nullable = false, ...referred } = { ...declared, ...target(declared, template) };
  const { type = 'any', allowedValues, properties, additionalProperties, minLength, maxLength } = referred;
  const fields = Object.entries(properties ?? {}).map(([name, field]) => [
    name,
    shapeOfType(field, template),
  ]);
  return {
    type,
    required: !(declared.nullable ?? nullable),
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

/** What a declaration refers to: "#/definitions/NAME". */
function target({ $ref }: TemplateType, template: Template): TemplateType {
  return $ref === undefined ? {} : (template.definitions?.[$ref.replace('#/definitions/', '')] ?? {});
}
