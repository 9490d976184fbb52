'use strict';
// Messages both ways, what is no message, and sends when the socket is not open.

const { scenario, bytes, patternText, closed, session } = require('./kit.js');

// --- messages

for (const [name, data] of Object.entries({
  text: 'hello',
  text_empty: '',
  text_unicode: 'Zürich 東京 🐚',
  text_nul: 'a\0b',
  text_lone_surrogate: 'a\ud800b',
  text_large: patternText(1 << 20)
})) {
  scenario('echo_' + name, (t) =>
    session(t, t.url(), async (task) => {
      t.send(task, data);
      await t.until('message');
    })
  );
}

for (const [name, data] of Object.entries({
  buffer: bytes(1, 2, 0, 255),
  buffer_empty: new ArrayBuffer(0),
  view: new Uint8Array(bytes(9, 1, 2, 9), 1, 2),
  words: new Uint16Array([513, 1027]).subarray(1),
  data_view: new DataView(bytes(9, 9, 7), 2),
  buffer_large: new Uint8Array(1 << 20).map((_, i) => i % 251).buffer
})) {
  scenario('echo_' + name, async (t) => {
    let got;
    await session(t, t.url(), async (task) => {
      t.listen(task, {
        message: (res) => {
          got = res.data;
        }
      });
      t.send(task, data);
      await t.until('message');
      await t.bytes(got);
    });
  });
}

scenario('many_messages', (t) =>
  session(t, t.url(), async (task) => {
    for (let i = 0; i < 20; i++) t.send(task, i % 2 ? bytes(i) : `${i}`, { lane: 'send ' + i });
    await t.until('message', { times: 20 });
  })
);

scenario('changed_after_send', async (t) => {
  let got;
  await session(t, t.url(), async (task) => {
    const data = new Uint8Array([1, 2, 3]);
    t.listen(task, {
      message: (res) => {
        got = res.data;
      }
    });
    t.send(task, data.buffer);
    data.fill(9);
    await t.until('message');
    await t.bytes(got);
  });
});

for (const [name, act] of Object.entries({
  fragments: 'frag:one|two|three',
  ping: 'ping:abc;text:after',
  pong: 'pong:abc;text:after'
})) {
  scenario('server_sends_' + name, (t) => session(t, t.url('/echo', { act }), () => t.until('message')));
}

scenario('server_sends_at_once', (t) =>
  session(t, t.url('/echo', { act: 'text:one;bin:020304;text:three' }), () => t.until('message', { times: 3 }))
);

scenario('results_that_are_no_functions', (t) =>
  session(t, { url: t.url(), success: 5, fail: 'fail', complete: {} }, async (task) => {
    await t.send(task, { data: 'hello', success: null, fail: 0, complete: [] });
    await t.until('message');
  })
);

// --- what is no message

for (const [name, data] of Object.entries({
  number: 5,
  boolean: true,
  object: { a: 1 },
  array: [1, 2],
  null: null,
  undefined,
  date: new Date(0)
})) {
  scenario('send_' + name, (t) =>
    session(t, t.url(), async (task) => {
      await t.send(task, { data });
      t.send(task, 'after', { lane: 'second send' });
      await t.until('message');
    })
  );
}

scenario('send_nothing', (t) =>
  session(t, t.url(), async (task) => {
    await t.call('send none', 'send', undefined, () => task.send());
    await t.call('send null', 'send', undefined, () => task.send(null));
    await t.call('send text', 'send', undefined, () => task.send('text'));
    t.send(task, 'after');
    await t.until('message');
  })
);

// --- sends when the socket is not open

scenario('send_before_open', async (t) => {
  const task = await t.connect(t.url());
  t.listen(task);
  await t.send(task, 'early');
  await t.until('open');
  t.close(task, {});
  await closed(t);
});

scenario('send_while_closing', (t) =>
  session(t, t.url(), async (task) => {
    t.close(task, {});
    await t.send(task, 'late', { lane: 'late send' });
  })
);

scenario('send_after_close', async (t) => {
  const task = await t.open(t.url());
  t.close(task, {});
  await closed(t);
  await t.send(task, 'late', { lane: 'late send' });
});

scenario('send_then_close', async (t) => {
  const task = await t.open(t.url('/sink'));
  for (const data of ['one', 'two', 'three']) t.send(task, data, { lane: 'send ' + data });
  t.close(task, {});
  await closed(t);
});

scenario('echo_after_close_is_called', async (t) => {
  const task = await t.open(t.url());
  t.send(task, 'unheard');
  t.close(task, {});
  await closed(t);
});
