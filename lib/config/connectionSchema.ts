import { z } from 'zod';
import { TEMPLATE_SYNTAXES } from '../connectionString/template.ts';
import { type ProviderId, providers } from '../oauth/providers/index.ts';
import { CONNECTION_NAME, CONNECTION_NAME_RULE, SECRET_NAME, SECRET_NAME_RULE } from '../secretNames.ts';

/** A directory id or a domain name; it becomes a part of an address. */
const TENANT = /^[0-9A-Za-z.-]{1,253}$/;
/** What the protocol itself sends; RFC 6749 section 6 and RFC 7521 section 4.2. */
const PARAMETER =
  /^(?!(?:grant_type|refresh_token|client_id|client_secret|client_assertion.*)$)[!-~]{1,100}$/i;
/** In characters: beside it there must be room for an access token in Key Vault's 25 KB. */
const LONGEST_TEMPLATE = 10_000;
/** One year, in seconds: longer spans are mistakes in the unit, and would leave the range of dates in the end. */
const LONGEST_SPAN = 31_536_000;

const providerIds = Object.keys(providers) as [ProviderId, ...ProviderId[]];
const CLIENT_AUTHENTICATION = ['client_secret_basic', 'client_secret_post'] as const;

/** Addresses, client ids and scopes are ASCII (RFC 3986, RFC 6749 appendix A). */
const text = z
  .string('must be text')
  .trim()
  .min(1, 'is empty')
  .regex(/^[ -~]*$/, 'holds characters that are no printable ASCII');
const secretName = z
  .string('must be the name of a secret')
  .regex(SECRET_NAME, `is no name of a secret: ${SECRET_NAME_RULE}`);
const seconds = z.number('must be a number of seconds').max(LONGEST_SPAN, 'is longer than a year');
const positiveSeconds = seconds.positive('must be above 0');
const flag = z.boolean('must be true or false');

// Each description begins with a sentence that completes "Set <path> to ...": the fix of a problem is made of it.

/** The names of the secrets; what stands here is never a secret itself. */
export const secretsSection = z.strictObject(
  {
    clientId: secretName
      .optional()
      .describe(
        'The name of the secret with the client id. Default: NAME-client-id. Leave out with `clientId`.',
      ),
    clientSecret: z
      .union(
        [secretName, z.array(secretName).min(1, 'is an empty list')],
        'must be the name of a secret or a list of such names',
      )
      .optional()
      .describe(
        'The name of the secret with the client secret, or a list of names. Several are tried in order while a client secret is being replaced. Default: NAME-client-secret.',
      ),
    refreshToken: secretName
      .optional()
      .describe('The name of the secret with the refresh token. Default: NAME-refresh-token.'),
    accessToken: secretName
      .optional()
      .describe('The name of the secret that consumers read. Default: NAME-access-token.'),
    connectionString: secretName
      .optional()
      .describe(
        'The name of the secret with the connection string, where `publish.connectionString` asks for one. Default: NAME-connection-string.',
      ),
  },
  'must be an object',
);

/** What is published beside the access token. */
export const publishSection = z.strictObject(
  {
    connectionString: z
      .union(
        [
          z.enum(['accessToken', 'refreshToken']),
          z.strictObject({
            syntax: z
              .enum(TEMPLATE_SYNTAXES)
              .describe('How values are quoted: as in an ODBC string, as in a JDBC URL, or not at all.'),
            template: z
              .string()
              .min(1, 'is empty')
              .max(LONGEST_TEMPLATE, 'is longer than 10,000 characters')
              .describe('The text, with {accessToken} and {serviceUrl} as placeholders.'),
          }),
        ],
        'must be "accessToken", "refreshToken" or an object of a syntax (odbc, jdbc, raw) and a template',
      )
      .optional()
      .describe(
        'The string that drivers connect with, as "accessToken" or an object of syntax and template, both for the token vault, or "refreshToken". "accessToken" and "refreshToken" are those of the DataDirect ODBC driver for Dynamics 365; "refreshToken" holds the client secret and the refresh token, is written to the credential vault, and wants refresh tokens that stay usable.',
      ),
  },
  'must be an object',
);

/** The addresses of the vaults of one connection. */
export const vaultsSection = z.strictObject(
  {
    credential: text
      .optional()
      .describe(
        "The https address of the vault with client credentials and refresh token. Default: CREDENTIAL_VAULT_URL. The rotator's identity needs access to it.",
      ),
    token: text
      .optional()
      .describe(
        "The https address of the vault with the access token. Default: TOKEN_VAULT_URL. The rotator's identity needs access to it.",
      ),
  },
  'must be an object',
);

/** One entry of the file. Addresses are checked further when the entry is resolved. */
export const connectionEntry = z.strictObject(
  {
    provider: z
      .enum(providerIds, `must be one of ${providerIds.join(', ')}`)
      .default('generic')
      .describe(
        `The kind of provider, which brings the defaults of the other settings (${providerIds.join(', ')}).`,
      ),
    tokenUri: text
      .optional()
      .describe(
        'The https address of the token endpoint, 2,000 characters at most. Required where the provider does not know it. A leading "POST " is removed.',
      ),
    allowPrivateNetwork: flag
      .default(false)
      .describe(
        'true where the token endpoint is in a private network (10/8, 172.16/12, 192.168/16, fc00::/7), else false. Loopback, link-local and metadata addresses are refused in any case.',
      ),
    tenant: text
      .regex(TENANT, 'is no tenant')
      .optional()
      .describe('The directory (tenant) id or a verified domain name. Only for providers with tenants.'),
    serviceUrl: text
      .optional()
      .describe(
        'The https address of the service that the token is for, as https://ORG.crm.dynamics.com. Dynamics 365 takes the scope from it.',
      ),
    clientId: text
      .optional()
      .describe('The client id itself. Leave out to read it from the secret that `secrets.clientId` names.'),
    clientAuthentication: z
      .enum(CLIENT_AUTHENTICATION, `must be one of ${CLIENT_AUTHENTICATION.join(', ')}`)
      .optional()
      .describe(
        `The way in which the client proves its identity (${CLIENT_AUTHENTICATION.join(', ')}). Default: what the provider prefers.`,
      ),
    scope: text
      .optional()
      .describe(
        'The scopes to ask for, separated by spaces. Default: what the provider profile says, or none.',
      ),
    resource: text.optional().describe('The `resource` parameter of the grant. Most providers want none.'),
    parameters: z
      .record(
        z.string().regex(PARAMETER, 'is a parameter that is sent by the protocol itself, or no name'),
        z.string('must be text'),
        'must be an object of texts',
      )
      .optional()
      .describe(
        "The further parameters of the grant, as an object of texts. The protocol's own (grant_type, refresh_token, client_id, client_secret, client_assertion...) are refused.",
      ),
    secrets: secretsSection
      .optional()
      .describe('The names of the secrets, as an object. The secrets themselves stand in Key Vault only.'),
    publish: publishSection
      .optional()
      .describe('The further secrets to publish with each access token, as an object.'),
    vaults: vaultsSection
      .optional()
      .describe("The addresses of this connection's vaults, as an object. Seldom needed."),
    renewBefore: positiveSeconds
      .optional()
      .describe(
        'The number of seconds before expiry at which the access token is renewed, above 0. Default: when two thirds of its lifetime are gone.',
      ),
    refreshTokenGrace: z
      .union(
        [seconds.nonnegative('must be 0 or more seconds'), z.literal('unlimited')],
        'must be 0 or more seconds (a year at most), or "unlimited"',
      )
      .optional()
      .describe(
        'The number of seconds for which a refresh token stays usable after its first use, or "unlimited". 0: single use. Too high a value may make the provider revoke the connection. Default: what the provider documents.',
      ),
    accessTokenLifetime: positiveSeconds
      .optional()
      .describe(
        'The lifetime of an access token in seconds, above 0, where the answer does not say it. Default: what the provider documents, else 3600.',
      ),
    overwrite: flag
      .default(false)
      .describe(
        'true where an existing secret that somebody else made may be overwritten with the access token or connection string, else false.',
      ),
    enabled: flag
      .default(true)
      .describe('true, or false to pause the connection. A paused one is shown and never granted.'),
  },
  'must be an object',
);

/** One entry with its simple defaults. */
export type ConnectionEntry = z.output<typeof connectionEntry>;

/** The name of a connection: a part of the default names of its secrets. */
export const connectionName = z
  .string()
  .regex(CONNECTION_NAME, `is no name of a connection: ${CONNECTION_NAME_RULE}`);

/** The whole file: all connections by name. The JSON Schema for editors is made from it. */
export const connectionsFile = z
  .strictObject(
    {
      $schema: z.string('must be text').optional().describe('The address of this schema, for editors.'),
      connections: z
        .record(connectionName, connectionEntry, 'must be an object')
        .describe(
          'The connections by name. Default names of secrets begin with the name: NAME-client-id, NAME-client-secret, NAME-refresh-token, NAME-access-token, NAME-connection-string.',
        ),
    },
    'must be an object',
  )
  .describe(
    'The connections that the rotator keeps fresh. Times are in seconds. No secret stands in this file.',
  );
