// Two apps of one host at once. This one has its five sockets, does harm to itself, and exits with all of them open.

test('its own globals, and its own five sockets', async () => {
  assert.equal(typeof globalThis.mine, 'undefined');
  globalThis.mine = 'one';
  Array.prototype.spoilt = 'by one';
  const logs = [];
  for (let at = 0; at < 5; at++) logs.push(await open(url('id=one-' + at)));
  await served('two-4', 'open');
  await fails(call(wx, 'connectSocket', { url: url() }),
    'connectSocket:fail fail reach max websocket connect count 5');
  host.onError = null;
  logs[0].task.onMessage(() => {
    throw new Error('on purpose, in one');
  });
  logs[0].task.send({ data: 'x' });
  await new Promise((resolve) => logs[0].task.send({ data: 'x', complete: resolve }));
  await turn();
  host.exit(3);
  await new Promise(() => {}); // so that the harness closes nothing
});
