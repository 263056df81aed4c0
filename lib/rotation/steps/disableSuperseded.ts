import { problemOf } from '../../errors.ts';
import { readLineage } from '../core/tags.ts';
import type { SecretVersion } from '../ports.ts';
import { logRun, type Run } from './run.ts';

/** More are left to the next look at the vault: a rotation must not take long. */
const MOST_AT_ONCE = 25;

/**
 * Disables the refresh tokens that came before the one in use and its parent: at a provider that does not revoke them they are
 * live credentials. In the steady state that is one version, which the parent's tags name; a look at the vault, after a crash or
 * when a person set a token, finds what was left behind.
 *
 * This needs no lease: what a saved version descends from is never used again, whoever goes on. Never throws: what fails is
 * a warning, and the rotation goes on.
 * @param sent the refresh token that was sent
 * @param saved was another one obtained with it, and saved?
 */
export async function disableSuperseded(run: Run, sent: SecretVersion, saved: boolean): Promise<void> {
  const parent = readLineage(sent.tags)?.parent ?? '';
  const superseded = new Set(run.superseded);
  if (saved && parent !== '') superseded.add(parent);
  for (const version of saved ? [sent.version] : [sent.version, parent]) superseded.delete(version);
  const { secrets, vaults } = run.connection;
  for (const version of [...superseded].slice(0, MOST_AT_ONCE))
    if (!(await disableVersion(run, vaults.credential, secrets.refreshToken, version))) return;
}

/** Disables a version that holds a refresh token which nobody needs any more. Never throws. @returns false where it failed */
export async function disableVersion(
  run: Run,
  vault: string,
  secret: string,
  version: string,
): Promise<boolean> {
  try {
    await run.ports.vault(vault).disable(secret, version);
  } catch (thrown) {
    const { code, message } = problemOf(thrown);
    logRun(run, 'warn', 'superseded_version_enabled', { secret, version, code, message });
    return false;
  }
  logRun(run, 'info', 'superseded_version_disabled', { secret, version });
  return true;
}
