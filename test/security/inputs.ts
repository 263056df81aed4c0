import type { ErrorCode } from '../../lib/errors.ts';
import type { ConnectionStatus } from '../../lib/rotation/core/status.ts';
import { body, cutAfter, drip, endless, interim, json, raw, tokens, wrongLength } from './attacks.ts';
import { canary } from './canaries.ts';
import type { Attack } from './hostileServer.ts';

/** One connection that meets a bad input. */
export interface Variant {
  /** The token endpoint, if it is not the hostile server. */
  readonly tokenUri?: string;
  readonly attack?: Attack;
  /** The connection's name in the configuration, if the name is the bad input. */
  readonly entryName?: string;
  /** The status after the sweep: `fresh`, or the code of the failure. */
  readonly outcome: ErrorCode | ConnectionStatus['state'];
  /** The refresh token in the vault after the sweep: the old one, or the one in the token response. */
  readonly stored: 'kept' | 'new' | 'none';
  /** The refresh token in the token response, if it is not the canary. */
  readonly brings?: string;
}

/** A row of the table. */
export interface Input {
  readonly group: 'address' | 'response' | 'tokens' | 'names and logs';
  readonly name: string;
  readonly variants: readonly Variant[];
}

/** The values that the table needs. */
export interface Surroundings {
  /** Port of the hostile server. */
  readonly port: number;
  /** The refresh token of an unrelated connection. */
  readonly another: string;
  /** Responses that unpack to far more than the limit. */
  readonly bombs: readonly Attack[];
}

const UNKNOWN = { outcome: 'outcome_unknown', stored: 'kept' } as const;
const FRESH = { outcome: 'fresh', stored: 'new' } as const;
const FRESH_KEPT = { outcome: 'fresh', stored: 'kept' } as const;
const UNUSABLE = { outcome: 'response_unusable', stored: 'new' } as const;
const INVALID = { outcome: 'connection_invalid', stored: 'kept' } as const;
const REFUSED = { outcome: 'address_refused', stored: 'kept' } as const;

/** The 48 inputs; the position of a variant determines the name of its connection, see {@link nameOf}. */
export function inputs({ port, another, bombs }: Surroundings): readonly Input[] {
  return [
    ...rows('address', addresses(port)),
    ...rows('response', responses(port, bombs)),
    ...rows('tokens', tokenResponses(another)),
    ...rows('names and logs', namesAndLogs()),
  ];
}

/** The name of the connection of a variant. */
export function nameOf(group: Input['group'], row: number, variant: number): string {
  return `${group.split(' ')[0]}-${row}-${variant}`;
}

type Cell = Variant | ((name: string) => Variant);

function rows(group: Input['group'], table: Readonly<Record<string, readonly Cell[]>>): Input[] {
  return Object.entries(table).map(([name, cells], row) => ({
    group,
    name,
    variants: cells.map((cell, index) =>
      typeof cell === 'function' ? cell(nameOf(group, row, index)) : cell,
    ),
  }));
}

function addresses(port: number): Record<string, readonly Cell[]> {
  const at = (...hosts: string[]) =>
    hosts.map((host) => ({ tokenUri: `https://${host}:${port}/trap`, ...REFUSED }));
  return {
    http: [
      { tokenUri: `http://login.example:${port}/trap`, ...INVALID },
      { tokenUri: `http://127.0.0.1:${port}/trap`, ...INVALID },
    ],
    'file:': [{ tokenUri: 'file:///etc/passwd', ...INVALID }],
    'user info': [
      (name) => ({ tokenUri: `https://u:${canary(name, 'address')}@login.example:${port}/trap`, ...INVALID }),
    ],
    '127.0.0.1': at('127.0.0.1', 'loopback.example', 'mixed.example'),
    '[::1]': at('[::1]'),
    '::ffff:127.0.0.1': at('[::ffff:127.0.0.1]'),
    '169.254.169.254': at('169.254.169.254', 'metadata.example'),
    '168.63.129.16': at('168.63.129.16', 'platform.example'),
    '10/8': at('10.0.0.1', 'private.example'),
    '100.64/10': at('100.64.0.1', 'shared.example'),
    'decimal and octal IP': at('2130706433', '0177.0.0.1', '0x7f000001'),
    rebinding: [
      (name) => ({
        tokenUri: `https://rebinding.example:${port}/${name}`,
        attack: json(tokens(name)),
        ...FRESH,
      }),
    ],
    fragment: [
      (name) => ({ tokenUri: `https://login.example:${port}/trap#${canary(name, 'address')}`, ...INVALID }),
    ],
    '10 kB long': [{ tokenUri: `https://login.example:${port}/${'a'.repeat(10_000)}`, ...INVALID }],
  };
}

function responses(port: number, bombs: readonly Attack[]): Record<string, readonly Cell[]> {
  const trap = { location: `https://login.example:${port}/trap` };
  const variant =
    (attack: (name: string) => Attack, expected: Omit<Variant, 'attack'>) => (name: string) => ({
      attack: attack(name),
      ...expected,
    });
  return {
    '301, 302, 307, 308': [301, 302, 307, 308].map((status) => ({
      attack: body('', status, trap),
      ...UNKNOWN,
    })),
    '204': [{ attack: raw('HTTP/1.1 204 No Content\r\n\r\n'), ...UNKNOWN }],
    '200 HTML': [{ attack: body('<html>Welcome</html>', 200, { 'content-type': 'text/html' }), ...UNKNOWN }],
    '200 with error': [
      { attack: json({ error: 'invalid_grant' }), outcome: 'reauthorization_required', stored: 'kept' },
      variant((name) => json(tokens(name, { error: 'invalid_grant' })), {
        outcome: 'reauthorization_required',
        stored: 'new',
      }),
    ],
    'wrong content type': [
      variant((name) => json(tokens(name), 200, { 'content-type': 'text/html' }), FRESH),
    ],
    'gzip/br bomb': bombs.map((attack) => ({ attack, ...UNKNOWN })),
    endless: [{ attack: endless, ...UNKNOWN }],
    'slow drip': [{ attack: drip, ...UNKNOWN }],
    truncated: [
      variant((name) => cutAfter(110, tokens(name)), UNKNOWN),
      variant(
        (name) => raw(`HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n${JSON.stringify(tokens(name))}`),
        FRESH,
      ),
    ],
    'length mismatch': [
      variant((name) => wrongLength(+7, tokens(name)), FRESH),
      variant((name) => wrongLength(-7, tokens(name)), UNUSABLE),
    ],
    'duplicate keys': [
      variant((name) => body(`{"refresh_token":"first",${JSON.stringify(tokens(name)).slice(1)}`), FRESH),
    ],
    'top-level array': [
      variant((name) => json([tokens(name)]), FRESH),
      variant((name) => json([tokens(name), tokens(name, { refresh_token: 'second' })]), UNKNOWN),
    ],
    'depth 100,000': [
      variant((name) => body(`${JSON.stringify(tokens(name)).slice(0, -1)},"x":${deep(100_000)}}`), FRESH),
      { attack: body(deep(100_000)), ...UNKNOWN },
    ],
    'BOM/UTF-16': [
      variant((name) => body(`\ufeff${JSON.stringify(tokens(name))}`), FRESH),
      variant((name) => body(Buffer.from(`\ufeff${JSON.stringify(tokens(name))}`, 'utf16le')), FRESH),
    ],
    ['__proto__']: [variant((name) => body(`{"__proto__":${JSON.stringify(tokens(name))}}`), UNKNOWN)],
    NUL: [variant((name) => json(tokens(name, { access_token: `${canary(name, 'access')}\0` })), UNUSABLE)],
    'lone surrogate': [
      (name) => ({
        attack: json(tokens(name, { refresh_token: `${canary(name, 'refresh')}\ud800` })),
        ...FRESH,
        brings: `${canary(name, 'refresh')}\ud800`,
      }),
      variant((name) => body(JSON.stringify(tokens(name, { scope: '?' })).replace('?', '\\ud800')), FRESH),
      variant(
        (name) => body(JSON.stringify(tokens(name, { access_token: '?' })).replace('?', '\\ud800')),
        UNUSABLE,
      ),
    ],
    '2,000 headers': [
      variant(
        (name) =>
          json(
            tokens(name),
            200,
            Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`x-${index}`, 'v'.repeat(20)])),
          ),
        FRESH,
      ),
    ],
    '1xx flood': [{ attack: interim, ...UNKNOWN }],
  };
}

function tokenResponses(another: string): Record<string, readonly Cell[]> {
  const variant =
    (changes: (name: string) => object, expected: Omit<Variant, 'attack'>) => (name: string) => ({
      attack: json(tokens(name, changes(name) as Record<string, unknown>)),
      ...expected,
    });
  const lifetimes = [-1, 0, '3600', '3600abc', undefined].map((expires_in) =>
    variant(() => ({ expires_in }), FRESH),
  );
  return {
    'no access token': [
      variant(() => ({ access_token: undefined }), UNUSABLE),
      variant(() => ({ access_token: undefined, refresh_token: undefined }), UNKNOWN),
    ],
    'empty refresh token': [variant(() => ({ refresh_token: '' }), FRESH_KEPT)],
    'null or number': [
      variant(() => ({ refresh_token: null }), FRESH_KEPT),
      variant(() => ({ refresh_token: 42 }), FRESH_KEPT),
      variant(() => ({ access_token: 42 }), UNUSABLE),
    ],
    'token_type mac': [variant(() => ({ token_type: 'mac' }), UNUSABLE)],
    'access token over 25 KB': [
      variant((name) => ({ access_token: `${canary(name, 'access')}${'a'.repeat(25_600)}` }), {
        outcome: 'access_token_too_large',
        stored: 'new',
      }),
      variant((name) => ({ refresh_token: `${canary(name, 'refresh')}${'a'.repeat(25_600)}` }), {
        outcome: 'refresh_token_too_large',
        stored: 'kept',
      }),
    ],
    'CR LF in a token': [
      variant((name) => ({ access_token: `${canary(name, 'access')}\r\nx: y` }), UNUSABLE),
    ],
    'expires_in -1, 0, 1e309, "3600", "3600abc", missing': [
      ...lifetimes,
      (name) => ({ attack: body(JSON.stringify(tokens(name)).replace('3600', '1e309')), ...FRESH }),
    ],
    'changed scope': [variant(() => ({ scope: 'everything' }), FRESH)],
    'same refresh token again': [variant((name) => ({ refresh_token: canary(name, 'stored') }), FRESH_KEPT)],
    'the refresh token of another connection': [
      variant(() => ({ refresh_token: another }), { ...FRESH, brings: another }),
    ],
  };
}

function namesAndLogs(): Record<string, readonly Cell[]> {
  const named = (entryName: string): Variant[] => [
    { entryName, outcome: 'connection_invalid', stored: 'none' },
  ];
  const colours = (name: string) =>
    `\u001b[31m${canary(name, 'stored')}\u001b[0m\r\n\u001b]0;${canary(name, 'client-secret')}\u0007 ${canary(name, 'access')}`;
  return {
    '..': named('..'),
    'a/b': named('a/b'),
    'CR LF': named('a\r\nb'),
    '128 characters': named('n'.repeat(128)),
    'ANSI codes in error_description': [
      (name) => ({
        attack: json(tokens(name, { error: 'invalid_grant', error_description: colours(name) }), 400),
        outcome: 'reauthorization_required',
        stored: 'new',
      }),
    ],
  };
}

function deep(levels: number): string {
  return `${'['.repeat(levels)}${']'.repeat(levels)}`;
}
