// What goes out comes back: kinds, sizes, and every sort of text.

const echoed = async (log, data) => {
  const sent = ok(call(log.task, 'send', { data }));
  const { data: back } = await log.until('message');
  await sent;
  return back;
};

test('text comes back as a string', async () => {
  const log = await open(url());
  for (const text of ['hello', 'x', 'grüße', '你好', '😀', '\u0000', 'a\u0000b', ' \r\n\t']) {
    assert.equal(await echoed(log, text), text);
  }
});

test('an empty text and an empty ArrayBuffer are messages, and keep their kind', async () => {
  const log = await open(url());
  assert.equal(await echoed(log, ''), '');
  assert.bytes(await echoed(log, new ArrayBuffer(0)), []);
});

test('lone surrogates become U+FFFD, pairs stay', async () => {
  const log = await open(url());
  assert.equal(await echoed(log, 'a\ud800b'), 'a\ufffdb');
  assert.equal(await echoed(log, '\udc00'), '\ufffd');
  assert.equal(await echoed(log, '\ud83d'), '\ufffd');
  assert.equal(await echoed(log, '\ude00\ud83d'), '\ufffd\ufffd');
  assert.equal(await echoed(log, '\ud83d\ude00'), '😀');
});

test('bytes come back as an ArrayBuffer of the same bytes', async () => {
  const log = await open(url());
  assert.bytes(await echoed(log, new Uint8Array([0, 1, 127, 128, 255]).buffer), [0, 1, 127, 128, 255]);
});

test('a view is sent by its own bytes', async () => {
  const log = await open(url());
  const all = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer;
  assert.bytes(await echoed(log, new Uint8Array(all, 2, 3)), [3, 4, 5]);
  assert.bytes(await echoed(log, new DataView(all, 6)), [7, 8]);
  assert.bytes(await echoed(log, new Uint16Array(all, 4, 1)), [5, 6]);
  assert.bytes(await echoed(log, new Uint8Array(all, 8)), []);
});

test('bytes are taken when send is called', async () => {
  const log = await open(url());
  const bytes = new Uint8Array([1, 2, 3]);
  log.task.send({ data: bytes.buffer });
  bytes.fill(9);
  assert.bytes((await log.until('message')).data, [1, 2, 3]);
});

test('the kind on the wire is that of the data', async () => {
  const id = fresh();
  const log = await open(url('id=' + id));
  log.task.send({ data: 'abc' });
  log.task.send({ data: new Uint8Array([0x61]).buffer });
  await served(id, 'text 3 abc');
  await served(id, 'binary 1 61');
});

test('around the sizes where frames and copies change', async () => {
  const log = await open(url());
  for (const size of [1, 125, 126, 127, 1023, 1024, 1025, 65535, 65536, 65537]) {
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size; at++) bytes[at] = at % 251;
    const back = new Uint8Array(await echoed(log, bytes.buffer));
    assert.equal(back.length, size);
    assert.ok(back.every((byte, at) => byte === at % 251), 'bytes of ' + size);
    const text = 'é'.repeat(size);
    assert.ok((await echoed(log, text)) === text, 'text of ' + size);
  }
});

test('four MiB of text and of bytes', async () => {
  const log = await open(url());
  const text = '0123456789abcdef'.repeat(1 << 18);
  assert.ok((await echoed(log, text)) === text, 'the text differs');
  const bytes = new Uint8Array(1 << 22);
  for (let at = 0; at < bytes.length; at++) bytes[at] = (at * 7) & 255;
  const back = new Uint8Array(await echoed(log, bytes.buffer));
  assert.equal(back.length, bytes.length);
  assert.ok(back.every((byte, at) => byte === ((at * 7) & 255)), 'the bytes differ');
});

test('messages keep their order, kinds mixed', async () => {
  const log = await open(url());
  for (let at = 0; at < 500; at++) log.task.send({ data: at % 2 ? String(at) : new Uint16Array([at]).buffer });
  for (let at = 0; at < 500; at++) {
    const { data } = await log.until('message');
    assert.equal(at % 2 ? Number(data) : new Uint16Array(data)[0], at);
  }
});

test('inbound bytes are the script’s own: writable, and good after the socket has ended', async () => {
  const log = await open(url('act=fill:100000;fill:10'));
  const { data: large } = await log.until('message');
  const { data: small } = await log.until('message');
  new Uint8Array(large)[0] = 77;
  log.task.close();
  await log.until('close');
  host.gc();
  for (const [data, size] of [[large, 100000], [small, 10]]) {
    const bytes = new Uint8Array(data);
    assert.equal(bytes.length, size);
    for (let at = 1; at < size; at++) if (bytes[at] !== at % 251) throw new Error('byte ' + at + ' is ' + bytes[at]);
  }
  assert.equal(new Uint8Array(large)[0], 77);
});

test('compression when it is asked for', async () => {
  const log = await open({ url: url('extension=permessage-deflate&pack=1'), perMessageDeflate: true });
  const text = 'abcdef'.repeat(1000);
  assert.equal(await echoed(log, text), text);
});

test('over wss', async () => {
  const log = await open(url('', 'wss'));
  assert.equal(await echoed(log, 'secret'), 'secret');
});
