import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ROOT } from './bicepCli.ts';

const CACHE = join(ROOT, 'node_modules', '.cache', 'bicep');
/** Everything that a Bicep file can refer to. */
const INPUTS = ['infra/**/*', 'test/infra/parameters/*'];

/** What the Bicep server returned for the same files, kept for a day: some findings depend on the date. */
export class BicepResults {
  readonly #folder = join(CACHE, new Date().toISOString().slice(0, 10));
  readonly #bicep: string;
  readonly #env: Readonly<Record<string, string | undefined>>;

  /**
   * @param bicep the path of the CLI, which contains its version
   * @param env the variables that a parameter file may read
   */
  constructor(bicep: string, env: Readonly<Record<string, string | undefined>>) {
    this.#bicep = bicep;
    this.#env = env;
    mkdirSync(this.#folder, { recursive: true });
    for (const day of readdirSync(CACHE))
      if (join(CACHE, day) !== this.#folder) rmSync(join(CACHE, day), { recursive: true, force: true });
  }

  /**
   * @param root the folder with the files
   * @param call everything that is asked
   * @param ask asks the server
   */
  async get<T>(root: string, call: string, ask: () => Promise<T>): Promise<T> {
    const file = join(this.#folder, `${this.#hash(root, call)}.json`);
    try {
      return JSON.parse(readFileSync(file, 'utf8'));
    } catch {
      const result = await ask();
      writeFileSync(file, JSON.stringify(result));
      return result;
    }
  }

  #hash(root: string, call: string): string {
    const hash = createHash('sha256').update(JSON.stringify([this.#bicep, call]));
    for (const path of globSync(INPUTS, { cwd: root, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort())
      hash.update(JSON.stringify([relative(root, path), ...this.#readBy(readFileSync(path, 'utf8'))]));
    return hash.digest('hex');
  }

  /** A text, and the values of the variables that it reads. */
  #readBy(text: string): (string | undefined)[] {
    const names = [...text.matchAll(/readEnvironmentVariable\('(\w+)'/g)].map(([, name = '']) => name);
    return [text, ...names.map((name) => this.#env[name])];
  }
}
