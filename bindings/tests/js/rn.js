// flavour: rn
// Taro over the React Native flavour.

const openRn = async (query) => {
  const log = watch(await Taro.connectSocket({ url: url(query) }));
  log.opened = await log.until('open');
  return log;
};

test('Promise of the task, echo, close', async () => {
  const log = await openRn();
  const { task } = log;
  assert.ok('header' in log.opened, show(log.opened));
  const sent = task.send({ data: 'x' });
  assert.ok(sent instanceof Promise, 'send gives no Promise');
  await sent;
  assert.equal((await log.until('message')).data, 'x');
  task.send({ data: new Uint8Array([1, 2]).buffer });
  assert.bytes((await log.until('message')).data, [1, 2]);
  await task.close({ code: 3000, reason: 'mine' });
  const res = await log.until('close');
  assert.same([res.code, res.reason], [3000, 'mine']);
});

test('headers are sent', async () => {
  const id = fresh();
  const log = watch(await Taro.connectSocket({ url: url('id=' + id), header: { 'X-Mine': 'yes' } }));
  await log.until('open');
  await served(id, 'header X-Mine: yes');
});

test('a failed handshake, and the slot after it', async () => {
  for (let at = 0; at < 12; at++) {
    const log = watch(await Taro.connectSocket({ url: url('status=403') }));
    await log.until('error');
  }
});

test('refused connects reject', async () => {
  let error;
  await Taro.connectSocket({ url: 'no' }).catch((caught) => (error = caught));
  assert.equal(error.errMsg, 'connectSocket:fail invalid url "no"');
});
