// The shapes of WeChat's results and events.

const keys = (value) => Object.keys(value).sort().join();

test('connectSocket gives the task at once', async () => {
  let success;
  const task = wx.connectSocket({ url: url(), success: (res) => (success = res) });
  assert.ok(typeof task.then !== 'function', 'a Promise');
  assert.equal(success, undefined, 'success within the call');
  assert.same([task.CONNECTING, task.OPEN, task.CLOSING, task.CLOSED], [0, 1, 2, 3]);
  for (const name of ['send', 'close', 'onOpen', 'onMessage', 'onError', 'onClose']) {
    assert.equal(typeof task[name], 'function', name);
  }
  for (const name of ['offOpen', 'offMessage']) assert.equal(task[name], undefined, name);
  const log = watch(task);
  await log.until('open');
  assert.same(success, { errMsg: 'connectSocket:ok' });
  assert.equal(task.send({ data: 'x' }), undefined);
  await log.until('message');
  assert.equal(task.close({}), undefined);
  await log.until('close');
});

test('results of send and close', async () => {
  const log = await open(url());
  assert.same((await ok(call(log.task, 'send', { data: 'x' }))).res, { errMsg: 'SocketTask.send:ok' });
  const { res, results } = await ok(call(log.task, 'close', {}));
  assert.same(res, { errMsg: 'SocketTask.close:ok' });
  assert.equal(results.length, 2);
});

test('onOpen: header and profile', async () => {
  const log = await open(url('header=X-Twice:%20one&header=x-twice:%20two'));
  const { header, profile } = log.opened;
  assert.equal(keys(log.opened), 'header,profile');
  assert.equal(header['X-Twice'], 'one, two');
  assert.equal(header['x-twice'], undefined);
  assert.match(header.Upgrade, /^websocket$/i);
  assert.equal(keys(profile), ['fetchStart', 'domainLookUpStart', 'domainLookUpEnd', 'connectStart', 'connectEnd', 'rtt',
    'handshakeCost', 'cost'].sort().join());
  for (const [name, value] of Object.entries(profile)) assert.equal(typeof value, 'number', name);
  assert.ok(Math.abs(profile.fetchStart - Date.now()) < 3600000, 'fetchStart is no time of today');
  assert.ok(profile.connectEnd >= profile.connectStart && profile.connectStart >= profile.fetchStart, 'order');
  assert.ok(profile.cost >= profile.handshakeCost, 'cost');
});

test('onMessage, onError, onClose', async () => {
  const log = watch(wx.connectSocket({ url: url('act=text:x;drop') }));
  assert.same(await log.until('message'), { data: 'x' });
  assert.same(await log.until('error'), { errMsg: 'connectSocket:fail WebSocket connection failed', errno: 600000 });
  assert.same(await log.until('close'), { code: 1006, reason: 'abnormal closure' });
});

test('header values that are no UTF-8 are Latin-1', async () => {
  const log = await open(url('header=X-Latin:%20caf%E9'));
  assert.equal(log.opened.header['X-Latin'], 'café');
});

test('the ready state is that of what was told', async () => {
  const log = watch(wx.connectSocket({ url: url('act=text:x;close:1000') }));
  await log.until('close');
  assert.same(log.events.map(({ kind, state }) => kind + ' ' + state), ['open 1', 'message 1', 'close 3']);
});

test('the task can be changed, and its constants read from it', async () => {
  const log = await open(url());
  log.task.extra = 1;
  log.task.errMsg = 'mine';
  assert.same([log.task.extra, log.task.errMsg, log.task.OPEN], [1, 'mine', 1]);
});

test('canIUse', () => {
  assert.equal(wx.canIUse('connectSocket'), true);
  assert.equal(wx.canIUse('connectSocket.object.protocols'), true);
  assert.equal(wx.canIUse('request'), false);
  return Promise.resolve();
});
