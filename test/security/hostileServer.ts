import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { createServer, type TLSSocket } from 'node:tls';

/** Writes bytes to a client that has sent its whole request. */
export type Attack = (socket: Socket) => void;

export interface HostileServer {
  readonly port: number;
  /** The first segment of each requested path, in order. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** A token endpoint over TLS that responds to each path with the bytes of an attack. */
export async function startHostileServer(
  certificate: { key: string; cert: string },
  attackOf: (path: string) => Attack | undefined,
): Promise<HostileServer> {
  const asked: string[] = [];
  const { port, close } = await startTlsServer(certificate, (socket) => {
    let text = '';
    socket.on('data', (chunk) => {
      const wasWhole = isWhole(text);
      text += chunk.toString('latin1');
      if (wasWhole || !isWhole(text)) return;
      const path = /^POST \/([^/ ?]*)/.exec(text)?.[1] ?? '';
      asked.push(path);
      const attack = attackOf(path);
      if (attack) attack(socket);
      else socket.destroy();
    });
  });
  return { port, asked, close };
}

/** A TLS front for a server without TLS that responds only to its own host. */
export function startTlsFront(certificate: { key: string; cert: string }, target: URL) {
  return startTlsServer(certificate, (socket) => {
    const behind = connect(Number(target.port), target.hostname);
    behind.on('error', () => socket.destroy());
    const renamed = new Transform({
      transform: (chunk: Buffer, _, done) => {
        const text = chunk.toString('latin1').replace(/\r\nhost: [^\r]*/i, `\r\nhost: ${target.host}`);
        done(null, Buffer.from(text, 'latin1'));
      },
    });
    socket.pipe(renamed).pipe(behind).pipe(socket);
  });
}

async function startTlsServer(
  certificate: { key: string; cert: string },
  accept: (socket: TLSSocket) => void,
) {
  const sockets = new Set<TLSSocket>();
  const server = createServer(certificate, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    accept(socket);
  });
  server.on('tlsClientError', () => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  return { port: (server.address() as AddressInfo).port, close };
}

function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0);
  return end >= 0 && text.length >= end + 4 + length;
}
