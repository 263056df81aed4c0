/** Writes docs/providers.md from the provider profiles, or checks it with --check. */
import { type ProviderProfile, providers } from '../lib/oauth/providers/index.ts';
import type { TokenBehavior } from '../lib/rotation/core/connection.ts';
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

/** Every fact about tokens has a column. */
const FACTS: Readonly<Record<keyof TokenBehavior, Fact>> = {
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
};
const facts = Object.values(FACTS);

/** The tenant in the address is a placeholder for the tenant of an entry. */
function endpoint({ tokenUri }: ProviderProfile): string {
  return tokenUri ? `\`${tokenUri({ tenant: 'TENANT' })}\`` : 'set in the entry';
}

function row(profile: ProviderProfile): string {
  const { id, title, clientAuthentication, behavior, needs } = profile;
  const cells = [
    `\`${id}\``,
    `[${title}](${profile.source})`,
    endpoint(profile),
    `\`${clientAuthentication}\``,
    ...facts.map(({ show }) => show(behavior)),
    needs.map((need) => `\`${need}\``).join(', '),
  ];
  return `| ${cells.join(' | ')} |`;
}

const wanted = `# Providers

<!-- written by scripts/writeProviders.ts from lib/oauth/providers -->

A profile gives a connection its defaults. A value in the entry overrides them (\`tokenUri\`, \`clientAuthentication\`,
\`refreshTokenGrace\`, \`accessTokenLifetime\`, \`scope\`). The title links to the page that the profile is based on.

${facts.map(({ title, means }) => `- **${title}**: ${means}`).join('\n')}

| provider | | token endpoint | client authentication | ${facts.map(({ title }) => title).join(' | ')} | needs |
| --- | --- | --- | --- | ${facts.map(() => '---').join(' | ')} | --- |
${Object.values(providers).map(row).join('\n')}
`;

keepCurrent('docs/providers.md', () => wanted, 'npm run providers');
