// With small limits of the app: 100000 bytes waiting to be sent, and in one inbound message.

test('a message larger than the send buffer is too big, the socket lives on', async () => {
  const log = await open(url());
  await fails(call(log.task, 'send', { data: new ArrayBuffer(100001) }), 'SocketTask.send:fail message too big', 600005);
  await fails(call(log.task, 'send', { data: 'é'.repeat(50001) }), 'SocketTask.send:fail message too big', 600005);
  await ok(call(log.task, 'send', { data: 'small' }));
  assert.equal((await log.until('message')).data, 'small');
});

test('a full buffer fails the send, the rest goes out when there is room', async () => {
  const id = fresh();
  const log = await open(url('id=' + id, 'ws_small', 'deaf'));
  const data = new ArrayBuffer(50000);
  const sends = [];
  let refused = null;
  for (let at = 0; at < 2000 && !refused; at++) {
    const out = call(log.task, 'send', { data });
    sends.push(out);
    // Refusals are results as well: they come in a turn of their own.
    if (at % 10 === 9) await turn();
    out.then((res) => (refused = res.told[0] === 'fail' ? res : refused));
  }
  assert.ok(refused, 'no send was refused');
  assert.equal(refused.res.errMsg, 'SocketTask.send:fail exceed max buffered amount');
  assert.equal(refused.res.errno, 600000);
  await command('do ' + id + ' read');
  const outs = await Promise.all(sends);
  const good = outs.filter((out) => out.told.join() === 'success,complete').length;
  const full = outs.filter((out) => out.told.join() === 'fail,complete').length;
  assert.equal(good + full, sends.length);
  await ok(call(log.task, 'send', { data: 'again' }));
  await served(id, 'text 5 again');
  assert.equal(Number(await command('bytes ' + id)), good * 50000 + 5);
});

test('an inbound message over the limit ends the socket, 1009 on the wire', async () => {
  const id = fresh();
  const log = await open(url('act=fill:100000;fill:100001&id=' + id));
  assert.equal((await log.until('message')).data.byteLength, 100000);
  const closed = await log.until('close');
  assert.equal(closed.code, 1006);
  await served(id, 'close 1009');
});
