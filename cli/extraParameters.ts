import { RotatorError } from '../lib/errors.ts';

/** The parameters that the sign-in itself sets: RFC 6749 sections 2.3 and 4.1, RFC 7636, RFC 8628, RFC 9101 and OpenID Connect Core 1.0. */
const OWN =
  /^(client_(id|secret|assertion.*)|grant_type|refresh_token|redirect_uri|response_(type|mode)|state|nonce|code|code_(challenge|challenge_method|verifier)|device_code|request|request_uri)$/i;

/**
 * Reads the values of `--parameter`.
 * @param given each as NAME=VALUE
 * @throws RotatorError `command_invalid`
 */
export function extraParameters(given: readonly string[] = []): Record<string, string> {
  const pairs = given.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]);
  if (given.some((text) => text.indexOf('=') < 1)) throw nameless();
  const own = pairs.find(([name = '']) => OWN.test(name))?.[0];
  if (own !== undefined) throw ours(own);
  return Object.fromEntries(pairs);
}

function nameless(): RotatorError {
  return new RotatorError({
    code: 'command_invalid',
    message: 'The value of --parameter is not in the form NAME=VALUE.',
    fix: 'Write it as NAME=VALUE, for example --parameter access_type=offline.',
  });
}

function ours(name: string): RotatorError {
  return new RotatorError({
    code: 'command_invalid',
    message: `The sign-in itself sets the parameter ${name}.`,
    fix: `Remove --parameter ${name}. Set the client id with --client-id and the redirect URI with --redirect-uri.`,
  });
}
