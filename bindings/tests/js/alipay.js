// flavour: alipay
// Taro over Alipay: the same app as my, a Promise of the task, bytes as they are.

test('Promise of the task, text and bytes', async () => {
  const task = await Taro.connectSocket({ url: url(), multiple: true });
  const log = watch(task);
  await log.until('open');
  task.send({ data: 'x' });
  assert.equal((await log.until('message')).data, 'x');
  task.send({ data: new Uint8Array([1, 2]).buffer });
  assert.bytes((await log.until('message')).data, [1, 2]);
  task.close({});
  await log.until('close');
});

test('without multiple as well', async () => {
  const task = await Taro.connectSocket({ url: url() });
  const log = watch(task);
  await log.until('open');
  task.close({});
  await log.until('close');
});

test('refusals reject with its codes', async () => {
  let error;
  await Taro.connectSocket({ url: 'http://a.test/' }).catch((caught) => (error = caught));
  assert.equal(error.error, 5);
});
