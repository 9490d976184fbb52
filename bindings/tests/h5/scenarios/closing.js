'use strict';
// The client closes; the server closes, or breaks.

const { scenario, closed, life } = require('./kit.js');

// --- the client closes

for (const [name, option] of Object.entries({
  code: { code: 3001 },
  reason: { reason: 'done' },
  code_and_reason: { code: 4999, reason: 'Zürich' },
  1000: { code: 1000, reason: '' },
  code_999: { code: 999 },
  code_1001: { code: 1001 },
  code_1005: { code: 1005 },
  code_2999: { code: 2999 },
  code_5000: { code: 5000 },
  code_0: { code: 0 },
  code_fraction: { code: 3000.5 },
  code_text: { code: '3000' },
  code_nan: { code: NaN },
  code_null: { code: null },
  reason_123: { reason: 'x'.repeat(123) },
  reason_124: { reason: 'x'.repeat(124) },
  reason_unicode_124: { reason: 'ü'.repeat(62) },
  reason_number: { reason: 5 },
  reason_null: { reason: null },
  reason_lone_surrogate: { reason: 'a\ud800' }
})) {
  scenario('close_' + name, async (t) => {
    const task = await t.open(t.url());
    await t.close(task, option);
    if (task.readyState === 1) t.close(task, {}, { lane: 'second closing' });
    await closed(t);
  });
}

scenario('close_nothing', async (t) => {
  const task = await t.open(t.url());
  await t.call('closing', 'close', undefined, () => task.close());
  await closed(t);
});

scenario('close_null', async (t) => {
  const task = await t.open(t.url());
  await t.call('closing', 'close', undefined, () => task.close(null));
  if (task.readyState === 1) t.close(task, {}, { lane: 'second closing' });
  await closed(t);
});

scenario('close_twice', async (t) => {
  const task = await t.open(t.url());
  t.close(task, { code: 4001, reason: 'first' });
  await t.close(task, { code: 4002, reason: 'second' }, { lane: 'second closing' });
  await closed(t);
  await t.close(task, { code: 4003, reason: 'third' }, { lane: 'third closing' });
});

scenario(
  'close_while_connecting',
  async (t) => {
    const task = await t.connect(t.url('/echo', { stall: 'request' }));
    t.listen(task);
    t.close(task, { code: 4001, reason: 'never mind' });
    await closed(t);
  },
  { wire: false }
);

scenario(
  'close_before_the_request_was_sent',
  async (t) => {
    const task = await t.connect(t.url());
    t.listen(task);
    t.close(task, {});
    await closed(t);
  },
  { wire: false }
);

scenario('close_after_the_server_closed', async (t) => {
  const task = await t.open(t.url('/echo', { act: 'close:1000:bye' }));
  await closed(t);
  await t.close(task, {});
});

// --- the server closes

for (const [name, act] of Object.entries({
  code_and_reason: 'close:4001:Z%C3%BCrich',
  code: 'close:4001:',
  going_away: 'close:1001:going%20away',
  nothing: 'close'
})) {
  scenario('server_closes_with_' + name, async (t) => {
    await life(t, t.url('/echo', { act }));
  });
}

scenario('server_sends_then_closes', async (t) => {
  await life(t, t.url('/echo', { act: 'text:one;text:two;close:1000:done' }));
});

for (const [name, query] of Object.entries({
  another_code: { onclose: '4005:mine' },
  no_code: { onclose: 'bare' },
  dropping: { onclose: 'drop' },
  resetting: { onclose: 'rst' }
})) {
  scenario('server_answers_close_with_' + name, async (t) => {
    const task = await t.open(t.url('/echo', query));
    t.close(task, { code: 4001, reason: 'mine' });
    await closed(t);
  });
}

for (const [name, act] of Object.entries({
  drops: 'drop',
  resets: 'rst',
  sends_and_drops: 'text:last;drop',
  ends_inside_a_frame: 'head:1:10;drop',
  sends_bad_utf8: 'badutf8',
  masks: 'masked:text',
  sends_reserved_opcode: 'frame:83020102',
  sends_close_code_1005: 'frame:880203ed'
})) {
  scenario('server_' + name, async (t) => {
    await life(t, t.url('/echo', { act }));
  });
}
