// The app in the background: 100 ms after that its sockets are interrupted.

const INTERRUPTED = 600003;

test('send and connect fail at once, close works', async () => {
  const one = await open(url());
  const two = await open(url());
  host.background(true);
  await fails(call(one.task, 'send', { data: 'x' }), 'SocketTask.send:fail interrupted', INTERRUPTED);
  const { value } = await fails(call(wx, 'connectSocket', { url: url() }), 'connectSocket:fail interrupted', INTERRUPTED);
  assert.equal(value.readyState, 3);
  await ok(call(two.task, 'close', { code: 3000, reason: 'in time' }));
  assert.same(await two.until('close'), { code: 3000, reason: 'in time' });
  assert.same(await one.until('close'), { code: 1006, reason: 'interrupted' });
  assert.equal(one.kinds(), 'open,close');
  host.background(false);
});

test('a connecting socket gets the error', async () => {
  const log = watch(wx.connectSocket({ url: url('stall=request') }));
  await turn();
  host.background(true);
  const error = await log.until('error');
  assert.equal(error.errMsg, 'connectSocket:fail interrupted');
  assert.equal(error.errno, INTERRUPTED);
  assert.equal(log.kinds(), 'error');
  host.background(false);
});

test('back in time nothing happens', async () => {
  const log = await open(url());
  host.background(true);
  host.background(false);
  await ok(call(log.task, 'send', { data: 'still' }));
  assert.equal((await log.until('message')).data, 'still');
});

test('a platform that is first touched in the background is there as well', async () => {
  host.background(true);
  await turn();
  const out = await call(tt, 'connectSocket', { url: url() });
  assert.equal(out.told.join(), 'fail,complete');
  assert.equal(out.res.errMsg, 'connectSocket:fail interrupted');
  host.background(false);
  await open(url(), tt);
});

test('by signal: background, and the foreground again', async () => {
  const log = await open(url());
  // The second one comes when the way to the server is interrupted as well.
  await command('signal SIGTSTP SIGCONT');
  assert.same(await log.until('close'), { code: 1006, reason: 'interrupted' });
  await within((async () => {
    for (;;) {
      const out = await call(wx, 'connectSocket', { url: url() });
      if (out.told[0] === 'success') return watch(out.value);
      assert.equal(out.res.errMsg, 'connectSocket:fail interrupted');
      await turn();
    }
  })(), 'the foreground');
});
