import { httpDate } from '../retryAfter.ts';
import { LONGEST_LIFETIME_MS } from '../rotation/core/times.ts';
import type { Members } from './responseMembers.ts';

/** The unit of the lifetimes in a response, in milliseconds. */
const UNITS = { s: 1_000, ms: 1 } as const;
type LifetimeUnit = keyof typeof UNITS;

/**
 * The names that providers use for the end of an access token, the clearest first: spans, then moments. A value shows itself whether it
 * is a span or a moment. Other spellings of the same name need no entry.
 */
const ACCESS_TOKEN_NAMES: readonly (readonly [name: string, unit?: LifetimeUnit])[] = [
  // Some providers send milliseconds under the standard name, and seconds beside it.
  ['expires_in_sec', 's'],
  ['expires_in_secs', 's'],
  ['expires_in_seconds', 's'],
  ['expires_in'],
  ['expire_in'],
  ['access_token_expires_in'],
  ['access_token_expire_in'],
  ['expires_in_ms', 'ms'],
  ['expires_in_millis', 'ms'],
  ['expires_in_milliseconds', 'ms'],
  ['expires_at'],
  ['expire_at'],
  ['expires_on'],
  ['expires'],
  ['expiry'],
  ['expiry_date'],
  ['expiry_time'],
  ['expires_date'],
  ['expires_time'],
  ['expire_time'],
  ['expiration'],
  ['expiration_date'],
  ['expiration_time'],
  ['access_token_expires_at'],
  ['access_token_expires_on'],
  ['access_token_expires'],
  ['access_token_expiry'],
  ['access_token_expiration'],
  ['access_token_expire_time'],
  ['valid_until'],
  ['exp'],
];

/**
 * The same for a refresh token. `refresh_token_timeout` and `authorization_expires_in` are those of
 * draft-ietf-oauth-refresh-token-expiration; no standard defines the others.
 */
const REFRESH_TOKEN_NAMES = [
  'refresh_token_timeout',
  'authorization_expires_in',
  'refresh_token_expires_in',
  'refresh_expires_in',
  'refresh_token_expiration',
  'x_refresh_token_expires_in',
  'x_refresh_token_hard_expires_in',
  'refresh_token_expire_in',
  'refresh_token_expires_at',
  'refresh_token_expires_on',
  'refresh_token_expires',
  'refresh_token_expiry',
  'refresh_token_expiry_date',
  'refresh_token_expiration_date',
  'refresh_token_expiration_time',
  'refresh_token_expire_time',
  'refresh_expires_at',
  'refresh_expires_on',
  'refresh_expires',
];

/** What the reading of a lifetime depends on. */
export interface LifetimeTerms {
  /** Milliseconds since the epoch; undefined: moments are not read. */
  readonly now: number | undefined;
  /** The unit of the spans. */
  readonly unit?: LifetimeUnit | undefined;
  /**
   * The lifetime that is usual at the provider, in milliseconds. A span of a thousand times that many seconds is in milliseconds, and a
   * moment without a zone counts only within that time: it is read as UTC, and the local time of a provider could make a token that has
   * expired look valid, or the reverse.
   */
  readonly usualMs?: number;
  /** The member that is tried before the known names. */
  readonly name?: string | undefined;
}

/** How long the access token of a response lives, in milliseconds; `over` if it has already expired, undefined if nothing says so. */
export function accessTokenLifetime(members: Members, terms: LifetimeTerms): number | 'over' | undefined {
  const { name } = terms;
  const names = [...(name === undefined ? [] : [[name] as const]), ...ACCESS_TOKEN_NAMES];
  const found = names.map(([each, unit = terms.unit]) => lifetimeOf(members(each), { ...terms, unit }));
  return found.find((each) => typeof each === 'number') ?? found.find((each) => each === 'over');
}

/** How long the refresh token of a response lives, in milliseconds: the earliest end that the response names. Undefined if it names none. */
export function refreshTokenLifetime(members: Members, terms: LifetimeTerms): number | undefined {
  const found = REFRESH_TOKEN_NAMES.map((name) => lifetimeOf(members(name), terms));
  const known = found.filter((each) => typeof each === 'number');
  return known.length === 0 ? undefined : Math.min(...known);
}

/** A number as text, as some providers write it, perhaps with the unit. */
const SECONDS = /^\s?(\d{1,15}(?:\.\d{1,15})?)\s?(?:s|sec|secs|seconds?)?\s?$/i;

/**
 * A span, as a number or as a text of digits, or a moment: seconds or milliseconds since the epoch, ISO 8601 or an HTTP date.
 * @returns the time from now in milliseconds; `over` for a moment in the past; undefined if it is not a plausible lifetime
 */
function lifetimeOf(value: unknown, { now, unit, usualMs }: LifetimeTerms): number | 'over' | undefined {
  if (value === undefined) return undefined;
  const digits = typeof value === 'string' ? SECONDS.exec(value)?.[1] : undefined;
  const number = digits === undefined ? value : Number(digits);
  const moment = typeof number === 'number' ? epochMoment(number) : dateMoment(number);
  if (usualMs !== undefined && isWithoutZone(value) && moment !== undefined && now !== undefined)
    return moment - now <= usualMs ? plausible(moment - now) : undefined;
  if (moment !== undefined && now !== undefined)
    return plausible(moment - now) ?? (moment <= now ? 'over' : undefined);
  return typeof number === 'number' ? plausible(number * UNITS[unit ?? unitOf(number, usualMs)]) : undefined;
}

/** Longer spans are rare enough to doubt their unit. */
const LONG_S = 30 * 24 * 3_600;

/** The unit of a span that does not name it. If the guess is wrong, the token is only renewed too early. */
function unitOf(span: number, usualMs: number | undefined): LifetimeUnit {
  const isUsual = usualMs !== undefined && Math.abs(span - usualMs) <= usualMs / 100;
  return isUsual && span > LONG_S ? 'ms' : 's';
}

function plausible(lifetimeMs: number): number | undefined {
  const whole = Math.floor(lifetimeMs);
  return whole > 0 && whole <= LONGEST_LIFETIME_MS ? whole : undefined;
}

/** No span is that long: the first moment is in 2001, in seconds, and again in milliseconds. */
function epochMoment(number: number): number | undefined {
  if (number >= 1e9 && number < 1e11) return number * 1_000;
  return number >= 1e12 && number < 1e14 ? number : undefined;
}

/** The date and time of ISO 8601, and the offset from UTC. */
const ISO =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9}))?)?\s?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?$/i;

function isWithoutZone(value: unknown): boolean {
  const [, day, , , offset] =
    (typeof value === 'string' && value.length <= 64 && ISO.exec(value.trim())) || [];
  return day !== undefined && offset === undefined;
}

/** The form of a date in JSON of older .NET services. */
const DOTNET = /^\/Date\((\d{1,15})(?:[+-]\d{4})?\)\/$/;

function dateMoment(value: unknown): number | undefined {
  if (typeof value !== 'string' || value.length > 64) return undefined;
  const sinceEpoch = DOTNET.exec(value.trim())?.[1];
  if (sinceEpoch !== undefined) return Number(sinceEpoch);
  const [, day, time, fraction = '0', offset = 'Z'] = ISO.exec(value.trim()) ?? [];
  if (day === undefined) return httpDate(value);
  // Without an offset, the time is taken for UTC, as in the other forms.
  const zone = /^(z|utc|gmt)$/i.test(offset)
    ? 'Z'
    : offset.replace(/^([+-]\d\d):?(\d\d)?$/, (_, hours, minutes = '00') => `${hours}:${minutes}`);
  const moment = Date.parse(
    `${day}T${time ?? '00:00'}${time?.length === 8 ? `.${fraction.slice(0, 3)}` : ''}${zone}`,
  );
  return Number.isNaN(moment) ? undefined : moment;
}
