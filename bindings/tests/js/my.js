// Alipay's my: the one socket of the global functions, tasks with `multiple`, off functions, base64, its own codes.

const once = (kind) => within(new Promise((resolve) => {
  const handler = (res) => {
    my['offSocket' + kind](handler);
    resolve(res);
  };
  my['onSocket' + kind](handler);
}), 'onSocket' + kind);
const refused = async (options, error) => {
  const out = await call(my, 'connectSocket', Object.assign({ multiple: true }, options));
  assert.equal(out.told.join(), 'fail,complete', show(options));
  assert.equal(out.res.error, error, show(out.res));
  assert.equal(typeof out.res.errorMessage, 'string');
};

test('one socket: no task, global functions, base64 both ways', async () => {
  const opened = once('Open');
  const { value } = await ok(call(my, 'connectSocket', { url: url() }));
  assert.equal(value, undefined);
  await opened;
  let message = once('Message');
  await ok(call(my, 'sendSocketMessage', { data: 'text' }));
  assert.same(await message, { data: 'text', isBuffer: false });
  message = once('Message');
  await ok(call(my, 'sendSocketMessage', { data: 'AQL/', isBuffer: true }));
  assert.same(await message, { data: 'AQL/', isBuffer: true });
  message = once('Message');
  await ok(call(my, 'sendSocketMessage', { data: '', isBuffer: true }));
  assert.same(await message, { data: '', isBuffer: true });
  const closed = once('Close');
  await ok(call(my, 'closeSocket', {}));
  await closed;
});

test('base64 on the wire is bytes', async () => {
  const id = fresh();
  const opened = once('Open');
  my.connectSocket({ url: url('id=' + id) });
  await opened;
  for (const [base64, hex] of [['AA==', '1 00'], ['AAE=', '2 0001'], ['AAEC', '3 000102'], ['+/+/', '3 fbffbf']]) {
    const message = once('Message');
    await ok(call(my, 'sendSocketMessage', { data: base64, isBuffer: true }));
    await served(id, 'binary ' + hex);
    assert.same(await message, { data: base64, isBuffer: true });
  }
  const { res } = await call(my, 'sendSocketMessage', { data: 'not base64!', isBuffer: true });
  assert.equal(res.error, 2);
  const closed = once('Close');
  my.closeSocket();
  await closed;
});

test('a second one is refused as long as the first one lives', async () => {
  const opened = once('Open');
  my.connectSocket({ url: url() });
  await opened;
  await refused({ url: url(), multiple: false }, 3);
  const closed = once('Close');
  await ok(call(my, 'closeSocket', {}));
  await closed;
  const again = once('Open');
  await ok(call(my, 'connectSocket', { url: url() }));
  await again;
  const end = once('Close');
  await ok(call(my, 'closeSocket', {}));
  await end;
});

test('with multiple: a task, several handlers, off', async () => {
  const task = my.connectSocket({ url: url(), multiple: true });
  for (const name of ['offOpen', 'offMessage', 'offError', 'offClose']) assert.equal(typeof task[name], 'function');
  const log = watch(task);
  const told = [];
  const a = ({ data }) => told.push('a' + data);
  const b = ({ data }) => told.push('b' + data);
  task.onMessage(a);
  task.onMessage(b);
  await log.until('open');
  task.send({ data: '1' });
  await log.until('message');
  task.offMessage(a);
  task.send({ data: '2' });
  await log.until('message');
  task.offMessage();
  // The harness's own handler is gone as well.
  const message = within(new Promise((resolve) => task.onMessage(resolve)), 'the bytes');
  task.send({ data: new Uint8Array([1, 2, 3]).buffer });
  assert.same(await message, { data: 'AQID', isBuffer: true });
  assert.equal(told.join(), 'a1,b1,b2');
});

test('data goes into the query', async () => {
  for (const [query, data, line] of [
    ['', { a: 1, b: 'x y', c: '你' }, '&a=1&b=x%20y&c=%E4%BD%A0'], ['', {}, ''],
  ]) {
    const id = fresh();
    const log = await open({ url: url('id=' + id + query), data, multiple: true }, my);
    await served(id, 'request GET /echo?id=' + id + line + ' HTTP/1.1');
    log.task.close({});
    await log.until('close');
  }
});

test('codes of connectSocket', async () => {
  await refused({ url: '' }, 3);
  await refused({ url: '//what' }, 4);
  await refused({ url: 'http://a.test/' }, 5);
  await refused({ url: 7 }, 2);
  await refused({ url: url(), header: 'x' }, 2);
  for (const [query, listener, error] of [['status=403', 'ws', 8], ['accept=wrong', 'ws', 8], ['', 'wss_unknown', 7],
    ['', 'refuse', 50]]) {
    const log = watch(my.connectSocket({ url: url(query, listener), multiple: true }));
    const res = await log.until('error');
    assert.equal(res.error, error, query + listener);
    assert.equal(typeof res.errorMessage, 'string');
  }
});

test('codes of send', async () => {
  const early = await call(my, 'sendSocketMessage', { data: 'x' });
  assert.equal(early.res.error, 10);
  const log = watch(my.connectSocket({ url: url('stall=request'), multiple: true }));
  const sent = await call(log.task, 'send', { data: 'x' });
  assert.equal(sent.res.error, 10);
  const wrong = await call(log.task, 'send', { data: 7 });
  assert.equal(wrong.res.error, 2);
});

test('handlers of the global functions: several, and off one or all', async () => {
  const told = [];
  const a = () => told.push('a');
  const b = () => told.push('b');
  my.onSocketOpen(a);
  my.onSocketOpen(b);
  let opened = once('Open');
  my.connectSocket({ url: url() });
  await opened;
  let closed = once('Close');
  my.closeSocket();
  await closed;
  my.offSocketOpen(a);
  opened = once('Open');
  my.connectSocket({ url: url() });
  await opened;
  closed = once('Close');
  my.closeSocket();
  await closed;
  my.offSocketOpen();
  assert.equal(told.join(), 'a,b,b');
});
