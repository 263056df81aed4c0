import { expect, test } from 'vitest';
import { problemOf } from '../../lib/errors.ts';
import { refuseTooLarge } from '../../lib/secretSize.ts';

/** The limit of 25 KB (Key Vault service limits). */
const LARGEST_SECRET_BYTES = 25_600;

const HOW = { code: 'vault_rejected', what: 'The value', fix: 'Shorten it.' } as const;
const refusal = (value: string) => {
  try {
    refuseTooLarge(value, HOW);
    return undefined;
  } catch (thrown) {
    return problemOf(thrown);
  }
};

test('a value of 25,600 bytes is accepted', () => {
  expect(refusal('x'.repeat(LARGEST_SECRET_BYTES))).toBeUndefined();
  expect(refusal('\u00e9'.repeat(LARGEST_SECRET_BYTES / 2))).toBeUndefined();
});

test.each([
  ['a value of 25,601 bytes', 'x'.repeat(25_601), 25_601],
  ['a value with multibyte characters', '\u20ac'.repeat(8_534), 25_602],
])('%s is refused with its size, and not shown', (_, value, bytes) => {
  expect(refusal(value)).toEqual({
    code: 'vault_rejected',
    message: `The value has ${bytes} bytes; Key Vault allows 25600.`,
    fix: 'Shorten it.',
  });
});
