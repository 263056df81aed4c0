import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { documented, NANGO, type ProviderProfile, UNVERIFIED, USUAL_SIGN_IN } from './profile.ts';

const PAGE = documented('https://docs.databricks.com/aws/en/integrations/single-use-tokens');

/**
 * Databricks (a user signs in to a workspace or an account). Refresh tokens of some published applications are for single use.
 */
export const databricks: ProviderProfile = {
  id: 'databricks',
  title: 'Databricks',
  tokenUri: 'https://{tenant}/oidc/v1/token',
  tenant: { means: 'the host name of the workspace' },
  clientAuthentication: 'client_secret_basic',
  reuse: 'setting',
  behavior: CAREFUL_BEHAVIOR,
  signIn: { ...USUAL_SIGN_IN, authorizationUri: '/oidc/v1/authorize', scopes: ['offline_access'] },
  note: 'The lifetimes are settings of the application, and so is single use. Set `refreshTokenGrace` to "unlimited" if single use is off.',
  source: 'https://docs.databricks.com/aws/en/integrations/single-use-tokens',
  sources: {
    tokenUri: NANGO,
    clientAuthentication: UNVERIFIED,
    accessToken: documented(
      'https://databricks.github.io/sdk-js/api/interfaces/_databricks_sdk-oauth.v1.TokenAccessPolicy.html',
    ),
    reuse: PAGE,
    signIn: UNVERIFIED,
  },
};
