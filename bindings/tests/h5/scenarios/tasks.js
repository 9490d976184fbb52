'use strict';
// A task from its call to its end, and how many there may be.

const { describe } = require('../trace.js');
const { scenario, closed, session } = require('./kit.js');

// --- a task from its call to its end

scenario('open_and_close', (t) => session(t, t.url(), () => {}));

scenario('task', (t) =>
  session(t, t.url(), (task) => {
    const fields = {};
    for (const name of ['socketTaskId', 'errMsg', 'ws']) {
      fields[name] = name in task ? (name === 'errMsg' ? describe(task[name]) : typeof task[name]) : 'not there';
    }
    for (const name of ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED', 'send', 'close'])
      fields[name] = describe(task[name]);
    for (const name of ['onOpen', 'onMessage', 'onError', 'onClose'])
      fields[name] = describe(task[name]) + ', gives ' + describe(task[name](() => {}));
    fields.extensible = describe(Object.isExtensible(task));
    try {
      task.readyState = 9;
      fields.assigned = describe(task.readyState);
    } catch (error) {
      fields.assigned = describe(error);
    }
    t.step('task', 'members', fields);
    t.listen(task);
  })
);

scenario('task_ids', async (t) => {
  const ids = [];
  for (const lane of ['first', 'second']) {
    const success = (res) => {
      t.step(lane, 'connect success');
      ids.push(res.socketTaskId);
    };
    const task = await t.open({ url: t.url('/echo', {}, { lane }), success }, { lane });
    t.close(task, {}, { lane: lane + ' closing' });
    await closed(t, lane);
    ids.push(task.socketTaskId);
  }
  const [first, , second] = ids;
  t.step('ids', 'of success', {
    numbers: describe(typeof first === 'number' && typeof second === 'number'),
    differ: describe(first !== second)
  });
  t.step('ids', 'of tasks', { same: describe(ids[0] === ids[1] && ids[2] === ids[3]) });
});

scenario('without_callbacks', async (t) => {
  const task = await t.connect(t.url(), { callbacks: [] });
  t.listen(task);
  await t.until('open');
  await t.send(task, 'hello', { callbacks: [] });
  await t.until('message');
  await t.close(task, {}, { callbacks: [] });
  await closed(t);
});

scenario('order', async (t) => {
  const task = await t.connect(t.url());
  t.listen(task, { message: () => t.close(task, {}, { lane: 'socket' }) });
  await t.until('open');
  t.send(task, 'hello', { lane: 'socket' });
  await closed(t);
});

scenario('functions_taken_out', async (t) => {
  const { connectSocket } = t.Taro;
  const task = await t.call('socket', 'connect', { url: t.url() }, (option) => connectSocket(option));
  t.listen(task);
  await t.until('open');
  const { send } = task;
  await t.call('send', 'send', { data: 'x' }, (option) => send(option));
  t.close(task, {});
  await closed(t);
});

scenario('microtasks_between_events', (t) =>
  session(t, t.url('/echo', { act: 'text:one;text:two' }), async (task) => {
    t.listen(task, {
      message: () =>
        Promise.resolve()
          .then(() => Promise.resolve())
          .then(() => t.step('socket', 'microtask'))
    });
    await t.until('microtask', { times: 2 });
  })
);

scenario('close_in_message', async (t) => {
  const task = await t.connect(t.url('/echo', { act: 'text:one;text:two;text:three' }));
  t.listen(task, { message: () => t.close(task, {}) });
  await closed(t);
});

scenario('call_in_every_event', async (t) => {
  const task = await t.open(t.url(), {
    does: {
      open: () => t.send(current(), 'from open'),
      message: () => t.close(current(), {}),
      close: () => t.send(current(), 'from close', { lane: 'late send' })
    }
  });
  function current() {
    return t.tasks.get('socket');
  }
  if (task) await closed(t);
});

scenario('connect_again_in_close', async (t) => {
  await t.open(t.url(), {
    does: {
      open: () => t.close(t.tasks.get('socket'), {}),
      close: () => t.open(t.url('/echo', {}, { lane: 'second' }), { lane: 'second' })
    }
  });
  await t.until('open', { lane: 'second' });
  t.close(t.tasks.get('second'), {}, { lane: 'second closing' });
  await closed(t, 'second');
});

// --- how many sockets

async function several(t, count) {
  const tasks = [];
  for (let i = 1; i <= count; i++) {
    const lane = 'socket ' + i;
    tasks.push([lane, await t.open(t.url('/echo', {}, { lane }), { lane })]);
  }
  for (const [lane, task] of tasks) {
    if (!task) continue;
    t.close(task, {}, { lane: lane + ' closing' });
    await closed(t, lane);
  }
}
scenario('three_sockets', (t) => several(t, 3));
scenario('five_sockets', (t) => several(t, 5));
scenario('six_sockets', (t) => several(t, 6));

// Five sockets that the server ends while nobody listens for that; then a sixth.
scenario('slots_after_the_server_closed', async (t) => {
  for (let i = 1; i <= 5; i++) {
    const lane = 'socket ' + i;
    const task = await t.connect(t.url('/echo', { act: 'close:1000:bye' }, { lane }), { lane });
    await t.state(task, 3);
  }
  await t.open(t.url('/echo', {}, { lane: 'last' }), { lane: 'last' });
  const task = t.tasks.get('last');
  if (!task) return;
  t.close(task, {}, { lane: 'last closing' });
  await closed(t, 'last');
});

// The slot of a socket is free as soon as its close was accepted.
scenario('slots_while_closing', async (t) => {
  for (let i = 1; i <= 6; i++) {
    const lane = 'socket ' + i;
    const task = await t.open(t.url('/echo', {}, { lane }), { lane });
    if (task) t.close(task, {}, { lane: lane + ' closing' });
  }
  for (let i = 1; i <= 5; i++) await closed(t, 'socket ' + i);
  if (t.tasks.get('socket 6')) await closed(t, 'socket 6');
});
