/** Writes docs/providers.md from the provider profiles, or checks it with --check. */

import { errorRules } from '../lib/oauth/errorRules.ts';
import { nameOfNumber, type ProviderProfile, providers } from '../lib/oauth/providers/index.ts';
import type { Reuse, Source, Sources } from '../lib/oauth/providers/profile.ts';
import type { TokenBehavior } from '../lib/rotation/core/connection.ts';
import type { ErrorPattern, ErrorRule } from '../lib/rotation/core/tokenRequest.ts';
import { keepCurrent } from './keepCurrent.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

function span(ms: number | undefined): string {
  if (ms === undefined) return '';
  if (ms >= 2 * DAY_MS) return `${ms / DAY_MS} days`;
  if (ms >= 2 * HOUR_MS) return `${ms / HOUR_MS} h`;
  return ms < MINUTE_MS ? `${ms / 1000} s` : `${ms / MINUTE_MS} min`;
}

interface Fact {
  /** The heading of its column. */
  readonly title: string;
  /** What the heading means; it follows a colon. */
  readonly means: string;
  /** Where the fact was read. */
  readonly source: keyof Sources;
  /** The cell of one provider. */
  readonly show: (profile: ProviderProfile) => string;
}

const REUSE: Readonly<Record<Reuse, (grace: string) => string>> = {
  single_use: () => 'single use',
  grace: (grace) => grace,
  disputed: (grace) => `${grace}, disputed`,
  reusable: () => 'unlimited',
  setting: (grace) => `a setting: ${grace || 'single use'}`,
  unknown: () => 'unknown: single use',
};

/** Every fact about tokens has a column; the errors have a table of their own. */
const FACTS: readonly Fact[] = [
  {
    title: 'used refresh token',
    means: `how long a refresh token may be used again after its first use (\`refreshTokenGrace\`). It decides whether a lost token response costs the
  token family, see [reliability.md](reliability.md). "A setting" and "unknown" are followed by what the profile assumes, which can delay
  a repeated token request, but never sends one too early. Set yours in the entry. "Disputed": other sources say that it ends. The time then only makes
  the rotator repeat a lost request early; two requests never overlap.`,
    source: 'reuse',
    show: ({ reuse, behavior: { refreshTokenGraceMs: ms } }) => REUSE[reuse](ms === 0 ? '' : span(ms)),
  },
  {
    title: 'access token',
    means: 'the default lifetime, for token responses that name none (`accessTokenLifetime`).',
    source: 'accessToken',
    show: ({ behavior }) => span(behavior.defaultExpiresInMs),
  },
  {
    title: 'idle',
    means:
      'how long a refresh token lives after each refresh, unless the response says it. Empty: a setting of the tenant, no end, or not known.',
    source: 'refreshToken',
    show: ({ behavior }) => span(behavior.refreshTokenIdleMs),
  },
  {
    title: 'absolute',
    means: 'how long all refresh tokens of a sign-in live. The account owner must sign in again after it.',
    source: 'refreshToken',
    show: ({ behavior }) => span(behavior.refreshTokenAbsoluteMs),
  },
  {
    title: 'response',
    means:
      'where and how its token responses differ from RFC 6749 (`response`), beyond [what is understood anyway](#unusual-responses).',
    source: 'others',
    show: ({ behavior: { response: { tokensIn, bearerTypes = [], expiresIn, expiresInUnit } = {} } }) =>
      [
        ...(tokensIn === undefined ? [] : [`tokens in \`${tokensIn}\``]),
        ...bearerTypes.map((type) => `\`token_type\` ${type}`),
        ...(expiresIn === undefined ? [] : [`lifetime in \`${expiresIn}\``]),
        ...(expiresInUnit === 'ms' ? ['lifetimes in ms'] : []),
      ].join(', '),
  },
  {
    title: 'request',
    means: 'how token requests are encoded (`requestFormat`); empty: as a form.',
    source: 'others',
    show: ({ behavior: { requestFormat = 'form' } }) =>
      requestFormat === 'form' ? '' : requestFormat.toUpperCase(),
  },
];

const OTHERS: Readonly<
  Record<keyof TokenBehavior, ((behavior: TokenBehavior) => string | undefined) | null>
> = {
  // These have a column or a table.
  refreshTokenGraceMs: null,
  refreshTokenGraceIsDisputed: null,
  defaultExpiresInMs: null,
  refreshTokenIdleMs: null,
  refreshTokenAbsoluteMs: null,
  errors: null,
  response: null,
  requestFormat: null,
  accessTokenEndsAtRefresh: ({ accessTokenEndsAtRefresh }) =>
    accessTokenEndsAtRefresh && 'A refresh ends the access token before it, so the rotator renews late.',
  earliestRenewalMs: ({ earliestRenewalMs: ms }) =>
    ms === undefined ? undefined : `An access token can be renewed only when it is ${span(ms)} old.`,
  requestsPerDay: ({ requestsPerDay: most }) =>
    most === undefined ? undefined : `At most ${most} token requests a day.`,
};

/** The same mark for all facts that no source was read for. */
const UNVERIFIED_MARK = ' (unverified)';

function marked(text: string, { confidence }: Source = { confidence: 'documented', date: '' }): string {
  return text !== '' && confidence === 'unverified' ? text + UNVERIFIED_MARK : text;
}

function endpoint({ tokenUri, tokenPath, sources }: ProviderProfile): string {
  const address = tokenUri ?? (tokenPath === undefined ? undefined : `…${tokenPath}`);
  return address === undefined ? 'set in the entry' : marked(`\`${address}\``, sources.tokenUri);
}

function revocation({ revocationUri, sources }: ProviderProfile): string {
  return revocationUri === undefined ? '' : marked(`\`${revocationUri}\``, sources.revocation);
}

/** What an entry must name. */
function needs({ needs: others = [], tokenUri, tenant }: ProviderProfile): string {
  const address = tokenUri === undefined ? ['tokenUri'] : [];
  const isTenantNeeded = tokenUri?.includes('{tenant}') && tenant?.otherwise === undefined;
  return [...address, ...(isTenantNeeded ? ['tenant'] : []), ...others]
    .map((need) => `\`${need}\``)
    .join(', ');
}

function row(profile: ProviderProfile): string {
  const { id, title, clientAuthentication, sources } = profile;
  const cells = [
    `\`${id}\``,
    `[${title}](${profile.source})`,
    endpoint(profile),
    marked(`\`${clientAuthentication}\``, sources.clientAuthentication),
    ...FACTS.map(({ show, source }) => marked(show(profile), sources[source])),
    revocation(profile),
    needs(profile),
  ];
  return `| ${cells.join(' | ')} |`;
}

function noteRow({ id, tenant, note, behavior }: ProviderProfile): string[] {
  const others = Object.values(OTHERS).flatMap((show) => show?.(behavior) ?? []);
  const texts = [...(tenant ? [`\`tenant\` is ${tenant.means}.`] : []), ...others, ...(note ? [note] : [])];
  return texts.length === 0 ? [] : [`| \`${id}\` | ${texts.join(' ')} |`];
}

/** The errors of each profile. Profiles that share theirs, like those of one token endpoint, are one row each. */
function errorRows(): string[] {
  const lists = new Map<readonly ErrorRule[], string[]>();
  for (const { id, behavior } of all) {
    if (behavior.errors) lists.set(behavior.errors, [...(lists.get(behavior.errors) ?? []), `\`${id}\``]);
  }
  lists.set(errorRules, ['all']);
  return [...lists].flatMap(([rules, ids]) => rules.map((rule) => errorRow(ids.join(', '), rule)));
}

function errorRow(ids: string, { when, means, unmistakable }: ErrorRule): string {
  const refusal = means.refusal ? `, ${means.refusal}` : '';
  const cells = [
    unmistakable ? `${ids} \\*` : ids,
    patternText(when),
    means.cause,
    `\`${means.class}\`${refusal}`,
  ];
  return `| ${cells.join(' | ')} |`;
}

function patternText({ status, error, description, says, number, members = {} }: ErrorPattern): string {
  const parts = [
    status === undefined ? [] : [`HTTP ${typeof status === 'number' ? status : status.join(' to ')}`],
    error === undefined ? [] : [error === true ? 'any other `error`' : `\`${error}\``],
    says === undefined ? [] : [`says that ${says.meaning}`],
    number === undefined ? [] : [nameOfNumber(number)],
    description === undefined ? [] : [`"${description.source}" in the description`],
    Object.entries(members).map(([name, value]) => `\`${name}\`: \`${value}\``),
  ];
  // A bar would end the cell.
  return parts.flat().join(', ').replaceAll('|', '\\|');
}

const all: readonly ProviderProfile[] = Object.values(providers);

const wanted = `# Providers

<!-- written by scripts/writeProviders.ts from lib/oauth/providers -->

A profile gives a connection its defaults. A value in the entry overrides them. For another provider, [define a profile](#a-profile-of-your-own). The title links to the page that most of the profile is
based on; \`lib/oauth/providers\` names the source of each fact, how well it is known, and when it was read. "Unverified": no source was read for this value, so check it.

${FACTS.map(({ title, means }) => `- **${title}**: ${means}`).join('\n')}
- **revocation**: the endpoint for \`rotator remove --revoke\` (RFC 7009, \`revocationUri\`); a path replaces that of the token endpoint. Empty: the provider has none, or the entry must name it.

| provider | | token endpoint | client authentication | ${FACTS.map(({ title }) => title).join(' | ')} | revocation | needs |
| --- | --- | --- | --- | ${FACTS.map(() => '---').join(' | ')} | --- | --- |
${all.map(row).join('\n')}

## What else to know

| provider | |
| --- | --- |
${all.flatMap(noteRow).join('\n')}

## Unusual responses

The rotator understands these without a profile or a setting:

- **Tokens in another place**: below the response (\`data\`, \`body\`, \`authed_user\`), also in a list, at most three levels down. A refresh token is stored if it is the
  only one on its level. If there are several, none is stored or published, and \`response.tokensIn\` must name the place.
- **Other spellings** of a member: \`accessToken\`, \`Access-Token\`.
- **Other labels of a Bearer token**: \`token_type\` \`bot\`, \`user\`, \`BearerToken\`, \`User Access Token\` and the like. Set others in \`response.bearerTypes\`. DPoP, MAC and other
  types that need a key are refused.
- **Expiry under other names**: \`expires_at\`, \`expires_on\`, \`expires\`, \`expires_in_sec\` and others, as a span, as seconds or milliseconds since the epoch, in ISO 8601 or as an HTTP date. If
  a response has both, \`expires_in\` counts. A token that has already expired is not published. Milliseconds under \`expires_in\` need \`response.expiresInUnit\`, unless the response has the
  seconds as well.
- **The end of the refresh token**: \`refresh_token_timeout\` and \`authorization_expires_in\` of draft-ietf-oauth-refresh-token-expiration, \`refresh_token_expires_in\`, \`refresh_expires_in\` and
  others. The earliest end counts.
- **No expiry at all**: the default lifetime counts. The status (\`accessTokenExpiryIsDefault\`), \`rotator doctor\`, the log and the tag \`expires-in\` of the published secret say so.
- **Errors in another shape**: JSON without a text in \`error\`, such as \`{"status":"BAD_REFRESH_TOKEN"}\`, \`{"message":"..."}\`, \`{"errors":[...]}\`, \`{"error":{...}}\` or a nested one, a list, a
  text alone, also with HTTP 200. What it says about the refresh token, the client, the account, the rate or a failure decides, as the rows below that begin with "says". Pages and other
  text are shown but never believed.
- **Bodies in another form**: form-encoded, UTF-16, compressed, cut off, or with broken HTTP.

An entry can describe the rest: \`response\` and \`requestFormat\`.
## A profile of your own

The member \`providers\` of the connections file defines profiles beside \`connections\`. \`{tenant}\` in \`tokenUri\` stands for the \`tenant\` of an
entry, and a path as \`revocationUri\` replaces that of the token endpoint. What you leave out is assumed as for \`generic\`: single use, and an hour.

\`\`\`json
{
  "providers": {
    "acme": {
      "tokenUri": "https://login.acme.example/{tenant}/token",
      "revocationUri": "/revoke",
      "clientAuthentication": "client_secret_post",
      "refreshTokenGrace": 30,
      "refreshTokenIdleLifetime": 2592000,
      "errors": [{ "status": 403, "error": "TOKEN_DEAD", "means": "reauthorization_required" }]
    }
  },
  "connections": {
    "acme-prod": { "provider": "acme", "tenant": "contoso" }
  }
}
\`\`\`

An entry may have all of these members itself, and then overrides its profile; \`connections.schema.json\` describes them. A profile cannot name secrets, vaults or
a private network, and \`ALLOWED_TOKEN_HOSTS\` limits its addresses as those of an entry. A profile that is not valid makes only the entries invalid that name it.

## Errors

What a failed token response means: the first row that matches decides. The rows of a connection's own profile come first, then those with \\*, which only
one provider uses, then those for all. A row without a status matches HTTP 2xx and 4xx, but not 429. A code that only repeats the HTTP status does not count. \`final\`: the refresh token has ended. \`transient\`: the
same refresh token may work again.

| provider | response | meaning | class |
| --- | --- | --- | --- |
${errorRows().join('\n')}
`;

keepCurrent('docs/providers.md', () => wanted, 'npm run providers:docs');
