import tls from 'node:tls';
import type { Parts } from '../lib/compose.ts';
import type { Environment } from '../lib/config/environmentReader.ts';
import { settingNames } from '../lib/config/settingNames.ts';
import { RotatorError } from '../lib/errors.ts';
import { STACK_FILE } from './localStack.ts';
import { readOwnFile } from './ownFile.ts';
import { type LocalStack, readLocalStack } from './readLocalStack.ts';
import type { Terminal } from './terminal.ts';

/** The options that every command takes. */
export interface CommonOptions {
  readonly json?: true;
  readonly verbose?: true;
  readonly local?: true;
  readonly stack?: string;
  readonly credentialVault?: string;
  readonly tokenVault?: string;
  readonly storageAccount?: string;
  readonly connections?: string;
}

/** For commands that work without any connection: the first connection has no file yet. */
export const NO_CONNECTIONS: Environment = { CONNECTIONS: '{"connections":{}}' };

/** What a command works with. */
export interface Cli {
  readonly options: CommonOptions;
  readonly terminal: Terminal;
  /** The process's environment. Settings for libraries that read the environment are written to it. */
  readonly env: Record<string, string | undefined>;
  /** Fires on Ctrl-C: the command finishes the work in progress and starts nothing new. */
  readonly interrupted: AbortSignal;
}

/** Everything that a command needs to connect to vaults and storage. */
export interface Connected extends Parts {
  /** Undefined without `--local`. */
  readonly stack: LocalStack | undefined;
}

/**
 * Composes the parts from the environment, the options, or the running local stack.
 * @param fallback settings that apply if neither the environment nor the options have them
 * @throws RotatorError `configuration_invalid`
 */
export async function connect(cli: Cli, fallback: Environment = {}): Promise<Connected> {
  const { options, env, terminal } = cli;
  const stack = stackOf(options);
  if (stack) enterStack(stack, env);
  const { composeParts } = await import('../lib/compose.ts');
  const log = (_level: string, line: string) => {
    if (options.verbose) terminal.hint(line);
  };
  const settings = { ...fallback, ...env, ...overridden(options) };
  try {
    return { ...composeParts(settings, log), stack };
  } catch (thrown) {
    throw stack || settings.CREDENTIAL_VAULT_URL?.trim() ? thrown : orLocal(thrown);
  }
}

/** Without a vault, a user of the local stack has probably forgotten the option. */
function orLocal(thrown: unknown): unknown {
  if (!(thrown instanceof RotatorError)) return thrown;
  const { code, message, fix } = thrown;
  return new RotatorError({
    code,
    message,
    fix: `Add --local to use the stack of npm start. For Azure: ${fix}`,
  });
}

/** @throws RotatorError `configuration_invalid` if `--local` is set and no stack is running */
function stackOf({ local, stack }: CommonOptions): LocalStack | undefined {
  return local || stack !== undefined ? readLocalStack(stack ?? STACK_FILE) : undefined;
}

/** Azure's libraries read the managed identity's address from the environment. From here on the process trusts the vaults' certificate. */
function enterStack({ environment }: LocalStack, env: Cli['env']): void {
  const { NODE_EXTRA_CA_CERTS: file } = environment;
  const ca = file === undefined ? undefined : readOwnFile(file);
  // A setting in the shell's environment is not meant for the local stack.
  for (const name of settingNames(env)) delete env[name];
  Object.assign(env, environment);
  if (ca) tls.setDefaultCACertificates([...tls.getCACertificates('default'), ca]);
}

function overridden(options: CommonOptions): Environment {
  return {
    ...(options.credentialVault && { CREDENTIAL_VAULT_URL: options.credentialVault }),
    ...(options.tokenVault && { TOKEN_VAULT_URL: options.tokenVault }),
    ...(options.storageAccount && {
      AzureWebJobsStorage: undefined,
      AzureWebJobsStorage__accountName: options.storageAccount,
    }),
    ...(options.connections && { CONNECTIONS: options.connections }),
  };
}

/** If the connections file cannot be read, the running functions may have read it before: they can do what this command cannot. */
export function orVia(thrown: unknown, { stack }: Pick<Connected, 'stack'>): unknown {
  if (!(thrown instanceof RotatorError) || thrown.since === undefined) return thrown;
  const { code, message, fix } = thrown;
  const via = `--via ${stack?.hostUrl ?? 'URL'}`;
  return new RotatorError({
    code,
    message,
    fix: `${fix} Or add ${via}: the functions keep the last valid connections.`,
  });
}

/** @throws RotatorError `interrupted` after Ctrl-C */
export function ensureNotInterrupted({ interrupted }: Pick<Cli, 'interrupted'>): void {
  if (interrupted.aborted) throw commandInterrupted();
}

/** Ctrl-C, also as the answer to a question. */
export function commandInterrupted(): RotatorError {
  return new RotatorError({
    code: 'interrupted',
    message: 'The command was interrupted.',
    fix: 'Run the command again at any time: it left nothing half-written.',
  });
}
