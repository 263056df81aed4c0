import { type ErrorCode, type Problem, problemOf, RotatorError } from '../errors.ts';
import type { Connection, Connections } from '../rotation/core/connection.ts';
import { safeName } from '../safeText.ts';
import { nameConflicts, secretConflicts } from './conflicts.ts';
import { connectionEntry, connectionName, connectionsFile } from './connectionSchema.ts';
import { explainIssue, unknownKey } from './explainIssue.ts';
import { type Finding, findingsError } from './findings.ts';
import { isOtherEncoding, SAVE_AS_UTF8 } from './otherEncoding.ts';
import { type ConfigurationContext, type Resolved, resolveEntry } from './resolveEntry.ts';
import { scanJson } from './scanJson.ts';

export type { ConfigurationContext } from './resolveEntry.ts';

const FILE: ErrorCode = 'configuration_invalid';
const ENTRY: ErrorCode = 'connection_invalid';
const SHAPE_FIX = 'Write {"connections": {"NAME": {...}}}; connections.schema.json describes it.';

/**
 * Reads the text of the connections and fills in every default.
 * @param text JSON; a byte order mark before it is ignored
 * @returns valid and invalid connections; an invalid entry does not affect the others
 * @throws RotatorError `configuration_invalid` if the text is not valid JSON or has the wrong shape at the top; it names
 *   line and column, and repeats nothing of the text
 */
export function parseConnections(text: string, context: ConfigurationContext): Connections {
  const { entries, repeated } = readFile(text.replace(/^\uFEFF/, ''));
  const sameName = nameConflicts(Object.keys(entries));
  const results = Object.entries(entries).map(([name, raw]) => {
    const at = `connections.${safeName(name)}`;
    const findings = [
      ...caseFindings(at, sameName.get(name)),
      ...(repeated.get(name) ?? []).map((path) => repeatedFinding(at, path)),
    ];
    return { name: safeName(name), resolved: mergeFindings(findings, readEntry(name, at, raw, context)) };
  });
  return withoutConflicts(results);
}

interface FileContent {
  readonly entries: Readonly<Record<string, unknown>>;
  /** For each connection that appears twice or has a key that does: the path inside the entry. */
  readonly repeated: ReadonlyMap<string, readonly (readonly string[])[]>;
}

function readFile(text: string): FileContent {
  const file = parseJson(text);
  const parsed = connectionsFile.safeParse(file);
  const outside = parsed.error?.issues.filter(({ path }) => path.length < 2) ?? [];
  const { repeated } = scanJson(text);
  const findings = [...outside.flatMap(explainOutside), ...repeated.filter(isOutside).map(repeatedOutside)];
  if (findings.length > 0) throw findingsError(FILE, findings);
  const inside = Map.groupBy(repeated, ([, name = '']) => name);
  return {
    entries: (file as { connections: Record<string, unknown> }).connections,
    repeated: new Map([...inside].map(([name, paths]) => [name, paths.map((path) => path.slice(2))])),
  };
}

/** `JSON.parse` quotes the text in its message, so `scanJson` finds the position instead. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const before = text.slice(0, scanJson(text).errorAt ?? text.length).split('\n');
    const column = (before.at(-1)?.length ?? 0) + 1;
    const what =
      text.trim() === '' ? 'is empty' : `is not valid JSON (line ${before.length}, column ${column})`;
    throw new RotatorError({
      code: FILE,
      message: `The text of the connections ${isOtherEncoding(text) ? 'is not encoded in UTF-8' : what}.`,
      fix: isOtherEncoding(text)
        ? SAVE_AS_UTF8
        : 'Correct it there: JSON requires double quotes, and allows no comments and no comma after the last member.',
    });
  }
}

type Issue = Parameters<typeof explainIssue>[1];

function explainOutside(issue: Issue): Finding[] {
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(connectionsFile.shape);
    return issue.keys.map((key) => unknownKey('the top of the file', key, known));
  }
  const where = issue.path.length === 0 ? 'the file' : String(issue.path[0]);
  return [{ where, cause: issue.message, fix: SHAPE_FIX }];
}

function isOutside(path: readonly string[]): boolean {
  return path.length < 2 || path[0] !== 'connections';
}

function repeatedOutside(): Finding {
  const fix = 'Keep one of each key: only the last would count.';
  return { where: 'the top of the file', cause: 'has a key that appears twice', fix };
}

function repeatedFinding(at: string, path: readonly string[]): Finding {
  const where = [at, ...path.map(safeName)].join('.');
  return { where, cause: 'appears twice', fix: `Keep one ${where}: only the last would count.` };
}

function caseFindings(at: string, other: string | undefined): Finding[] {
  if (other === undefined) return [];
  const cause = `differs from connections.${safeName(other)} only in case, and Key Vault treats both names as the same`;
  return [{ where: at, cause, fix: `Rename ${at}.` }];
}

function readEntry(name: string, at: string, raw: unknown, context: ConfigurationContext): Resolved {
  const nameIssue = connectionName.safeParse(name).error?.issues[0];
  const badName = nameIssue ? [{ where: at, cause: nameIssue.message, fix: `Rename ${at}.` }] : [];
  const parsed = connectionEntry.safeParse(raw);
  if (!parsed.success) {
    return { findings: [...badName, ...parsed.error.issues.flatMap((issue) => explainIssue(at, issue))] };
  }
  return mergeFindings(badName, resolveEntry(safeName(name), parsed.data, context));
}

function mergeFindings(findings: readonly Finding[], resolved: Resolved): Resolved {
  if (findings.length === 0) return resolved;
  return { findings: [...findings, ...(resolved.findings ?? [])] };
}

/** Compares only entries that are valid on their own: an invalid one is not used, so it cannot conflict with others. */
function withoutConflicts(results: readonly { name: string; resolved: Resolved }[]): Connections {
  const sound = results.flatMap(({ resolved }) => resolved.connection ?? []);
  const conflicts = secretConflicts(sound);
  const valid: Connection[] = sound.filter(({ name }) => !conflicts.has(name));
  const invalid = results.flatMap(({ name, resolved }) => {
    const findings = resolved.findings ?? conflicts.get(name);
    return findings ? [{ name, problem: entryProblem(findings) }] : [];
  });
  return { valid, invalid };
}

function entryProblem(findings: readonly Finding[]): Problem {
  return problemOf(findingsError(ENTRY, findings));
}
