import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { documented, HOUR_MS, type ProviderProfile, USUAL_SIGN_IN } from './profile.ts';

const PAGE = documented('https://developer.concur.com/api-reference/authentication/apidoc.html');

/** SAP Concur. The refresh token can change with any response, although it rarely does. */
export const concur: ProviderProfile = {
  id: 'concur',
  title: 'SAP Concur',
  tokenUri: 'https://{tenant}.api.concursolutions.com/oauth2/v0/token',
  tenant: { means: 'the geolocation of the company, such as us2' },
  clientAuthentication: 'client_secret_post',
  reuse: 'unknown',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    defaultExpiresInMs: HOUR_MS,
  },
  signIn: USUAL_SIGN_IN,
  revokeByHand: 'Disconnect the application in the App Center of SAP Concur.',
  note: 'Refresh tokens live for six months. The member `geolocation` of a response names the host to use; it may change.',
  source: 'https://developer.concur.com/api-reference/authentication/apidoc.html',
  sources: {
    tokenUri: PAGE,
    clientAuthentication: PAGE,
    accessToken: PAGE,
    reuse: PAGE,
    refreshToken: PAGE,
  },
};
