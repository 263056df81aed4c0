import type { Attribute } from '../connectionString/attributes.ts';
import { FORMS } from '../connectionString/forms.ts';
import { isSecret } from '../connectionString/mask.ts';
import { attributesOf, fillIn, placeholdersIn, type Template } from '../connectionString/template.ts';
import { problemOf } from '../errors.ts';
import type { ConnectionString, TokenBehavior } from '../rotation/core/connection.ts';
import { isReusable } from '../rotation/core/times.ts';
import { defaultSecretName, LONGEST_SECRET_NAME } from '../secretNames.ts';
import type { ConnectionEntry } from './connectionSchema.ts';

/** The placeholders that a custom template may contain: it is published to consumers. */
const PLACEHOLDERS = ['accessToken', 'serviceUrl'];
const WHERE = ['publish', 'connectionString'];

/** The connection string that an entry asks to publish; undefined if there is none, or if it is not valid. */
export function resolveConnectionString(
  name: string,
  entry: ConnectionEntry,
  behavior: TokenBehavior,
  complain: (path: readonly string[], cause: string) => void,
): ConnectionString | undefined {
  const asked = entry.publish?.connectionString;
  if (asked === undefined) {
    if (entry.secrets?.connectionString !== undefined)
      complain(['secrets', 'connectionString'], 'names a secret, but publish.connectionString is missing');
    return undefined;
  }
  const template = typeof asked === 'string' ? FORMS[asked] : { syntax: asked.syntax, text: asked.template };
  const wrong = wrongTemplate(template, entry.serviceUrl !== undefined, asked !== 'refreshToken');
  if (wrong) complain(WHERE, wrong);
  if (asked === 'refreshToken' && !isReusable(behavior)) complain(WHERE, REFRESH_TOKEN_USED_TWICE);
  const secret = entry.secrets?.connectionString ?? defaultSecretName(name, 'connectionString');
  if (secret.length > LONGEST_SECRET_NAME)
    complain(['secrets', 'connectionString'], 'is missing, and its default name would be too long');
  return { secret, holds: asked === 'refreshToken' ? 'refreshToken' : 'accessToken', template };
}

const REFRESH_TOKEN_USED_TWICE =
  'is refreshToken, but a used refresh token becomes invalid: the driver would use up the one that the rotator needs';

/** The problem with a template, as the end of a sentence about it. */
function wrongTemplate(
  template: Template,
  hasServiceUrl: boolean,
  isForConsumers: boolean,
): string | undefined {
  const used = placeholdersIn(template);
  if (used.includes('serviceUrl') && !hasServiceUrl)
    return 'needs the serviceUrl of the entry, which is missing';
  if (!isForConsumers) return undefined;
  if (used.some((each) => !PLACEHOLDERS.includes(each)))
    return `has a word in braces that is not a placeholder; the placeholders are {${PLACEHOLDERS.join('}, {')}}`;
  if (!used.includes('accessToken')) return 'is a template without {accessToken}';
  try {
    fillIn(template, { accessToken: 'x', serviceUrl: 'x' });
  } catch (thrown) {
    return `is a template that cannot be used. ${problemOf(thrown).message.replace(/\.$/, '')}`;
  }
  return attributesOf(template).some(isLiteralSecret) ? 'is a template with a secret in it' : undefined;
}

function isLiteralSecret({ name, value }: Attribute): boolean {
  return isSecret(name) && value !== '' && !value.includes('{accessToken}');
}
