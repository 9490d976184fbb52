'use strict';
// Several environments in one process: worker_threads.
const test = require('node:test');
const assert = require('node:assert');
const { Worker } = require('node:worker_threads');
const { once } = require('node:events');
const {
  startServer, makeApp, fresh, until, within, run, descriptors, threads, native, NATIVE,
} = require('./support.js');

let server;
test.before(async () => { server = await startServer(); });
test.after(() => server.stop());

/** A worker that runs the text, with `create` of the native file, `url` and `port` in it. */
function start(text, url) {
  const worker = new Worker(`
    const { parentPort: port, workerData } = require('node:worker_threads');
    const { create } = require(workerData.native);
    const { url } = workerData;
    ${text}`, { eval: true, workerData: { native: NATIVE, url } });
  return worker;
}

const ECHO = `
  const app = create();
  const { bridge } = app;
  let answers = 0;
  bridge.listen((kind, socket, data) => {
    if (kind === 2) for (let i = 0; i < 100; i++) bridge.send(i + 2, socket, 'worker ' + i, 0, 0);
    if (kind === 3 && ++answers === 100) bridge.close(0, socket, 1000, '');
    if (kind === 5) { bridge.release(socket); port.postMessage(answers); }
  });
  bridge.connect(1, url, [], [], 0, 0);`;

/** Until the process has no more descriptors and threads than before: libuv and the library give them back late. */
const back = (before) => until(() => descriptors() <= before.descriptors && threads() <= before.threads,
  `${JSON.stringify(before)}; there are ${descriptors()} and ${threads()}`);

async function warm() {
  // The library's thread, the pools of Node.js, the descriptors of both.
  const app = makeApp();
  await app.open(server.url('ws', '/echo'));
  app.release();
  const worker = start(ECHO, server.url('ws', '/echo'));
  await once(worker, 'exit');
  let last = -1;
  await until(() => {
    const now = descriptors() * 1000 + threads();
    const same = now === last;
    last = now;
    return same;
  }, 'quiet');
  return { descriptors: descriptors(), threads: threads() };
}

test('several workers and the main thread at once', async () => {
  const before = await warm();
  const app = makeApp();
  const socket = await app.open(server.url('ws', '/echo'));
  const workers = Array.from({ length: 4 }, () => start(ECHO, server.url('ws', '/echo')));
  const ends = workers.map((worker) => once(worker, 'exit'));
  const messages = workers.map((worker) => once(worker, 'message'));
  const answers = await within(Promise.all(messages), 'the answers of the workers');
  assert.deepStrictEqual(answers.flat(), [100, 100, 100, 100]);
  // A worker whose sockets have ended ends by itself.
  assert.deepStrictEqual((await within(Promise.all(ends), 'the end of the workers')).flat(), [0, 0, 0, 0]);
  const answered = app.next('message');
  app.send(socket, 'main');
  assert.strictEqual((await answered).data, 'main');
  app.release();
  await back(before);
});

test('worker.terminate with sockets in every state leaves nothing behind', async () => {
  const before = await warm();
  const id = fresh();
  const states = {
    connecting: [server.url('silent', '/'), 'port.postMessage(1)', ''],
    open: [server.url('ws', `/echo?id=${id}`), '', 'if (kind === 2) port.postMessage(1)'],
    closing: [server.url('ws', `/echo?id=${id}&onclose=ignore`), '',
      'if (kind === 2) { bridge.close(9, socket, 1000, ""); port.postMessage(1); }'],
    'in a burst': [server.url('ws', `/sink?id=${id}&act=burst:5000:2000`), '',
      'if (kind === 3 && ++n === 300) port.postMessage(1)'],
    'in a handler that never returns': [server.url('ws', `/echo?id=${id}&act=text:x`), '',
      'if (kind === 3) { port.postMessage(1); for (;;); }'],
    'in microtasks that never end': [server.url('ws', `/echo?id=${id}&act=text:x`), '',
      'if (kind === 3) { port.postMessage(1); (function again() { Promise.resolve().then(again); })(); }'],
    'with messages kept': [server.url('ws', `/sink?id=${id}&act=burst:100:100000`), 'globalThis.kept = []',
      'if (kind === 3 && kept.push(data) === 100) port.postMessage(1)'],
    'with results to come': [server.url('ws_small', `/deaf?id=${id}`), '',
      `if (kind !== 2) return;
       for (let i = 0; i < 50; i++) bridge.send(i + 9, socket, new ArrayBuffer(99999), 0, 99999);
       port.postMessage(1);`],
    'after the release': [server.url('ws', `/echo?id=${id}`), '',
      'if (kind === 2) { app.release(); port.postMessage(1); setInterval(() => 0, 1000); }'],
  };
  for (const [name, [url, first, inHandler]] of Object.entries(states)) {
    for (let i = 0; i < 3; i++) {
      const worker = start(`
        let n = 0;
        const app = create();
        const { bridge } = app;
        bridge.listen((kind, socket, data) => { ${inHandler} });
        for (let i = 0; i < 3; i++) bridge.connect(i + 1, url, [], [], 0, 0);
        ${first}`, url);
      await within(once(worker, 'message'), name);
      await within(worker.terminate(), `${name}: the end of the worker`);
      await until(async () => {
        if (await server.tell(`live ${id}`) === '0') return true;
        // What is deaf sees no end before it has read what came before.
        if (url.includes('/deaf')) await server.tell(`do ${id} read`).catch(() => {});
        return false;
      }, `${name}: the end of its connections`);
    }
  }
  await back(before);
});

test('process.exit and exceptions in a worker end the worker alone', async () => {
  const before = await warm();
  const url = server.url('ws', '/echo?act=text:a;text:b;text:c');
  const body = (inMessage) => `
    const app = create();
    app.bridge.listen((kind) => { if (kind === 3) { ${inMessage} } });
    app.bridge.connect(1, url, [], [], 0, 0);`;
  const leaver = start(body('process.exit(7)'), url);
  assert.deepStrictEqual(await within(once(leaver, 'exit'), 'exit'), [7]);
  for (const way of ['throw new Error("boom")', 'app.bridge.report(new Error("boom"))']) {
    const thrower = start(body(way), url);
    const ended = new Promise((resolve) => thrower.once('exit', (code) => resolve([code])));
    const error = await within(new Promise((resolve) => thrower.once('error', resolve)), 'error');
    assert.strictEqual(error.message, 'boom');
    assert.deepStrictEqual(await within(ended, 'exit'), [1]);
  }
  await back(before);
});

test('workers that have the file alone: the library\'s thread goes on when they have gone', async () => {
  const { code, signal, err, out } = await run(`
    const { Worker } = require('node:worker_threads');
    const text = \`
      const { workerData, parentPort } = require('node:worker_threads');
      const { bridge } = require(workerData.native).create();
      bridge.listen((kind) => { if (kind === 2) parentPort.postMessage(1); });
      bridge.connect(1, workerData.url, [], [], 0, 0);\`;
    let rounds = 0;
    (function round() {
      const worker = new Worker(text, { eval: true, workerData: { native: support.NATIVE, url: process.argv[1] } });
      worker.on('message', () => worker.terminate());
      worker.on('exit', () => {
        if (++rounds < 5) round();
        // The library's thread goes on; it would run into nothing.
        else setTimeout(() => console.log('alive'), 50);
      });
    })();`, [server.url('ws', '/echo')]).ended;
  assert.deepStrictEqual({ code, signal, err, out }, { code: 0, signal: null, err: '', out: 'alive\n' });
});

test('many apps made and released leave nothing behind', async () => {
  const before = await warm();
  const url = server.url('ws', '/echo');
  for (let i = 0; i < 200; i++) {
    const { bridge, release } = native().create();
    bridge.listen(() => {});
    if (i % 2) bridge.connect(1, url, [], [], 0, 0);
    release();
  }
  await back(before);
});
