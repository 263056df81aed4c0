import type { Recorded, Rules } from './authorizationServer.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
const UNLIMITED = Number.POSITIVE_INFINITY;

/** A way in which providers treat tokens. */
export interface BehaviorClass {
  readonly rules: Rules;
  /** The responses of a provider of this class, with its values for the rules. */
  readonly recorded: Recorded;
}

const INVALID_GRANT = { status: 400, body: { error: 'invalid_grant' } };

/** The classes, each with the rules and the responses of a provider that belongs to it. */
export const CLASSES = {
  /** A refresh token works once. */
  singleUse: {
    rules: { graceMs: 0, replaces: 'always', accessTokenMs: HOUR_MS },
    recorded: {
      source: 'https://developer.box.com/guides/authentication/tokens/access-tokens/',
      success: {
        access_token: 'c3FIOG9vSGV4VHo4QzAyg5T1JvNnJoZ3ExaVNyQWw6WjRsanRKZG5lQk9qUE1BVQ',
        expires_in: 3600,
        token_type: 'bearer',
        refresh_token: 'J7rxTiWOHMoSC1isKZKBZWizoRXjkQzig5C6jFgCVJ9bUnsUfGMinKBDLZWP9BgR',
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      },
      refused: {
        status: 400,
        body: { error: 'invalid_grant', error_description: 'Refresh token has expired' },
      },
    },
  },
  /** A used refresh token works for some more time. */
  grace: {
    rules: { graceMs: 30 * MINUTE_MS, replaces: 'always', accessTokenMs: 30 * MINUTE_MS },
    recorded: {
      source: 'https://github.com/XeroAPI/xero-node/issues/382',
      success: {
        access_token: 'eyJhbGciOiJSUzI1NiIsImtpZCI6',
        expires_in: 1800,
        token_type: 'Bearer',
        refresh_token: '58f7c8a2e5',
        scope: 'offline_access accounting.transactions',
      },
      refused: INVALID_GRANT,
    },
  },
  /** The refresh token stays the same, and the response has none. */
  reusable: {
    rules: { graceMs: UNLIMITED, replaces: 'never', accessTokenMs: HOUR_MS },
    recorded: {
      source: 'https://developers.google.com/identity/protocols/oauth2/web-server#offline',
      success: {
        access_token: '1/fFAGRNJru1FTz70BzhT3Zg',
        expires_in: 3600,
        scope: 'https://www.googleapis.com/auth/drive.metadata.readonly',
        token_type: 'Bearer',
      },
      refused: {
        status: 400,
        body: { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' },
      },
    },
  },
  /** The refresh token changes once a day; the response always has the current one. */
  changesDaily: {
    rules: { graceMs: 0, replaces: 'daily', accessTokenMs: HOUR_MS },
    recorded: {
      source: 'https://github.com/intuit/QuickBooks-V3-PHP-SDK/issues/324',
      success: {
        token_type: 'bearer',
        expires_in: 3600,
        refresh_token: 'AB11583947345',
        x_refresh_token_expires_in: 8_726_400,
        access_token: 'eyJlbmMiOiJBMTI4',
      },
      refused: {
        status: 400,
        body: { error: 'invalid_grant', error_description: 'Incorrect or invalid refresh token' },
      },
    },
  },
  /** All refresh tokens of a sign-in end at one time. */
  absoluteDeadline: {
    rules: { graceMs: UNLIMITED, replaces: 'never', accessTokenMs: HOUR_MS, absoluteMs: 7 * DAY_MS },
    recorded: {
      source: 'https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_158255317571.html',
      success: { access_token: 'eyJraWQiOiJzLlNZUy4', expires_in: '3600', token_type: 'Bearer' },
      refused: INVALID_GRANT,
    },
  },
  /** A refresh token ends if it is not used; each refresh brings a new one, and the old one stays usable. */
  idleDeadline: {
    rules: { graceMs: UNLIMITED, replaces: 'always', accessTokenMs: HOUR_MS, idleMs: 90 * DAY_MS },
    recorded: {
      source: 'https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow',
      success: {
        access_token: 'eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsIng1dCI6Ik5HVEZ2ZEstZnl0aEV1Q',
        token_type: 'Bearer',
        expires_in: 3600,
        scope: 'https://graph.microsoft.com/mail.read',
        refresh_token: 'AwABAAAAvPM1KaPlrEqdFSBzjqfTGAMxZGUTdM0t4B4',
      },
      refused: {
        status: 400,
        body: {
          error: 'invalid_grant',
          error_description: 'AADSTS700082: The refresh token has expired due to inactivity.',
          error_codes: [700_082],
        },
      },
    },
  },
  /** A refresh is accepted only shortly before the access token ends, and there is a limit for a day. */
  earliestRenewal: {
    rules: {
      graceMs: 0,
      replaces: 'always',
      accessTokenMs: 10 * MINUTE_MS,
      idleMs: 30 * DAY_MS,
      earliestMs: 9.5 * MINUTE_MS,
      requestsPerDay: 200,
    },
    recorded: {
      source: 'https://github.com/websmurf/laravel-exact-online/issues/31',
      success: {
        access_token: 'stampNL001.gAAAAKmU',
        token_type: 'bearer',
        expires_in: '600',
        refresh_token: 'stampNL001.zPyv',
      },
      refused: INVALID_GRANT,
      tooEarly: {
        status: 400,
        body: {
          error: 'access_denied',
          error_description: 'Rate limit exceeded: access_token not expired',
        },
      },
    },
  },
  /** A refresh ends the access tokens before it. */
  endsAccessToken: {
    rules: { graceMs: 0, replaces: 'always', accessTokenMs: 8 * HOUR_MS, endsAccessTokens: true },
    recorded: {
      source:
        'https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens',
      success: {
        access_token: 'ghu_16C7e42F292c6912E7710c838347Ae178B4a',
        expires_in: 28_800,
        refresh_token: 'ghr_1B4a2e77838347a7E420ce178F2E7c6912E169246c34E1ccbF66C46812d16D5B1A9Dc86A1498',
        refresh_token_expires_in: 15_811_200,
        scope: '',
        token_type: 'bearer',
      },
      refused: {
        status: 200,
        body: {
          error: 'bad_refresh_token',
          error_description: 'The refresh token passed is incorrect or expired.',
        },
      },
    },
  },
} satisfies Readonly<Record<string, BehaviorClass>>;

type ClassName = keyof typeof CLASSES;

/** A class, with the rules that differ for a provider. */
type Member = readonly [ClassName, Partial<Rules>?];

/**
 * The class of each profile, with what the provider's documentation says. These are the facts of the provider, not those of the
 * profile, so that a profile cannot vouch for itself. If sources or settings differ, this is the strictest provider.
 */
export const MEMBERS: Readonly<Record<string, Member>> = {
  generic: ['singleUse'],
  entra: ['idleDeadline'],
  dynamics365: ['idleDeadline'],
  adfs: ['absoluteDeadline', { absoluteMs: 8 * HOUR_MS }],
  adobe: ['singleUse', { accessTokenMs: DAY_MS }],
  amazon: ['reusable'],
  atlassian: ['singleUse', { idleMs: 30 * DAY_MS, absoluteMs: 365 * DAY_MS }],
  auth0: ['singleUse', { accessTokenMs: DAY_MS }],
  box: ['singleUse', { idleMs: 60 * DAY_MS }],
  calendly: ['singleUse', { accessTokenMs: 2 * HOUR_MS }],
  concur: ['changesDaily'],
  databricks: ['singleUse'],
  docusign: ['singleUse', { accessTokenMs: 8 * HOUR_MS, idleMs: 30 * DAY_MS }],
  ebay: ['absoluteDeadline', { accessTokenMs: 2 * HOUR_MS, absoluteMs: 547.5 * DAY_MS }],
  exact: ['earliestRenewal'],
  freshbooks: ['singleUse', { accessTokenMs: 12 * HOUR_MS }],
  github: ['endsAccessToken', { idleMs: 183 * DAY_MS }],
  gitlab: ['endsAccessToken', { accessTokenMs: 2 * HOUR_MS }],
  google: ['reusable', { idleMs: 180 * DAY_MS }],
  hubspot: ['reusable', { accessTokenMs: 30 * MINUTE_MS }],
  intuit: ['changesDaily', { idleMs: 100 * DAY_MS, absoluteMs: 5 * 365 * DAY_MS }],
  keycloak: ['singleUse', { accessTokenMs: 5 * MINUTE_MS, idleMs: 30 * DAY_MS }],
  linkedin: ['absoluteDeadline', { accessTokenMs: 60 * DAY_MS, absoluteMs: 365 * DAY_MS }],
  netsuite: ['absoluteDeadline'],
  okta: ['grace', { graceMs: 30_000, accessTokenMs: HOUR_MS, idleMs: 7 * DAY_MS }],
  ping: ['singleUse', { accessTokenMs: 2 * HOUR_MS }],
  procore: ['singleUse', { accessTokenMs: 90 * MINUTE_MS }],
  sage: ['singleUse', { accessTokenMs: 5 * MINUTE_MS, idleMs: 31 * DAY_MS }],
  salesforce: ['singleUse', { accessTokenMs: 2 * HOUR_MS }],
  servicenow: ['absoluteDeadline', { accessTokenMs: 30 * MINUTE_MS, absoluteMs: 100 * DAY_MS }],
  shopify: [
    'grace',
    { graceMs: 30 * DAY_MS, untilSuccessorUsed: true, accessTokenMs: HOUR_MS, idleMs: 90 * DAY_MS },
  ],
  slack: ['singleUse', { accessTokenMs: 12 * HOUR_MS }],
  snowflake: ['endsAccessToken', { accessTokenMs: 10 * MINUTE_MS, idleMs: 90 * DAY_MS }],
  square: ['reusable', { accessTokenMs: 30 * DAY_MS }],
  tiktok: ['singleUse', { accessTokenMs: 2 * HOUR_MS, idleMs: 180 * DAY_MS }],
  workday: ['singleUse'],
  xero: ['grace', { idleMs: 60 * DAY_MS }],
  zendesk: ['endsAccessToken', { accessTokenMs: 30 * MINUTE_MS }],
  zoho: ['reusable'],
  zoom: ['singleUse', { idleMs: 90 * DAY_MS }],
};

/** The class of a profile, with the rules of its provider. @throws Error if the table lacks the profile */
export function behaviorOf(id: string): BehaviorClass {
  const member = MEMBERS[id];
  if (!member) throw new Error(`The profile ${id} has no behavior class: add it to MEMBERS.`);
  const [name, differing] = member;
  const { rules, recorded } = CLASSES[name];
  return { rules: { ...rules, ...differing }, recorded };
}
