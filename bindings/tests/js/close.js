// Closing, from both sides, and what may not be closed with.

const NOT_CONNECTED = 'WebSocket is not connected';

test('the default is code 1000 without a reason', async () => {
  const id = fresh();
  const log = await open(url('id=' + id));
  const { res } = await ok(call(log.task, 'close', {}));
  assert.match(res.errMsg, /^(SocketTask\.close|closeSocket):ok$/);
  await served(id, 'close 1000');
  const closed = await log.until('close');
  assert.equal(closed.code, 1000);
  assert.equal(log.kinds(), 'open,close');
});

test('close without any argument', async () => {
  const log = await open(url());
  assert.equal(log.task.close(), undefined);
  assert.equal((await log.until('close')).code, 1000);
});

test('code and reason go out and come back', async () => {
  for (const [code, reason] of [[3000, 'bye'], [4999, 'grüße 😀'], [1000, 'done']]) {
    const id = fresh();
    const log = await open(url('id=' + id));
    await ok(call(log.task, 'close', { code, reason }));
    await served(id, 'close ' + code + ' ' + reason);
    assert.same(await log.until('close'), { code, reason });
  }
});

test('the peer closes', async () => {
  for (const [code, reason] of [[1000, ''], [1001, 'going away'], [4321, 'wegen 你好'], [1011, 'x']]) {
    const log = await open(url('act=close:' + code + ':' + encodeURIComponent(reason)));
    assert.same(await log.until('close'), { code, reason });
    assert.equal(log.kinds(), 'open,close');
  }
});

test('a close frame without a code is 1005', async () => {
  const log = await open(url('act=close'));
  assert.equal((await log.until('close')).code, 1005);
});

test('the answer of the peer counts', async () => {
  const log = await open(url('onclose=4002:mine'));
  log.task.close({ code: 4001, reason: 'yours' });
  assert.same(await log.until('close'), { code: 4002, reason: 'mine' });
});

test('codes that may not be sent', async () => {
  const text = 'wcwss invalid code, the code must be either 1000, or between 3000 and 4999';
  const log = await open(url());
  for (const code of [1001, 1005, 1006, 2999, 5000, 65535]) {
    await fails(call(log.task, 'close', { code }), 'SocketTask.close:fail ' + text, 600005);
  }
  assert.equal(log.task.readyState, 1);
  await ok(call(log.task, 'send', { data: 'alive' }));
  await log.until('message');
});

test('a reason of 123 bytes is fine, one of 124 is not', async () => {
  const log = await open(url());
  await fails(call(log.task, 'close', { code: 1000, reason: 'é'.repeat(62) }),
    'SocketTask.close:fail reason must not exceed 123 UTF-8 bytes', 600005);
  assert.equal(log.task.readyState, 1);
  const reason = 'é'.repeat(61) + 'x';
  await ok(call(log.task, 'close', { code: 1000, reason }));
  assert.equal((await log.until('close')).reason, reason);
});

test('after a close nothing more can be sent or closed', async () => {
  const log = await open(url());
  log.task.close();
  assert.equal(log.task.readyState, 2);
  await fails(call(log.task, 'send', { data: 'x' }), 'SocketTask.send:fail ' + NOT_CONNECTED, 600004);
  await fails(call(log.task, 'close', {}), 'SocketTask.close:fail ' + NOT_CONNECTED, 600004);
  await log.until('close');
  assert.equal(log.task.readyState, 3);
  await fails(call(log.task, 'send', { data: 'x' }), 'SocketTask.send:fail ' + NOT_CONNECTED, 600004);
  await fails(call(log.task, 'close', {}), 'SocketTask.close:fail ' + NOT_CONNECTED, 600004);
  assert.equal(log.kinds(), 'open,close');
});

test('messages before the close go first', async () => {
  const id = fresh();
  const log = await open(url('id=' + id));
  for (let at = 0; at < 100; at++) log.task.send({ data: 'm' + at });
  log.task.close({ code: 3001, reason: 'after them' });
  await served(id, 'text 3 m99');
  await served(id, 'close 3001 after them');
  await log.until('close');
});

test('from the close on no message is told', async () => {
  const log = await open(url());
  for (let at = 0; at < 10; at++) log.task.send({ data: 'x' });
  log.task.close();
  await log.until('close');
  assert.equal(log.kinds(), 'open,close');
});

test('a close while connecting tells the caller’s code, and no error', async () => {
  const log = watch(wx.connectSocket({ url: url('stall=request') }));
  await ok(call(log.task, 'close', { code: 3005, reason: 'never mind' }));
  assert.same(await log.until('close'), { code: 3005, reason: 'never mind' });
  assert.equal(log.kinds(), 'close');
  assert.equal(log.task.readyState, 3);
});

test('a close in the same turn as the connect', async () => {
  const log = watch(wx.connectSocket({ url: url() }));
  log.task.close();
  assert.equal((await log.until('close')).code, 1000);
  assert.equal(log.kinds(), 'close');
});

test('a close inside each handler', async () => {
  for (const kind of ['Open', 'Message']) {
    const task = wx.connectSocket({ url: url('act=text:one;text:two;text:three') });
    const log = watch(task);
    const tell = [];
    task['on' + kind]((res) => {
      tell.push(res);
      task.close({ code: 3010 });
    });
    assert.equal((await log.until('close')).code, 3010);
    assert.equal(tell.length, 1);
  }
});
