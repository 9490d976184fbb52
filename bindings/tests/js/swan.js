// Baidu's swan and ByteDance's tt.
command.over = my; // the way to the server; a platform that is not under test here

for (const [name, platform] of [['swan', swan], ['tt', tt]]) {
  test(name + ': a task at once, as WeChat’s', async () => {
    const task = platform.connectSocket({ url: url() });
    const log = watch(task);
    await log.until('open');
    await ok(call(task, 'send', { data: 'x' }));
    assert.same(await log.until('message'), { data: 'x' });
    task.send({ data: new Uint8Array([1, 2]).buffer });
    assert.bytes((await log.until('message')).data, [1, 2]);
    await ok(call(task, 'close', { code: 3000, reason: 'r' }));
    assert.same(await log.until('close'), { code: 3000, reason: 'r' });
    assert.equal(log.kinds(), 'open,message,message,close');
  });

  test(name + ': five sockets', async () => {
    for (let at = 0; at < 5; at++) await open(url(), platform);
    await fails(call(platform, 'connectSocket', { url: url() }),
      'connectSocket:fail fail reach max websocket connect count 5');
  });

  test(name + ': a failed handshake is the error alone', async () => {
    const log = watch(platform.connectSocket({ url: url('status=403') }));
    assert.equal((await log.until('error')).errMsg, 'connectSocket:fail WebSocket connection failed');
    await turn();
    assert.equal(log.kinds(), 'error');
  });
}

test('swan has the global functions', async () => {
  const opened = within(new Promise((resolve) => swan.onSocketOpen(resolve)), 'onSocketOpen');
  const log = watch(swan.connectSocket({ url: url() }));
  await opened;
  await swan.sendSocketMessage({ data: 'x' });
  await log.until('message');
  await swan.closeSocket({});
  await log.until('close');
  swan.onSocketOpen(null);
});

test('tt has none, and success tells the task’s id', async () => {
  for (const name of ['sendSocketMessage', 'closeSocket', 'onSocketOpen']) assert.equal(tt[name], undefined);
  const { res, value } = await ok(call(tt, 'connectSocket', { url: url() }));
  assert.equal(res.socketTaskId, value.socketTaskId);
  assert.equal(typeof res.socketTaskId, 'number');
  watch(value);
});

test('a server that picks no protocol: fine in swan, not in tt', async () => {
  const fine = await open({ url: url('protocol='), protocols: ['a'] }, swan);
  assert.equal(fine.kinds(), 'open');
  const log = watch(tt.connectSocket({ url: url('protocol='), protocols: ['a'] }));
  await log.until('error');
  await open({ url: url(), protocols: ['a'] }, tt);
});
