import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { watchTokens } from '../../../local/consumer.ts';

test('counts nothing more after enough tokens', async () => {
  const server = createServer(
    (request, response) => void response.end(JSON.stringify({ value: request.url })),
  );
  onTestFinished(() => void server.close().closeAllConnections());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const servers = {
    tokenVault: { url },
    bearers: { consumer: 'any' },
    authorization: { resourceEndpoint: url },
  };
  const enough = new AbortController();
  const seen: string[] = [];
  const onToken = ({ connection }: { connection: string }) => {
    seen.push(connection);
    enough.abort();
  };
  await watchTokens(['one', 'two'], servers, onToken, enough.signal);
  expect(seen).toEqual(['one']);
});
