import type { Socket } from 'node:net';
import { Duplex, PassThrough, type Readable } from 'node:stream';

/** The most bytes of a response that are kept. A token response has a few kilobytes. */
const MOST_KEPT_BYTES = 512 * 1024;

/**
 * A connection as undici sees it, which keeps what arrives. undici closes a connection whose response it rejects, although a refresh
 * token may be in it or still on its way: then the socket stays open for a second reading, until `hangUp`.
 */
export class KeptConnection extends Duplex {
  readonly #socket: Socket;
  readonly #mayReadOn: () => boolean;
  #kept: Buffer[] = [];
  #length = 0;
  #reader: PassThrough | undefined;
  #complete = false;

  /** @param mayReadOn whether the socket stays open if the client gives the connection up */
  constructor(socket: Socket, mayReadOn: () => boolean) {
    super();
    this.#socket = socket;
    this.#mayReadOn = mayReadOn;
    this.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.destroy(error));
    socket.once('close', () => this.#end());
  }

  /** Everything from the first byte on, also what has not arrived yet; ends with the connection, or when too much has arrived. */
  readAgain(): Readable {
    const reader = new PassThrough();
    for (const chunk of this.#kept) reader.write(chunk);
    this.#reader = reader;
    if (this.#complete) reader.end();
    else this.#socket.resume();
    return reader;
  }

  /** Closes the connection, and overwrites the bytes that were kept. */
  hangUp(): void {
    this.#socket.destroy();
    for (const chunk of this.#kept) chunk.fill(0);
    this.#kept = [];
  }

  override _read(): void {
    this.#socket.resume();
  }

  /** Headers and body leave together, in one TLS record. */
  override _writev(chunks: { readonly chunk: Buffer }[], done: (error?: Error | null) => void): void {
    // A token request is smaller than the buffer of any socket.
    this.#socket.write(Buffer.concat(chunks.map(({ chunk }) => chunk)));
    done();
  }

  override _final(done: () => void): void {
    this.#socket.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#mayReadOn()) this.#socket.destroy();
    done(error);
  }

  #receive(chunk: Buffer): void {
    // A copy, because undici passes parts of it on, and the kept bytes are overwritten at the end.
    if (!this.destroyed && !this.push(Buffer.from(chunk))) this.#socket.pause();
    if (this.#complete) return;
    this.#kept.push(chunk);
    this.#reader?.write(chunk);
    this.#length += chunk.length;
    if (this.#length > MOST_KEPT_BYTES) this.#completeKept();
  }

  #end(): void {
    this.#completeKept();
    if (!this.destroyed) this.push(null);
  }

  #completeKept(): void {
    this.#complete = true;
    this.#reader?.end();
  }
}
