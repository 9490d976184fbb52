'use strict';
// What the garbage collector may take, and what not. Run with --expose-gc.
const test = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const { startServer, makeApp, native, fresh, until, within, ROOT } = require('./support.js');

let server;
test.before(async () => { server = await startServer(); });
test.after(() => server.stop());

const { create } = require(path.join(ROOT, 'bindings', 'node'));

/** Collects until the condition holds: finalizers run in turns of their own. */
const collectUntil = (condition, what) => until(async () => {
  global.gc();
  await new Promise(setImmediate);
  return condition();
}, what);

test('it is run with --expose-gc', () => assert.strictEqual(typeof global.gc, 'function'));

test('an app that was dropped without a release goes, once nothing of it lives', async () => {
  const gone = new Set();
  const registry = new FinalizationRegistry((name) => gone.add(name));
  const id = fresh();
  await (async () => {
    const app = create();
    registry.register(app.bridge, 'bridge');
    const task = await app.Taro.connectSocket({ url: server.url('ws', `/echo?id=${id}`) });
    registry.register(task, 'task');
    await within(new Promise((resolve) => task.onOpen(resolve)), 'open');
    await new Promise((resolve) => {
      task.onClose(resolve);
      task.close({});
    });
  })();
  await collectUntil(() => gone.has('bridge') && gone.has('task'), 'the end of app and task');
});

test('an app that was dropped with a live socket stays until the socket has ended', async () => {
  let gone = false, closed = false;
  const registry = new FinalizationRegistry(() => { gone = true; });
  const id = fresh();
  (() => {
    const { bridge } = native().create();
    registry.register(bridge, 0);
    bridge.listen((kind) => { if (kind === 5) closed = true; });
    bridge.connect(1, server.url('ws', `/echo?id=${id}`), [], [], 0, 0);
  })();
  await server.tell(`wait ${id} 1 9000 open`);
  for (let i = 0; i < 20; i++) {
    global.gc();
    await new Promise(setImmediate);
  }
  await server.tell(`do ${id} close:3000:bye`);
  await until(() => closed, 'close');
  await collectUntil(() => gone, 'the end of the app');
});

test('tasks dropped while connecting, open and closing: their events come, then they go', async () => {
  const app = create({ maxSockets: 20 });
  const wx = app.platform;
  const gone = new Set();
  const registry = new FinalizationRegistry((name) => gone.add(name));
  const heard = [];
  const ids = { connecting: fresh(), open: fresh(), closing: fresh() };
  const drop = (name, query, then) => {
    const task = wx.connectSocket({ url: server.url('ws', `/echo?id=${ids[name]}${query}`) });
    registry.register(task, name);
    task.onOpen(() => {
      heard.push(`${name} open`);
      if (then) then(new WeakRef(task));
    });
    task.onClose(({ code }) => heard.push(`${name} close ${code}`));
  };
  drop('connecting', '&stall=half');
  drop('open', '');
  drop('closing', '&onclose=3456:late', (task) => task.deref().close({ code: 3000 }));
  await until(() => heard.includes('open open') && heard.some((text) => text.startsWith('closing close')), 'open');
  for (let i = 0; i < 20; i++) {
    global.gc();
    await new Promise(setImmediate);
  }
  assert.ok(!gone.has('open') && !gone.has('connecting'), [...gone].join());
  await server.tell(`do ${ids.open} text:still;close:3210:bye`);
  await until(() => heard.includes('open close 3210'), 'close of a dropped task');
  await collectUntil(() => gone.has('open') && gone.has('closing'), 'the end of the tasks');
  assert.ok(!gone.has('connecting'));
  app.release();
  await until(async () => await server.tell(`live ${ids.connecting}`) === '0', 'the end of the connection');
});

test('ArrayBuffers outlive the socket and the app, and stay writable', async () => {
  const app = makeApp();
  await app.open(server.url('ws', '/sink?act=fill:2000;fill:70000;fill:1000000;bin:010203'));
  await until(() => app.events.filter((event) => event.kind === 'message').length === 4, 'messages');
  const buffers = app.events.filter((event) => event.kind === 'message').map((event) => event.data);
  app.release();
  for (let i = 0; i < 10; i++) {
    global.gc();
    await new Promise(setImmediate);
  }
  [2000, 70000, 1000000].forEach((length, at) => {
    const view = new Uint8Array(buffers[at]);
    assert.strictEqual(view.length, length);
    assert.ok(view.every((byte, i) => byte === i % 251));
    view.fill(9);
    assert.ok(view.every((byte) => byte === 9));
  });
  assert.deepStrictEqual([...new Uint8Array(buffers[3])], [1, 2, 3]);
});

test('the memory of adopted messages comes back', async () => {
  const app = makeApp();
  const resident = () => process.memoryUsage.rss();
  const receive = async (count) => {
    const socket = await app.open(server.url('ws', `/sink?act=burst:${count}:1048576`));
    let left = count;
    while (left > 0) {
      await app.next('message', socket);
      left--;
      app.events.length = 0;
    }
  };
  const collect = async () => {
    for (let i = 0; i < 5; i++) {
      global.gc();
      await new Promise(setImmediate);
    }
  };
  await receive(40);
  await collect();
  // Allocators keep what was once needed; they need no more of it the second time.
  const before = resident();
  for (let i = 0; i < 4; i++) {
    await receive(40);
    await collect();
  }
  await collectUntil(() => resident() < before + 80 * 1024 * 1024, `less than ${before} and 80 MiB`);
  app.release();
});

test('functions taken off the bridge keep it', async () => {
  const { state, connect } = (() => native().create().bridge)();
  for (let i = 0; i < 20; i++) {
    global.gc();
    await new Promise(setImmediate);
  }
  assert.strictEqual(state(5), 3);
  assert.strictEqual(typeof connect(0, server.url('silent', '/'), [], [], 0, 20), 'number');
});

test('an app released in a handler, and collected', async () => {
  const gone = new Set();
  const registry = new FinalizationRegistry((name) => gone.add(name));
  for (let i = 0; i < 20; i++) {
    await new Promise((resolve) => {
      const { bridge, release } = native().create();
      registry.register(bridge, i);
      bridge.listen((kind) => {
        if (kind !== 2) return;
        release();
        global.gc();
        resolve();
      });
      bridge.connect(1, server.url('ws', '/echo'), [], [], 0, 0);
    });
  }
  await collectUntil(() => gone.size === 20, '20 bridges');
});
