import { EventEmitter, once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { onTestFinished } from 'vitest';

/** One connection that a client made. */
interface Connection {
  readonly socket: Socket;
  /** Everything that has arrived so far. */
  text(): string;
  /** Resolves when the connection is closed. */
  readonly closed: Promise<unknown>;
}

/** A server that responds with bytes that the test chooses. */
export interface RawServer {
  readonly port: number;
  readonly url: URL;
  /** In the order in which the clients made them. */
  readonly connections: readonly Connection[];
  /** Resolves with the next connection. */
  connection(): Promise<Connection>;
}

/** The reaction of a server to a complete request. */
export type Responder = (socket: Socket, connection: Connection) => void;

/** A server on a free port of this machine that closes at the end of the test. With a certificate, it uses TLS. */
export async function startRawServer(respond: Responder, tls?: TlsOptions): Promise<RawServer> {
  const connections: Connection[] = [];
  const events = new EventEmitter();
  const accept = (socket: Socket) => {
    const connection = observe(socket, respond);
    connections.push(connection);
    events.emit('connection', connection);
  };
  const server = tls ? createTlsServer(tls, accept) : createServer(accept);
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const { socket } of connections) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const next = async () => (await once(events, 'connection'))[0] as Connection;
  const url = new URL(`${tls ? 'https' : 'http'}://127.0.0.1:${port}/token`);
  return { port, url, connections, connection: next };
}

function observe(socket: Socket, respond: Responder): Connection {
  let text = '';
  const { promise: closed, resolve } = Promise.withResolvers<unknown>();
  const connection = { socket, text: () => text, closed };
  socket.on('close', resolve).on('error', () => undefined);
  socket.on('data', (chunk) => {
    const wasComplete = isComplete(text);
    text += chunk.toString('latin1');
    if (!wasComplete && isComplete(text)) respond(socket, connection);
  });
  return connection;
}

function isComplete(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0);
  return end >= 0 && text.length >= end + 4 + length;
}

/** An HTTP response with its length. */
export function answerWith(
  status: number,
  body: string | Buffer,
  headers: Record<string, string> = {},
): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = `content-length: ${Buffer.byteLength(body)}\r\n`;
  return Buffer.concat([
    Buffer.from(`HTTP/1.1 ${status} Whatever\r\n${length}${lines.join('')}\r\n`),
    Buffer.from(body),
  ]);
}
