import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { force } from '../../faults/process/stage.ts';
import { installConsumer } from '../installConsumer.ts';
import { CONNECTION, type ExampleStage, startStage } from '../stage.ts';

/** The duration and the conditions of a run. */
export interface Endurance {
  readonly seconds: number;
  readonly accessTokenSeconds: number;
  /** How long the rotator is down after each kill, in seconds. */
  readonly downSeconds: number;
  /** Receives one line for each event. */
  readonly onLine?: (line: string) => void;
}

/** The result of a run. */
export interface EnduranceReport {
  /** As the consumer counts: any final status other than 200 is a failure. */
  readonly requests: number;
  readonly failed: number;
  /** Requests that the API refused; the consumer's second attempt may have succeeded. */
  readonly refused: number;
  /** How many different tokens the API accepted. */
  readonly tokens: number;
  readonly kills: number;
}

/**
 * Runs the example `node-worker.ts` as a process outside the repository. Meanwhile it kills and restarts the rotator after a third and
 * after two thirds of the time.
 */
export async function endure(endurance: Endurance): Promise<EnduranceReport> {
  const { seconds, accessTokenSeconds, downSeconds, onLine = () => {} } = endurance;
  const [stage, installation] = await Promise.all([startStage(accessTokenSeconds), installConsumer()]);
  try {
    const worker = await startWorker(await installation.example('node-worker.ts'), stage, onLine);
    const begun = performance.now();
    const until = (part: number) => sleep(Math.max(0, seconds * 1000 * part - (performance.now() - begun)));
    let kills = 0;
    for (const part of [1 / 3, 2 / 3]) {
      await until(part);
      await killBetweenRotations(stage, downSeconds);
      kills += 1;
      onLine(`the rotator was killed, and restarted after ${downSeconds} s`);
    }
    await until(1);
    const counts = await worker.stop();
    return { ...counts, refused: stage.api.responses.get(401) ?? 0, tokens: stage.api.tokens.size, kills };
  } finally {
    await stage.close();
    await installation.close();
  }
}

/**
 * Kills the rotator directly after a rotation. A kill during a rotation can delay the next token (see `docs/reliability.md`) by more than
 * the remaining lifetime of short tokens.
 */
async function killBetweenRotations({ stack }: ExampleStage, downSeconds: number): Promise<void> {
  while ((await force(stack.host, CONNECTION.name))?.status !== 200) await sleep(100);
  await stack.host.kill();
  await sleep(downSeconds * 1000);
  await stack.restartHost();
}

interface Counts {
  readonly requests: number;
  readonly failed: number;
}

async function startWorker(program: string, { environment }: ExampleStage, onLine: (line: string) => void) {
  const child = spawn(process.execPath, [program], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => onLine(`the worker: ${chunk.toString().trim()}`));
  await once(child, 'spawn');
  return {
    stop: async (): Promise<Counts> => {
      child.kill('SIGTERM');
      await closed;
      return JSON.parse(output) as Counts;
    },
  };
}
