/** The parts of JSON Schema (draft 7) that connections.schema.json uses. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: string | number | boolean;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly required?: readonly string[];
  readonly minLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
}

const METADATA =
  "metadata description = 'One entry of the connections. Written by scripts/writeSchema.ts from lib/config/connectionSchema.ts.'";
/** Longer unions get their own type. */
const MOST_INLINE = 4;

/** A type, and the lines above the member that has it. */
interface TypeUse {
  readonly type: string;
  readonly decorators?: readonly string[];
  readonly comment?: string;
}

/**
 * The Bicep file with the types of the connections, as far as Bicep can express the schema: it has no patterns, no fractions
 * and no unions of different types.
 * @param connections the schema of all connections by name
 */
export function bicepTypes(connections: JsonSchema): string {
  const declared: string[] = [];
  const entry = elementOf(connections);
  declareObject('connection', entry, declared);
  const map = ['@export()', ...described(connections), 'type connectionMap = {', '  *: connection', '}'].join(
    '\n',
  );
  return `${[METADATA, map, ...declared].join('\n\n')}\n`;
}

/** Types that a member needs are declared before the type that contains the member. */
function declareObject(name: string, schema: JsonSchema, declared: string[]): void {
  const { properties = {}, required = [] } = schema;
  const members = Object.entries(properties).map(([key, member]) => {
    const { type, decorators = [], comment } = typeOf(key, member, declared);
    const lines = [
      ...(comment === undefined ? [] : [`// ${comment}`]),
      ...described(member),
      ...decorators,
      `${key}: ${type}${required.includes(key) ? '' : '?'}`,
    ];
    return lines.map((line) => `  ${line}`).join('\n');
  });
  declared.push(`@sealed()\ntype ${name} = {\n${members.join('\n\n')}\n}`);
}

function typeOf(key: string, schema: JsonSchema, declared: string[]): TypeUse {
  const { anyOf, enum: values, type, properties } = schema;
  // A deployment names only the profiles of this program; those of a file are in the file.
  const [first] = anyOf ?? [];
  if (first?.enum && anyOf?.every((each) => each.type === 'string'))
    return unionOf(key, first.enum, declared);
  if (anyOf)
    return {
      type: 'any',
      decorators: ['#disable-next-line no-explicit-any'],
      comment: 'Bicep has no union of different types.',
    };
  if (values) return unionOf(key, values, declared);
  if (type === 'boolean') return { type: 'bool' };
  if (type === 'number' || type === 'integer') return { type: 'int', decorators: rangeOf(schema) };
  if (type === 'string') return { type: 'string', decorators: lengthsOf(schema) };
  if (type === 'array')
    return { type: `${typeOf(key.replace(/s$/, ''), schema.items ?? {}, declared).type}[]` };
  if (!properties) return { type: `{ *: ${typeOf(key, elementOf(schema), declared).type} }` };
  declareObject(key, schema, declared);
  return { type: key };
}

function unionOf(key: string, values: readonly string[], declared: string[]): TypeUse {
  const literals = values.map(quoted);
  if (values.length <= MOST_INLINE) return { type: `(${literals.join(' | ')})` };
  declared.push(`type ${key} =\n${literals.map((literal) => `  | ${literal}`).join('\n')}`);
  return { type: key };
}

function rangeOf({ minimum, exclusiveMinimum, maximum }: JsonSchema): string[] {
  const least = minimum ?? (exclusiveMinimum === undefined ? undefined : exclusiveMinimum + 1);
  return [
    ...(least === undefined ? [] : [`@minValue(${least})`]),
    ...(maximum === undefined ? [] : [`@maxValue(${maximum})`]),
  ];
}

/** Takes the lengths from a pattern such as `^[...]{1,127}$`. */
function lengthsOf({ minLength, pattern = '' }: JsonSchema): string[] {
  const [, least, most] = /\{(\d+),(\d+)\}\$$/.exec(pattern) ?? [];
  const shortest = minLength ?? least;
  return [
    ...(shortest === undefined ? [] : [`@minLength(${shortest})`]),
    ...(most === undefined ? [] : [`@maxLength(${most})`]),
  ];
}

function described({ description = '', default: fallback }: JsonSchema): string[] {
  const text = fallback === undefined ? description : `${description} Default: ${fallback}.`;
  return [`@description(${quoted(text)})`];
}

/** A literal of Bicep. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('${', '\\${')}'`;
}

function elementOf({ additionalProperties }: JsonSchema): JsonSchema {
  return typeof additionalProperties === 'object' ? additionalProperties : {};
}
