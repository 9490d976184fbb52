// app.json asks for close after the error of a failed handshake, for libraries that wait for it; and for two sockets.

for (const [name, platform] of [['wx', wx], ['swan', swan], ['tt', tt]]) {
  test(name + ': a failed handshake is error, then close 1006', async () => {
    const log = watch(platform.connectSocket({ url: url('status=403') }));
    assert.equal((await log.until('error')).errMsg, 'connectSocket:fail WebSocket connection failed');
    assert.same(await log.until('close'), { code: 1006, reason: 'abnormal closure' });
    assert.equal(log.kinds(), 'error,close');
    assert.equal(log.task.readyState, 3);
  });
}

test('two sockets, and no third one', async () => {
  await open(url());
  await open(url());
  await fails(call(wx, 'connectSocket', { url: url() }),
    'connectSocket:fail fail reach max websocket connect count 2', 600007);
});
