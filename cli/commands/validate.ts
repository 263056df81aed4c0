import { readEntryRules } from '../../lib/config/environment.ts';
import type { Environment } from '../../lib/config/environmentReader.ts';
import { connectionsJsonSchema } from '../../lib/config/jsonSchema.ts';
import {
  type FileFinding,
  inspectConnections,
  type NamedEndpoint,
} from '../../lib/config/parseConnections.ts';
import { placesIn, positionsIn } from '../../lib/config/scanJson.ts';
import { refusedLiteral } from '../../lib/oauth/classifyFailure.ts';
import type { Connection } from '../../lib/rotation/core/connection.ts';
import { needsTag } from '../../lib/rotation/steps/allowedSecret.ts';
import { safeName } from '../../lib/safeText.ts';
import type { Cli, CommonOptions } from '../cli.ts';
import { EXIT } from '../exitCodes.ts';
import { readInput } from '../readInput.ts';

/** The vault for the checks if no vault is set: the checks depend only on whether two vaults are the same. */
const ANY_VAULT = 'https://vault.invalid';

/** `rotator validate FILE` */
export async function validate({ terminal, options, env }: Cli, file: string): Promise<number> {
  const text = (await readInput(file)).replace(/^\uFEFF/, '');
  const rules = readEntryRules(settingsOf(options, env));
  const { valid: wellFormed, problems, endpoints } = inspectConnections(text, rules);
  const refused = endpoints.flatMap((each) => addressProblem(each, rules.allowLoopbackHttp));
  const valid = wellFormed.filter(({ name }) => !refused.some((each) => each.name === name));
  const positionOf = keyPositionsIn(text);
  const invalid = [...problems, ...refused].map(({ name, problem: { code, message, fix }, path }) => ({
    ...(name !== undefined && { name }),
    ...positionOf(path),
    code,
    message,
    fix,
  }));
  const lines = invalid.flatMap(({ line, column, message, fix }) => [
    `${file}:${line}:${column}: ${message}`,
    `  ${fix}`,
  ]);
  const invalidNames = new Set(invalid.flatMap(({ name }) => name ?? []));
  const notes = valid
    .flatMap(tagNotes)
    .map(({ path, message, fix }) => ({ ...positionOf(path), message, fix }));
  const noteLines = notes.flatMap(({ line, column, message, fix }) => [
    `${file}:${line}:${column}: note: ${message}`,
    `  ${fix}`,
  ]);
  const count = valid.length + invalidNames.size;
  const total =
    count + invalid.length === 0
      ? 'The file is valid, but it has no connections: the rotator has nothing to do.'
      : `${valid.length} of ${count} connections are valid.`;
  terminal.result({ file, valid: valid.map(({ name }) => name), invalid, notes }, [
    ...lines,
    ...noteLines,
    total,
  ]);
  return invalid.length === 0 ? EXIT.done : EXIT.invalid;
}

/** An entry with such an address is valid, but each of its token requests would be refused. */
function addressProblem(endpoint: NamedEndpoint, allowLoopback: boolean): FileFinding[] {
  const { name, path, address: tokenUri } = endpoint;
  const [section = '', key = '', member = ''] = path;
  const target = { ...endpoint, name: name ?? safeName(key), tokenUri };
  const refused = refusedLiteral(target, allowLoopback);
  // The finding about plain http names this machine as well.
  const isNamed = /^http:/i.test(tokenUri) && !refusedLiteral(target, true);
  if (!refused || isNamed) return [];
  const message = `${section}.${target.name}.${member} names ${refused.address}.`;
  const fix = refused.fix.replaceAll('tokenUri', member);
  return [{ ...(name !== undefined && { name }), problem: { code: 'address_refused', message, fix }, path }];
}

/** What only the vault and the deployment know: the rotator sends a shared secret only if one of them allows it. */
function tagNotes(connection: Connection) {
  const { name, clientId, secrets } = connection;
  const names = {
    ...(clientId === undefined && { clientId: [secrets.clientId] }),
    clientSecret: secrets.clientSecrets,
    refreshToken: [secrets.refreshToken],
  };
  return Object.entries(names)
    .filter(([, each]) => each.some((secret) => needsTag(connection, secret, 'sent')))
    .map(([key]) => ({
      path: ['connections', name, 'secrets', key],
      message: `connections.${name}.secrets.${key} names a secret that ${name} may use only with permission.`,
      fix: `Set the tag connections=${name} at the secret, or add its name to the app setting ALLOWED_SECRETS. What rotator connect and rotator import store has the tag.`,
    }));
}

function settingsOf(
  { credentialVault, tokenVault, local, stack }: CommonOptions,
  env: Environment,
): Environment {
  return {
    ...env,
    CREDENTIAL_VAULT_URL: credentialVault ?? (env.CREDENTIAL_VAULT_URL?.trim() || ANY_VAULT),
    TOKEN_VAULT_URL: tokenVault ?? env.TOKEN_VAULT_URL,
    ALLOW_LOOPBACK_HTTP: local || stack !== undefined ? 'true' : env.ALLOW_LOOPBACK_HTTP,
  };
}

/** `rotator export-schema` */
export function exportSchema(): number {
  // The schema is already JSON, so --json changes nothing.
  process.stdout.write(`${JSON.stringify(connectionsJsonSchema(), null, 2)}\n`);
  return EXIT.done;
}

/**
 * Line and column, from 1, of the key at the end of a path, or of the last key on the way that the text has. Of a repeated key, that is
 * the last one, and what stands before it is not its value.
 */
function keyPositionsIn(text: string): (path: readonly string[]) => { line: number; column: number } {
  const [placeOf, positionOf] = [placesIn(text), positionsIn(text)];
  return (path) => {
    let at = 0;
    for (const index of path.keys()) {
      const place = placeOf(path.slice(0, index + 1));
      if (place === undefined || place < at) break;
      at = place;
    }
    return positionOf(at);
  };
}
