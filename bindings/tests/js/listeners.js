// Handlers that are attached as soon as a script can: no event may be told before.

// The server speaks in the same write as its response.
const hasty = (more) => url('act=text:first;text:second' + (more || ''));
const expectAll = async (task) => {
  const log = watch(task);
  await log.until('open');
  assert.equal((await log.until('message')).data, 'first');
  assert.equal((await log.until('message')).data, 'second');
  assert.same(await log.until('close'), { code: 4000, reason: 'over' });
  assert.equal(log.kinds(), 'open,message,message,close');
};

test('in the turn of wx.connectSocket', () => expectAll(wx.connectSocket({ url: hasty(';close:4000:over') })));

test('after await of Taro.connectSocket', async () => {
  await expectAll(await Taro.connectSocket({ url: hasty(';close:4000:over') }));
});

test('in then of Taro.connectSocket', async () => {
  let told;
  await Taro.connectSocket({ url: hasty(';close:4000:over') }).then((task) => {
    told = expectAll(task);
  });
  await told;
});

test('in success, and microtasks after it', async () => {
  for (const depth of [0, 1, 2, 10]) {
    let told;
    const task = wx.connectSocket({
      url: hasty(';close:4000:over'),
      success() {
        let later = Promise.resolve();
        for (let at = 0; at < depth; at++) later = later.then(() => {});
        told = depth === 0 ? expectAll(task) : later.then(() => expectAll(task));
      },
    });
    await turn();
    await within(new Promise((resolve) => {
      const look = () => (told ? resolve() : setTimeout(look, 1));
      look();
    }), 'success');
    await told;
  }
});

test('the error of a failed handshake', async () => {
  const task = await Taro.connectSocket({ url: url('status=401') });
  const log = watch(task);
  await log.until('error');
  assert.equal(log.kinds(), 'error');
});

test('the close of a connection that breaks at once', async () => {
  const log = watch(await Taro.connectSocket({ url: url('act=drop') }));
  assert.equal((await log.until('close')).code, 1006);
  assert.equal(log.kinds(), 'open,error,close');
});

test('a handler that takes the place of another one, in an event', async () => {
  const task = wx.connectSocket({ url: url('act=text:1;text:2;text:3') });
  const told = [];
  await within(new Promise((resolve) => {
    task.onMessage(({ data }) => {
      told.push('a' + data);
      task.onMessage(({ data: next }) => {
        told.push('b' + next);
        if (next === '3') resolve();
      });
    });
  }), 'the third message');
  assert.equal(told.join(), 'a1,b2,b3');
  const log = watch(task);
  task.close();
  await log.until('close');
});

test('the last handler wins, and something else than a function takes it away', async () => {
  const task = wx.connectSocket({ url: url('act=text:1') });
  const told = [];
  task.onMessage(() => told.push('first'));
  task.onMessage(() => told.push('second'));
  task.onOpen(() => told.push('open'));
  task.onOpen(undefined);
  const log = await within(new Promise((resolve) => {
    task.onMessage(() => {
      told.push('third');
      resolve(watch(task));
    });
  }), 'the message');
  task.close();
  await log.until('close');
  assert.equal(told.join(), 'third');
});

test('each event is a turn: microtasks run out before the next one', async () => {
  const task = wx.connectSocket({ url: url('act=text:1;text:2;text:3;close:1000') });
  const told = [];
  const note = (what) => () => {
    told.push(what);
    queueMicrotask(() => {
      told.push('then');
      Promise.resolve().then(() => told.push('and then'));
    });
  };
  task.onMessage(note('message'));
  await within(new Promise((resolve) => task.onClose(() => (note('close')(), setTimeout(resolve, 0)))), 'close');
  assert.equal(told.join(), 'message,then,and then,'.repeat(3) + 'close,then,and then');
});

test('results come before events, and success before complete', async () => {
  const told = [];
  const note = (what) => () => void told.push(what);
  const task = wx.connectSocket({ url: url('act=close'), success: note('success'), complete: note('complete') });
  task.onOpen(note('open'));
  told.push('returned');
  await within(new Promise((resolve) => task.onClose(resolve)), 'close');
  assert.equal(told.join(), 'returned,success,complete,open');
});

test('a timer that starts itself anew keeps no event away', async () => {
  let goes = true;
  (function spin() {
    if (goes) setTimeout(spin, 0);
  })();
  const log = await open(hasty());
  await log.until('message');
  goes = false;
});
