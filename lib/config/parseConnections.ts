import { addressIn } from '../connectionString/attributes.ts';
import { type ErrorCode, type Problem, problemOf, RotatorError } from '../errors.ts';
import type { Connection, Connections, ContestedSecret } from '../rotation/core/connection.ts';
import { safeKey, safeName } from '../safeText.ts';
import { defaultSecretName } from '../secretNames.ts';
import { type Claims, nameConflicts, type Owners, secretKey, usesOfSecrets } from './conflicts.ts';
import {
  type ConnectionEntry,
  connectionEntry,
  connectionName,
  connectionsFile,
} from './connectionSchema.ts';
import { doubtfulKeys, explainIssue, unknownKey } from './explainIssue.ts';
import { type Finding, findingsError, repeatedFinding } from './findings.ts';
import { isOtherEncoding, SAVE_AS_UTF8 } from './otherEncoding.ts';
import { type KnownProviders, readProviders } from './ownProviders.ts';
import { type ConfigurationContext, type Resolved, resolveEntry } from './resolveEntry.ts';
import { positionsIn, scanJson } from './scanJson.ts';

export type { ConfigurationContext } from './resolveEntry.ts';

const FILE: ErrorCode = 'configuration_invalid';
const ENTRY: ErrorCode = 'connection_invalid';
const SHAPE_FIX = 'Write {"connections": {"NAME": {...}}}; connections.schema.json describes it.';
const PROVIDERS_FIX = 'Write "providers": {"NAME": {...}} beside "connections", or remove providers.';

/**
 * Reads the text of the connections and fills in every default.
 * @param text JSON; a byte order mark before it is ignored
 * @returns valid and invalid connections; an invalid entry does not affect the others
 * @throws RotatorError `configuration_invalid` if the text is not valid JSON or has the wrong shape at the top; it names
 *   line and column, and repeats nothing of the text
 */
export function parseConnections(text: string, context: ConfigurationContext): Connections {
  return readConnections(text, context).resolve(new Map());
}

/** The entries of a file, before it is known whom their secrets belong to. */
export interface ReadConnections {
  /** The secrets whose owner decides which entries are valid. */
  readonly contested: readonly ContestedSecret[];
  resolve(owners: Owners): Connections;
}

/** The first half of {@link parseConnections}. @throws RotatorError as it does */
export function readConnections(text: string, context: ConfigurationContext): ReadConnections {
  const { outside, contested, entries } = readText(text, context);
  if (outside.length > 0) throw findingsError(FILE, outside);
  return { contested, resolve: (owners) => connectionsOf(entries(owners)) };
}

function connectionsOf(entries: readonly ReadEntry[]): Connections {
  return {
    valid: entries.flatMap(({ resolved }) => resolved.connection ?? []),
    invalid: entries.flatMap(({ name, resolved: { findings } }) =>
      findings ? [{ name: safeName(name), problem: entryProblem(findings) }] : [],
    ),
  };
}

/** A problem with a file of connections. */
export interface FileFinding {
  /** The name of its connection, safe to show; missing for the top of the file. */
  readonly name?: string;
  readonly problem: Problem;
  /** The keys from the top of the file to the field, as they are written. */
  readonly path: readonly string[];
}

/**
 * Every problem with the text of the connections, each with its place, the valid connections, and the endpoints that entries name.
 * @throws RotatorError `configuration_invalid` if the text is not valid JSON
 */
export function inspectConnections(
  text: string,
  context: ConfigurationContext,
): {
  readonly valid: readonly Connection[];
  readonly problems: readonly FileFinding[];
  readonly endpoints: readonly NamedEndpoint[];
} {
  const { outside, profiles, entries: entriesFor, raw } = readText(text, context);
  const entries = entriesFor(new Map());
  const connections = new Map(entries.map((each) => [each.name, each.resolved.connection]));
  const ofFile = [...outside, ...profiles.findings].map((finding) => ({
    problem: problemOf(findingsError(FILE, [finding])),
    path: (finding.within ?? []).map(String),
  }));
  const ofEntries = entries.flatMap(({ name, resolved: { findings = [] } }) =>
    findings.map((finding) => ({
      name: safeName(name),
      problem: entryProblem([finding]),
      path: ['connections', name, ...(finding.within ?? []).map(String)],
    })),
  );
  return {
    valid: entries.flatMap(({ resolved }) => resolved.connection ?? []),
    problems: [...ofFile, ...ofEntries],
    endpoints: [
      ...Object.entries(raw.sections).flatMap(([name, profile]) => endpointsOfProfile(name, profile)),
      ...Object.entries(raw.entries).flatMap(([name, entry]) =>
        endpointsOfEntry(name, isObject(entry) ? entry : {}, connections.get(name)),
      ),
    ],
  };
}

/** An address to which requests go, of an entry whether it is valid or not, or of a profile of the file. */
export interface NamedEndpoint {
  readonly address: string;
  /** The connection; missing for a profile, which may be in a private network if its entries allow it. */
  readonly name?: string;
  readonly allowPrivateNetwork: boolean;
  /** The keys from the top of the file to what names the address. */
  readonly path: readonly string[];
}

const ENDPOINTS = ['tokenUri', 'revocationUri'] as const;

function endpointsOfProfile(name: string, profile: unknown): NamedEndpoint[] {
  return ENDPOINTS.flatMap((key) => {
    const { [key]: address } = isObject(profile) ? profile : {};
    const path = ['providers', name, key];
    return typeof address === 'string' ? { path, address, allowPrivateNetwork: true } : [];
  });
}

/** What the entry does not state follows from its profile and its tenant. */
function endpointsOfEntry(
  name: string,
  entry: Readonly<Record<string, unknown>>,
  connection: Connection | undefined,
): NamedEndpoint[] {
  const allowPrivateNetwork = entry.allowPrivateNetwork === true;
  const inherited = typeof entry.tenant === 'string' ? 'tenant' : 'provider';
  const found = ENDPOINTS.flatMap((key) => {
    const stated = entry[key];
    // A path as revocation endpoint is on the host of the token endpoint.
    const isWhole = typeof stated === 'string' && !stated.startsWith('/');
    const address = isWhole ? addressIn(stated) : connection?.[key];
    if (address === undefined) return [];
    const path = ['connections', name, stated === undefined ? inherited : key];
    return { name: safeName(name), path, address, allowPrivateNetwork };
  });
  // One problem for each member of the entry.
  return found.filter(({ path }, index) => index === 0 || path[2] !== found[0]?.path[2]);
}

/** An entry as it was read, under its name as it is written. */
interface ReadEntry {
  readonly name: string;
  readonly resolved: Resolved;
}

interface ReadText {
  readonly raw: Pick<FileContent, 'entries' | 'sections'>;
  readonly outside: readonly Finding[];
  readonly profiles: KnownProviders;
  readonly contested: readonly ContestedSecret[];
  /** With the conflicts between entries that are valid on their own. */
  entries(owners: Owners): readonly ReadEntry[];
}

function readText(text: string, context: ConfigurationContext): ReadText {
  const { outside, entries, sections, profiles, repeated } = readFile(text.replace(/^\uFEFF/, ''), context);
  const known: Known = { context, profiles };
  const sameName = nameConflicts(Object.keys(entries));
  const results = Object.entries(entries).map(([name, raw]) => {
    const at = `connections.${safeName(name)}`;
    const findings = (repeated.get(name) ?? []).map((path) => repeatedFinding(at, path));
    return { name, raw, resolved: mergeFindings(findings, readEntry(name, at, raw, known)) };
  });
  const usesIn = (some: typeof results) =>
    usesOfSecrets(
      some.flatMap(({ resolved }) => resolved.connection ?? []),
      some
        .filter(({ name, resolved }) => resolved.findings && isConnectionName(name))
        .map(({ name, raw }) => claimsOf(name, raw, context)),
    );
  const uses = usesIn(results);
  return {
    raw: { entries, sections },
    outside,
    profiles,
    contested: uses.contested,
    entries: (owners) => {
      const isTwin = ({ name, resolved: { connection } }: (typeof results)[number]) => {
        const other = sameName.get(name);
        return other !== undefined && !(connection && isOlder(connection, other, owners));
      };
      const distinct = results.filter((each) => !isTwin(each));
      const conflicts = (distinct.length < results.length ? usesIn(distinct) : uses).findings(owners);
      return results.map((each) => {
        const { name, resolved } = each;
        if (isTwin(each)) {
          const twins = caseFindings(`connections.${safeName(name)}`, sameName.get(name) ?? '');
          return { name, resolved: { findings: [...twins, ...(resolved.findings ?? [])] } };
        }
        const clashing = resolved.connection && conflicts.get(name);
        return { name, resolved: clashing ? { findings: clashing } : resolved };
      });
    },
  };
}

/** Has the refresh token belonged to this connection, and not to the other one whose name differs only in case? */
function isOlder({ name, secrets, vaults }: Connection, other: string, owners: Owners): boolean {
  const known = owners.get(secretKey({ vault: vaults.credential, name: secrets.refreshToken }));
  return known?.has(name) === true && !known.has(other);
}

function isConnectionName(name: string): boolean {
  return connectionName.safeParse(name).success;
}

/** The secrets of an entry that is not valid, as far as it names them. */
function claimsOf(
  name: string,
  raw: unknown,
  { credentialVaultUrl, tokenVaultUrl }: ConfigurationContext,
): Claims {
  const { secrets } = isObject(raw) ? raw : {};
  const named = isObject(secrets) ? secrets : {};
  const nameOf = (key: Parameters<typeof defaultSecretName>[1]) => {
    const text = named[key];
    return typeof text === 'string' ? text : defaultSecretName(name, key);
  };
  return {
    name,
    clientId: undefined,
    vaults: { credential: credentialVaultUrl, token: tokenVaultUrl },
    secrets: {
      clientId: nameOf('clientId'),
      clientSecrets: [nameOf('clientSecret')],
      refreshToken: nameOf('refreshToken'),
      accessToken: nameOf('accessToken'),
    },
    connectionString: undefined,
  };
}

interface FileContent {
  /** Problems that make the whole file unusable. */
  readonly outside: Finding[];
  readonly entries: Readonly<Record<string, unknown>>;
  /** The profiles that the file defines, as it has them. */
  readonly sections: Readonly<Record<string, unknown>>;
  readonly profiles: KnownProviders;
  /** For each connection that appears twice or has a key that does: the path inside the entry. */
  readonly repeated: ReadonlyMap<string, readonly (readonly string[])[]>;
}

function readFile(text: string, { allowLoopbackHttp }: ConfigurationContext): FileContent {
  const file = parseJson(text);
  const { error } = connectionsFile.safeParse(file);
  const issues = error?.issues.filter(({ path }) => path.length < 2) ?? [];
  const { repeated } = scanJson(text);
  const outside = [
    ...issues.flatMap((issue) => explainOutside(issue, file)),
    ...repeated.filter(isOutside).map(repeatedOutside),
  ];
  const within = (top: string) => {
    const groups = Map.groupBy(
      repeated.filter(([first]) => first === top),
      ([, name = '']) => name,
    );
    return new Map([...groups].map(([name, paths]) => [name, paths.map((path) => path.slice(2))]));
  };
  const sections = membersOf(file, 'providers');
  return {
    outside,
    entries: membersOf(file, 'connections'),
    sections,
    profiles: readProviders(sections, within('providers'), allowLoopbackHttp),
    repeated: within('connections'),
  };
}

function membersOf(file: unknown, key: 'connections' | 'providers'): Readonly<Record<string, unknown>> {
  const { [key]: members } = isObject(file) ? file : {};
  return isObject(members) ? members : {};
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `JSON.parse` quotes the text in its message, so `scanJson` finds the position instead. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const { line, column } = positionsIn(text)(scanJson(text).errorAt ?? text.length);
    const [what, fix] = isOtherEncoding(text)
      ? ['is not encoded in UTF-8', SAVE_AS_UTF8]
      : text.trim() === ''
        ? ['is empty', SHAPE_FIX]
        : [
            `is not valid JSON (line ${line}, column ${column})`,
            'Correct it there: JSON requires double quotes, and allows no comments and no comma after the last member.',
          ];
    throw new RotatorError({ code: FILE, message: `The text of the connections ${what}.`, fix });
  }
}

type Issue = Parameters<typeof explainIssue>[1];

function explainOutside(issue: Issue, file: unknown): Finding[] {
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(connectionsFile.shape);
    return issue.keys.map((key) => ({
      ...unknownKey('the top of the file', key, known),
      ...(isEntry(file, key) && { fix: `Move ${safeKey(key) ?? 'the unknown key'} into connections.` }),
      within: [key],
    }));
  }
  const where = issue.path.length === 0 ? 'the file' : String(issue.path[0]);
  const isMissing = where === 'connections' && isObject(file) && !Object.hasOwn(file, where);
  const cause = isMissing ? 'is missing' : issue.message;
  return [{ where, cause, fix: where === 'providers' ? PROVIDERS_FIX : SHAPE_FIX, within: issue.path }];
}

/** An entry beside "connections" instead of in it. */
function isEntry(file: unknown, key: string): boolean {
  const { [key]: value } = isObject(file) ? file : {};
  return isObject(value) && ('tokenUri' in value || 'provider' in value);
}

function isOutside(path: readonly string[]): boolean {
  return path.length < 2 || !['connections', 'providers'].includes(path[0] ?? '');
}

function repeatedOutside(within: readonly string[]): Finding {
  const fix = 'Keep one of each key: only the last would count.';
  return { where: 'the top of the file', cause: 'has a key that appears twice', fix, within };
}

function caseFindings(at: string, other: string): Finding[] {
  const cause = `differs from connections.${safeName(other)} only in case, and Key Vault treats both names as the same`;
  return [{ where: at, cause, fix: `Rename ${at}.` }];
}

/** What reading an entry needs of the settings and of the rest of the file. */
interface Known {
  readonly context: ConfigurationContext;
  readonly profiles: KnownProviders;
}

function readEntry(name: string, at: string, raw: unknown, known: Known): Resolved {
  const nameIssue = connectionName.safeParse(name).error?.issues[0];
  const badName = nameIssue ? [{ where: at, cause: nameIssue.message, fix: `Rename ${at}.` }] : [];
  const parsed = connectionEntry.safeParse(raw);
  if (!parsed.success) {
    const { issues } = parsed.error;
    const wrong = issues.flatMap((issue) => explainIssue(at, issue));
    return { findings: [...badName, ...wrong, ...otherFindings(name, raw, issues, known)] };
  }
  return mergeFindings(badName, resolveWith(safeName(name), parsed.data, known));
}

function resolveWith(name: string, entry: ConnectionEntry, { context, profiles }: Known): Resolved {
  const profile = profiles.profileOf(entry.provider, `connections.${name}`);
  return 'where' in profile ? { findings: [profile] } : resolveEntry(name, { entry, profile }, context);
}

/** What else is wrong with an entry that does not pass the schema: what follows from doubtful keys is left out. */
function otherFindings(
  name: string,
  raw: unknown,
  issues: readonly Issue[],
  known: Known,
): readonly Finding[] {
  if (!isObject(raw)) return [];
  const doubtful = doubtfulKeys(issues);
  const sound = new Map(Object.entries(raw).filter(([key]) => !doubtful.has(key)));
  const entry = connectionEntry.safeParse(Object.fromEntries(sound));
  const { findings = [] } = entry.success ? resolveWith(safeName(name), entry.data, known) : {};
  return findings.filter(({ within = [] }) => {
    const key = String(within[0]);
    // Which keys may be missing depends on the provider.
    return !doubtful.has(key) && (sound.has(key) || !doubtful.has('provider'));
  });
}

function mergeFindings(findings: readonly Finding[], resolved: Resolved): Resolved {
  if (findings.length === 0) return resolved;
  return { findings: [...findings, ...(resolved.findings ?? [])] };
}

function entryProblem(findings: readonly Finding[]): Problem {
  return problemOf(findingsError(ENTRY, findings));
}
