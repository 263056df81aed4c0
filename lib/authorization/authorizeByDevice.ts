import {
  type DeviceAuthorizationResponse,
  deviceAuthorizationRequest,
  deviceCodeGrantRequest,
  processDeviceAuthorizationResponse,
} from 'oauth4webapi';
import { RotatorError } from '../errors.ts';
import type { Clock } from '../rotation/ports.ts';
import { authorizationError, clientOf, interrupted, readResponse, tokensOf, userAddress } from './client.ts';
import type { AuthorizationRequest, ObtainedTokens } from './request.ts';

/** RFC 8628 section 3.2: the interval if the response names none. */
const INTERVAL_MS = 5_000;
/** RFC 8628 section 3.5: `slow_down` adds this to the interval. */
const SLOWER_MS = 5_000;
/** A user has to type the code, and it appears on a terminal. In characters. */
const LONGEST_CODE = 100;

/** What the user needs on another device. */
export interface DeviceCode {
  readonly address: string;
  readonly userCode: string;
  readonly expiresInMs: number;
}

/** The user of another device. */
interface DeviceUser {
  /** Shows the code and the address at which to enter it. */
  readonly show: (code: DeviceCode) => void;
  /** How long to wait for the sign-in, in milliseconds. Default: until the code expires. */
  readonly patienceMs?: number | undefined;
}

/**
 * The device authorization grant (RFC 8628).
 * @throws RotatorError `authorization_*`, `client_rejected`, `refresh_token_not_issued`, `interrupted`
 */
export async function authorizeByDevice(
  request: AuthorizationRequest,
  { show, patienceMs = Number.POSITIVE_INFINITY }: DeviceUser,
  clock: Clock,
): Promise<ObtainedTokens> {
  const { server, parameters } = request;
  if (server.device_authorization_endpoint === undefined) throw noEndpoint();
  const { client, authentication, options } = clientOf(request);
  try {
    const begun = await deviceAuthorizationRequest(
      server,
      client,
      authentication,
      { ...parameters },
      options,
    );
    const code = await processDeviceAuthorizationResponse(server, client, begun);
    const expiresInMs = Math.min(code.expires_in * 1000, patienceMs);
    show({
      address: userAddress(code.verification_uri, request, wrongAddress),
      userCode: code.user_code.replace(/[^!-~]/g, '').slice(0, LONGEST_CODE),
      expiresInMs,
    });
    return await poll(request, { ...code, expiresInMs }, clock).catch((thrown) => {
      throw authorizationError(thrown, request, code.device_code);
    });
  } catch (thrown) {
    throw authorizationError(thrown, request);
  }
}

async function poll(
  request: AuthorizationRequest,
  code: DeviceAuthorizationResponse & Pick<DeviceCode, 'expiresInMs'>,
  clock: Clock,
): Promise<ObtainedTokens> {
  const endsAt = clock.monotonic() + code.expiresInMs;
  let interval = code.interval === undefined ? INTERVAL_MS : code.interval * 1000;
  while (clock.monotonic() + interval < endsAt) {
    await clock.sleep(interval, request.signal);
    if (request.signal.aborted) throw interrupted();
    const response = await pollOnce(request, code.device_code);
    if (typeof response !== 'string') return response;
    if (response === 'slow_down') interval += SLOWER_MS;
    // RFC 8628 section 3.5: after a request without a response, the client polls less often.
    if (response === 'no_response') interval *= 2;
  }
  // No request may follow sooner than after the interval, but the user has all of the time.
  await clock.sleep(Math.max(0, endsAt - clock.monotonic()), request.signal);
  throw request.signal.aborted ? interrupted() : expired();
}

/** @returns the tokens, or the reason why there are none yet */
async function pollOnce(request: AuthorizationRequest, deviceCode: string) {
  const { server } = request;
  const { client, authentication, tokenOptions } = clientOf(request);
  let response: Response;
  try {
    response = await deviceCodeGrantRequest(server, client, authentication, deviceCode, tokenOptions);
  } catch (thrown) {
    if (thrown instanceof RotatorError || request.signal.aborted) throw thrown;
    return 'no_response';
  }
  const read = await readResponse(response, request);
  const error = read.response?.error?.code;
  if (error === 'authorization_pending' || error === 'slow_down') return error;
  return tokensOf(read, request, deviceCode);
}

function noEndpoint(): RotatorError {
  return new RotatorError({
    code: 'authorization_failed',
    message:
      'The authorization server names no device authorization endpoint on the host of its token endpoint.',
    fix: 'Sign in without --device, or set --device-endpoint to the address that the provider documents.',
  });
}

function wrongAddress(): RotatorError {
  return new RotatorError({
    code: 'authorization_failed',
    message: 'The authorization server returned a verification address that is not a valid https address.',
    fix: 'Sign in without --device.',
  });
}

function expired(): RotatorError {
  return new RotatorError({
    code: 'authorization_expired',
    message: 'The user did not enter the code in time, or did not finish the sign-in.',
    fix: 'Run the command again and enter the new code in time.',
  });
}
