/** Writes docs/providers.md from the provider profiles, or checks it with --check. */

import { errorRules } from '../lib/oauth/errorRules.ts';
import { nameOfNumber, type ProviderProfile, providers } from '../lib/oauth/providers/index.ts';
import type { ErrorPattern, ErrorRule } from '../lib/rotation/core/tokenRequest.ts';
import { keepCurrent } from './keepCurrent.ts';
import { endpointText, FACTS, marked, needsOf, noteOf, revocationText } from './providers/facts.ts';
import { providerPage } from './providers/page.ts';

function row(profile: ProviderProfile): string {
  const { id, title, clientAuthentication, sources } = profile;
  const cells = [
    `\`${id}\``,
    id === 'generic' ? title : `[${title}](providers/${id}.md)`,
    endpointText(profile),
    marked(`\`${clientAuthentication}\``, sources.clientAuthentication),
    ...FACTS.map(({ show, source }) => marked(show(profile), sources[source])),
    revocationText(profile),
    needsOf(profile)
      .map((need) => `\`${need}\``)
      .join(', '),
  ];
  return `| ${cells.join(' | ')} |`;
}

function noteRow(profile: ProviderProfile): string[] {
  const text = noteOf(profile);
  return text === '' ? [] : [`| \`${profile.id}\` | ${text} |`];
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

function patternText({
  status,
  error,
  description,
  says,
  number,
  hasRetryAfter,
  members = {},
}: ErrorPattern): string {
  const parts = [
    status === undefined ? [] : [`HTTP ${typeof status === 'number' ? status : status.join(' to ')}`],
    error === undefined ? [] : [error === true ? 'any other `error`' : `\`${error}\``],
    says === undefined ? [] : [`says that ${says.meaning}`],
    number === undefined ? [] : [nameOfNumber(number)],
    hasRetryAfter ? ['with `Retry-After`'] : [],
    description === undefined ? [] : [`"${description.source}" in the description`],
    Object.entries(members).map(([name, value]) => `\`${name}\`: \`${value}\``),
  ];
  // A bar would end the cell.
  return parts.flat().join(', ').replaceAll('|', '\\|');
}

const all: readonly ProviderProfile[] = Object.values(providers);

const wanted = `# Providers

<!-- written by scripts/writeProviders.ts from lib/oauth/providers -->

A profile gives a connection its defaults. A value in the entry overrides them. For another provider, [define a profile](#a-profile-of-your-own). The title links to a page with
the source of each fact, how well it is known, when it was read, and how to connect. "Unverified": no source was read for this value, so check it.

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
  only one on its level, and not beside the access token of another user. If there are several, none is stored or published, and \`response.tokensIn\` must name the place.
  Members named \`previous\`, \`old\`, \`request\` and the like do not count.
- **What is not a token**: \`null\` or \`none\` as text, blanks, and masks such as \`********\` or \`[REDACTED]\` count as missing. In a failed response, a refresh token is stored only if it has at
  least 16 characters with a digit, no white space, and no word such as "invalid" or "required".
- **Other spellings** of a member: \`accessToken\`, \`Access-Token\`.
- **Other labels of a Bearer token**: \`token_type\` \`bot\`, \`user\`, \`BearerToken\`, \`User Access Token\` and the like. Set others in \`response.bearerTypes\`. DPoP, MAC and other
  types that need a key are refused.
- **Expiry under other names**: \`expires_at\`, \`expires_on\`, \`expires\`, \`expires_in_sec\` and others, as a span, as seconds or milliseconds since the epoch, in ISO 8601, as an HTTP date or as \`/Date(…)/\`. If
  a response has both, \`expires_in\` counts. A token that has already expired is not published. Milliseconds under \`expires_in\` need \`response.expiresInUnit\`, unless the response has the
  seconds as well, or the value is a thousand times the default lifetime (within 1 %) and over 30 days. A moment without a time zone is read as UTC, and counts only if it is within the default lifetime.
- **The end of the refresh token**: \`refresh_token_timeout\` and \`authorization_expires_in\` of draft-ietf-oauth-refresh-token-expiration, \`refresh_token_expires_in\`, \`refresh_expires_in\` and
  others. The earliest end counts.
- **No expiry at all**: the default lifetime counts. The status (\`accessTokenExpiryIsDefault\`), \`rotator doctor\`, the log and the tag \`expires-in\` of the published secret say so.
- **Errors in another shape**: JSON without a text in \`error\`, such as \`{"status":"BAD_REFRESH_TOKEN"}\`, \`{"message":"..."}\`, \`{"errors":[...]}\`, \`{"error":{...}}\` or a nested one, a list, a
  text alone, also with HTTP 200. Any member with "error" or "exception" in its name counts, and \`hint\`. What it says about the refresh token, the client, the account, the rate or a failure decides, as the rows below that begin with "says". Pages and other
  text are shown but never believed.
- **\`invalid_grant\` for what passes**: words about the rate, an access token that has not expired, an IP address or a request in progress count more, unless
  other words refuse the refresh token.
- **\`Retry-After\`** with HTTP 4xx: the provider did not process the request, unless an error that the rotator knows says otherwise.
- **Other scripts**: the provider's words are shown in any script, without invisible characters. Only English words decide.
- **Bodies in another form**: form-encoded, UTF-16, compressed, cut off, or with broken HTTP. JSON with text around it, with comments, with a comma before its end, or in a string (JSONP, warnings of PHP). From
  JSON that cannot be repaired, only the refresh token is read.
- **Bodies that are not a token response**, also JSON, are quoted in the error, unless they may have a secret.

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

An entry may have all of these members itself, and then overrides its profile, but must not contradict it, such as by an idle lifetime above the absolute one. \`connections.schema.json\` describes them. A profile cannot name secrets, vaults or
a private network, and \`ALLOWED_TOKEN_HOSTS\` limits its addresses as those of an entry. A profile that is not valid makes only the entries invalid that name it.

To sign in, write the entry first, and then run \`npx rotator connect acme-prod\`: \`--provider\` takes only the profiles above. The endpoints of the sign-in come from the metadata of
the authorization server, or from \`--authorization-endpoint\` or \`--device-endpoint\`.

## Errors

What a failed token response means: the first row that matches decides. The rows of a connection's own profile come first, then those with \\*, which only
one provider uses, then those for all. A row without a status matches HTTP 2xx and 4xx, but not 429. A code that only repeats the HTTP status does not count. \`final\`: the refresh token has ended. \`transient\`: the
same refresh token may work again.

| provider | response | meaning | class |
| --- | --- | --- | --- |
${errorRows().join('\n')}
`;

keepCurrent('docs/providers.md', () => wanted, 'npm run providers:docs');
for (const profile of all) {
  if (profile.id === 'generic') continue;
  keepCurrent(`docs/providers/${profile.id}.md`, () => providerPage(profile), 'npm run providers:docs');
}
