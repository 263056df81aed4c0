/**
 * Prints how easy lib/rotation is to read, in figures: of its text, and of one rotation that it runs in memory. The targets are
 * guides: if meeting one would make the code worse, do not meet it.
 */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { observeOneRotation } from './house/oneRotation.ts';
import { type MeasuredFunction, measureSource } from './house/sourceFile.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const SWEEP = 'lib/rotation/sweep.ts';
const MANY_PARAMETERS = 4;
const LONG_FUNCTION = 40;
const SHORT_FUNCTION = 4;

const pathsOf = (pattern: string) =>
  globSync(pattern, { cwd: ROOT, exclude: ['**/node_modules/**'] })
    .map((path) => path.replaceAll('\\', '/'))
    .toSorted();
const read = (path: string) => readFileSync(`${ROOT}${path}`, 'utf8');
const files = pathsOf('lib/rotation/**/*.ts').map((path) => measureSource(path, read(path)));
const functions = files.flatMap((file) => file.functions);
const named = functions.filter(({ kind }) => kind !== 'constructor');

/** Nearest rank. */
function quantile(numbers: readonly number[], part: number): number {
  return numbers.toSorted((one, other) => one - other)[Math.ceil(part * numbers.length) - 1] ?? 0;
}

function spread(numbers: readonly number[]): string {
  return [0.5, 0.9, 1].map((part) => quantile(numbers, part)).join(' / ');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

/** The files of lib/rotation that an import of the sweep loads, itself included. */
function importClosure(withTypes: boolean): string[] {
  const reached = new Set<string>();
  const reach = (path: string) => {
    const file = files.find((each) => each.path === path);
    if (!file || reached.has(path)) return;
    reached.add(path);
    for (const each of file.imports) if (withTypes || !each.typeOnly) reach(each.path);
  };
  reach(SWEEP);
  return [...reached];
}

/** "17: 8 in core/, 9 others" */
function split(paths: readonly string[]): string {
  const core = paths.filter((path) => path.startsWith('lib/rotation/core/')).length;
  return `${paths.length}: ${core} in core/, ${paths.length - core} others`;
}

function linesIn(...folders: readonly string[]): number {
  const paths = folders.flatMap((folder) => pathsOf(`${folder}/**/*.{ts,js}`));
  return sum(paths.map((path) => read(path).split('\n').length - 1));
}

const shortName = (path: string) => path.replace('lib/rotation/', '');
const show = ({ file, name }: MeasuredFunction, figure: number) => `${shortName(file)} ${name} (${figure})`;

const privates = named.filter(({ isPrivate }) => isPrivate);
const once = privates.filter(({ calledOnce }) => calledOnce);
const shortOnce = once.filter(({ lines }) => lines <= SHORT_FUNCTION);
const withMany = functions.filter(({ parameters }) => parameters >= MANY_PARAMETERS);
const long = named.filter(({ lines }) => lines > LONG_FUNCTION);
const takesState = functions.filter(({ takesRotationState }) => takesRotationState);
const mutable = files.flatMap(({ mutableRecords }) => mutableRecords);
const exceptions = [...files, measureSource('lib/errors.ts', read('lib/errors.ts'))].flatMap(
  (file) => file.exceptions,
);
const { executed, frames } = await observeOneRotation();

type Row = readonly [figure: string, value: string | number, aim?: string];
const ROWS: readonly Row[] = [
  ['files', files.length, '<= 21'],
  ['lines', sum(files.map(({ lines }) => lines))],
  ['lines of a file: median / p90 / max', spread(files.map(({ lines }) => lines)), 'max <= 360'],
  ['named functions and methods', named.length],
  ['lines of a function: median / p90 / max', spread(named.map(({ lines }) => lines)), 'p90 <= 20'],
  [`functions of more than ${LONG_FUNCTION} lines`, long.length, 'the eight steps'],
  ['private functions', privates.length],
  ['  called once', `${once.length} (${Math.round((100 * once.length) / privates.length)} %)`, '<= 48 %'],
  [`  called once, of at most ${SHORT_FUNCTION} lines`, shortOnce.length, '<= 5'],
  [`functions with ${MANY_PARAMETERS} or more parameters`, withMany.length, '<= 15'],
  ['free functions that take the rotation state (Run)', takesState.length, '0'],
  ['private fields that hold a mutable record', mutable.length, '0'],
  ['exception classes, lib/errors.ts included', exceptions.length, '2'],
  ['files that the sweep imports, values only', split(importClosure(false)), '<= 18'],
  ['files that the sweep imports, with types', split(importClosure(true))],
  ['files of which code runs in one rotation', split(executed), '<= 17, <= 9 others'],
  ['frames from the sweep to the first vault write', frames.length + 1, '<= 7'],
  ['lines of the product (cli, functions, lib)', linesIn('cli', 'functions', 'lib')],
  ['lines of tools (examples, local, scripts)', linesIn('examples', 'local', 'scripts')],
  ['lines of tests (test)', linesIn('test')],
];

const width = (column: 0 | 1) => Math.max(...ROWS.map((row) => String(row[column]).length));
console.log(`${'lib/rotation'.padEnd(width(0))}  ${'now'.padEnd(width(1))}  aim`);
for (const [figure, value, aim = ''] of ROWS)
  console.log(`${figure.padEnd(width(0))}  ${String(value).padEnd(width(1))}  ${aim}`.trimEnd());

const LISTS: Readonly<Record<string, readonly string[]>> = {
  'Frames, the first vault write first (distinct functions by name, plus the call of the port)':
    frames.map(shortName),
  'Files of which code runs in one rotation': executed.map(shortName),
  [`Functions with ${MANY_PARAMETERS} or more parameters`]: withMany.map((each) =>
    show(each, each.parameters),
  ),
  [`Functions of more than ${LONG_FUNCTION} lines`]: long.map((each) => show(each, each.lines)),
  'Private functions called once (lines)': once.map((each) => show(each, each.lines)),
  'Private fields that hold a mutable record': mutable,
  'Exception classes': exceptions,
};
for (const [title, entries] of Object.entries(LISTS))
  if (entries.length > 0) console.log(`\n${title}:\n  ${entries.join('\n  ')}`);
