'use strict';
// require('…/bindings/node'): how its files are found, and the faces of each flavour against real servers.
const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawn } = require('node:child_process');
const readline = require('node:readline');
const { startServer, run, within, ROOT, NATIVE, PYTHON } = require('./support.js');

const HOME = path.join(ROOT, 'bindings', 'node');
const { create } = require(HOME);

let server;
test.before(async () => { server = await startServer(); });
test.after(() => server.stop());

/** A copy of the package in a folder of its own. */
function copy(t, ...files) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'taro-node-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  for (const [from, to] of [[path.join(HOME, 'index.js'), 'index.js'], ...files]) {
    fs.mkdirSync(path.dirname(path.join(folder, to)), { recursive: true });
    fs.copyFileSync(from, path.join(folder, to));
  }
  return folder;
}

const SCRIPT = path.join(ROOT, 'bindings', 'js', 'taro_socket.js');

test('the package is its files in one folder, or beside bindings/js', async (t) => {
  const url = server.url('ws', '/echo?act=text:hello');
  const program = (folder) => `
    const { platform } = require(${JSON.stringify(folder)}).create();
    const task = platform.connectSocket({ url: process.argv[1] });
    task.onMessage(({ data }) => { console.log(data); task.close({}); });`;
  for (const files of [
    [[NATIVE, 'taro_socket_node.node'], [SCRIPT, 'taro_socket.js']],
    [[NATIVE, 'build/taro_socket_node.node'], [SCRIPT, 'taro_socket.js']],
    [[NATIVE, 'build/Release/taro_socket_node.node'], [SCRIPT, 'taro_socket.js']],
  ]) {
    const folder = copy(t, ...files);
    const { code, out, err } = await run(program(folder), [url], { env: { TARO_SOCKET_NODE: '' } }).ended;
    assert.deepStrictEqual({ code, out, err }, { code: 0, out: 'hello\n', err: '' }, files[0][1]);
  }
});

test('without its native file or script it says what to do', async (t) => {
  const folder = copy(t);
  const attempt = (options) => `try { require(${JSON.stringify(folder)}).create(${options}); }
    catch (error) { console.log(error.code, error.message); }`;
  const env = { TARO_SOCKET_NODE: '' };
  let { out } = await run(attempt(''), [], { env }).ended;
  assert.match(out, /^MODULE_NOT_FOUND There is no taro_socket_node\.node\. Build it/);
  assert.match(out, /cmake -S bindings\/node -B bindings\/node\/build/);
  ({ out } = await run(attempt(JSON.stringify({ native: NATIVE })), [], { env }).ended);
  assert.match(out, /^MODULE_NOT_FOUND There is no taro_socket\.js/);
  const both = JSON.stringify({ native: NATIVE, script: SCRIPT });
  ({ out } = await run(`${attempt(both)}; console.log('made')`, [], { env }).ended);
  assert.strictEqual(out, 'made\n');
  for (const options of [{ native: 5 }, { native: '' }, { script: null }])
    assert.throws(() => create(options), TypeError);
});

test('options are checked before anything is made', () => {
  for (const options of [null, 5, 'x', true]) assert.throws(() => create(options), TypeError);
  assert.throws(() => create({ flavour: 'qq' }), { name: 'TypeError', message: /^flavour/ });
  assert.throws(() => create({ maxSockets: '5' }), { name: 'TypeError', message: /^maxSockets/ });
});

test('what create gives', () => {
  const host = create({ flavour: 'weapp' });
  assert.deepStrictEqual(Object.keys(host).sort(),
    ['Taro', 'bridge', 'networkChanged', 'platform', 'release', 'setBackground']);
  host.release();
});

/** An echo server of a real library, as a program that prints its port and ends with its standard input. */
function start(t, command, args) {
  const env = { ...process.env, LD_PRELOAD: '' };
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
  t.after(() => child.stdin.end());
  const lines = readline.createInterface({ input: child.stdout });
  return within(new Promise((resolve) => lines.once('line', resolve)), command);
}

const WS = `
  const { WebSocketServer } = require('ws');
  const options = { port: 0, host: '127.0.0.1', perMessageDeflate: true };
  const wss = new WebSocketServer(options, () => console.log(wss.address().port));
  wss.on('connection', (peer) => peer.on('message', (data, binary) => peer.send(data, { binary })));
  process.stdin.on('end', () => process.exit()).resume();`;
const WEBSOCKETS = `
import asyncio, sys, websockets
async def echo(peer):
    try:
        async for message in peer:
            await peer.send(message)
    except websockets.ConnectionClosed:
        pass
async def main():
    async with websockets.serve(echo, '127.0.0.1', 0, max_size=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
asyncio.run(main())`;

const SERVERS = [['ws', process.execPath, ['-e', WS]], ['websockets', PYTHON, ['-c', WEBSOCKETS]]];
for (const [name, command, args] of SERVERS) {
  test(`echo against ${name}: wx, tt, swan, h5, rn and Taro`, async (t) => {
    const url = `ws://127.0.0.1:${await start(t, command, args)}/`;
    for (const flavour of ['weapp', 'tt', 'swan', 'h5', 'rn']) {
      const host = create({ flavour });
      const faces = [host.Taro];
      if (host.platform) faces.push(host.platform);
      for (const face of faces) {
        const task = await face.connectSocket({ url, perMessageDeflate: true });
        const got = [];
        await within(new Promise((resolve, reject) => {
          const sent = ['text ✓', new Uint8Array(70000).fill(7).buffer, ''];
          task.onError(reject);
          task.onOpen(() => sent.forEach((data) => task.send({ data })));
          task.onMessage(({ data }) => {
            got.push(typeof data === 'string' ? data : data.byteLength);
            if (got.length === sent.length) task.close({ code: 3000, reason: 'done' });
          });
          task.onClose(resolve);
        }), `${flavour} with ${name}`);
        assert.deepStrictEqual(got, ['text ✓', 70000, '']);
      }
      host.release();
    }
  });
}

test('my: one socket through the global functions', async () => {
  const { platform: my, release } = create({ flavour: 'alipay' });
  const heard = await within(new Promise((resolve, reject) => {
    my.onSocketError(reject);
    my.onSocketOpen(() => my.sendSocketMessage({ data: 'hello' }));
    my.onSocketMessage((message) => {
      my.onSocketClose(() => resolve(message));
      my.closeSocket();
    });
    my.connectSocket({ url: server.url('ws', '/echo'), fail: reject });
  }), 'close');
  assert.strictEqual(heard.data.data === undefined ? heard.data : heard.data.data, 'hello');
  release();
});

test('wx: success, fail and complete, and a handler that throws harms no other', async () => {
  const { code, out, err } = await run(`
    const { platform: wx } = require(${JSON.stringify(HOME)}).create();
    process.on('uncaughtException', (error) => console.log('uncaught', error.message));
    const task = wx.connectSocket({
      url: process.argv[1],
      success: () => { throw new Error('in success'); },
      complete: () => console.log('complete'),
    });
    task.onOpen(() => { throw new Error('in open'); });
    task.onMessage(({ data }) => { console.log(data); task.close({ success: () => console.log('closing') }); });
    task.onClose(() => console.log('close'));`, [server.url('ws', '/echo?act=text:hello')]).ended;
  assert.deepStrictEqual({ code, err }, { code: 0, err: '' });
  assert.deepStrictEqual(out.trim().split('\n'),
    ['uncaught in success', 'complete', 'uncaught in open', 'hello', 'closing', 'close']);
});

test('the program of README.md', async () => {
  const text = fs.readFileSync(path.join(HOME, 'README.md'), 'utf8');
  const program = text.match(/```js\n([^`]*)```/)[1];
  assert.match(program, /'wss:\/\/echo\.example\.org\/'/);
  const { code, out, err } = await run(program
    .replace('./bindings/node', HOME)
    .replace('allowList:', `caFile: ${JSON.stringify(path.join(server.certs, 'ca.pem'))}, allowList:`)
    .replaceAll('echo.example.org', 'localhost')
    .replace('//localhost/', `//localhost:${server.ports.wss}/echo`)).ended;
  assert.deepStrictEqual({ code, out, err }, { code: 0, out: 'hello\nclosed 1000 \n', err: '' });
});

test('README.md and index.d.ts name every option, and no other', () => {
  const readme = fs.readFileSync(path.join(HOME, 'README.md'), 'utf8');
  const table = readme.slice(readme.indexOf('| option |'), readme.indexOf('`taro_socket_node.node` is looked for'));
  const first = [...table.matchAll(/^\| ([^|]*) \|/gm)].map((row) => row[1]).join();
  const told = [...first.matchAll(/`(\w+)`/g)].map((name) => name[1]);
  const typings = fs.readFileSync(path.join(HOME, 'index.d.ts'), 'utf8');
  const typed = [...typings.split('export interface App<')[0].matchAll(/^ {2}(\w+)\?:/gm)].map((name) => name[1]);
  assert.deepStrictEqual(told.sort(), typed.sort());
  for (const name of told) {
    // Known, and the symbol is of no option's type.
    assert.throws(() => create({ [name]: Symbol('x') }), (error) => error instanceof TypeError
      && !/is no option/.test(error.message), name);
  }
  assert.strictEqual(told.length, 24);
});
