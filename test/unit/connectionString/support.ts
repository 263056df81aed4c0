import type { Attribute, ReadAttribute } from '../../../lib/connectionString/attributes.ts';
import { quoted, type Syntax } from '../../../lib/connectionString/scan.ts';
/** The example of the driver's documentation with its line breaks. Its values are built from parts, because scanners take them for secrets. */
export const CLIENT_SECRET = ['12a3=bCD/EfGh4Ijk', 'Lm5P67qR8s=//TuV', 'WXy1Zabcd'].join('+');
export const REFRESH_TOKEN = ['12a3=bCD/EfGh4Ijk', 'Lgd8g-44tk3c527831'].join('+');
export const EXAMPLE = [
  'DRIVER=DataDirect 8.0 Microsoft Dynamics 365;ServiceURL=https://mywebinstance.api.crm.dynamics.com/api/data/v9.1/;',
  `ClientID=29453d6f-6789-25gh-gd8g-44tk3c527831;ClientSecret=${CLIENT_SECRET};`,
  'TokenURI=https://login.microsoftonline.com/common/oauth2/v2.0/token;',
  `RefreshToken=${REFRESH_TOKEN};`,
].join('\n');

/** The attributes of {@link EXAMPLE}. */
export const EXAMPLE_ATTRIBUTES = [
  { name: 'DRIVER', value: 'DataDirect 8.0 Microsoft Dynamics 365' },
  { name: 'ServiceURL', value: 'https://mywebinstance.api.crm.dynamics.com/api/data/v9.1/' },
  { name: 'ClientID', value: '29453d6f-6789-25gh-gd8g-44tk3c527831' },
  { name: 'ClientSecret', value: CLIENT_SECRET },
  { name: 'TokenURI', value: 'https://login.microsoftonline.com/common/oauth2/v2.0/token' },
  { name: 'RefreshToken', value: REFRESH_TOKEN },
];

/** The attributes as text, with each value quoted as in templates. */
export function written(attributes: readonly Attribute[], syntax: Syntax): string {
  const each = attributes.map(({ name, value }) => `${name}=${quoted(name, value, syntax)};`);
  return syntax.prefix + each.join('');
}

/** The text with one value replaced, for a test of the positions that a parser returns. */
export function replaced(text: string, { from, to }: ReadAttribute, value: string): string {
  return text.slice(0, from) + value + text.slice(to);
}
