import { fillIn } from '../connectionString/template.ts';
import type { Connection, ConnectionString } from './core/connection.ts';

/** What a rotation brought and was made with; for showing it, masks. */
export interface ConnectionStringValues {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/**
 * The connection string as it is published. What holds an access token never gets to hold a client secret or a refresh token.
 * @throws RotatorError `connection_string_unwritable` where its syntax has no way to write a value
 */
export function renderConnectionString(
  { tokenUri, serviceUrl = '' }: Pick<Connection, 'tokenUri' | 'serviceUrl'>,
  { holds, template }: Pick<ConnectionString, 'holds' | 'template'>,
  { accessToken, ...secrets }: ConnectionStringValues,
): string {
  if (holds === 'accessToken') return fillIn(template, { serviceUrl, accessToken });
  return fillIn(template, { serviceUrl, tokenUri, ...secrets });
}
