import { createEmptyPipeline, type HttpClient, proxyPolicy } from '@azure/core-rest-pipeline';
import type { ClientOptions } from '@azure-rest/core-client';
import { isLoopback } from '../loopback.ts';
import { repeatIfClosed } from './repeatRead.ts';

type AdditionalPolicy = NonNullable<ClientOptions['additionalPolicies']>[number];

/**
 * How requests to a vault are sent: of the steps that the SDK takes by default, only the one for a proxy. Apart from reads whose
 * connection was closed, nothing is retried here: the protocol has its own retries, under a lease. A vault does not redirect, and a
 * host that does must not receive a secret.
 */
export function vaultPipeline(httpClient: HttpClient) {
  const pipeline = createEmptyPipeline();
  pipeline.addPolicy(proxyPolicy());
  return { httpClient, pipeline, additionalPolicies: [REPEAT_READS] };
}

/** The local vault sends the same challenge as a real one, whose domain is not a loopback address. */
export function isLocalVault(url: string): boolean {
  return isLoopback(new URL(url).hostname);
}

/** A signature changes nothing in the vault. */
const SIGNS = /\/sign\?/;

/**
 * Each request that reads is repeated if its connection was closed, outside of the pool: all idle connections may have been closed.
 * A list sends one request per page.
 */
const REPEAT_READS: AdditionalPolicy = {
  position: 'perRetry',
  policy: {
    name: 'repeatReads',
    sendRequest: (request, next) =>
      request.method === 'GET' || SIGNS.test(request.url)
        ? repeatIfClosed((again) => {
            request.disableKeepAlive ||= again;
            return next(request);
          })
        : next(request),
  },
};
