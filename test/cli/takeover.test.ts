import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Desk, documentOf, run, STRICT, startDesk } from './support.ts';

let desk: Desk;

beforeAll(async () => {
  desk = await startDesk();
});

afterAll(() => desk?.close());

describe('rotator takeover', { timeout: 120_000 }, () => {
  test('explains the consequences, changes nothing without consent, and then the connection rotates', async () => {
    const name = `${STRICT.name}-refresh-token`;
    const own = await desk.rotator(['takeover', STRICT.name, '--json']).ended;
    expect(documentOf(own)).toMatchObject({ takenOver: false });
    const value = (await desk.secret('credentialVault', name))?.value;
    const tags = {
      'managed-by': 'key-vault-token-rotator',
      connection: STRICT.name,
      store: 'other.blob.example',
    };
    await desk.secret('credentialVault', name, { value, tags });
    const asked = await desk.rotator(['takeover', STRICT.name]).ended;
    expect(asked.code).toBe(4);
    expect(asked.stderr).toContain('safe only if that rotator is stopped');
    expect((await desk.secret('credentialVault', name))?.tags?.store).toBe('other.blob.example');
    const takenOver = await desk.start(['takeover', STRICT.name, '--yes', '--json']).ended;
    expect(documentOf(takenOver)).toMatchObject({
      takenOver: true,
      from: 'other.blob.example',
      to: '127.0.0.1',
    });
    expect(documentOf(await desk.rotator(['rotate', STRICT.name, '--json']).ended)).toMatchObject({
      result: 'rotated',
    });
  });
});

describe('rotator completion', () => {
  test('bash completes commands and options', async () => {
    const { stdout: script } = await run(['completion', 'bash']).ended;
    const complete = async (...words: string[]) => {
      const body = `${script}\nCOMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _rotator; echo "\${COMPREPLY[@]}"`;
      return (await promisify(execFile)('bash', ['-c', body])).stdout.trim();
    };
    expect(await complete('rotator', 'ta')).toBe('takeover');
    expect(await complete('rotator', 'rotate', '--fo')).toBe('--force');
    expect(await complete('rotator', 'rotate', '--js')).toBe('--json');
  });

  test.each(['zsh', 'powershell'])('%s gets a script that names every command', async (shell) => {
    const { stdout, code } = await desk.withoutStack(['completion', shell]).ended;
    expect(code).toBe(0);
    for (const command of [
      'status',
      'rotate',
      'plan',
      'validate',
      'export-schema',
      'connect',
      'import',
      'render',
      'doctor',
      'takeover',
    ])
      expect(stdout).toContain(command);
    expect((await desk.withoutStack(['completion', 'fish']).ended).code).toBe(2);
  });
});
