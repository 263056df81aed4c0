/**
 * Preloaded into a plain Node that runs the bundle. It stands for the Functions worker, which provides `@azure/functions-core`. When the
 * process ends, it prints as JSON what the bundle registered, which network calls it tried, and which files it loaded.
 */
import dns from 'node:dns';
import Module, { createRequire } from 'node:module';
import net from 'node:net';

const functions: Record<string, object> = {};
const hooks: string[] = [];
const network: string[] = [];
const disposable = { dispose() {} };
let model: unknown;

const core = {
  version: '4.0.0',
  hostVersion: '4.0.0',
  Disposable: class {},
  registerHook: (name: string) => {
    hooks.push(name);
    return disposable;
  },
  registerFunction: ({ name, bindings }: { name: string; bindings: object }) => {
    functions[name] = bindings;
    return disposable;
  },
  setProgrammingModel: (next: unknown) => {
    model = next;
  },
  getProgrammingModel: () => model,
  log() {},
};

Module.prototype.require = new Proxy(Module.prototype.require, {
  apply: (target, self, args) =>
    args[0] === '@azure/functions-core' ? core : Reflect.apply(target, self, args),
});

const refuse = (what: string) => (): never => {
  network.push(what);
  throw new Error(`The bundle tried the network while it was loaded: ${what}`);
};
net.Socket.prototype.connect = refuse('connect');
net.Server.prototype.listen = refuse('listen');
Object.assign(dns, { lookup: refuse('lookup') });

process.on('exit', () => {
  const files = Object.keys(createRequire(import.meta.url).cache);
  console.log(JSON.stringify({ functions, hooks, network, files }));
});
