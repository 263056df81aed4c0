import type { Assertion } from 'vitest';
import type { Problem } from '../../lib/errors.ts';

/**
 * `expect(actual)` accepts only values that the type of `actual` allows. Vitest alone accepts anything: after a rename of a
 * state, a reason, a code, an event or a field, an assertion that something is absent would always pass.
 *
 * Tests do not need to import this file: the compiler merges it into the types of Vitest. `typedExpect.test.ts` fails without it.
 */
declare module 'vitest' {
  interface ExpectStatic {
    // biome-ignore lint/style/useShorthandFunctionType: only an interface merges with the one of Vitest.
    <T>(actual: T, message?: string): Expectation<T, void>;
  }
}

/** Types that are compared as a whole. */
type Whole =
  | string
  | number
  | boolean
  | bigint
  | symbol
  | null
  | undefined
  | Date
  | RegExp
  | Uint8Array
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | ((...args: never[]) => unknown);

/** A value of type T, or those of its properties that a test names; anything if T is unknown. */
type Expected<T> = unknown extends T
  ? unknown
  : T extends Whole
    ? T
    : T extends readonly unknown[]
      ? { readonly [I in keyof T]: Expected<T[I]> | undefined }
      : { readonly [K in keyof T]?: Expected<T[K]> | undefined };

type Item<T> = unknown extends T ? unknown : T extends Iterable<infer I> ? Expected<I> : never;
type Property<T> = unknown extends T ? string : T extends unknown ? keyof T : never;

/** The properties of a rejection that tests check. Codes of other software start with a capital letter: `ENOENT`, `Forbidden`. */
interface Rejection {
  readonly code?: Problem['code'] | Capitalize<string>;
  readonly message?: string;
  readonly fix?: string;
  readonly name?: string;
  readonly statusCode?: number;
}

type Compared =
  | 'toBe'
  | 'toEqual'
  | 'toStrictEqual'
  | 'toMatchObject'
  | 'toContain'
  | 'toContainEqual'
  | 'toHaveProperty'
  | 'not'
  | 'resolves'
  | 'rejects';

/** Vitest's matchers; those that compare with a value accept only what T allows. */
interface Expectation<T, R extends void | Promise<void>> extends Omit<Assertion<R>, Compared> {
  readonly toBe: (expected: Expected<T> | undefined) => R;
  readonly toEqual: (expected: Expected<T> | undefined) => R;
  readonly toStrictEqual: (expected: Expected<T> | undefined) => R;
  readonly toMatchObject: (expected: Expected<T> | undefined) => R;
  readonly toContain: (item: Item<T> | undefined) => R;
  readonly toContainEqual: (item: Item<T> | undefined) => R;
  readonly toHaveProperty: (property: Property<T>, value?: unknown) => R;
  readonly not: Expectation<T, R>;
  readonly resolves: Expectation<Awaited<T>, Promise<void>>;
  readonly rejects: Expectation<Rejection, Promise<void>>;
}
