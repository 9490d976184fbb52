// What connect, send and close take: unknown options are ignored, values of any type become header fields, wrong types
// are named.

test('unknown options are ignored', async () => {
  const log = await open({ url: url(), method: 'GET', data: { a: 1 }, multiple: true, dataType: 'json', whatever: null });
  await ok(call(log.task, 'send', { data: 'x', encoding: 'utf8', priority: 7 }));
  await log.until('message');
  await ok(call(log.task, 'close', { code: 1000, force: true }));
});

test('header values of every type', async () => {
  const id = fresh();
  await open({
    url: url('id=' + id),
    header: {
      'X-Text': 'text', 'X-Number': 12.5, 'X-True': true, 'X-False': false, 'X-Array': [1, 'b'],
      'X-Own': { toString: () => 'its own' }, 'X-Big': 12345678901234567890n, 'content-type': 'application/json',
      'X-Null': null, 'X-Undefined': undefined,
    },
  });
  for (const line of ['X-Text: text', 'X-Number: 12.5', 'X-True: true', 'X-False: false', 'X-Array: 1,b',
    'X-Own: its own', 'X-Big: 12345678901234567890', 'content-type: application/json']) {
    await served(id, 'header ' + line);
  }
  const all = await command('log ' + id);
  assert.ok(!/X-Null|X-Undefined/.test(all), all);
});

test('the order and the case of header fields are kept, Referer is left out', async () => {
  const id = fresh();
  await open({ url: url('id=' + id), header: { zebra: 1, Apple: 2, mIXED: 3, Referer: 'no', HOST: 'no' } });
  const all = await command('log ' + id);
  assert.match(all, /header zebra: 1\nheader Apple: 2\nheader mIXED: 3/);
  assert.ok(!/Referer|: no/i.test(all.replace(/header Host: 127[^\n]*/, '')), all);
});

test('protocols are offered in their order, the server picks', async () => {
  const id = fresh();
  const log = await open({ url: url('id=' + id + '&protocol=b'), protocols: ['a', 'b', 'c'] });
  await served(id, 'header Sec-WebSocket-Protocol: a, b, c');
  assert.equal(log.opened.header['Sec-WebSocket-Protocol'], 'b');
});

test('one protocol may stand in a string', async () => {
  const log = await open({ url: url(), protocols: 'only' });
  assert.equal(log.opened.header['Sec-WebSocket-Protocol'], 'only');
});

test('without an option, or with what is no object', async () => {
  for (const option of [undefined, null, 7, 'text', [], () => {}]) {
    const task = wx.connectSocket(option);
    assert.equal(task.readyState, 3);
  }
});

for (const [name, values] of [
  ['url', [undefined, null, 7, true, {}, [], () => {}, Symbol('s')]],
  ['header', [7, 'text', true, [], () => {}, Symbol('s')]],
  ['protocols', [7, true, {}, [7], [null], [undefined], ['a', {}]]],
  ['timeout', ['100', {}, [], true]],
]) {
  test('connect: ' + name + ' of a wrong type', async () => {
    for (const value of values) {
      const out = await call(wx, 'connectSocket', Object.assign({ url: url() }, { [name]: value }));
      assert.equal(out.told.join(), 'fail,complete', name + ' ' + show(value));
      assert.equal(out.res.errMsg, 'connectSocket:fail parameter error: ' + name);
      assert.equal(out.res.errno, 600005);
    }
  });
}

test('send: data of a wrong type', async () => {
  const log = await open(url());
  for (const data of [undefined, null, 7, true, {}, [], [1], () => {}, Symbol('s'), 7n]) {
    await fails(call(log.task, 'send', { data }), 'SocketTask.send:fail parameter error: data', 600005);
  }
  for (const option of [undefined, null, 7, 'text']) assert.equal(log.task.send(option), undefined);
  await ok(call(log.task, 'send', { data: 'alive' }));
  await log.until('message');
});

test('close: code and reason of a wrong type', async () => {
  const log = await open(url());
  for (const code of ['1000', {}, true, []]) {
    await fails(call(log.task, 'close', { code }), 'SocketTask.close:fail parameter error: code', 600005);
  }
  for (const code of [1000.5, -1, NaN, Infinity, 1e20, 65536]) {
    await fails(call(log.task, 'close', { code }), 'SocketTask.close:fail wcwss invalid code, the code must be either '
      + '1000, or between 3000 and 4999', 600005);
  }
  for (const reason of [7, {}, true, []]) {
    await fails(call(log.task, 'close', { code: 1000, reason }), 'SocketTask.close:fail parameter error: reason', 600005);
  }
  assert.equal(log.task.readyState, 1);
});

test('callbacks that are no functions are ignored', async () => {
  const log = watch(wx.connectSocket({ url: url(), success: 7, fail: 'x', complete: {} }));
  await log.until('open');
  log.task.send({ data: 'x', success: null, complete: [] });
  await log.until('message');
});

test('tcpNoDelay, perMessageDeflate and forceCellularNetwork are taken', async () => {
  const id = fresh();
  const log = await open({
    url: url('id=' + id), tcpNoDelay: true, perMessageDeflate: true, forceCellularNetwork: false, timeout: 60000,
  });
  await served(id, 'header Sec-WebSocket-Extensions: permessage-deflate');
  log.task.close();
  await log.until('close');
  const plain = fresh();
  await open({ url: url('id=' + plain), perMessageDeflate: false });
  assert.ok(!/permessage/.test(await command('log ' + plain)));
});
