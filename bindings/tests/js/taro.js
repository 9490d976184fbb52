// Taro.connectSocket as Taro's typings and its own glue have it, over weapp.

test('the Promise gives the task, which has the result’s fields', async () => {
  const promise = Taro.connectSocket({ url: url() });
  assert.ok(promise instanceof Promise, 'no Promise');
  const task = await promise;
  assert.equal(task.errMsg, 'connectSocket:ok');
  assert.equal(typeof task.socketTaskId, 'number');
  assert.equal(task.readyState, 0);
  assert.same([task.CONNECTING, task.OPEN, task.CLOSING, task.CLOSED], [0, 1, 2, 3]);
  const log = watch(task);
  await log.until('open');
  assert.equal(task.readyState, 1);
  task.mine = 'extensible';
  Object.assign(task, { errMsg: 'x', socketTaskId: 7 });
  assert.same([task.mine, task.errMsg, task.socketTaskId], ['extensible', 'x', 7]);
  task.close();
  assert.equal(task.readyState, 2);
  await log.until('close');
  assert.equal(task.readyState, 3);
});

test('ids of tasks differ', async () => {
  const one = await Taro.connectSocket({ url: url() });
  const two = await Taro.connectSocket({ url: url() });
  assert.ok(one.socketTaskId !== two.socketTaskId);
  watch(one), watch(two);
});

test('a refused connect rejects with the result', async () => {
  let error;
  try {
    await Taro.connectSocket({ url: 'what' });
  } catch (caught) {
    error = caught;
  }
  assert.equal(error.errMsg, 'connectSocket:fail invalid url "what"');
  assert.equal(error.errno, 600009);
});

test('callbacks and the Promise are both told, callbacks first', async () => {
  const told = [];
  const task = await Taro.connectSocket({
    url: url(), success: (res) => told.push('success ' + res.errMsg), complete: () => told.push('complete'),
  });
  assert.equal(told.join(), 'success connectSocket:ok,complete');
  watch(task);
});

test('who passed callbacks gets no unhandled rejection', async () => {
  const told = [];
  Taro.connectSocket({ url: 1, success: () => told.push('success') });
  Taro.connectSocket({ url: 1, fail: (res) => told.push(res.errMsg) });
  await within(new Promise((resolve) => Taro.connectSocket({ url: 1, complete: resolve })), 'complete');
  await turn();
  assert.same(told, ['connectSocket:fail parameter error: url']);
  assert.reported();
});

test('who passed none gets one', async () => {
  const told = report();
  Taro.connectSocket({ url: 1 });
  await told;
  assert.reported(/^rejection/);
});

test('Taro and wx are of one app: five sockets in all', async () => {
  for (let at = 0; at < 3; at++) await open(url());
  for (let at = 0; at < 2; at++) watch(await Taro.connectSocket({ url: url() }));
  await fails(call(wx, 'connectSocket', { url: url() }),
    'connectSocket:fail fail reach max websocket connect count 5', 600007);
});
