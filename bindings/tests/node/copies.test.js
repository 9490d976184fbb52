'use strict';
// An engine that takes no memory from outside: every message is copied, and nothing is kept.
const test = require('node:test');
const assert = require('node:assert');
// The native file that was linked with no_external_buffers.c.
if (!process.env.TARO_SOCKET_NODE_COPIES) {
  console.log('TARO_SOCKET_NODE_COPIES is not set');
  process.exit(77);
}
process.env.TARO_SOCKET_NODE = process.env.TARO_SOCKET_NODE_COPIES;
const { startServer, makeApp, until } = require('./support.js');

let server;
test.before(async () => { server = await startServer(); });
test.after(() => server.stop());

test('binary messages of all sizes are copies', async () => {
  const app = makeApp();
  await app.open(server.url('ws', '/sink?act=fill:0;fill:1023;fill:1024;fill:70000;fill:1000000'));
  await until(() => app.events.filter((event) => event.kind === 'message').length === 5, 'messages');
  app.events.filter((event) => event.kind === 'message').forEach(({ data }, i) => {
    assert.strictEqual(data.byteLength, [0, 1023, 1024, 70000, 1000000][i]);
    assert.ok(new Uint8Array(data).every((byte, at) => byte === at % 251));
    // The engine's own memory may go to another thread.
    structuredClone(data, { transfer: [data] });
    assert.strictEqual(data.byteLength, 0);
  });
  app.release();
});

test('what was not taken is given back', async () => {
  const app = makeApp();
  const receive = async (count) => {
    const socket = await app.open(server.url('ws', `/sink?act=burst:${count}:1048576`));
    for (let i = 0; i < count; i++) {
      await app.next('message', socket);
      app.events.length = 0;
    }
    global.gc();
    await new Promise(setImmediate);
  };
  await receive(40);
  const before = process.memoryUsage.rss();
  for (let i = 0; i < 4; i++) await receive(40);
  assert.ok(process.memoryUsage.rss() < before + 80 * 1024 * 1024);
  app.release();
});
