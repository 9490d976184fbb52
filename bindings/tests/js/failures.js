// Handshakes that fail, and connections that break.

const FAILED = 'connectSocket:fail WebSocket connection failed';

const failsWith = async (options, errMsg, errno) => {
  const connected = [];
  const task = wx.connectSocket(Object.assign({ success: () => connected.push('success'),
    fail: () => connected.push('fail'), complete: () => connected.push('complete') }, options));
  const log = watch(task);
  assert.equal(task.readyState, 0);
  const error = await log.until('error');
  assert.equal(error.errMsg, errMsg);
  assert.equal(error.errno, errno);
  assert.equal(task.readyState, 3);
  assert.equal(connected.join(), 'success,complete', 'the connect itself');
  await turn();
  assert.equal(log.kinds(), 'error');
};

for (const [what, query, listener] of [
  ['403', 'status=403'], ['302', 'status=302'], ['500', 'status=500'], ['200', 'status=200'],
  ['a wrong accept', 'accept=wrong'], ['no accept', 'accept=missing'], ['no upgrade', 'upgrade='],
  ['a protocol that was not offered', 'protocol=other'], ['an extension that was not offered', 'extension=x-other'],
  ['garbage', 'raw=what'], ['a refused connection', '', 'refuse'], ['a reset', '', 'reset'],
  ['a connection that ends', '', 'drop'], ['an unknown issuer', '', 'wss_unknown'],
  ['an expired certificate', '', 'wss_expired'], ['a certificate for another host', '', 'wss_wrong_host'],
  ['no TLS', '', 'tls_garbage'],
]) {
  test('a handshake that fails: ' + what, () => failsWith({ url: url(query, listener) }, FAILED, 600000));
}

test('a name that there is not', () => failsWith({ url: 'ws://nothing.invalid/' }, FAILED, 600000));

test('ws to the port of nothing', () =>
  failsWith({ url: 'ws://127.0.0.1:' + facts.ports.refuse + '/' }, FAILED, 600000));

for (const [what, action] of [['the stream ends', 'drop'], ['a reset', 'rst'], ['a masked frame', 'masked:x'],
  ['text that is no UTF-8', 'badutf8'], ['a reserved opcode', 'frame:8300']]) {
  test('a connection that breaks: ' + what, async () => {
    const log = watch(wx.connectSocket({ url: url('act=text:first;' + action + '&split=1') }));
    const error = await log.until('error');
    assert.equal(error.errMsg, FAILED);
    const closed = await log.until('close');
    assert.equal(closed.code, 1006);
    assert.equal(closed.reason, 'abnormal closure');
    // A reset may overtake what was sent before it.
    assert.match(log.kinds(), action === 'rst' ? /^open,(message,)?error,close$/ : /^open,message,error,close$/);
    assert.equal(log.task.readyState, 3);
  });
}

test('a slot is free again after a failure', async () => {
  for (let at = 0; at < 12; at++) await failsWith({ url: url('status=404') }, FAILED, 600000);
});

test('a new connection inside onError and onClose', async () => {
  const first = wx.connectSocket({ url: url('status=503') });
  const second = await within(new Promise((resolve) => {
    first.onError(() => resolve(watch(wx.connectSocket({ url: url('act=drop') }))));
  }), 'onError');
  const third = await within(new Promise((resolve) => {
    second.task.onClose(() => resolve(watch(wx.connectSocket({ url: url() }))));
  }), 'onClose');
  await third.until('open');
});
