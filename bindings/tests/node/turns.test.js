'use strict';
// Each event is a turn of its own; bursts leave the loop its due; exceptions harm nobody else.
const test = require('node:test');
const assert = require('node:assert');
const { startServer, makeApp, native, fresh, until, within, run, ABRUPT } = require('./support.js');

let server;
test.before(async () => { server = await startServer(); });
test.after(() => server.stop());

test('process.nextTick and microtasks run out between two events, in this order', async () => {
  const app = makeApp();
  const order = [];
  app.on((event) => {
    if (event.kind !== 'message') return;
    order.push(event.data);
    Promise.resolve().then(() => order.push('promise')).then(() => order.push('another')).then(() => {
      process.nextTick(() => order.push('late tick'));
    });
    queueMicrotask(() => order.push('microtask'));
    process.nextTick(() => order.push('tick'));
  });
  // In one segment, so they wait together.
  const socket = await app.open(server.url('ws', '/sink?act=later;frame:810131810132810133'));
  app.send(socket, 'go');
  await until(() => order.includes('3') && order.at(-1) === 'late tick', 'three messages');
  const turn = ['tick', 'promise', 'microtask', 'another', 'late tick'];
  assert.deepStrictEqual(order, ['1', ...turn, '2', ...turn, '3', ...turn]);
  assert.strictEqual(app.bridge.state(socket), 1);
  app.release();
});

test('results are turns too: what a promise of success attaches is there before open', async () => {
  const app = native().create();
  const order = [];
  app.bridge.listen((kind) => {
    order.push(kind);
    Promise.resolve().then(() => order.push('then'));
  });
  const socket = app.bridge.connect(1, server.url('ws', '/echo?act=text:a;text:b'), [], [], 0, 0);
  await until(() => order.length >= 8, 'two messages');
  assert.deepStrictEqual(order, [1, 'then', 2, 'then', 3, 'then', 3, 'then']);
  app.bridge.release(socket);
  app.release();
});

test('nothing runs inside a call of the bridge', async () => {
  const app = makeApp();
  let inside = false;
  app.on(() => assert.strictEqual(inside, false));
  const socket = await app.open(server.url('ws', '/echo'));
  inside = true;
  for (let i = 0; i < 200; i++) app.send(socket, 'x', 100 + i);
  app.bridge.refuse(999, 1, -103, 'x');
  app.close(socket, 1000, '', 1000);
  app.bridge.connect(1001, 'no url', [], [], 0, 0);
  inside = false;
  await app.next('close');
  assert.strictEqual(app.events.filter((event) => event.kind === 'result').length, 204);
  app.release();
});

test('a long burst leaves timers and immediates their turn', async () => {
  const app = makeApp({ queueLimitBytes: 64 * 1024 * 1024 });
  const count = 20000;
  const socket = await app.open(server.url('ws', `/sink?act=later;burst:${count}:16`));
  let messages = 0, most = 0, row = 0, rounds = 0;
  app.on((event) => {
    if (event.kind !== 'message') return;
    messages++;
    most = Math.max(most, ++row);
  });
  app.send(socket, 'go');
  // All of it waits in the library, so the loop has nothing else to hold the burst up.
  const arrived = process.hrtime.bigint() + 300n * 1000000n;
  while (process.hrtime.bigint() < arrived);
  await within(new Promise((resolve) => {
    (function round() {
      row = 0;
      rounds++;
      if (messages < count) setImmediate(round);
      else resolve();
    })();
  }), 'all messages');
  assert.strictEqual(messages, count);
  // Two slices of 64 at most between two rounds of the loop, and what was under way.
  assert.ok(most <= 3 * 64, `${most} events in a row`);
  assert.ok(rounds > count / (3 * 64), `${rounds} rounds`);
  app.release();
});

test('large messages end a slice by their bytes', async () => {
  const app = makeApp({ queueLimitBytes: 256 * 1024 * 1024 });
  const socket = await app.open(server.url('ws', '/sink?act=later;burst:64:524288'));
  let messages = 0, most = 0, row = 0;
  app.on((event) => {
    if (event.kind !== 'message') return;
    messages++;
    most = Math.max(most, ++row);
  });
  app.send(socket, 'go');
  await within(new Promise((resolve) => {
    (function round() {
      row = 0;
      if (messages < 64) setImmediate(round);
      else resolve();
    })();
  }), 'all messages');
  assert.ok(most <= 4, `${most} messages of 512 KiB in a row`);
  app.release();
});

test('10,000 sends in one turn, each with its result, in order', async () => {
  const app = makeApp();
  const id = fresh();
  const socket = await app.open(server.url('ws', `/sink?id=${id}`));
  const count = 10000;
  const results = [];
  app.on((event) => { if (event.kind === 'result') results.push(event); });
  let timers = 0;
  const timer = setInterval(() => timers++, 0);
  for (let i = 0; i < count; i++) assert.strictEqual(app.send(socket, `message ${i}`, i + 10), 0);
  assert.strictEqual(results.length, 0);
  await until(() => results.length === count, 'all results');
  clearInterval(timer);
  results.forEach((result, i) => {
    assert.strictEqual(result.call, i + 10);
    assert.strictEqual(result.errMsg, 'sendSocketMessage:ok');
  });
  assert.ok(timers > 0);
  app.close(socket);
  await app.next('close');
  const log = await server.tell(`log ${id}`);
  const texts = log.filter((line) => line.startsWith('text '));
  assert.strictEqual(texts.length, count);
  assert.match(texts.at(-1), / message 9999$/);
  app.release();
});

test('a full send buffer: fail, and drain', async () => {
  const app = makeApp({ sendLimitBytes: 65536 });
  const id = fresh();
  const socket = await app.open(server.url('ws_small', `/deaf?id=${id}`));
  const block = new ArrayBuffer(32768);
  let full = 0;
  for (let i = 0; i < 1000 && !full; i++) {
    if (app.send(socket, block, i + 1) === -110) full = i + 1;
    if (i % 8 === 0) await new Promise(setImmediate);
  }
  assert.ok(full > 0);
  await until(() => app.events.some((event) => event.call === full && event.status === -110), 'fail');
  assert.ok(app.bridge.bufferedAmount(socket) >= 32768);
  const drained = app.next('drain');
  await server.tell(`do ${id} read`);
  const { bufferedAmount } = await drained;
  assert.ok(bufferedAmount <= 32768, `${bufferedAmount}`);
  app.release();
});

test('an exception in a handler is an uncaughtException; the events after it go on', async () => {
  const { ended } = run(`
    const app = support.native().create();
    const heard = [];
    process.on('uncaughtException', (error, origin) => heard.push([origin, error.message]));
    let id = 0;
    app.bridge.listen((kind, socket, data) => {
      if (kind === 2) throw new Error('open');
      if (kind === 3) {
        Promise.reject(new Error('rejected ' + data)).catch(() => heard.push('caught'));
        throw new Error('message ' + data);
      }
      if (kind === 5) {
        app.bridge.report(new Error('reported'));
        app.bridge.report('no error at all');
        heard.push('close');
        console.log(JSON.stringify(heard));
      }
    });
    process.on('uncaughtException', (error) => { if (error === 'no error at all') heard.push('a string'); });
    app.bridge.connect(1, process.argv[1], [], [], 0, 0);`, [server.url('ws', '/echo?act=text:1;text:2;close:3000:')]);
  const { code, out, err } = await ended;
  assert.strictEqual(err, '');
  assert.strictEqual(code, 0);
  assert.deepStrictEqual(JSON.parse(out), [['uncaughtException', 'open'], ['uncaughtException', 'message 1'], 'caught',
    ['uncaughtException', 'message 2'], 'caught', ['uncaughtException', 'reported'], ['uncaughtException', null],
    'a string', 'close']);
});

test('without a listener an exception ends the process as any other', async () => {
  const url = server.url('ws', '/echo?act=text:1;close:3000:');
  for (const body of ['throw new Error("boom")', 'app.bridge.report(new Error("boom"))']) {
    const { code, err } = await run(`
      const app = support.native().create();
      app.bridge.listen((kind) => { if (kind === 3) { ${body}; } if (kind === 5) console.log('never'); });
      app.bridge.connect(1, process.argv[1], [], [], 0, 0);`, [url], { env: ABRUPT }).ended;
    assert.strictEqual(code, 1);
    assert.match(err, /Error: boom/);
  }
});

test('release inside a handler, of each kind: nothing runs afterwards', async () => {
  for (const kind of ['result', 'open', 'message', 'close', 'error', 'drain']) {
    const app = makeApp({ sendLimitBytes: 65536 });
    let released = false;
    app.on((event) => {
      assert.strictEqual(released, false, `${event.kind} after the release in ${kind}`);
      if (event.kind !== kind) return;
      released = true;
      app.release();
      assert.throws(() => app.bridge.state(1), /was released/);
    });
    const id = fresh();
    const query = { message: 'act=text:1;text:2;text:3', close: 'act=close:3000:x', error: 'act=rst' }[kind] || '';
    let socket;
    if (kind === 'drain') {
      socket = await app.open(server.url('ws_small', `/deaf?id=${id}`));
      const block = new ArrayBuffer(32768);
      for (let i = 0; i < 1000 && app.send(socket, block) !== -110; i++);
      await server.tell(`do ${id} read`);
    } else {
      socket = app.connect(server.url('ws', `/echo?id=${id}&${query}`));
      for (let i = 0; i < 50; i++) app.bridge.refuse(100 + i, 1, -103, 'x');
    }
    await until(() => released, kind);
    // What was under way has its turn, and would be heard.
    for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    if (kind === 'message' || kind === 'open')
      await until(async () => await server.tell(`live ${id}`) === '0', 'the end');
  }
});

test('release of another app inside a handler', async () => {
  const first = makeApp(), second = makeApp();
  const id = fresh();
  await second.open(server.url('ws', `/echo?id=${id}`));
  let done = false;
  first.on((event) => {
    if (event.kind !== 'open') return;
    second.release();
    done = true;
  });
  await first.open(server.url('ws', '/echo'));
  assert.ok(done);
  await until(async () => await server.tell(`live ${id}`) === '0', 'the end of the other app\'s socket');
  first.release();
});

test('two apps at once: each has its own events and limits', async () => {
  const url = server.url('ws', '/echo');
  const one = makeApp({ maxSockets: 1 }), two = makeApp({ flavour: 'tt' });
  const a = await one.open(url), b = await two.open(url);
  assert.strictEqual(one.connect(url, { call: 50 }), 0);
  await one.next('result');
  assert.ok(two.connect(url) > 0);
  one.send(a, 'one');
  two.send(b, 'two');
  await Promise.all([until(() => one.events.at(-1).data === 'one', 'one'), two.next('message', b)]);
  assert.ok(one.events.every((event) => event.socket === a || event.socket === 0));
  assert.ok(two.events.every((event) => event.socket !== a));
  one.release();
  const answered = two.next('message', b);
  two.send(b, 'still there');
  assert.strictEqual((await answered).data, 'still there');
  two.release();
});
