// Exceptions of the script: each is told to the host once, and disturbs nothing else.

const boom = (what) => {
  throw new Error('boom ' + what);
};

test('in success, and complete is still called', async () => {
  const told = [];
  const task = wx.connectSocket({ url: url(), success: () => boom('success'), complete: () => told.push('complete') });
  const log = watch(task);
  await log.until('open');
  assert.equal(told.join(), 'complete');
  assert.reported(/^exception boom success$/);
});

test('in fail and in complete', async () => {
  wx.connectSocket({ url: 'bad', fail: () => boom('fail'), complete: () => boom('complete') });
  await report();
  await turn();
  assert.reported(/boom fail/, /boom complete/);
});

test('in callbacks of send and close', async () => {
  const log = await open(url());
  log.task.send({ data: 'x', success: () => boom('send'), complete: () => boom('sent') });
  await log.until('message');
  log.task.close({ success: () => boom('close'), complete: () => boom('closed') });
  await log.until('close');
  assert.reported(/boom send/, /boom sent/, /boom close/, /boom closed/);
});

test('in every event handler, and the next event comes', async () => {
  const task = wx.connectSocket({ url: url('act=text:1;text:2;drop') });
  const told = [];
  for (const kind of ['Open', 'Message', 'Error']) {
    task['on' + kind](() => {
      told.push(kind);
      boom(kind);
    });
  }
  await within(new Promise((resolve) => task.onClose(() => {
    resolve();
    boom('Close');
  })), 'close');
  assert.equal(told.join(), 'Open,Message,Message,Error');
  assert.equal(task.readyState, 3);
  assert.reported(/boom Open/, /boom Message/, /boom Message/, /boom Error/, /boom Close/);
});

test('whatever is thrown', async () => {
  const log = await open(url());
  for (const value of [undefined, null, 0, 'text', { a: 1 }, Symbol('s'), new Error('')]) {
    log.task.send({ data: 'x', success() { throw value; } });
    await log.until('message');
  }
  assert.reported(...Array(7).fill(/^exception/));
});

test('in an async handler: a rejection', async () => {
  const task = wx.connectSocket({ url: url('act=text:1;text:2') });
  const told = [];
  await within(new Promise((resolve) => {
    task.onMessage(async ({ data }) => {
      told.push(data);
      if (data === '2') resolve();
      await null;
      boom(data);
    });
  }), 'the messages');
  await turn();
  assert.equal(told.join(), '1,2');
  assert.reported(/^rejection boom 1/, /^rejection boom 2/);
  watch(task);
});

test('a rejection is one when its turn has ended, whatever the next event does', async () => {
  const task = wx.connectSocket({ url: url('act=text:1;text:2') });
  let promise;
  await within(new Promise((resolve) => {
    task.onMessage(({ data }) => {
      if (data === '1') {
        promise = Promise.reject(new Error('late'));
      } else {
        promise.catch(resolve);
      }
    });
  }), 'the messages');
  assert.reported(/^rejection late/);
  watch(task);
});

test('one task’s handlers do not disturb another task', async () => {
  const bad = wx.connectSocket({ url: url() });
  bad.onOpen(() => boom('open'));
  const good = await open(url());
  await ok(call(good.task, 'send', { data: 'fine' }));
  assert.equal((await good.until('message')).data, 'fine');
  watch(bad);
  assert.reported(/boom open/);
});

test('several handlers of alipay: the second runs though the first throws', async () => {
  const task = my.connectSocket({ url: url('act=text:1'), multiple: true });
  const told = [];
  task.onMessage(() => boom('first'));
  await within(new Promise((resolve) => task.onMessage(({ data }) => (told.push(data), resolve()))), 'the message');
  assert.equal(told.join(), '1');
  assert.reported(/boom first/);
  watch(task);
});

test('in handlers of the global functions', async () => {
  wx.onSocketOpen(() => boom('global'));
  const log = await open(url());
  wx.onSocketOpen(null);
  assert.reported(/boom global/);
  await ok(call(log.task, 'close', {}));
});

test('in getters and conversions of what is passed', async () => {
  const bad = { toString: () => boom('toString') };
  const { res } = await call(wx, 'connectSocket', { url: url(), header: { a: bad } });
  assert.equal(res.errMsg, 'connectSocket:fail parameter error: header');
  const out = await new Promise((resolve) => {
    wx.connectSocket({ get url() { return boom('url'); }, complete: resolve });
  });
  assert.equal(out.errMsg, 'connectSocket:fail parameter error: url');
});
