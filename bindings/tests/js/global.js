// wx.onSocketOpen, wx.sendSocketMessage and their kin: they act on one socket.

const NOT_CONNECTED = 'fail WebSocket is not connected';
// Records what the global functions tell. Off again: something that is no function.
const listen = (platform) => {
  const log = { events: [] };
  const waiting = [];
  for (const kind of ['Open', 'Message', 'Error', 'Close']) {
    platform['onSocket' + kind]((res) => {
      log.events.push(kind);
      const at = waiting.findIndex((each) => each.kind === kind);
      if (at >= 0) waiting.splice(at, 1)[0].resolve(res);
    });
  }
  log.next = (kind) => within(new Promise((resolve) => waiting.push({ kind, resolve })), 'onSocket' + kind);
  log.stop = () => ['Open', 'Message', 'Error', 'Close'].forEach((kind) => platform['onSocket' + kind](null));
  return log;
};

test('open, send, message, close', async () => {
  const log = listen(wx);
  const opened = log.next('Open');
  watch(wx.connectSocket({ url: url('header=X-Mine:%20yes') }));
  assert.equal((await opened).header['X-Mine'], 'yes');
  const message = log.next('Message');
  const sent = await wx.sendSocketMessage({ data: 'hello' });
  assert.same(sent, { errMsg: 'sendSocketMessage:ok' });
  assert.equal((await message).data, 'hello');
  const closed = log.next('Close');
  assert.same(await wx.closeSocket({ code: 3001, reason: 'enough' }), { errMsg: 'closeSocket:ok' });
  assert.same(await closed, { code: 3001, reason: 'enough' });
  assert.equal(log.events.join(), 'Open,Message,Close');
  log.stop();
});

test('no socket: fail, and a rejection only for who passed no callback', async () => {
  for (const [name, options] of [['sendSocketMessage', { data: 'x' }], ['closeSocket', {}]]) {
    let error;
    await wx[name](options).catch((caught) => (error = caught));
    assert.equal(error.errMsg, name + ':' + NOT_CONNECTED);
    assert.equal(error.errno, 600004);
    const out = await fails(call(wx, name, options), name + ':' + NOT_CONNECTED, 600004);
    assert.equal(out.value, undefined);
  }
  await turn();
  assert.reported();
});

test('closeSocket before open changes nothing', async () => {
  const log = watch(wx.connectSocket({ url: url() }));
  await fails(call(wx, 'closeSocket', {}), 'closeSocket:' + NOT_CONNECTED, 600004);
  await log.until('open');
  await ok(call(wx, 'closeSocket', {}));
  await log.until('close');
});

test('only the first of several sockets, and none anew when it has ended', async () => {
  const log = listen(wx);
  const opened = log.next('Open');
  const one = await open(url());
  await opened;
  const two = await open(url());
  two.task.send({ data: 'of two' });
  await two.until('message');
  assert.equal(log.events.join(), 'Open');
  const closed = log.next('Close');
  await ok(call(wx, 'closeSocket', {}));
  await closed;
  await one.until('close');
  await fails(call(wx, 'sendSocketMessage', { data: 'x' }), 'sendSocketMessage:' + NOT_CONNECTED);
  const again = log.next('Open');
  const three = await open(url());
  await again;
  const message = log.next('Message');
  await wx.sendSocketMessage({ data: 'to three' });
  assert.equal((await message).data, 'to three');
  assert.equal((await three.until('message')).data, 'to three');
  log.stop();
});

test('a failed handshake tells onSocketError', async () => {
  const log = listen(wx);
  const error = log.next('Error');
  wx.connectSocket({ url: url('status=500') });
  assert.equal((await error).errMsg, 'connectSocket:fail WebSocket connection failed');
  log.stop();
});

test('the task and the global functions are both told', async () => {
  const log = listen(wx);
  const closed = log.next('Close');
  const task = await open(url());
  await ok(call(task.task, 'close', { code: 3002 }));
  assert.equal((await closed).code, 3002);
  assert.equal((await task.until('close')).code, 3002);
  log.stop();
});

test('Taro’s: Promises always', async () => {
  const log = listen(Taro);
  const opened = log.next('Open');
  const task = await Taro.connectSocket({ url: url() });
  watch(task);
  await opened;
  const message = log.next('Message');
  const told = [];
  const promise = Taro.sendSocketMessage({ data: 'x', success: (res) => told.push(res.errMsg) });
  assert.ok(promise instanceof Promise);
  await promise;
  assert.equal(told.join(), 'sendSocketMessage:ok');
  assert.equal((await message).data, 'x');
  const closed = log.next('Close');
  await Taro.closeSocket();
  await closed;
  let error;
  await Taro.sendSocketMessage({ data: 'x' }).catch((caught) => (error = caught));
  assert.equal(error.errMsg, 'sendSocketMessage:' + NOT_CONNECTED);
  Taro.closeSocket({ fail() {} });
  await turn();
  assert.reported();
  log.stop();
});

test('parameters are checked as those of tasks', async () => {
  const log = await open(url());
  await fails(call(wx, 'sendSocketMessage', { data: 7 }), 'sendSocketMessage:fail parameter error: data', 600005);
  await fails(call(wx, 'sendSocketMessage', {}), 'sendSocketMessage:fail parameter error: data', 600005);
  await fails(call(wx, 'closeSocket', { code: 1001 }), 'closeSocket:fail wcwss invalid code, the code must be either '
    + '1000, or between 3000 and 4999', 600005);
  assert.equal(log.task.readyState, 1);
});
