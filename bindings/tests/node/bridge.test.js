'use strict';
// The native bridge: what goes in and what comes out of each function.
const test = require('node:test');
const assert = require('node:assert');
const { inspect } = require('node:util');
const { startServer, makeApp, fresh, until } = require('./support.js');

let server;
test.before(async () => { server = await startServer(); });
test.after(() => server.stop());

test('the bridge has the functions of the script, and says the flavour', () => {
  for (const flavour of ['weapp', 'alipay', 'swan', 'tt', 'h5', 'rn']) {
    const app = makeApp({ flavour });
    assert.deepStrictEqual(Object.keys(app.bridge), ['flavour', 'connect', 'send', 'close', 'refuse', 'state',
      'bufferedAmount', 'globalSocket', 'release', 'listen', 'report']);
    assert.strictEqual(app.bridge.flavour, flavour);
    app.release();
  }
});

test('a connection: results, open with all it has, echo, close', async () => {
  const app = makeApp();
  const id = fresh();
  const socket = await app.open(server.url('ws', `/echo?id=${id}&header=X-Twice: 1&header=x-twice: 2`),
    { call: 7, headers: ['X-Mine', 'ä', 'X-Mine', 'second'], protocols: ['one', 'two'] });
  const [accepted, open] = app.events;
  assert.deepStrictEqual(accepted, { kind: 'result', socket, call: 7, status: 0, errMsg: 'connectSocket:ok',
    reason: '', errno: 0, code: 0 });
  assert.strictEqual(open.protocol, 'one');
  assert.strictEqual(open.extensions, '');
  assert.strictEqual(open.headers.length % 2, 0);
  const at = open.headers.indexOf('X-Twice');
  assert.deepStrictEqual(open.headers.slice(at, at + 4), ['X-Twice', '1', 'x-twice', '2']);
  assert.strictEqual(open.profile.length, 8);
  const [fetchStart, lookUpStart, lookUpEnd, connectStart, connectEnd, rtt, handshake, cost] = open.profile;
  assert.ok(Math.abs(fetchStart - Date.now()) < 60000, 'milliseconds since 1970');
  assert.ok(fetchStart <= lookUpStart && lookUpStart <= lookUpEnd && lookUpEnd <= connectStart
    && connectStart <= connectEnd, `${open.profile}`);
  assert.ok(rtt >= 0 && handshake >= 0 && cost >= rtt, `${open.profile}`);
  assert.strictEqual(app.bridge.state(socket), 1);
  assert.strictEqual(app.bridge.globalSocket(), socket);
  const log = await server.tell(`log ${id}`);
  assert.deepStrictEqual(log.filter((line) => line.startsWith('header X-Mine')),
    ['header X-Mine: ä', 'header X-Mine: second']);

  assert.strictEqual(app.close(socket, 3001, 'bye ✓', 8), 0);
  const closed = await app.next('close');
  assert.deepStrictEqual(app.events.slice(2), [
    { kind: 'result', socket, call: 8, status: 0, errMsg: 'closeSocket:ok', reason: '', errno: 0, code: 0 },
    { kind: 'close', socket, code: 3001, reason: 'bye ✓', wasClean: 1 },
  ]);
  assert.strictEqual(app.events.at(-1), closed);
  assert.strictEqual(app.bridge.state(socket), 3);
  app.bridge.release(socket);
  app.release();
});

test('text: lone surrogates, NULs, every length class', async () => {
  const app = makeApp();
  const socket = await app.open(server.url('ws', '/echo'));
  const cases = [['', ''], ['a\0b', 'a\0b'], ['\0', '\0'], ['\ud800', '\ufffd'], ['x\udfffy', 'x\ufffdy'],
    ['\udc00\ud800', '\ufffd\ufffd'], ['\ud83d\ude00', '\ud83d\ude00'], ['\ud83d\ud83d\ude00', '\ufffd\ud83d\ude00'],
    ['\ud7ff\ue000', '\ud7ff\ue000'], ['퟿한', '퟿한']];
  // Around the sizes of the buffers in the binding, in characters of one to four bytes.
  for (const length of [1000, 2035, 2039, 2040, 2042, 2043, 2044, 2045, 2046, 2047, 2048, 2049, 5000]) {
    for (const end of ['', 'é', '€', '\ud83d\ude00', '\ud800']) {
      const text = 'a'.repeat(length - Buffer.byteLength(end)) + end;
      cases.push([text, text.replace('\ud800', '\ufffd').replace('\ufffd\ude00', '\ud83d\ude00')]);
    }
  }
  cases.push(['\ud800'.repeat(70000), '\ufffd'.repeat(70000)]);
  cases.push(['é'.repeat(500000), 'é'.repeat(500000)]);
  for (const [sent, wanted] of cases) {
    const answered = app.next('message');
    assert.strictEqual(app.send(socket, sent), 0);
    const { data } = await answered;
    assert.ok(data === wanted,
      `${JSON.stringify(sent.slice(-20))} of ${sent.length} came as ${JSON.stringify(data.slice(-20))}`);
  }
  app.release();
});

test('binary: own bytes of a view, copied and adopted sizes, writable', async () => {
  const app = makeApp();
  const socket = await app.open(server.url('ws', '/echo'));
  const all = Uint8Array.from({ length: 3000000 }, (_, i) => (i * 7) % 251);
  for (const [offset, length] of [[0, 0], [5, 0], [0, 1], [1, 1023], [3, 1024], [2, 1025], [9, 70000], [0, 3000000]]) {
    const answered = app.next('message');
    assert.strictEqual(app.bridge.send(0, socket, all.buffer, offset, length), 0);
    const { data } = await answered;
    assert.ok(data instanceof ArrayBuffer);
    assert.strictEqual(data.byteLength, length);
    assert.ok(Buffer.from(data).equals(Buffer.from(all.buffer, offset, length)));
    if (length > 0) {
      const view = new Uint8Array(data);
      view[length - 1] ^= 255;
      assert.strictEqual(view[length - 1], all[offset + length - 1] ^ 255);
    }
  }
  for (const [offset, length] of [[0, 3000001], [3000001, 0], [1, 3000000], [-1, 1], [0, -1], [0.5, 1], [0, NaN]])
    assert.throws(() => app.bridge.send(0, socket, all.buffer, offset, length), TypeError, `${offset} ${length}`);
  app.release();
});

test('a message is adopted from 1 KiB on, below it is copied', async () => {
  const app = makeApp();
  const socket = await app.open(server.url('ws', '/echo'));
  for (const [length, adopted] of [[1023, false], [1024, true], [500000, true]]) {
    const answered = app.next('message');
    app.send(socket, new ArrayBuffer(length));
    const { data } = await answered;
    // Node.js does not let memory that is not its own go to another thread, it copies: that tells the two apart.
    try { structuredClone(data, { transfer: [data] }); } catch { /* so it is with later versions */ }
    assert.strictEqual(data.byteLength, adopted ? length : 0);
  }
  app.release();
});

test('header values that are not UTF-8 are Latin-1', async () => {
  const app = makeApp();
  const raw = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade',
    'Sec-WebSocket-Accept: {accept}', 'X-Utf8: %C3%A9%E2%82%AC%F0%9F%98%80', 'X-Latin: caf%E9', 'X-Cut: %C3',
    'X-Surrogate: %ED%A0%80', 'X-Long: %C0%AF', 'X-High: %F4%90%80%80', 'X-Empty:', '', ''].join('%0D%0A');
  await app.open(server.url('ws', `/echo?raw=${raw}`));
  const { headers } = app.events.find((event) => event.kind === 'open');
  const value = (name) => headers[headers.indexOf(name) + 1];
  assert.strictEqual(value('X-Utf8'), 'é€😀');
  assert.strictEqual(value('X-Latin'), 'café');
  assert.strictEqual(value('X-Cut'), 'Ã');
  assert.strictEqual(value('X-Surrogate'), 'í\u00a0\u0080');
  assert.strictEqual(value('X-Long'), 'À¯');
  assert.strictEqual(value('X-High'), 'ô\u0090\u0080\u0080');
  assert.strictEqual(value('X-Empty'), '');
  app.release();
});

test('refused calls: fail by the library\'s table, id 0 of a connect', async () => {
  const app = makeApp({ flavour: 'weapp' });
  assert.strictEqual(app.connect('http://example.org/', { call: 3 }), 0);
  assert.deepStrictEqual(await app.next('result'), { kind: 'result', socket: 0, call: 3, status: -100,
    errMsg: 'connectSocket:fail invalid url "http://example.org/"', reason: 'invalid url "http://example.org/"',
    errno: 600009, code: 600009 });
  assert.strictEqual(app.connect('ws://127.0.0.1:1/', { call: 4, headers: ['bad name', 'x'] }), 0);
  assert.strictEqual((await app.next('result')).status, -103);
  assert.strictEqual(app.bridge.refuse(5, 2, -103, 'data'), 0);
  assert.deepStrictEqual(await app.next('result'), { kind: 'result', socket: 0, call: 5, status: -103,
    errMsg: 'sendSocketMessage:fail parameter error: data', reason: 'parameter error: data', errno: 600005,
    code: 600005 });
  // Not a status that fail may carry, no such function: misuse, nothing follows.
  assert.strictEqual(app.bridge.refuse(6, 2, -3, 'data'), -4);
  assert.strictEqual(app.bridge.refuse(6, 9, -103, 'data'), -4);
  assert.strictEqual(app.bridge.refuse(7, 3, -107, ''), 0);
  assert.strictEqual((await app.next('result')).call, 7);
  app.release();
});

test('the flavour\'s own codes', async () => {
  const app = makeApp({ flavour: 'alipay' });
  app.connect('http://example.org/', { call: 3 });
  const result = await app.next('result');
  assert.notStrictEqual(result.code, result.errno);
  app.release();
});

test('unknown ids: a status, state CLOSED, nothing buffered', () => {
  const app = makeApp();
  for (const id of [0, 1, 123456789, 2 ** 53 - 1]) {
    assert.strictEqual(app.send(id, 'x'), -3);
    assert.strictEqual(app.send(id, 'x', 4), -3);
    assert.strictEqual(app.send(id, new ArrayBuffer(3)), -3);
    assert.strictEqual(app.close(id), -3);
    assert.strictEqual(app.close(id, 1000, '', 4), -3);
    assert.strictEqual(app.bridge.state(id), 3);
    assert.strictEqual(app.bridge.bufferedAmount(id), 0);
    assert.strictEqual(app.bridge.release(id), undefined);
  }
  assert.strictEqual(app.bridge.globalSocket(), 0);
  app.release();
  assert.deepStrictEqual(app.events, []);
});

test('wrong types throw a TypeError, each argument of each function', () => {
  const app = makeApp();
  const { bridge } = app;
  const good = {
    connect: [1, 'ws://127.0.0.1:1/', [], [], 0, 0],
    send: [0, 5, 'x', 0, 0],
    close: [0, 5, 1000, ''],
    refuse: [1, 1, -103, 'x'],
    state: [5],
    bufferedAmount: [5],
    release: [5],
    listen: [null],
  };
  const wrong = {
    number: [undefined, null, true, '1', {}, [], () => 0, Symbol('x'), 1n, NaN, Infinity, -Infinity, 0.5, 2 ** 53],
    string: [undefined, null, true, 1, {}, [], () => 0, Symbol('x'), 1n, new String('x')],
    array: [undefined, null, true, 1, 'x', {}, () => 0, Symbol('x'), [1], [undefined], [Symbol('x')], ['a', null]],
    data: [undefined, null, true, 1, {}, [], () => 0, Symbol('x'), 1n, new Uint8Array(3),
      new DataView(new ArrayBuffer(3)), new SharedArrayBuffer(3)],
    handler: [undefined, true, 1, 'x', {}, [], Symbol('x')],
  };
  const kinds = {
    connect: ['number', 'string', 'array', 'array', 'number', 'number'],
    send: ['number', 'number', 'data', , ,],
    close: ['number', 'number', 'number', 'string'],
    refuse: ['number', 'number', 'number', 'string'],
    state: ['number'],
    bufferedAmount: ['number'],
    release: ['number'],
    listen: ['handler'],
  };
  let count = 0;
  for (const name of Object.keys(good)) {
    good[name].forEach((_, at) => {
      for (const value of wrong[kinds[name][at]] || []) {
        const args = good[name].slice();
        args[at] = value;
        assert.throws(() => bridge[name](...args), TypeError, `${name}, argument ${at}: ${inspect(value)}`);
        count++;
      }
      // Offset and length count for bytes only.
      if (name === 'send' && at > 2) return;
      assert.throws(() => bridge[name](...good[name].slice(0, at)), TypeError, `${name} with ${at}`);
    });
  }
  assert.ok(count > 150, `${count}`);
  assert.throws(() => bridge.connect(1, 'ws://x/', ['odd'], [], 0, 0), /headers: must hold pairs/);
  assert.throws(() => bridge.connect(1, 'ws://x/', [], [], 8, 0), /flags: must be an integer/);
  assert.throws(() => bridge.connect(1, 'ws://x/', [], [], 0, 2 ** 31), /timeout: must be an integer/);
  assert.throws(() => bridge.refuse(0, 1, -103, 'x'), TypeError);
  // An exception of the script's own, out of a getter, is passed on.
  const trap = Object.defineProperty([0, 0], 1, { get() { throw new RangeError('mine'); } });
  trap[0] = 'a';
  assert.throws(() => bridge.connect(1, 'ws://x/', trap, [], 0, 0), /mine/);
  app.release();
});

test('the functions need no `this`', async () => {
  const app = makeApp();
  const { connect, state, release } = app.bridge;
  const socket = connect(1, server.url('silent', '/'), [], [], 0, 0);
  assert.ok(socket > 0);
  assert.strictEqual(state(socket), 0);
  release(socket);
  assert.strictEqual(state(socket), 3);
  app.release();
});

test('a released app: every function throws, but release', async () => {
  const app = makeApp();
  const socket = await app.open(server.url('ws', '/echo'));
  const { bridge } = app;
  assert.strictEqual(app.release(), undefined);
  assert.strictEqual(app.release(), undefined);
  for (const call of [() => app.connect('ws://127.0.0.1/'), () => app.send(socket, 'x'), () => app.close(socket),
    () => bridge.refuse(1, 1, -103, ''), () => bridge.state(socket), () => bridge.bufferedAmount(socket),
    () => bridge.globalSocket(), () => bridge.release(socket), () => bridge.listen(null), () => bridge.report(1),
    () => app.setBackground(true), () => app.networkChanged()])
    assert.throws(call, /was released/, String(call));
});

test('call 0: nobody hears of the results', async () => {
  const app = makeApp();
  const id = fresh();
  const socket = await app.open(server.url('ws', `/sink?id=${id}`), { call: 0 });
  app.send(socket, 'silent');
  app.send(socket, 'heard', 9);
  assert.strictEqual((await app.next('result')).call, 9);
  app.close(socket, 1000, '', 0);
  await app.next('close');
  assert.deepStrictEqual(app.events.map((event) => event.kind), ['open', 'result', 'close']);
  app.release();
});

test('listen(null) lets go, another handler takes over', async () => {
  const app = makeApp();
  const id = fresh();
  const socket = await app.open(server.url('ws', `/echo?id=${id}`));
  app.bridge.listen(null);
  app.send(socket, 'nobody hears the echo');
  await server.tell(`wait ${id} 1 9000 text`);
  const heard = [];
  // The echo comes before the close.
  app.bridge.listen((...event) => heard.push(event));
  app.bridge.listen((...event) => { heard.push(['second', ...event]); });
  app.close(socket);
  await until(() => heard.some((event) => event[1] === 5), 'close');
  assert.ok(heard.every((event) => event[0] === 'second'));
  app.release();
});

test('the events of failures: error, and close with its values', async () => {
  const app = makeApp();
  const refused = app.connect(server.url('refuse', '/'));
  assert.deepStrictEqual(await app.next('error'), { kind: 'error', socket: refused, status: -106,
    errMsg: 'connectSocket:fail WebSocket connection failed', reason: 'WebSocket connection failed', errno: 600000,
    code: 600000 });
  const late = app.connect(server.url('silent', '/'), { timeout: 30 });
  const timeout = await app.next('error');
  assert.deepStrictEqual([timeout.socket, timeout.status, timeout.errno], [late, -105, 5]);
  const broken = await app.open(server.url('ws', '/echo?act=drop'));
  const error = app.next('error');
  const close = await app.next('close');
  assert.strictEqual((await error).socket, broken);
  assert.deepStrictEqual(close, { kind: 'close', socket: broken, code: 1006, reason: 'abnormal closure', wasClean: 0 });
  await app.open(server.url('ws', '/echo?act=close'));
  const { code, reason, wasClean } = await app.next('close');
  assert.deepStrictEqual([code, reason, wasClean], [1005, '', 1]);
  app.release();
});

test('permessage-deflate and TCP_NODELAY by flags', async () => {
  const app = makeApp();
  const id = fresh();
  await app.open(server.url('ws', `/echo?id=${id}&extension=permessage-deflate&pack=1`), { flags: 3 });
  const { extensions } = app.events.find((event) => event.kind === 'open');
  assert.match(extensions, /^permessage-deflate/);
  const [socket] = app.events.map((event) => event.socket);
  const answered = app.next('message');
  app.send(socket, 'compress me '.repeat(1000));
  assert.strictEqual((await answered).data, 'compress me '.repeat(1000));
  const plain = fresh();
  await app.open(server.url('ws', `/echo?id=${plain}`));
  const log = await server.tell(`log ${plain}`);
  assert.ok(!log.some((line) => /sec-websocket-extensions/i.test(line)));
  app.release();
});
