import { createSocket } from 'node:dgram';
import { onTestFinished } from 'vitest';

const TYPES: Readonly<Record<number, string>> = { 1: 'A', 28: 'AAAA' };
const RESPONSE = 0x8180;
const NAME_ERROR = 3;

/** What the server has for a name: IPv4 addresses, or `silent` if it never responds. It denies all other names. */
export type Zone = Readonly<Record<string, readonly string[] | 'silent'>>;

/**
 * A DNS server on this machine (RFC 1035) that ends with the test.
 * @returns its address for `Resolver.setServers`, and the queries that it received: `A login.example`
 */
export async function startDnsServer(zone: Zone): Promise<{ address: string; queries: string[] }> {
  const queries: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const { name, type, end } = questionOf(query);
    queries.push(`${TYPES[type]} ${name}`);
    const entry = zone[name];
    if (entry === 'silent') return;
    const records = type === 1 ? (entry ?? []) : [];
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(RESPONSE | (entry ? 0 : NAME_ERROR), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    const response = Buffer.concat([header, query.subarray(12, end), ...records.map(record)]);
    socket.send(response, port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => void socket.close());
  return { address: `127.0.0.1:${socket.address().port}`, queries };
}

/** The first question (RFC 1035 section 4.1.2). */
function questionOf(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** An address of the name in the question, to which the pointer leads, for 60 s (RFC 1035 section 4.1.3). */
function record(address: string): Buffer {
  return Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split('.').map(Number)]);
}
