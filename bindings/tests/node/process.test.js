'use strict';
// When the process stays and when it ends, each in a process of its own.
const test = require('node:test');
const assert = require('node:assert');
const { startServer, fresh, run, ABRUPT, until } = require('./support.js');

let server;
test.before(async () => { server = await startServer(); });
test.after(() => server.stop());

async function ends(program, args, flags) {
  const { code, signal, out, err } = await run(program, args, { flags }).ended;
  assert.deepStrictEqual({ code, signal, err }, { code: 0, signal: null, err: '' }, out);
  return out.trim();
}

const APP = 'const app = support.native().create(); const { bridge } = app;';

test('an app without sockets keeps nobody', async () => {
  assert.strictEqual(await ends(`${APP} bridge.listen(() => {}); console.log('end');`), 'end');
});

test('results keep the process until they are told', async () => {
  const out = await ends(`${APP}
    bridge.listen((...event) => console.log(event[0], event[2]));
    bridge.refuse(5, 1, -103, 'x');
    bridge.connect(6, 'no url', [], [], 0, 0);`);
  assert.strictEqual(out, '1 5\n1 6');
});

test('a failed connect ends, a finished connection too', async () => {
  const program = `${APP}
    bridge.listen((...event) => {
      console.log(event[0]);
      if (event[0] === 2) bridge.send(2, event[1], 'x', 0, 0);
      if (event[0] === 3) bridge.close(3, event[1], 1000, '');
    });
    bridge.connect(1, process.argv[1], [], [], 0, 0);`;
  assert.strictEqual(await ends(program, [server.url('refuse', '/')]), '1\n4');
  assert.strictEqual(await ends(program, [server.url('ws', '/echo')]), '1\n2\n1\n3\n1\n5');
});

test('an open socket keeps the process, whoever holds it; release lets it go', async () => {
  for (const letGo of ['bridge.release(socket)', 'app.release()', 'bridge.close(0, socket, 1000, "")']) {
    const id = fresh();
    const { child, ended } = run(`${APP}
      let opened;
      bridge.listen((kind, socket) => {
        if (kind !== 2) return;
        process.stdin.once('data', () => { process.stdin.destroy(); ${letGo}; });
        process.stdin.unref();
      });
      bridge.connect(1, process.argv[1], [], [], 0, 0);`, [server.url('ws', `/echo?id=${id}`)]);
    await server.tell(`wait ${id} 1 9000 open`);
    // Many rounds of its loop: an answer to each of these needs it to be there.
    for (let i = 0; i < 20; i++) await server.tell(`do ${id} ping:${i}`);
    await server.tell(`wait ${id} 20 9000 pong`);
    assert.strictEqual(child.exitCode, null);
    child.stdin.on('error', () => {});
    child.stdin.write('go\n');
    const { code, err } = await ended;
    assert.deepStrictEqual([code, err], [0, ''], letGo);
    await until(async () => await server.tell(`live ${id}`) === '0', 'the end of the socket');
  }
});

test('sockets whose app the script has dropped still live', async () => {
  const out = await ends(`
    let heard = 0;
    (function () {
      const { bridge } = support.native().create();
      bridge.listen((kind) => { heard++; if (kind === 5) console.log('close', heard); });
      bridge.connect(1, process.argv[1], [], [], 0, 0);
    })();
    for (let i = 0; i < 5; i++) gc();`, [server.url('ws', '/echo?act=text:a;close:3000:')], ['--expose-gc']);
  assert.strictEqual(out, 'close 4');
});

test('process.exit with sockets in every state', async () => {
  const cases = {
    connecting: [server.url('silent', '/'), 'setImmediate(() => process.exit(3))', ''],
    'at once': [server.url('silent', '/'), 'process.exit(3)', ''],
    'in TLS': [server.url('tls_stall', '/'), 'setTimeout(() => process.exit(3), 5)', ''],
    'in result': [server.url('ws', '/echo'), '', 'if (kind === 1) process.exit(3)'],
    'in open': [server.url('ws', '/echo'), '', 'if (kind === 2) process.exit(3)'],
    'in message': [server.url('ws', '/echo?act=burst:2000:1500'), '', 'if (kind === 3 && ++n === 700) process.exit(3)'],
    'in error': [server.url('refuse', '/'), '', 'if (kind === 4) process.exit(3)'],
    closing: [server.url('ws', '/echo?onclose=ignore'), '',
      'if (kind === 2) { bridge.close(0, socket, 1000, ""); setImmediate(() => process.exit(3)); }'],
    'in close': [server.url('ws', '/echo?act=close'), '', 'if (kind === 5) process.exit(3)'],
    released: [server.url('ws', '/echo'), '', 'if (kind === 2) { app.release(); process.exit(3); }'],
    'with a full buffer': [server.url('ws_small', '/deaf'), '',
      `if (kind !== 2) return;
       for (let i = 0; i < 100; i++) bridge.send(i + 9, socket, new ArrayBuffer(99999), 0, 99999);
       process.exit(3);`],
    thrown: [server.url('ws', '/echo'), '', 'if (kind === 2) { process.exitCode = 3; app.release(); }'],
    'in the exit event': [server.url('ws', '/echo'),
      `process.on('exit', () => {
         bridge.connect(1, process.argv[1], [], [], 0, 0);
         app.release();
         process.exitCode = 3;
       })`, 'if (kind === 2) process.exit(0)'],
  };
  for (const [name, [url, first, inHandler]] of Object.entries(cases)) {
    const program = `${APP} let n = 0;
      bridge.listen((kind, socket) => { ${inHandler} });
      for (let i = 0; i < 5; i++) bridge.connect(1, process.argv[1], [], [], 0, 0); ${first}`;
    for (const { code, signal, err } of await Promise.all([0, 1].map(() => run(program, [url], { env: ABRUPT }).ended)))
      assert.deepStrictEqual({ code, signal, err }, { code: 3, signal: null, err: '' }, name);
  }
});

test('an exception that nobody catches, in the middle of a burst', async () => {
  const url = server.url('ws', '/echo?act=burst:2000:1500');
  const { code, signal, err } = await run(`${APP}
    bridge.listen((kind) => { if (kind === 3) throw new Error('boom'); });
    bridge.connect(1, process.argv[1], [], [], 0, 0);`, [url], { env: ABRUPT }).ended;
  assert.deepStrictEqual([code, signal], [1, null]);
  assert.match(err, /boom/);
});

test('a loop that ends with an unsent close: the bytes go out first', async () => {
  const id = fresh();
  await ends(`${APP}
    bridge.listen((kind, socket) => {
      if (kind !== 2) return;
      for (let i = 0; i < 100; i++) bridge.send(0, socket, 'x'.repeat(10000), 0, 0);
      bridge.close(0, socket, 3333, 'done');
    });
    bridge.connect(1, process.argv[1], [], [], 0, 0);`, [server.url('ws', `/sink?id=${id}`)]);
  assert.match(await server.tell(`wait ${id} 1 9000 close`), /^close 3333 done/);
  assert.strictEqual(await server.tell(`bytes ${id}`), '1000000');
});
