import type { Template } from './template.ts';

const DRIVER = 'DRIVER=DataDirect 8.0 Microsoft Dynamics 365;ServiceURL={serviceUrl};';

/**
 * The strings without a DSN that the ODBC driver for Dynamics 365 documents ("OAuth 2.0 access token flow", "OAuth 2.0 refresh
 * token grant"). The first gives the driver the access token; with the second the driver holds the client secret and requests tokens itself.
 */
export const FORMS = {
  accessToken: { syntax: 'odbc', text: `${DRIVER}AccessToken={accessToken};` },
  refreshToken: {
    syntax: 'odbc',
    text: `${DRIVER}ClientID={clientId};ClientSecret={clientSecret};TokenURI={tokenUri};RefreshToken={refreshToken};`,
  },
} as const satisfies Record<string, Template>;
