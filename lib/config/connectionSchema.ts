import * as z from 'zod';
import { TEMPLATE_SYNTAXES } from '../connectionString/template.ts';
import { type ProviderId, providers } from '../oauth/providers/index.ts';
import { CLIENT_AUTHENTICATION, SIGNING_ALGORITHMS } from '../rotation/core/connection.ts';
import { isOwnTag } from '../rotation/core/tags.ts';
import { CONNECTION_NAME, CONNECTION_NAME_RULE, SECRET_NAME, SECRET_NAME_RULE } from '../secretNames.ts';

/** It becomes part of an address. */
const TENANT = /^[0-9A-Za-z.-]{1,253}$/;
/** A parameter name, except those that the protocol itself sends; RFC 6749 section 6 and RFC 7521 section 4.2. */
const PARAMETER =
  /^(?!(?:grant_type|refresh_token|client_id|client_secret|client_assertion.*)$)[!-~]{1,100}$/i;
/** In characters: Key Vault's 25 KB must have room for an access token as well. */
const LONGEST_TEMPLATE = 10_000;
/** One year, in seconds: longer spans are mistakes in the unit, and very long ones exceed the range of dates. */
const LONGEST_SPAN = 31_536_000;

/** The place of a member in a response. */
const MEMBER_PLACE = /^[\w-]{1,64}(?:\.[\w-]{1,64}){0,2}$/;

/** The name of a member that becomes a tag. Every identity that can list the secrets can read a tag, so none is named like a secret. */
const TAG_MEMBER = /^(?!.*(?:token|secret|assertion|password|credential|key|jwt))[a-z][\w-]{0,63}$/i;

/** Not DPoP (RFC 9449), MAC or PoP: their tokens are useless without the key. */
const NOT_A_KEY_TYPE = /^(?!(?:d[ _-]?pop|mac|pop)$)/i;

const providerIds = Object.keys(providers) as [ProviderId, ...ProviderId[]];

const GRANTS = ['refresh_token', 'client_credentials'] as const;

/** Addresses, client ids and scopes are ASCII (RFC 3986, RFC 6749 appendix A). */
const text = z
  .string('must be text')
  .trim()
  .min(1, 'is empty')
  .regex(/^[ -~]*$/, 'contains characters that are not printable ASCII');
const secretName = z
  .string('must be the name of a secret')
  .regex(SECRET_NAME, `is not a valid secret name: ${SECRET_NAME_RULE}`);
const seconds = z.number('must be a number of seconds').max(LONGEST_SPAN, 'is longer than a year');
const positiveSeconds = seconds.positive('must be above 0');
/** Ten years: refresh tokens live longer than access tokens. */
const lifetime = z
  .number('must be a number of seconds')
  .positive('must be above 0')
  .max(10 * LONGEST_SPAN, 'is longer than ten years');
const flag = z.boolean('must be true or false');

// Each description begins with a sentence that completes "Set <path> to ...": fixes are built from it.

/** The names of the secrets, never the secrets themselves. */
export const secretsSection = z.strictObject(
  {
    clientId: secretName
      .optional()
      .describe(
        'The name of the secret with the client id. Default: NAME-client-id. Omit if `clientId` is set.',
      ),
    clientSecret: z
      .union(
        [secretName, z.array(secretName).min(1, 'is an empty list')],
        'must be the name of a secret or a list of such names',
      )
      .optional()
      .describe(
        'The name of the secret with the client secret, or a list of names. Several are tried in order while a client secret is being replaced. Only for methods that send one. Default: NAME-client-secret.',
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
        'The name of the secret with the connection string, if `publish.connectionString` requests one. Default: NAME-connection-string.',
      ),
  },
  'must be an object',
);

/** What is published in addition to the access token. */
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
        'The string that drivers connect with, as "accessToken" or an object of syntax and template, both for the token vault, or "refreshToken". "accessToken" and "refreshToken" are those of the DataDirect ODBC driver. "refreshToken" contains the client secret and the refresh token, is written to the credential vault, and requires refresh tokens that stay valid after their use.',
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

/** What is said about a provider that is not known. */
export const ONE_PROVIDER = `must be one of ${providerIds.join(', ')}, or a name in providers`;

const OWN_PROVIDER = /^[0-9A-Za-z][0-9A-Za-z-]{0,49}$/;
/** The name of a profile that the file defines. */
export const ownProviderName = z
  .string('must be text')
  .regex(
    OWN_PROVIDER,
    'is not a valid name of a provider: up to 50 letters, digits and hyphens, first a letter or digit',
  );

/** The meanings that an error rule can give: each needs a response of the provider. */
const ERROR_CLASSES = ['reauthorization_required', 'client_rejected', 'retrying', 'misconfigured'] as const;
const errorText = z.string('must be text').min(1, 'is empty').max(200, 'is longer than 200 characters');
export const errorRule = z
  .strictObject(
    {
      status: z
        .number('must be a number')
        .int('must be a whole number')
        .min(200, 'must be 200 to 499')
        .max(499, 'must be 200 to 499')
        .optional()
        .describe('The HTTP status, 200 to 499. Default: any 2xx or 4xx except 429.'),
      error: errorText.optional().describe('The whole value of the member `error`.'),
      description: errorText
        .optional()
        .describe('A part of the member `error_description`, in any case of letters.'),
      means: z
        .enum(ERROR_CLASSES, `must be one of ${ERROR_CLASSES.join(', ')}`)
        .describe('The meaning of the response. retrying: the provider did not process the request.'),
    },
    'must be an object',
  )
  .refine(
    ({ error, description }) => error !== undefined || description !== undefined,
    'needs error or description',
  );

/** How the token responses of a provider differ from RFC 6749. */
export const responseSection = z.strictObject(
  {
    tokensIn: text
      .regex(MEMBER_PLACE, 'is not the place of a member: names with a dot between them')
      .optional()
      .describe(
        'The place of the tokens in the response: names of members from the outside to the inside, with a dot between them, such as data or data.0. Default: the response itself, or the only object in it that has tokens.',
      ),
    bearerTypes: z
      .array(
        text.regex(
          NOT_A_KEY_TYPE,
          'is a type that needs a key, so the API does not take the token as Bearer',
        ),
        'must be a list of texts',
      )
      .min(1, 'is an empty list')
      .optional()
      .describe('The values of `token_type` that mean Bearer, as a list. Default: the usual ones.'),
    expiresIn: text
      .optional()
      .describe(
        'The name of the member with the lifetime or the expiry of the access token. Default: the usual names.',
      ),
    expiresInUnit: z
      .enum(['seconds', 'milliseconds'], 'must be "seconds" or "milliseconds"')
      .optional()
      .describe('The unit of the lifetimes: "seconds" or "milliseconds". Default: seconds.'),
    tags: z
      .array(
        z
          .string('must be text')
          .regex(
            TAG_MEMBER,
            'is not the name of a member that may be published: it is not a name, or is named like a secret',
          )
          .refine((name) => !isOwnTag(name), 'is the name of a tag that the rotator keeps'),
        'must be a list of texts',
      )
      .max(5, 'has more than 5 names')
      .optional()
      .describe(
        'The names of the members beside the access token that become tags of the published secret, as a list, such as instance_url. Default: those that the provider documents.',
      ),
  },
  'must be an object',
);

/** A key of the client; resolving the entry checks that it names one of `secret`, `key` and `certificate`. */
export const clientKey = z.strictObject(
  {
    certificate: secretName
      .optional()
      .describe(
        'The name of a certificate in the credential vault. The vault signs, and the assertion names the certificate (x5t#S256).',
      ),
    key: secretName.optional().describe('The name of a key in the credential vault. The vault signs.'),
    secret: secretName
      .optional()
      .describe('The name of a secret with the private key as PEM, with or without its certificate.'),
    algorithm: z
      .enum(SIGNING_ALGORITHMS, `must be one of ${SIGNING_ALGORITHMS.join(', ')}`)
      .optional()
      .describe('The algorithm of the signature. Default: RS256 for an RSA key, ES256 for an elliptic one.'),
    keyId: text
      .max(200, 'is longer than 200 characters')
      .optional()
      .describe('The name that the provider knows the key by (kid).'),
  },
  'must be an object',
);

/** One entry of the file. Resolving the entry checks its addresses further. */
export const connectionEntry = z.strictObject(
  {
    provider: z
      .union([z.enum(providerIds), z.string(ONE_PROVIDER).regex(OWN_PROVIDER, ONE_PROVIDER)], ONE_PROVIDER)
      .default('generic')
      .describe(
        `The kind of provider, which brings the defaults of the other settings (${providerIds.join(', ')}, or a name in \`providers\`).`,
      ),
    tokenUri: text
      .optional()
      .describe(
        'The https address of the token endpoint, 2,000 characters at most. Required if the provider has no default for it. A leading "POST " is removed.',
      ),
    revocationUri: text
      .optional()
      .describe(
        'The https address of the endpoint that revokes refresh tokens (RFC 7009), for `rotator remove --revoke`, or a path that replaces that of `tokenUri`. It gets the client secret and the refresh token. Default: the one that the provider documents.',
      ),
    allowPrivateNetwork: flag
      .default(false)
      .describe(
        'true if the token endpoint is in a private network (10/8, 172.16/12, 192.168/16, fc00::/7), otherwise false. Loopback, link-local and metadata addresses are always refused.',
      ),
    tenant: text
      .regex(TENANT, 'is not a valid tenant: up to 253 letters, digits, dots and hyphens')
      .optional()
      .describe(
        'The part of the addresses that names the customer, such as a directory (tenant) id, a domain name or a subdomain. The profile says which. Only for providers with tenants.',
      ),
    serviceUrl: text
      .optional()
      .describe(
        'The https address of the service that the token is for, such as https://ORG.example.com. Some profiles derive the scope from it.',
      ),
    clientId: text
      .optional()
      .describe('The client id itself. Omit to read it from the secret that `secrets.clientId` names.'),
    clientAuthentication: z
      .enum(CLIENT_AUTHENTICATION, `must be one of ${CLIENT_AUTHENTICATION.join(', ')}`)
      .optional()
      .describe(
        `The way in which the client proves its identity (${CLIENT_AUTHENTICATION.join(', ')}). Default: the method that the provider prefers.`,
      ),
    grant: z
      .enum(GRANTS, `must be one of ${GRANTS.join(', ')}`)
      .default('refresh_token')
      .describe(
        'The way in which access tokens are obtained: refresh_token, or client_credentials for a client that acts for itself and needs no sign-in (RFC 6749 section 4.4).',
      ),
    clientKey: z
      .union(
        [clientKey, z.array(clientKey).min(1, 'is an empty list')],
        `must be an object with certificate, key or secret, and perhaps algorithm (${SIGNING_ALGORITHMS.join(', ')}) and keyId, or a list of such objects`,
      )
      .optional()
      .describe(
        'The key of the client for private_key_jwt, as an object with "certificate", "key" or "secret", or a list of such objects. Several are tried in order while a key is being replaced. Optional members: "algorithm" (RS256, PS256, ES256) and "keyId". Default: the secret NAME-client-key.',
      ),
    clientAssertionAudience: text
      .optional()
      .describe(
        'The audience of the client assertion. Default: the token endpoint; with managed_identity_federation, the token exchange of the public cloud.',
      ),
    emptyClientSecret: flag
      .default(false)
      .describe(
        'true if the client secret is the empty string (RFC 6749 section 2.3.1), otherwise false. No secret is read then.',
      ),
    scope: text
      .optional()
      .describe(
        'The scopes to request, separated by spaces. Default: those of the provider profile, or none.',
      ),
    resource: text
      .optional()
      .describe('The `resource` parameter of the token request. Most providers need none.'),
    parameters: z
      .record(
        z
          .string()
          .regex(PARAMETER, 'is not a valid parameter name, or the protocol itself sends this parameter'),
        z.string('must be text'),
        'must be an object of texts',
      )
      .optional()
      .describe(
        "The additional parameters of the token request, as an object of texts. The protocol's own (grant_type, refresh_token, client_id, client_secret, client_assertion...) are refused.",
      ),
    secrets: secretsSection
      .optional()
      .describe('The names of the secrets, as an object. The secrets themselves are only in Key Vault.'),
    publish: publishSection
      .optional()
      .describe('The additional secrets to publish with each access token, as an object.'),
    vaults: vaultsSection
      .optional()
      .describe("The addresses of this connection's vaults, as an object. Rarely needed."),
    renewBefore: positiveSeconds
      .optional()
      .describe(
        'The number of seconds before expiry at which the access token is renewed, above 0. Default: when two thirds of its lifetime are over.',
      ),
    refreshTokenGrace: z
      .union(
        [seconds.nonnegative('must be 0 or more seconds'), z.literal('unlimited')],
        'must be 0 or more seconds (a year at most), or "unlimited"',
      )
      .optional()
      .describe(
        'The number of seconds for which a refresh token stays valid after its first use, or "unlimited". 0: single use. If the value is too high, the provider may revoke the connection. Default: the value that the provider documents.',
      ),
    accessTokenLifetime: positiveSeconds
      .optional()
      .describe(
        'The lifetime of an access token in seconds, above 0, if the token response names none. Default: the value that the provider documents, otherwise 3600.',
      ),
    requestFormat: z
      .enum(['form', 'json'], 'must be "form" or "json"')
      .optional()
      .describe(
        'The format of the token request: "form", which RFC 6749 requires, or "json". Default: the one that the provider wants.',
      ),
    response: responseSection
      .optional()
      .describe(
        'The shape of the token responses, as an object, if it differs from RFC 6749 and the rotator does not understand it. Default: the one that the provider documents.',
      ),
    refreshTokenIdleLifetime: lifetime
      .optional()
      .describe(
        'The number of seconds, above 0, that a refresh token lives after each refresh, if the token response does not say it. Default: the value that the provider documents.',
      ),
    refreshTokenAbsoluteLifetime: lifetime
      .optional()
      .describe(
        'The number of seconds, above 0, that all refresh tokens of a sign-in live, whatever is issued since. Default: the value that the provider documents.',
      ),
    accessTokenEndsAtRefresh: flag
      .optional()
      .describe(
        'true if a refresh ends the access token before it, so that it must come late, otherwise false. Default: as the provider documents it.',
      ),
    earliestRenewal: positiveSeconds
      .optional()
      .describe(
        'The age of an access token in seconds, above 0, before which the provider refuses to renew it. Default: the value that the provider documents.',
      ),
    requestsPerDay: z
      .number('must be a number')
      .int('must be a whole number')
      .positive('must be above 0')
      .max(1_000_000, 'is above 1,000,000')
      .optional()
      .describe(
        'The number of token requests a day, above 0, that the provider takes from the connection. Failed requests are then repeated more rarely. Default: the value that the provider documents.',
      ),
    errors: z
      .array(errorRule, 'must be a list of objects')
      .max(50, 'has more than 50 rules')
      .optional()
      .describe(
        'The meanings of error responses, as a list of objects. They are tried before those that the rotator knows.',
      ),
    expirationHorizon: positiveSeconds
      .optional()
      .describe(
        'The number of seconds, above 0, after which secrets without a known end get an expiration date in the vault, for an Azure Policy that requires one. Each rotation renews it, and the rotator never treats it as a deadline. Default: no expiration date.',
      ),
    overwrite: flag
      .default(false)
      .describe(
        'true if the access token or connection string may overwrite an existing secret that the rotator does not manage, otherwise false.',
      ),
    enabled: flag
      .default(true)
      .describe(
        'true, or false to pause the connection. The rotator shows a paused connection but sends no token requests for it.',
      ),
  },
  'must be an object',
);

/** A profile that the file defines: what entries with its name inherit. It has nothing that an entry cannot have. */
export const providerSection = connectionEntry.pick({
  tokenUri: true,
  revocationUri: true,
  clientAuthentication: true,
  scope: true,
  parameters: true,
  refreshTokenGrace: true,
  accessTokenLifetime: true,
  refreshTokenIdleLifetime: true,
  refreshTokenAbsoluteLifetime: true,
  accessTokenEndsAtRefresh: true,
  earliestRenewal: true,
  requestsPerDay: true,
  requestFormat: true,
  response: true,
  errors: true,
});

export type ProviderSection = z.output<typeof providerSection>;

/** One entry with its simple defaults. */
export type ConnectionEntry = z.output<typeof connectionEntry>;

/** The name of a connection, which is part of the default names of its secrets. */
export const connectionName = z
  .string()
  .regex(CONNECTION_NAME, `is not a valid connection name: ${CONNECTION_NAME_RULE}`);

/** The whole file: all connections by name. The JSON Schema for editors is generated from it. */
export const connectionsFile = z
  .strictObject(
    {
      $schema: z.string('must be text').optional().describe('The address of this schema, for editors.'),
      providers: z
        .record(ownProviderName, providerSection, 'must be an object')
        .optional()
        .describe(
          'The profiles of your own by name, for the `provider` of entries. Their `tokenUri` may contain {tenant}, which the `tenant` of an entry fills.',
        ),
      connections: z
        .record(connectionName, connectionEntry, 'must be an object')
        .describe(
          'The connections by name. Default names of secrets begin with the name: NAME-client-id, NAME-client-secret, NAME-refresh-token, NAME-access-token, NAME-connection-string.',
        ),
    },
    'must be an object',
  )
  .describe(
    'The connections that the rotator keeps fresh. Times are in seconds. This file contains no secrets.',
  );
