// app.json allows wss://good.test and localhost, and is not in debug: ws is forbidden.

const NOT_LISTED = 'connectSocket:fail url not in domain list';

test('ws is an invalid URL', async () => {
  for (const bad of ['ws://good.test/', 'ws://localhost:' + facts.ports.ws + '/echo']) {
    await fails(call(wx, 'connectSocket', { url: bad }), 'connectSocket:fail invalid url "' + bad + '"', 600009);
  }
});

test('hosts that are not on the list', async () => {
  for (const bad of ['wss://example.org/', 'wss://sub.good.test/', 'wss://127.0.0.1:' + facts.ports.wss + '/']) {
    await fails(call(wx, 'connectSocket', { url: bad }), NOT_LISTED, 600002);
  }
});

test('hosts that are, on any port', async () => {
  const log = await open('wss://localhost:' + facts.ports.wss + '/echo');
  log.task.send({ data: 'listed' });
  assert.equal((await log.until('message')).data, 'listed');
});

test('every platform has the list, and its own codes', async () => {
  await fails(call(swan, 'connectSocket', { url: 'wss://example.org/' }), NOT_LISTED);
  await fails(call(tt, 'connectSocket', { url: 'wss://example.org/' }), NOT_LISTED);
  const unlisted = await call(my, 'connectSocket', { url: 'wss://example.org/', multiple: true });
  assert.equal(unlisted.res.error, 65);
  const plain = await call(my, 'connectSocket', { url: 'ws://good.test/', multiple: true });
  assert.equal(plain.res.error, 20);
});
