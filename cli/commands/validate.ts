import { readEntryRules } from '../../lib/config/environment.ts';
import type { Environment } from '../../lib/config/environmentReader.ts';
import { connectionsJsonSchema } from '../../lib/config/jsonSchema.ts';
import { parseConnections } from '../../lib/config/parseConnections.ts';
import { placeOf } from '../../lib/config/scanJson.ts';
import type { Problem } from '../../lib/errors.ts';
import { safeName } from '../../lib/safeText.ts';
import type { Cli, CommonOptions } from '../cli.ts';
import { EXIT } from '../exitCodes.ts';
import { readInput } from '../readInput.ts';

/** The vault for the checks if no vault is set: the checks depend only on whether two vaults are the same. */
const ANY_VAULT = 'https://vault.invalid';

/** `rotator validate FILE` */
export async function validate({ terminal, options, env }: Cli, file: string): Promise<number> {
  const text = (await readInput(file)).replace(/^\uFEFF/, '');
  const { valid, invalid } = parseConnections(text, readEntryRules(settingsOf(options, env)));
  const problems = invalid.map(({ name, problem }) => ({ name, ...placeIn(text, name), ...fields(problem) }));
  const lines = problems.flatMap(({ line, column, message, fix }) => [
    `${file}:${line}:${column}: ${message}`,
    `  ${fix}`,
  ]);
  const total = `${valid.length} of ${valid.length + invalid.length} connections are valid.`;
  terminal.result({ file, valid: valid.map(({ name }) => name), invalid: problems }, [...lines, total]);
  return invalid.length === 0 ? EXIT.done : EXIT.invalid;
}

function settingsOf({ credentialVault, tokenVault, local }: CommonOptions, env: Environment): Environment {
  return {
    CREDENTIAL_VAULT_URL: credentialVault ?? (env.CREDENTIAL_VAULT_URL?.trim() || ANY_VAULT),
    TOKEN_VAULT_URL: tokenVault ?? env.TOKEN_VAULT_URL,
    ALLOW_LOOPBACK_HTTP: local ? 'true' : env.ALLOW_LOOPBACK_HTTP,
  };
}

/** `rotator export-schema` */
export function exportSchema(): number {
  // The schema is already JSON, so --json changes nothing.
  process.stdout.write(`${JSON.stringify(connectionsJsonSchema(), null, 2)}\n`);
  return EXIT.done;
}

/** Line and column, from 1, of the entry's name; `name` is the printable form that safeName returns. */
function placeIn(text: string, name: string): { line: number; column: number } {
  const { connections } = JSON.parse(text) as { connections: object };
  const written = Object.keys(connections).find((each) => safeName(each) === name) ?? name;
  const before = text.slice(0, placeOf(text, ['connections', written]) ?? 0).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

function fields({ code, message, fix }: Problem): Problem {
  return { code, message, fix };
}
