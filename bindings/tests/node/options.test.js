'use strict';
// Options of create: each with every wrong type, and what each does.
const test = require('node:test');
const assert = require('node:assert');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { inspect } = require('node:util');
const { startServer, makeApp, native, fresh, within } = require('./support.js');

let server;
test.before(async () => { server = await startServer(); });
test.after(() => server.stop());

const FLAGS = ['singleSocket', 'forbidWs', 'tlsInsecure', 'closeAfterError'];
const NUMBERS = ['maxSockets', 'timeoutMs', 'sendLimitBytes', 'messageLimitBytes', 'queueLimitBytes', 'pauseLimitBytes',
  'pingIntervalMs', 'pongTimeoutMs', 'idleTimeoutMs', 'backgroundGraceMs', 'closeTimeoutMs'];
const TEXTS = ['referer', 'caPem', 'caFile', 'cellularInterface'];

test('every option with every wrong type is a TypeError that names it', () => {
  const { create } = native();
  const any = { null: null, true: true, zero: 0, one: 1, half: 0.5, nan: NaN, infinite: Infinity, text: 'x', object: {},
    array: ['x'], numbers: [1], function: () => 0, symbol: Symbol('x'), bigint: 1n, negative: -1, huge: 2 ** 53 };
  const wrong = { flavour: Object.values(any).concat('WEAPP', 'weapp\0', 'weap', 'weapp ', '') };
  const without = (...names) => Object.keys(any).filter((name) => !names.includes(name)).map((name) => any[name]);
  for (const name of FLAGS) wrong[name] = without('true');
  for (const name of NUMBERS) wrong[name] = without('zero', 'one', ...(name === 'timeoutMs' ? ['negative'] : []));
  for (const name of TEXTS) wrong[name] = without('text');
  wrong.allowList = without('array').concat([[undefined]], [['a', null]]);
  wrong.addressOverrides = Object.values(any).concat([[null]], [[{}]], [[{ from: 'a:1' }]], [[{ from: 'a:1', to: 1 }]],
    [[{ from: 1, to: 'a:1' }]]);
  for (const [name, values] of Object.entries(wrong))
    for (const value of values)
      assert.throws(() => create({ [name]: value }), (error) => error instanceof TypeError
        && error.message.startsWith(name), `${name}: ${inspect(value)}`);
  for (const value of [null, true, 1, 'x', Symbol('x'), 1n, () => 0])
    assert.throws(() => create(value), TypeError, inspect(value));
  assert.throws(() => create({ maxSocket: 5 }), (error) => error instanceof TypeError
    && error.message === 'maxSocket: is no option');
  assert.throws(() => create({ ['x'.repeat(500)]: 5 }), TypeError);
  assert.throws(() => create({ get flavour() { throw new RangeError('mine'); } }), /mine/);
});

test('undefined is the default, and so is no options at all', () => {
  const { create } = native();
  create().release();
  create(undefined).release();
  create({}).release();
  const all = Object.fromEntries(['flavour', 'allowList', 'addressOverrides', ...FLAGS, ...NUMBERS, ...TEXTS]
    .map((name) => [name, undefined]));
  const host = create(all);
  assert.strictEqual(host.bridge.flavour, 'weapp');
  host.release();
});

test('what the library cannot take is an Error with its status', () => {
  const { create } = native();
  for (const options of [{ caPem: 'no certificate' }, { caFile: '/nowhere/ca.pem' }, { maxSockets: 65536 },
    { addressOverrides: [{ from: 'no port', to: 'nowhere' }] }, { allowList: ['http://x y'] }])
    assert.throws(() => create(options), { code: 'TARO_STATUS_BAD_ARGUMENT' }, inspect(options));
});

test('wss with the CA of caPem or caFile, or of tlsInsecure; the address is overridden', async () => {
  const file = path.join(server.certs, 'ca.pem');
  const url = 'wss://good.test:7443/echo';
  const addressOverrides = [{ from: 'good.test:7443', to: `127.0.0.1:${server.ports.wss}` }];
  for (const trust of [{ caPem: readFileSync(file, 'utf8') }, { caFile: file }, { tlsInsecure: true }]) {
    const app = makeApp({ ...trust, addressOverrides });
    const socket = await app.open(url);
    const answered = app.next('message');
    app.send(socket, 'over TLS');
    assert.strictEqual((await answered).data, 'over TLS');
    app.release();
  }
  const app = makeApp({ addressOverrides });
  app.connect(url);
  assert.strictEqual((await app.next('error')).status, -106);
  app.release();
});

test('allowList, forbidWs, maxSockets, singleSocket, referer', async () => {
  const url = server.url('ws', '/echo');
  let app = makeApp({ allowList: ['example.org', '127.0.0.1:1'] });
  app.connect(url);
  assert.strictEqual((await app.next('result')).errMsg, 'connectSocket:fail url not in domain list');
  app.release();

  app = makeApp({ forbidWs: true });
  app.connect(url);
  assert.strictEqual((await app.next('result')).status, -100);
  app.release();

  app = makeApp({ maxSockets: 2 });
  assert.ok(app.connect(url) && app.connect(url));
  assert.strictEqual(app.connect(url, { call: 9 }), 0);
  while ((await app.next('result')).call !== 9);
  assert.strictEqual(app.events.at(-1).errMsg, 'connectSocket:fail fail reach max websocket connect count 2');
  app.release();

  app = makeApp({ singleSocket: true });
  const first = await app.open(url);
  const second = app.connect(url);
  const closed = await app.next('close');
  assert.deepStrictEqual([closed.socket, closed.code], [first, 1000]);
  assert.strictEqual((await app.next('open')).socket, second);
  app.release();

  const id = fresh();
  app = makeApp({ referer: 'https://servicewechat.com/wx0/1/page-frame.html' });
  await app.open(server.url('ws', `/echo?id=${id}`), { headers: ['Referer', 'mine'] });
  assert.deepStrictEqual((await server.tell(`log ${id}`)).filter((line) => /^header referer/i.test(line)),
    ['header Referer: https://servicewechat.com/wx0/1/page-frame.html']);
  app.release();
});

test('closeAfterError tells the end of a failed handshake with close', async () => {
  const app = makeApp({ closeAfterError: true });
  app.connect(server.url('ws', '/echo?status=403'));
  assert.strictEqual((await app.next('error')).status, -106);
  assert.strictEqual((await app.next('close')).code, 1006);
  app.release();
});

test('timeouts and limits', async () => {
  let app = makeApp({ timeoutMs: 30 });
  app.connect(server.url('silent', '/'));
  assert.strictEqual((await app.next('error')).status, -105);
  app.release();

  app = makeApp({ messageLimitBytes: 1000 });
  const id = fresh();
  await app.open(server.url('ws', `/echo?id=${id}&act=fill:1001`));
  await app.next('close');
  assert.match(await server.tell(`wait ${id} 1 9000 close`), /^close 1009/);
  app.release();

  app = makeApp({ sendLimitBytes: 10 });
  const socket = await app.open(server.url('ws', '/echo'));
  assert.strictEqual(app.send(socket, 'longer than that'), -111);
  app.release();

  app = makeApp({ closeTimeoutMs: 30 });
  const silent = await app.open(server.url('ws', '/echo?onclose=ignore'));
  app.close(silent, 3000, 'mine');
  const { code, wasClean } = await app.next('close');
  assert.deepStrictEqual([code, wasClean], [3000, 0]);
  app.release();

  app = makeApp({ idleTimeoutMs: 30 });
  const idle = fresh();
  await app.open(server.url('ws', `/echo?id=${idle}`));
  assert.strictEqual((await app.next('close')).code, 1006);
  const idleLog = await server.tell(`log ${idle}`);
  assert.ok(!idleLog.some((line) => line.startsWith('ping')), idleLog.join());
  assert.match(await server.tell(`wait ${idle} 1 9000 close`), /^close 1001/);
  app.release();

  app = makeApp({ pingIntervalMs: 20, pongTimeoutMs: 30 });
  await app.open(server.url('ws', '/echo?onping=ignore'));
  assert.strictEqual((await app.next('close')).code, 1006);
  app.release();
});

test('the cellular interface is used only where it is asked for', async () => {
  const app = makeApp({ cellularInterface: 'no-such-interface-here' });
  const url = server.url('ws', '/echo');
  await app.open(url);
  const result = app.next('result');
  const socket = app.connect(url, { flags: 4 });
  const failed = socket === 0 ? await result : await app.next('error');
  assert.ok(failed.status < 0, inspect(failed));
  app.release();
  const without = makeApp();
  await without.open(url, { flags: 4 });
  without.release();
});

test('setBackground: calls fail, sockets end after the grace; networkChanged asks the peer', async () => {
  const app = makeApp({ backgroundGraceMs: 30 });
  const socket = await app.open(server.url('ws', '/echo'));
  for (const value of [undefined, null, 0, 1, 'x', {}]) assert.throws(() => app.setBackground(value), TypeError);
  app.setBackground(true);
  assert.strictEqual(app.send(socket, 'x'), -104);
  const close = await app.next('close');
  assert.deepStrictEqual([close.code, close.reason], [1006, 'interrupted']);
  app.setBackground(false);
  await app.open(server.url('ws', '/echo'));
  app.release();

  const moved = makeApp({ pongTimeoutMs: 30 });
  const id = fresh();
  await moved.open(server.url('ws', `/echo?id=${id}&onping=ignore`));
  moved.networkChanged();
  assert.strictEqual((await moved.next('close')).code, 1006);
  await server.tell(`wait ${id} 1 9000 ping`);
  moved.release();
});

test('queueLimitBytes: the library stops reading while the loop is busy', async () => {
  const app = makeApp({ queueLimitBytes: 65536 });
  await app.open(server.url('ws', '/echo?act=burst:500:10000'));
  let messages = app.events.filter((event) => event.kind === 'message').length;
  await within(new Promise((resolve) => app.on((event) => {
    if (event.kind === 'message' && ++messages === 500) resolve();
  })), '500 messages');
  app.release();
});
