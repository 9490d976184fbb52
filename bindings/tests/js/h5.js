// flavour: h5
// Taro over the H5 flavour: the browser's order of events, Promises of send and close, and without the gaps of its
// own implementation.

const open5 = async (options) => {
  const log = watch(await Taro.connectSocket(typeof options === 'string' ? { url: options } : options));
  log.opened = await log.until('open');
  return log;
};

test('Promise of the task, echo, close', async () => {
  const log = await open5(url());
  const { task } = log;
  assert.same([task.CONNECTING, task.OPEN, task.CLOSING, task.CLOSED, task.readyState], [0, 1, 2, 3, 1]);
  assert.ok((await log.opened).type === 'open');
  const sent = task.send({ data: 'x' });
  assert.ok(sent instanceof Promise, 'send gives no Promise');
  await sent;
  assert.equal((await log.until('message')).data, 'x');
  task.send({ data: new Uint8Array([1, 2]).buffer });
  assert.bytes((await log.until('message')).data, [1, 2]);
  const closed = task.close({ code: 3000, reason: 'mine' });
  assert.ok(closed instanceof Promise, 'close gives no Promise');
  await closed;
  const res = await log.until('close');
  assert.same([res.code, res.reason], [3000, 'mine']);
});

test('a failed handshake is error, then close 1006', async () => {
  const log = watch(await Taro.connectSocket({ url: url('status=403') }));
  await log.until('error');
  const closed = await log.until('close');
  assert.same([closed.code, closed.reason], [1006, '']);
  assert.equal(log.kinds(), 'error,close');
});

test('the peer’s code and reason are told', async () => {
  const log = await open5(url('act=close:4001:theirs'));
  const res = await log.until('close');
  assert.same([res.code, res.reason], [4001, 'theirs']);
});

test('a connection that breaks', async () => {
  const log = watch(await Taro.connectSocket({ url: url('act=drop') }));
  const res = await log.until('close');
  assert.same([res.code, res.reason], [1006, '']);
  assert.equal(log.kinds(), 'open,error,close');
});

test('a drop after our close is 1006 here', async () => {
  const log = await open5(url('onclose=drop'));
  await log.task.close({ code: 3000, reason: 'mine' });
  assert.equal((await log.until('close')).code, 1006);
});

test('no protocol picked fails the handshake', async () => {
  const log = watch(await Taro.connectSocket({ url: url('protocol='), protocols: ['a'] }));
  await log.until('close');
  assert.equal(log.kinds(), 'error,close');
});

test('slots come back whoever listens', async () => {
  for (let at = 0; at < 12; at++) {
    const task = await Taro.connectSocket({ url: url('act=close:1000') });
    await within(new Promise((resolve) => {
      const look = () => (task.readyState === 3 ? resolve() : setTimeout(look, 1));
      look();
    }), 'the end');
  }
});

test('send when it is not open rejects', async () => {
  const log = watch(await Taro.connectSocket({ url: url('stall=request') }));
  let error;
  await log.task.send({ data: 'x' }).catch((caught) => (error = caught));
  assert.match(error.errMsg, /:fail /);
  log.task.send({ data: 'x', fail() {} });
  await turn();
  assert.reported();
});
