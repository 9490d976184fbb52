// Tasks that the script lets go of: their events come nevertheless, and ended ones are collected.

// In a function of its own, so that nothing of the task stays on the stack.
const drop = (options, told, then) => {
  const task = wx.connectSocket(options);
  const refs = [new WeakRef(task)];
  for (const kind of ['Open', 'Message', 'Error', 'Close']) {
    const handler = () => told(kind);
    task['on' + kind](handler);
    refs.push(new WeakRef(handler));
  }
  if (then) then(task);
  return refs;
};
const ended = (options, then) => within(new Promise((resolve) => {
  const kinds = [];
  drop(options, (kind) => {
    kinds.push(kind);
    host.gc();
    if (kind === 'Close') resolve(kinds.join());
  }, then);
  host.gc();
}), 'the end of a dropped task');

test('dropped while connecting', async () => {
  assert.equal(await ended({ url: url('act=text:1;close:1000') }), 'Open,Message,Close');
});

test('dropped while open', async () => {
  const id = fresh();
  const all = ended({ url: url('id=' + id) });
  await served(id, 'open');
  host.gc();
  await turn();
  host.gc();
  await command('do ' + id + ' text:late;close:1000');
  assert.equal(await all, 'Open,Message,Close');
});

test('dropped while closing', async () => {
  assert.equal(await ended({ url: url() }, (task) => task.onOpen(() => task.close())), 'Close');
  assert.equal(await ended({ url: url() }, (task) => task.close()), 'Close');
});

test('dropped with sends on their way: each callback comes', async () => {
  let count = 0;
  await within(new Promise((resolve) => {
    (() => {
      const task = wx.connectSocket({ url: url() });
      task.onOpen(() => {
        for (let at = 0; at < 100; at++) {
          task.send({ data: new ArrayBuffer(1000), complete: () => ++count === 100 && task.close() });
        }
        host.gc();
      });
      task.onClose(resolve);
    })();
    host.gc();
  }), 'the close');
  assert.equal(count, 100);
});

test('200 dropped one after the other, and most ended tasks and their handlers are collected', async () => {
  const refs = [];
  for (let at = 0; at < 200; at++) {
    await within(new Promise((resolve) => {
      refs.push(...drop({ url: url('act=text:x;close:1000') }, (kind) => kind === 'Close' && resolve()));
    }), 'the close of ' + at);
    if (at % 50 === 0) host.gc();
  }
  for (let at = 0; at < 5; at++) {
    await turn();
    host.gc();
  }
  const left = refs.filter((ref) => ref.deref() !== undefined).length;
  // A conservative collector may take some number on the stack for one of them.
  assert.ok(left < 500, left + ' of 1000 tasks and handlers are still there');
});

test('buffers of messages that are dropped or kept', async () => {
  const kept = [];
  const log = await open(url('', 'ws', 'echo'));
  for (let at = 0; at < 50; at++) {
    const bytes = new Uint8Array(70000).fill(at);
    log.task.send({ data: bytes });
    const { data } = await log.until('message');
    log.events.length = 0;
    if (at % 10 === 0) kept.push(data);
    if (at % 7 === 0) host.gc();
  }
  log.task.close();
  await log.until('close');
  host.gc();
  kept.forEach((data, at) => {
    const bytes = new Uint8Array(data);
    assert.ok(bytes.length === 70000 && bytes.every((byte) => byte === at * 10), 'buffer ' + at);
  });
});
