/** Writes docs/providers.md from the provider profiles, or checks it with --check. */

import { errorRules } from '../lib/oauth/errorRules.ts';
import { type ProviderProfile, providers } from '../lib/oauth/providers/index.ts';
import type { TokenBehavior } from '../lib/rotation/core/connection.ts';
import type { ErrorPattern, ErrorRule } from '../lib/rotation/core/tokenRequest.ts';
import { keepCurrent } from './keepCurrent.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

function span(ms: number): string {
  if (ms >= 2 * DAY_MS) return `${ms / DAY_MS} days`;
  return ms < MINUTE_MS ? `${ms / 1000} s` : `${ms / MINUTE_MS} min`;
}

interface Fact {
  /** The heading of its column. */
  readonly title: string;
  /** What the heading means; it follows a colon. */
  readonly means: string;
  /** The cell of one provider. */
  readonly show: (behavior: TokenBehavior) => string;
}

/** Every fact about tokens has a column; the errors have a table of their own. */
const FACTS: Readonly<Record<Exclude<keyof TokenBehavior, 'errors'>, Fact>> = {
  refreshTokenGraceMs: {
    title: 'grace',
    means: `how long a refresh token may be used again after its first use (\`refreshTokenGrace\`). It decides whether a lost token response costs the
  token family, see [reliability.md](reliability.md). If a provider does not document a grace period, the profile assumes single use. This can delay
  a repeated token request, but never sends one too early. If it is a setting of your tenant, set yours in the entry.`,
    show: ({ refreshTokenGraceMs: ms }) => {
      if (ms === 0) return 'none: single use';
      return Number.isFinite(ms) ? span(ms) : 'unlimited';
    },
  },
  defaultExpiresInMs: {
    title: 'access token',
    means: 'the default lifetime, for token responses that name none.',
    show: ({ defaultExpiresInMs }) => span(defaultExpiresInMs),
  },
  refreshTokenLifetimeMs: {
    title: 'refresh token',
    means:
      'how long it stays valid without use, or in total. No time means that it is a setting of the tenant, or not documented.',
    show: ({ refreshTokenLifetimeMs: ms }) => (ms === undefined ? '' : span(ms)),
  },
  refreshTokenDeadline: {
    title: 'counts from',
    means: 'from when the lifetime of a refresh token counts; empty if that is unknown.',
    show: ({ refreshTokenDeadline: deadline }) =>
      deadline === undefined ? '' : { idle: 'each new token', absolute: 'the sign-in' }[deadline],
  },
  response: {
    title: 'response',
    means:
      'where and how its token responses differ from RFC 6749 (`response`), beyond [what is understood anyway](#unusual-responses).',
    show: ({ response: { tokensIn, bearerTypes = [], expiresIn, expiresInUnit } = {} }) =>
      [
        ...(tokensIn === undefined ? [] : [`tokens in \`${tokensIn}\``]),
        ...bearerTypes.map((type) => `\`token_type\` ${type}`),
        ...(expiresIn === undefined ? [] : [`lifetime in \`${expiresIn}\``]),
        ...(expiresInUnit === 'ms' ? ['lifetimes in ms'] : []),
      ].join(', '),
  },
  requestFormat: {
    title: 'request',
    means: 'how token requests are encoded (`requestFormat`); empty: as a form.',
    show: ({ requestFormat = 'form' }) => (requestFormat === 'form' ? '' : requestFormat.toUpperCase()),
  },
};
const facts = Object.values(FACTS);

/** The tenant in the address is a placeholder for the tenant of an entry. */
function endpoint({ tokenUri }: ProviderProfile): string {
  return tokenUri ? `\`${tokenUri({ tenant: 'TENANT' })}\`` : 'set in the entry';
}

function revocation({ revocationUri, tokenUri }: ProviderProfile): string {
  if (!revocationUri) return '';
  const address = tokenUri && revocationUri(tokenUri({}));
  return address ? `\`${address}\`` : 'beside the token endpoint';
}

function row(profile: ProviderProfile): string {
  const { id, title, clientAuthentication, behavior, needs } = profile;
  const cells = [
    `\`${id}\``,
    `[${title}](${profile.source})`,
    endpoint(profile),
    `\`${clientAuthentication}\``,
    ...facts.map(({ show }) => show(behavior)),
    revocation(profile),
    needs.map((need) => `\`${need}\``).join(', '),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** The errors of each profile. Profiles that share theirs, like those of one token endpoint, are one row each. */
function errorRows(): string[] {
  const lists = new Map<readonly ErrorRule[], string[]>();
  for (const { id, behavior } of Object.values(providers)) {
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
    number === undefined ? [] : [`AADSTS${number}`],
    description === undefined ? [] : [`"${description.source}" in the description`],
    Object.entries(members).map(([name, value]) => `\`${name}\`: \`${value}\``),
  ];
  // A bar would end the cell.
  return parts.flat().join(', ').replaceAll('|', '\\|');
}

const wanted = `# Providers

<!-- written by scripts/writeProviders.ts from lib/oauth/providers -->

A profile gives a connection its defaults. A value in the entry overrides them (\`tokenUri\`, \`clientAuthentication\`,
\`refreshTokenGrace\`, \`accessTokenLifetime\`, \`scope\`, \`response\`, \`requestFormat\`). The title links to the page that the profile is based on.

${facts.map(({ title, means }) => `- **${title}**: ${means}`).join('\n')}
- **revocation**: the endpoint for \`rotator remove --revoke\` (RFC 7009, \`revocationUri\`). Empty: the provider has none, or the entry must name it.

| provider | | token endpoint | client authentication | ${facts.map(({ title }) => title).join(' | ')} | revocation | needs |
| --- | --- | --- | --- | ${facts.map(() => '---').join(' | ')} | --- | --- |
${Object.values(providers).map(row).join('\n')}

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

## Errors

What a failed token response means: the first row that matches decides. The rows of a connection's own profile come first, then those with \\*, which only
one provider uses, then those for all. A row without a status matches HTTP 2xx and 4xx, but not 429. A code that only repeats the HTTP status does not count. \`final\`: the refresh token has ended. \`transient\`: the
same refresh token may work again.

| provider | response | meaning | class |
| --- | --- | --- | --- |
${errorRows().join('\n')}
`;

keepCurrent('docs/providers.md', () => wanted, 'npm run providers');
