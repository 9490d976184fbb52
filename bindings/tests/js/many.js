// label: stress
// Many calls in one turn.

test('10,000 sends in one turn, each with its callbacks', async () => {
  const id = fresh();
  const log = await open(url('id=' + id, 'ws', 'sink'));
  const told = [];
  let last;
  const all = new Promise((resolve) => (last = resolve));
  for (let at = 0; at < 10000; at++) {
    log.task.send({
      data: 'm' + at,
      success: () => told.push(at),
      fail: () => told.push(-1),
      complete: () => told.push(at) === 20000 && last(),
    });
  }
  assert.equal(told.length, 0, 'results within the turn of their calls');
  await within(all, 'all results');
  told.forEach((value, at) => assert.equal(value, at >> 1));
  await served(id, 'text', 10000);
  assert.equal(Number(await command('bytes ' + id)), 48890);
});

test('10,000 sends in one turn without callbacks', async () => {
  const { task } = await open(url());
  let wrong = 0;
  let count = 0;
  await within(new Promise((resolve) => {
    task.onMessage(({ data }) => {
      if (data !== 'm' + count) wrong++;
      if (++count === 10000) resolve();
    });
    for (let at = 0; at < 10000; at++) task.send({ data: 'm' + at });
  }), 'all messages');
  assert.equal(wrong, 0);
});

test('1,000 connects in one turn: five are made, the others refused', async () => {
  const outs = [];
  for (let at = 0; at < 1000; at++) outs.push(call(wx, 'connectSocket', { url: url() }));
  const all = await Promise.all(outs);
  const made = all.filter((out) => out.told[0] === 'success');
  assert.equal(made.length, 5);
  for (const out of all) assert.equal(out.told.length, 2);
  for (const out of made) watch(out.value);
});

test('20 sockets one after the other, closed in the turn of their connect', async () => {
  for (let at = 0; at < 20; at++) {
    const log = watch(wx.connectSocket({ url: url() }));
    log.task.close({ code: 3000 + at });
    assert.equal((await log.until('close')).code, 3000 + at);
  }
});
