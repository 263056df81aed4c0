import type { ProviderProfile } from '../../lib/oauth/providers/index.ts';
import type { Source } from '../../lib/oauth/providers/profile.ts';
import { endpointText, FACTS, needsOf, noteOf, revocationText } from './facts.ts';
import { WALKTHROUGHS } from './walkthroughs.ts';

const NAME = 'my-connection';

/** What stands for the values that an entry or a command needs. */
const EXAMPLES: Readonly<Record<string, string>> = {
  tokenUri: 'https://HOST/PATH/token',
  tenant: 'TENANT',
  serviceUrl: 'https://ORG.crm.dynamics.com',
};
const OPTIONS: Readonly<Record<string, string>> = {
  tokenUri: '--token-uri',
  tenant: '--tenant',
  serviceUrl: '--service-url',
};

const CONFIDENCE: Readonly<Record<Source['confidence'], string>> = {
  documented: "the provider's page",
  code: 'code that works with it',
  reported: 'accounts of others',
  unverified: 'not verified',
};

/** The page of one provider: how to register, connect and read the token, and where each fact comes from. */
export function providerPage(profile: ProviderProfile): string {
  const { id, title, source } = profile;
  return `# ${title}

<!-- written by scripts/writeProviders.ts from lib/oauth/providers/${id}.ts -->

${[noteOf(profile), `The profile \`${id}\` is based on [this page](${source}). [All providers](../providers.md).`].filter(Boolean).join('\n\n')}

## Register the application

${registration(profile)
  .map((step, index) => `${index + 1}. ${step}`)
  .join('\n')}

## Connect

${connecting(profile)}

\`\`\`json
${JSON.stringify({ connections: { [NAME]: { provider: id, ...entry(profile) } } }, null, 2)}
\`\`\`

## Read the token

A consumer reads the secret \`${NAME}-access-token\` of the token vault and sends it as \`Authorization: ${profile.apiScheme ?? 'Bearer'} TOKEN\`. [consumers.md](../consumers.md) compares the
ways to read it.

## Facts

| fact | value | known from | read on |
| --- | --- | --- | --- |
${factRows(profile).join('\n')}
`;
}

function registration({ id, title, signIn }: ProviderProfile): readonly string[] {
  const steps = WALKTHROUGHS[id];
  if (steps) return steps;
  const scopes = signIn.scopes ?? [];
  return [
    `Register an application (an OAuth client) at ${title}.`,
    signIn.noLoopback === undefined
      ? `As redirect URI, enter \`${signIn.redirectUri}\`. If the provider compares the port as well, choose one, such as \`http://127.0.0.1:8400/callback\`, and give the command the same URI with \`--redirect-uri\`.`
      : 'As redirect URI, enter an https address of the web application that you sign in with.',
    `Allow the scopes that your program needs${scopes.length > 0 ? `, and ${list(scopes)}` : ''}. Copy the client id and the client secret.`,
  ];
}

/** What to do before and with the command, and where the entry comes from; it follows. */
function connecting(profile: ProviderProfile): string {
  const { noLoopback } = profile.signIn;
  const shown = (text: string) => `\`\`\`sh\n${text}\n\`\`\``;
  if (noLoopback === undefined)
    return `${shown(command(profile))}

It signs in, stores the secrets, rotates for the first time and prints the entry, such as:`;
  const elsewhere = `${noLoopback} So \`rotator connect\` cannot sign in there. Sign in with your own web application, and save its token response as \`token.json\`.`;
  // The command cannot name a parameter of token requests.
  if (needsOf(profile).some((need) => need.startsWith('parameters.')))
    return `${elsewhere} Add the entry below to the connections file, and import the refresh token:

${shown(`npx rotator import ${NAME} token.json`)}

It asks for the client id and the client secret, stores the secrets and rotates for the first time. The entry:`;
  return `${elsewhere} Then import the refresh token:

${shown(command(profile))}

It asks for the client id and the client secret, stores the secrets, rotates for the first time and prints the entry, such as:`;
}

function command(profile: ProviderProfile): string {
  const options = needsOf(profile).map((need) => {
    const option = OPTIONS[need];
    return option === undefined
      ? `--parameter ${need.replace('parameters.', '')}=VALUE`
      : `${option} ${EXAMPLES[need]}`;
  });
  const tenant = profile.tenant?.otherwise === undefined ? [] : ['--tenant TENANT'];
  const scope = profile.scope === undefined ? ['--scope "SCOPES"'] : [];
  const verb = profile.signIn.noLoopback === undefined ? `connect ${NAME}` : `import ${NAME} token.json`;
  const parts = [`npx rotator ${verb} --provider ${profile.id}`, ...tenant, ...options, ...scope];
  return parts.join(' \\\n  ');
}

function entry(profile: ProviderProfile): object {
  const { tenant, scope, signIn } = profile;
  const needs = needsOf(profile);
  const parameters = [
    ...needs.flatMap((need) => (need.startsWith('parameters.') ? [need.replace('parameters.', '')] : [])),
    ...(signIn.repeatsRedirectUri ? ['redirect_uri'] : []),
  ];
  const named = needs.filter((need) => Object.hasOwn(EXAMPLES, need));
  return {
    ...(tenant?.otherwise !== undefined && { tenant: EXAMPLES.tenant }),
    ...Object.fromEntries(named.map((need) => [need, EXAMPLES[need]])),
    ...(scope === undefined && { scope: 'SCOPES' }),
    ...(parameters.length > 0 && {
      parameters: Object.fromEntries(parameters.map((name) => [name, 'VALUE'])),
    }),
  };
}

function factRows(profile: ProviderProfile): string[] {
  const { clientAuthentication, signIn, sources } = profile;
  const scopes = signIn.scopes ?? [];
  const parameters = Object.entries(signIn.parameters ?? {}).map(([name, value]) => `${name}=${value}`);
  const rows: (readonly [name: string, value: string, source: Source | undefined])[] = [
    ['token endpoint', endpointText(profile), sources.tokenUri],
    ['client authentication', `\`${clientAuthentication}\``, sources.clientAuthentication],
    ...FACTS.map(({ title, show, source }) => [title, show(profile), sources[source]] as const),
    ['sign-in', address(signIn.authorizationUri), sources.signIn],
    ['redirect URI', signIn.noLoopback ?? '', sources.redirect],
    ['device endpoint', address(signIn.deviceUri), sources.signIn],
    ['scopes of a sign-in', list(scopes), sources.signIn],
    ['parameters of a sign-in', list(parameters), sources.signIn],
    ['revocation', revocationText(profile), sources.revocation],
  ];
  return rows.flatMap(([name, value, source]) =>
    value === ''
      ? []
      : [`| ${name} | ${value} | ${source ? knownFrom(source) : ''} | ${source?.date ?? ''} |`],
  );
}

function address(template: string | undefined): string {
  return template === undefined ? '' : `\`${template}\``;
}

function knownFrom({ confidence, page }: Source): string {
  const words = CONFIDENCE[confidence];
  return page === undefined ? words : `[${words}](${page})`;
}

function list(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}
