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
\`refreshTokenGrace\`, \`accessTokenLifetime\`, \`scope\`). The title links to the page that the profile is based on.

${facts.map(({ title, means }) => `- **${title}**: ${means}`).join('\n')}
- **revocation**: the endpoint for \`rotator remove --revoke\` (RFC 7009, \`revocationUri\`). Empty: the provider has none, or the entry must name it.

| provider | | token endpoint | client authentication | ${facts.map(({ title }) => title).join(' | ')} | revocation | needs |
| --- | --- | --- | --- | ${facts.map(() => '---').join(' | ')} | --- | --- |
${Object.values(providers).map(row).join('\n')}

## Errors

What a failed token response means: the first row that matches decides. The rows of a connection's own profile come first, then those with \\*, which only
one provider uses, then those for all. A row without a status matches HTTP 2xx and 4xx, but not 429. \`final\`: the refresh token has ended. \`transient\`: the
same refresh token may work again.

| provider | response | meaning | class |
| --- | --- | --- | --- |
${errorRows().join('\n')}
`;

keepCurrent('docs/providers.md', () => wanted, 'npm run providers');
