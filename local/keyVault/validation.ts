import { badParameter } from './errors.ts';

/** Largest value. The documentation says 25 KB of octets, so this counts bytes, not characters. */
const MAX_VALUE_BYTES = 25_600;
/** Longest content type, in characters. */
const MAX_CONTENT_TYPE = 255;
/** The highest number of tags on one version. */
const MAX_TAGS = 15;
/** Longest name and longest value of a tag, in characters. */
const MAX_TAG_LENGTH = 512;

/** Attributes that a caller may set; times in epoch seconds. */
interface SettableAttributes {
  readonly enabled?: boolean;
  readonly nbf?: number;
  readonly exp?: number;
}

/** Body of an update; a missing property stays unchanged. */
export interface UpdateParameters {
  readonly contentType?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly attributes: SettableAttributes;
}

/** Body of a set. */
export interface SetParameters extends UpdateParameters {
  readonly value: string;
}

type JsonObject = Readonly<Record<string, unknown>>;

/** Whether Key Vault would accept the name of a secret. */
export function isSecretName(name: string): boolean {
  return /^[0-9A-Za-z-]{1,127}$/.test(name);
}

/** Reads the body of a set request. */
export function parseSetParameters(body: Buffer): SetParameters {
  const json = parseObject(body);
  const { value } = json;
  if (typeof value !== 'string') throw badParameter('Property value is required and must be a string.');
  if (Buffer.byteLength(value) > MAX_VALUE_BYTES) {
    throw badParameter(`Secret is beyond the maximum permitted length of ${MAX_VALUE_BYTES} bytes.`);
  }
  return { value, ...readProperties(json) };
}

/** Reads the body of an update request. */
export function parseUpdateParameters(body: Buffer): UpdateParameters {
  return readProperties(parseObject(body));
}

function parseObject(body: Buffer): JsonObject {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    // The parser's message quotes the body, and the body contains a secret.
    throw badParameter('The request body is not valid JSON.');
  }
  return asObject(json, 'The request body');
}

function asObject(json: unknown, what: string): JsonObject {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw badParameter(`${what} must be a JSON object.`);
  }
  return json as JsonObject;
}

function readProperties(json: JsonObject): UpdateParameters {
  const contentType = readContentType(json.contentType);
  const tags = readTags(json.tags);
  return {
    ...(contentType === undefined ? {} : { contentType }),
    ...(tags === undefined ? {} : { tags }),
    attributes: readAttributes(json.attributes),
  };
}

function readContentType(contentType: unknown): string | undefined {
  if (isAbsent(contentType)) return undefined;
  if (typeof contentType !== 'string') throw badParameter('Property contentType must be a string.');
  if (contentType.length > MAX_CONTENT_TYPE) {
    throw badParameter(`Property contentType is longer than ${MAX_CONTENT_TYPE} characters.`);
  }
  return contentType;
}

function readTags(tags: unknown): Record<string, string> | undefined {
  if (isAbsent(tags)) return undefined;
  const entries = Object.entries(asObject(tags, 'Property tags'));
  if (entries.length > MAX_TAGS) throw badParameter(`Property tags has more than ${MAX_TAGS} tags.`);
  return Object.fromEntries(entries.map(readTag));
}

function readTag([name, value]: [string, unknown]): [string, string] {
  if (typeof value !== 'string') throw badParameter('The value of every tag must be a string.');
  if (name.length > MAX_TAG_LENGTH || value.length > MAX_TAG_LENGTH) {
    throw badParameter(`A tag has a name or a value of more than ${MAX_TAG_LENGTH} characters.`);
  }
  return [name, value];
}

function readAttributes(attributes: unknown): SettableAttributes {
  if (isAbsent(attributes)) return {};
  const { enabled, nbf, exp } = asObject(attributes, 'Property attributes');
  if (!isAbsent(enabled) && typeof enabled !== 'boolean') {
    throw badParameter('Attribute enabled must be true or false.');
  }
  return {
    ...(isAbsent(enabled) ? {} : { enabled }),
    ...(isAbsent(nbf) ? {} : { nbf: readTime('nbf', nbf) }),
    ...(isAbsent(exp) ? {} : { exp: readTime('exp', exp) }),
  };
}

function readTime(name: string, value: unknown): number {
  if (!Number.isSafeInteger(value)) throw badParameter(`Attribute ${name} must be whole epoch seconds.`);
  return value as number;
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}
