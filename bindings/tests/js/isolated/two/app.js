// The other app: what the first one does, and its end, changes nothing here.

test('its own globals and five sockets, which outlive the other app', async () => {
  assert.equal(typeof globalThis.mine, 'undefined');
  assert.equal([].spoilt, undefined);
  globalThis.mine = 'two';
  await served('one-4', 'open');
  const logs = [];
  for (let at = 0; at < 5; at++) logs.push(await open(url('id=two-' + at)));
  for (let at = 0; at < 5; at++) await served('one-' + at, 'close 1001');
  assert.equal(globalThis.mine, 'two');
  for (const log of logs) {
    await ok(call(log.task, 'send', { data: 'alive' }));
    assert.equal((await log.until('message')).data, 'alive');
    assert.equal(log.kinds(), 'open,message');
  }
});
