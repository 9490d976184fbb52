'use strict';
// What the tests of the Node-API binding share: the misbehaving server, apps that record, waits with deadlines, and
// programs of their own process.

const { spawn, spawnSync } = require('child_process');
const fs = require('fs');
const net = require('net');
const os = require('os');
const path = require('path');
const readline = require('readline');

const ROOT = path.resolve(__dirname, '..', '..', '..');
const SUPPORT = process.env.TARO_TEST_SUPPORT || path.join(ROOT, 'ffi-tests', 'support');
const PYTHON = process.env.TARO_TEST_PYTHON || 'python3';
const SLOW = Number(process.env.TARO_TEST_SLOW || 1);
const DEADLINE = 20000 * SLOW;

const RESULT = 1, OPEN = 2, MESSAGE = 3, ERROR = 4, CLOSE = 5, DRAIN = 6;
const KINDS = [, 'result', 'open', 'message', 'error', 'close', 'drain'];

/** The native file: TARO_SOCKET_NODE, which ctest sets, or where the README builds it. */
const NATIVE = process.env.TARO_SOCKET_NODE
  || path.join(ROOT, 'bindings', 'node', 'build', 'taro_socket_node.node');
process.env.TARO_SOCKET_NODE ??= NATIVE;
const native = () => require(NATIVE);

/** The promise, or an error that names what did not come in time. */
function within(promise, what, ms = DEADLINE) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`in vain waited for: ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Waits until the condition holds; it is looked at again in each round of the loop. */
async function until(condition, what, ms = DEADLINE) {
  const end = process.hrtime.bigint() + BigInt(ms) * 1000000n;
  while (!await condition()) {
    if (process.hrtime.bigint() > end) throw new Error(`in vain waited for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function certs() {
  if (process.env.TARO_TEST_CERTS) return process.env.TARO_TEST_CERTS;
  const folder = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'taro-')), 'certs');
  process.on('exit', () => fs.rmSync(path.dirname(folder), { recursive: true, force: true }));
  const made = spawnSync(path.join(ROOT, 'scripts', 'certs.sh'), [folder], { stdio: 'inherit' });
  if (made.status !== 0) throw new Error('certs.sh failed');
  process.env.TARO_TEST_CERTS = folder;
  return folder;
}

/** The misbehaving server: ports by listener's name, `url`, and commands of its control port. */
async function startServer() {
  const folder = certs();
  const child = spawn(PYTHON, [path.join(SUPPORT, 'server.py'), folder], {
    stdio: ['pipe', 'pipe', 'inherit'], // A sanitizer that is loaded first is for Node.js alone.
    env: { ...process.env, LD_PRELOAD: '', PYTHONDONTWRITEBYTECODE: '1' },
  });
  const first = await within(new Promise((resolve, reject) => {
    readline.createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', () => reject(new Error('the server did not start')));
  }), 'the server');
  const ports = JSON.parse(first);
  const control = net.connect(ports.control, '127.0.0.1');
  const replies = [];
  let lines = 0, reply = null;
  readline.createInterface({ input: control }).on('line', (line) => {
    if (lines > 0) {
      reply.push(line);
      if (--lines === 0) replies.shift().resolve(reply);
      return;
    }
    const waiting = replies[0];
    if (!line.startsWith('ok')) {
      replies.shift();
      waiting.reject(new Error(`${waiting.command}: ${line}`));
    } else if (waiting.command.startsWith('log ') && Number(line.slice(3)) > 0) {
      lines = Number(line.slice(3));
      reply = [];
    } else {
      replies.shift().resolve(waiting.command.startsWith('log ') ? [] : line.slice(3));
    }
  });
  return {
    ports,
    certs: folder,
    url(listener, rest) {
      const scheme = listener.startsWith('wss') || listener.startsWith('tls') ? 'wss' : 'ws';
      return `${scheme}://127.0.0.1:${ports[listener]}${rest}`;
    },
    /** Commands: see server.py. */
    tell(command) {
      return within(new Promise((resolve, reject) => {
        replies.push({ command, resolve, reject });
        control.write(`${command}\n`);
      }), command);
    },
    stop() {
      control.destroy();
      child.stdin.end();
      return within(new Promise((resolve) => child.once('exit', resolve)), 'the end of the server');
    },
  };
}

let names = 0;
/** An id for a connection that no other test has. */
const fresh = () => `n${process.pid}_${++names}`;

/** An app whose events are kept in order, as objects; `next(kind)` waits for the next one of a kind. */
function makeApp(options) {
  const host = native().create(options);
  const { bridge } = host;
  const events = [];
  const waiting = [];
  const hooks = [];
  const FIELDS = {
    result: ['socket', 'call', 'status', 'errMsg', 'reason', 'errno', 'code'],
    open: ['socket', 'headers', 'protocol', 'extensions', 'profile'],
    message: ['socket', 'data'],
    error: ['socket', 'status', 'errMsg', 'reason', 'errno', 'code'],
    close: ['socket', 'code', 'reason', 'wasClean'],
    drain: ['socket', 'bufferedAmount'],
  };
  const handler = (kind, ...values) => {
    const event = { kind: KINDS[kind] };
    FIELDS[event.kind].forEach((field, i) => { event[field] = values[i]; });
    if (values.length !== FIELDS[event.kind].length) throw new Error(`${event.kind} with ${values.length} values`);
    events.push(event);
    for (let i = 0; i < waiting.length; i++) {
      if (waiting[i].wanted(event)) {
        waiting.splice(i, 1)[0].resolve(event);
        break;
      }
    }
    hooks.forEach((hook) => hook(event));
  };
  bridge.listen(handler);
  let calls = 0;
  return {
    ...host,
    events,
    handler,
    on(hook) { hooks.push(hook); },
    connect(url, { call = ++calls, headers = [], protocols = [], flags = 0, timeout = 0 } = {}) {
      return bridge.connect(call, url, headers, protocols, flags, timeout);
    },
    send(socket, data, call = 0) {
      const binary = typeof data !== 'string';
      return bridge.send(call, socket, data, 0, binary ? data.byteLength : 0);
    },
    close(socket, code = 1000, reason = '', call = 0) {
      return bridge.close(call, socket, code, reason);
    },
    /** The next event, from now on, of that kind (of that socket). */
    next(kind, socket) {
      const wanted = (event) => event.kind === kind && (socket === undefined || event.socket === socket);
      return within(new Promise((resolve) => waiting.push({ wanted, resolve })),
        `${kind}; there came ${events.slice(-5).map((event) => event.kind)}`);
    },
    /** Connects, and waits for open. */
    async open(url, options) {
      const opened = this.next('open');
      const socket = this.connect(url, options);
      if (socket === 0) throw new Error('refused');
      const event = await opened;
      if (event.socket !== socket) throw new Error('another socket opened');
      return socket;
    },
  };
}

/** Runs a program of this folder, or the text of one, and says how it ended. */
function run(program, args = [], { flags = [], env = {}, ms = DEADLINE * 2 } = {}) {
  const isText = program.includes('\n') || program.includes(';');
  const text = `const support = require(${JSON.stringify(__filename)});\n${program}`;
  const command = isText ? [...flags, '-e', text, ...args] : [...flags, path.join(__dirname, program), ...args];
  const child = spawn(process.execPath, command, {
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...env }, stdio: ['pipe', 'pipe', 'pipe'],
  });
  let out = '', err = '';
  child.stdout.on('data', (data) => { out += data; });
  child.stderr.on('data', (data) => { err += data; });
  const ended = new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), ms);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, out, err });
    });
  });
  return { child, ended, output: () => out };
}

/** For a process that ends in the middle: the engine leaves its own memory then, which is no leak of ours. */
const ABRUPT = { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS || ''}:detect_leaks=0` };

/** How much the process has open, and how many threads. */
const descriptors = () => fs.readdirSync('/proc/self/fd').length;
const threads = () => fs.readdirSync('/proc/self/task').length;

module.exports = {
  RESULT, OPEN, MESSAGE, ERROR, CLOSE, DRAIN, ROOT, SUPPORT, PYTHON, NATIVE, SLOW, DEADLINE,
  native, within, until, startServer, fresh, makeApp, run, ABRUPT, descriptors, threads,
};
