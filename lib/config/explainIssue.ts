import type { z } from 'zod';
import { safeKey, safeName } from '../safeText.ts';
import {
  clientKey,
  connectionEntry,
  errorRule,
  publishSection,
  responseSection,
  secretsSection,
  vaultsSection,
} from './connectionSchema.ts';
import type { Finding } from './findings.ts';
import { hasUnit, keyOf, meantField, sameKey, secretOfName } from './meantKey.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

interface Described {
  readonly description?: string | undefined;
}

const entryShape: Readonly<Record<string, Described>> = connectionEntry.shape;
/** The members that are objects or lists of objects. */
const shapes: Readonly<Record<string, Readonly<Record<string, Described>>>> = {
  secrets: secretsSection.shape,
  publish: publishSection.shape,
  vaults: vaultsSection.shape,
  response: responseSection.shape,
  clientKey: clientKey.shape,
  errors: errorRule.shape,
};

/** Those whose members are often written beside them instead. */
const SECTIONS = ['secrets', 'publish', 'vaults'];

/**
 * Explains one issue of the schema with an entry to operators, without repeating a value of the file.
 * @param at the path of the entry: `connections.crm-prod`, or of a profile of the file: `providers.acme`
 * @param keys those that it may have at its top
 */
export function explainIssue(at: string, issue: Issue, keys = Object.keys(entryShape)): Finding[] {
  if (issue.code === 'unrecognized_keys') {
    const where = joinPath(at, issue.path);
    const known = knownKeys(issue.path, keys);
    return issue.keys.map((key, index) => ({
      ...(index < MOST_SUGGESTIONS ? unknownKey(where, key, known) : { ...UNKNOWN_KEY, where }),
      within: [...issue.path, key],
    }));
  }
  const inside = issuesInside(issue);
  if (inside) return inside.flatMap((each) => explainIssue(at, each, keys));
  const where = joinPath(at, issue.path);
  const within = issue.path;
  if (within[0] === 'parameters' && within.length > 1) return [{ ...wrongParameter(where, issue), within }];
  return [{ where, cause: issue.message, fix: fixOfIssue(at, issue), within }];
}

/** What is wrong inside the one form of a client key that the value can have meant; undefined if it has neither form. */
function issuesInside(issue: Issue): readonly Issue[] | undefined {
  if (issue.code !== 'invalid_union' || issue.path[0] !== 'clientKey') return undefined;
  const meant = issue.errors.find(
    (each) =>
      each.length > 0 && each.every(({ code, path }) => path.length > 0 || code === 'unrecognized_keys'),
  );
  return meant?.map((each) => ({ ...each, path: [...issue.path, ...each.path] }));
}

function fixOfIssue(at: string, issue: Issue): string {
  const where = joinPath(at, issue.path);
  if (issue.code === 'invalid_value' && issue.values.length > 1)
    return `Set ${where} to one of ${issue.values.map(String).join(', ')}.`;
  const [key = '', item] = issue.path.slice(-2);
  const shape = typeof item === 'number' ? shapes[String(key)] : undefined;
  // The description of a list is not that of one item.
  if (!shape && typeof item === 'number' && issue.path[0] === 'response')
    return `Correct ${where}, or remove it.`;
  if (!shape || key === 'secrets') return fixOf(at, issue.path);
  if (issue.code === 'custom') return `Add error or description to ${where}.`;
  return `Write ${where} as an object with ${Object.keys(shape).join(', ')}.`;
}

/** Looking for what was probably meant takes time, and no message shows more. */
const MOST_SUGGESTIONS = 20;
const UNKNOWN_KEY = { cause: 'has another unknown key', fix: 'Remove the unknown keys.' };

/** A fix that says what to set, in the words of the schema. */
export function fixOf(at: string, path: Path): string {
  const isProfile = at.startsWith('providers.');
  const whole = isProfile
    ? 'The profile of a provider, as an object'
    : 'The entry of a connection, as an object';
  const description = descriptionOf(path) ?? whole;
  const first = description.split('. ', 1)[0]?.replace(/\.$/, '') ?? '';
  const words = first.replace(/^(The|A) /, (article) => article.toLowerCase());
  return `Set ${joinPath(at, path)} to ${words}.`;
}

/** A key that the schema does not have, with the key that was probably meant. */
export function unknownKey(where: string, key: string, known: readonly string[]): Finding {
  const shown = safeKey(key);
  const cause = shown === undefined ? 'has an unknown key' : `has an unknown key ${shown}`;
  const name = shown ?? 'the unknown key';
  const fix = (text: string): Finding => ({ where, cause, fix: text });
  const meant = meantByPlace(key, known) ?? meantField(key, known);
  if (meant?.startsWith('secrets.'))
    return fix(
      `Keep secrets out of the configuration: store ${name} in Key Vault and remove it here. ${where}.${meant} may name it.`,
    );
  const secret = known.includes('secrets') ? secretOfName(key, keysOf('secrets')) : undefined;
  if (secret)
    return fix(`Move ${name} to secrets.${secret}, which holds the name of the secret, not the secret.`);
  if (meant?.includes('.')) return fix(`Move ${name} to ${meant}.`);
  if (meant)
    return fix(`Rename ${name} to ${meant}${hasUnit(key) && !hasUnit(meant) ? ', in seconds' : ''}.`);
  return fix(`Remove ${name} from ${where}; the known keys are ${known.join(', ')}.`);
}

/** A field of a section of the entry: "client_secret" means `secrets.clientSecret`. */
function meantByPlace(key: string, known: readonly string[]): string | undefined {
  // `clientid` means `clientId` of the entry, not the name of its secret.
  if (sameKey(key, known)) return undefined;
  const section = SECTIONS.find((name) => known.includes(name) && sameKey(key, keysOf(name)) !== undefined);
  return section && `${section}.${sameKey(key, keysOf(section))}`;
}

/** The keys of an entry that do not pass the schema, and the known keys that were probably meant by unknown ones. */
export function doubtfulKeys(issues: readonly Issue[]): ReadonlySet<string> {
  return new Set(
    issues.flatMap((issue) => {
      const [key] = issue.path;
      if (key !== undefined) return [String(key)];
      if (issue.code !== 'unrecognized_keys') return [];
      const meant = issue.keys
        .slice(0, MOST_SUGGESTIONS)
        .flatMap((each) => meantField(each, Object.keys(entryShape)) ?? [])
        .map(keyOf);
      return [...issue.keys, ...meant];
    }),
  );
}

function keysOf(section: string): string[] {
  return Object.keys(shapes[section] ?? {});
}

function wrongParameter(where: string, issue: Issue): Finding {
  if (issue.code !== 'invalid_key')
    return { where, cause: issue.message, fix: `Set ${where} to a text, or remove it.` };
  const cause = issue.issues[0]?.message ?? 'is not a valid parameter name';
  return { where, cause, fix: `Remove ${where}.` };
}

function knownKeys([section]: Path, keys: readonly string[]): readonly string[] {
  const shape = shapes[String(section)];
  return shape ? Object.keys(shape) : keys;
}

function descriptionOf(path: Path): string | undefined {
  const [key, inner] = path.filter((part) => typeof part !== 'number').map(String);
  if (key === undefined) return undefined;
  return (shapes[key]?.[inner ?? ''] ?? entryShape[key])?.description;
}

/** The fix for a member that has no effect, or conflicts with another one. @param where the path of the member */
export function toRemove(where: string): string {
  return `Remove ${where}.`;
}

/** The path of a member of an entry or profile, as messages show it. */
export function joinPath(at: string, path: Path): string {
  return path.reduce<string>(
    (joined, part) =>
      typeof part === 'number' ? `${joined}[${part}]` : `${joined}.${safeName(String(part))}`,
    at,
  );
}
