/** How to register an application at the provider, step by step, for the providers that most users have. Markdown, one step each. */
export const WALKTHROUGHS: Readonly<Record<string, readonly string[]>> = {
  dynamics365: [
    'In the [Entra admin center](https://entra.microsoft.com), open _App registrations_ and choose _New registration_. Choose accounts in this organizational directory only.',
    'As redirect URI, choose the platform _Web_ and enter `http://localhost/`. Do not choose _Single-page application_: its refresh tokens end after 24 hours.',
    'Under _API permissions_, add _Dynamics CRM_, _Delegated permissions_, `user_impersonation`, and grant admin consent if your tenant requires it.',
    'Under _Certificates & secrets_, create a client secret, and copy its value, not its id. Copy the _Application (client) ID_ and the _Directory (tenant) ID_ from the overview.',
    'Sign in with an account that has a security role in the environment. A password change, a disabled account or a Conditional Access policy can end its refresh tokens, so use one that no employee uses.',
    'Or do without a sign-in: with an application user and a managed identity there is [no refresh token and no secret](../clients.md#dynamics-365-and-entra-id).',
  ],
  entra: [
    'In the [Entra admin center](https://entra.microsoft.com), open _App registrations_ and choose _New registration_.',
    'As redirect URI, choose the platform _Web_ and enter `http://localhost/`. Do not choose _Single-page application_: its refresh tokens end after 24 hours.',
    'Under _API permissions_, add the delegated permissions of the API that your program calls, and `offline_access`.',
    'Under _Certificates & secrets_, create a client secret, and copy its value, not its id. Copy the _Application (client) ID_ and the _Directory (tenant) ID_ from the overview.',
  ],
  salesforce: [
    'In the setup of your organization, create an external client app or a connected app, and enable OAuth settings.',
    'Enter a callback URL on this machine with a port, such as `http://localhost:8400/callback`, and give the command the same one with `--redirect-uri`.',
    'Select the scopes that your program needs, and _Perform requests at any time_ (`refresh_token`, `offline_access`).',
    'In the policies of the app, look at the refresh token policy: a token that ends after a time needs a new sign-in then. If the app rotates refresh tokens, leave `refreshTokenGrace` as it is.',
    'Copy the consumer key (the client id) and the consumer secret (the client secret). A change of them ends every token of the app.',
  ],
  google: [
    'In the [Google Cloud console](https://console.cloud.google.com/auth/clients), create an OAuth client of the type _Desktop app_, which accepts any port of this machine. With the type _Web application_, register a redirect URI with a port, and give the command the same one with `--redirect-uri`.',
    'On the consent screen, add the scopes that your program needs. Publish the app: while it is in testing, refresh tokens end after 7 days.',
    'Copy the client id and the client secret.',
  ],
  xero: [
    'In the [Xero developer portal](https://developer.xero.com/app/manage), create an app of the type _Web app_.',
    'Enter a redirect URI on this machine with a port, such as `http://localhost:8400/callback`, and give the command the same one with `--redirect-uri`.',
    'Copy the client id, and generate a client secret.',
  ],
};
