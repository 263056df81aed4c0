import { type AddressInfo, createServer, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

// A server in its own thread, so that it can respond while the thread of the test is blocked.
const {
  flag: buffer,
  response,
  delayMs,
} = workerData as { flag: SharedArrayBuffer; response: string; delayMs: number };
const flag = new Int32Array(buffer);

const server = createServer((socket) => {
  socket.on('error', () => undefined);
  socket.once('data', () => setTimeout(respondWhileTheTestIsBlocked, delayMs, socket));
});
server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port));

function respondWhileTheTestIsBlocked(socket: Socket): void {
  parentPort?.postMessage('asked');
  Atomics.wait(flag, 0, 0);
  socket.write(response, () => {
    Atomics.store(flag, 0, 2);
    Atomics.notify(flag, 0);
  });
}
