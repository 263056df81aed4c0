type Test = (value: string) => boolean;

const numberIn = (value: string, low: number, high: number): boolean =>
  /^-?\d+$/.test(value) && Number(value) >= low && Number(value) <= high;

const matches =
  (pattern: RegExp): Test =>
  (value) =>
    pattern.test(value);

/** The inline route constraints that Azure Functions documents, by name; each makes a test from its arguments. */
const CONSTRAINTS: Readonly<Record<string, (args: string) => Test>> = {
  alpha: () => matches(/^[a-z]*$/i),
  bool: () => matches(/^(true|false)$/i),
  decimal: () => matches(/^-?\d+(\.\d+)?$/),
  guid: () => matches(/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i),
  int: () => (value) => numberIn(value, -(2 ** 31), 2 ** 31 - 1),
  long: () => matches(/^-?\d{1,19}$/),
  min: (args) => (value) => numberIn(value, Number(args), Number.POSITIVE_INFINITY),
  max: (args) => (value) => numberIn(value, Number.NEGATIVE_INFINITY, Number(args)),
  range: (args) => (value) => numberIn(value, ...pair(args)),
  minlength: (args) => (value) => value.length >= Number(args),
  maxlength: (args) => (value) => value.length <= Number(args),
  length: (args) => (value) => value.length >= pair(args)[0] && value.length <= pair(args)[1],
  // A template doubles braces; the real host compares without case.
  regex: (args) => matches(new RegExp(args.replaceAll('{{', '{').replaceAll('}}', '}'), 'i')),
};

/** The test for one constraint as it stands in a route template, such as `int` or `length(1,127)`. */
export function constraintTest(text: string): Test {
  const [, name = '', args = ''] = /^(\w+)(?:\((.*)\))?$/s.exec(text) ?? [];
  const make = Object.hasOwn(CONSTRAINTS, name) ? CONSTRAINTS[name] : undefined;
  if (make === undefined) throw new Error(`constraint "${text}" is not known.`);
  return make(args);
}

function pair(args: string): [number, number] {
  const [low, high = low] = args.split(',').map(Number);
  return [low ?? Number.NaN, high ?? Number.NaN];
}
