// Limits that every app has, and what their failures say.

const MOST = 'connectSocket:fail fail reach max websocket connect count 5';

test('five sockets live, the sixth is refused, and a close makes room at once', async () => {
  const logs = [];
  for (let at = 0; at < 5; at++) logs.push(await open(url()));
  const { res, value } = await fails(call(wx, 'connectSocket', { url: url() }), MOST, 600007);
  assert.equal(Object.keys(res).sort().join(), 'errMsg,errno');
  assert.equal(value.readyState, 3, 'the refused task');
  logs[0].task.close();
  const log = await open(url());
  await fails(call(wx, 'connectSocket', { url: url() }), MOST, 600007);
  await logs[0].until('close');
  for (const each of [...logs.slice(1), log]) {
    await ok(call(each.task, 'send', { data: 'alive' }));
    assert.equal((await each.until('message')).data, 'alive');
  }
});

test('a refused connect gives a closed task without events', async () => {
  const out = await fails(call(wx, 'connectSocket', { url: 'http://example.org/' }),
    'connectSocket:fail invalid url "http://example.org/"', 600009);
  const log = watch(out.value);
  assert.equal(out.value.readyState, 3);
  await fails(call(out.value, 'send', { data: 'x' }), 'SocketTask.send:fail WebSocket is not connected', 600004);
  await fails(call(out.value, 'close', {}), 'SocketTask.close:fail WebSocket is not connected', 600004);
  await turn();
  assert.equal(log.kinds(), '');
});

for (const bad of ['', 'what', '/echo', 'http://a.test/', 'https://a.test/', 'ws:///', 'ws://', 'ws://a.test/#part',
  'ws://a b/', 'ws://[::1', 'wss://a.test:99999/', 'file:///etc/passwd', 'test.php']) {
  test('the URL ' + show(bad), () => fails(call(wx, 'connectSocket', { url: bad }),
    'connectSocket:fail invalid url "' + bad + '"', 600009));
}

test('protocols: what is no token, empty or twice there', async () => {
  for (const protocols of [[''], ['a b'], ['a,b'], ['a', 'a'], ['ü'], ['a\u0000']]) {
    const { res } = await call(wx, 'connectSocket', { url: url(), protocols });
    assert.match(res.errMsg, /^connectSocket:fail parameter error: protocols?/, show(protocols));
    assert.equal(res.errno, 600005);
  }
});

test('headers: names that are no token, values with control characters', async () => {
  for (const header of [{ 'a b': 'x' }, { '': 'x' }, { 'a:': 'x' }, { a: 'x\r\ny: z' }, { a: 'x\u0000' }, { ü: 'x' }]) {
    const { res } = await call(wx, 'connectSocket', { url: url(), header });
    assert.match(res.errMsg, /^connectSocket:fail parameter error: header/, show(header));
    assert.equal(res.errno, 600005);
  }
});

test('send before open', async () => {
  const log = watch(wx.connectSocket({ url: url('stall=request') }));
  await fails(call(log.task, 'send', { data: 'early' }), 'SocketTask.send:fail WebSocket is not connected', 600004);
});
