import { type AddressInfo, createServer, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

// A server in a thread of its own, so that it can answer while the thread of the test stands still.
const {
  flag: buffer,
  answer,
  delayMs,
} = workerData as { flag: SharedArrayBuffer; answer: string; delayMs: number };
const flag = new Int32Array(buffer);

const server = createServer((socket) => {
  socket.on('error', () => undefined);
  socket.once('data', () => setTimeout(answerWhileTheTestStandsStill, delayMs, socket));
});
server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port));

function answerWhileTheTestStandsStill(socket: Socket): void {
  parentPort?.postMessage('asked');
  Atomics.wait(flag, 0, 0);
  socket.write(answer, () => {
    Atomics.store(flag, 0, 2);
    Atomics.notify(flag, 0);
  });
}
