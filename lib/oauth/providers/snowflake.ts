import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import {
  documented,
  MINUTE_MS,
  NANGO,
  type ProviderProfile,
  readInCode,
  reported,
  USUAL_SIGN_IN,
} from './profile.ts';

const PAGE = documented('https://docs.snowflake.com/user-guide/single-use-refresh-tokens');

/** Snowflake OAuth. With single-use refresh tokens, a refresh ends all earlier refresh and access tokens. */
export const snowflake: ProviderProfile = {
  id: 'snowflake',
  title: 'Snowflake',
  tokenUri: 'https://{tenant}.snowflakecomputing.com/oauth/token-request',
  tenant: { means: 'the account identifier' },
  clientAuthentication: 'client_secret_basic',
  reuse: 'setting',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    defaultExpiresInMs: 10 * MINUTE_MS,
    accessTokenEndsAtRefresh: true,
  },
  signIn: { ...USUAL_SIGN_IN, authorizationUri: '/oauth/authorize', scopes: ['refresh_token'] },
  note: 'Single use is a setting of the security integration, off by default: then set `refreshTokenGrace` to "unlimited". The lifetime of a refresh token is a setting as well, 90 days by default; only with single use does it begin anew.',
  source: 'https://docs.snowflake.com/user-guide/single-use-refresh-tokens',
  sources: {
    tokenUri: NANGO,
    clientAuthentication: readInCode('https://github.com/speakeasy-api/gram/pull/4848'),
    accessToken: reported(
      'https://docs.progress.com/bundle/datadirect-snowflake-jdbc-60/page/AccessToken.html',
    ),
    reuse: PAGE,
    signIn: NANGO,
  },
};
