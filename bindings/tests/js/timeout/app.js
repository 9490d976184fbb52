// app.json says 300 ms.

const TIMEOUT = 'connectSocket:fail timeout';

test('app.json’s timeout holds', async () => {
  for (const query of ['stall=request', 'stall=half']) {
    const log = watch(wx.connectSocket({ url: url(query) }));
    const error = await log.until('error');
    assert.equal(error.errMsg, TIMEOUT);
    assert.equal(error.errno, 5);
    assert.equal(log.kinds(), 'error');
  }
});

test('it holds for TLS too', async () => {
  const log = watch(wx.connectSocket({ url: url('', 'tls_stall') }));
  assert.equal((await log.until('error')).errMsg, TIMEOUT);
});

test('the call’s own timeout wins', async () => {
  const patient = watch(wx.connectSocket({ url: url('stall=request'), timeout: 600000 }));
  const hasty = watch(wx.connectSocket({ url: url('stall=request'), timeout: 50 }));
  const usual = watch(wx.connectSocket({ url: url('stall=request') }));
  assert.equal((await usual.until('error')).errMsg, TIMEOUT);
  assert.equal((await hasty.until('error')).errMsg, TIMEOUT);
  assert.equal(patient.task.readyState, 0);
  assert.equal(patient.kinds(), '');
});

test('a timeout that is not positive is the default', async () => {
  for (const timeout of [0, -1]) {
    const log = watch(wx.connectSocket({ url: url('stall=request'), timeout }));
    assert.equal((await log.until('error')).errMsg, TIMEOUT);
  }
});

test('the other platforms have it as well', async () => {
  for (const platform of [swan, tt]) {
    const log = watch(platform.connectSocket({ url: url('stall=request') }));
    assert.equal((await log.until('error')).errMsg, TIMEOUT);
  }
  const log = watch(my.connectSocket({ url: url('stall=request'), multiple: true }));
  const error = await log.until('error');
  assert.equal(error.error, 6);
});
