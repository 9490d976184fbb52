'use strict';
// Listeners, Promises that nobody looks at, and the functions without a task.

const { scenario, closed, session } = require('./kit.js');

// --- listeners

scenario('two_listeners', (t) =>
  session(t, t.url(), async (task) => {
    task.onMessage(() => t.step('listener', 'first'));
    task.onMessage(() => t.step('listener', 'second'));
    t.send(task, 'hello');
    await t.until('second', { lane: 'listener' });
    t.listen(task);
  })
);

scenario('listener_replaced_in_event', (t) =>
  session(t, t.url('/echo', { act: 'text:one;text:two' }), async (task) => {
    t.listen(
      task,
      { message: () => t.listen(task, {}, { lane: 'new listener', events: ['message'] }) },
      { events: ['message'] }
    );
    await t.until('message', { lane: 'new listener' });
  })
);

scenario('listener_attached_late', async (t) => {
  const task = await t.connect(t.url('/echo', { act: 'text:unheard;text:heard' }));
  let messages = 0;
  task.onMessage(() => {
    messages += 1;
    // The open event is past: it does not come again.
    if (messages === 1) t.listen(task);
  });
  await t.until('message');
  t.close(task, {});
  await closed(t);
});

scenario('listener_attached_in_open_after_await', async (t) => {
  const task = await t.connect(t.url('/echo', { act: 'text:one' }));
  const opened = async () => {
    await Promise.resolve();
    t.listen(task, {}, { events: ['message', 'error', 'close'] });
  };
  t.listen(task, { open: opened }, { events: ['open'] });
  await t.until('message');
  t.close(task, {});
  await closed(t);
});

scenario('listener_attached_after_all', async (t) => {
  const task = await t.connect(t.url('/echo', { act: 'text:unheard;close:4001:bye' }));
  await t.state(task, 3);
  t.listen(task);
  await t.turn();
  await t.send(task, 'late');
});

scenario('listener_attached_in_success', async (t) => {
  const task = await t.connect(t.url('/echo', { act: 'text:one' }));
  await Promise.resolve();
  t.listen(task);
  await t.until('message');
  t.close(task, {});
  await closed(t);
});

scenario('no_listener_at_all', async (t) => {
  const task = await t.connect(t.url('/echo', { act: 'text:one;close:1000:bye' }));
  await t.state(task, 3);
  t.step('socket', 'ended');
});

scenario('listener_that_is_no_function', async (t) => {
  const task = await t.connect(t.url());
  for (const value of [undefined, null, 5, {}]) {
    t.call('odd listener', 'onMessage', undefined, () => task.onMessage(value));
  }
  t.listen(task, {}, { events: ['open', 'error', 'close'] });
  await t.until('open');
  await t.send(task, 'hello');
  t.close(task, {});
  await closed(t);
});

scenario('listener_throws', async (t) => {
  const task = await t.connect(t.url('/echo', { act: 'text:one;text:two' }));
  t.listen(task, {
    open: () => {
      throw new Error('in open');
    },
    message: () => {
      throw new RangeError('in message');
    }
  });
  await t.until('message', { times: 2 });
  t.close(task, {});
  await closed(t);
});

scenario('result_throws', async (t) => {
  const task = await t.connect({
    url: t.url(),
    success: () => {
      t.step('socket', 'connect success');
      throw new Error('in success');
    }
  });
  if (!t.isTask(task)) return;
  t.listen(task);
  await t.until('open');
  await t.send(task, {
    data: 'hello',
    success: () => {
      t.step('send', 'send success');
      throw new Error('in success');
    }
  });
  await t.until('message');
  t.close(task, {});
  await closed(t);
});

// --- Promises that nobody looks at

scenario('unwatched_connect', async (t) => {
  await t.connect({ url: 'http://127.0.0.1/' }, { callbacks: [], watch: false });
  await t.turn();
});
scenario('unwatched_connect_with_success', async (t) => {
  await t.connect({ url: 'http://127.0.0.1/' }, { callbacks: ['success'], watch: false });
  await t.turn();
});
scenario('unwatched_connect_with_fail', async (t) => {
  await t.connect({ url: 'http://127.0.0.1/' }, { callbacks: ['fail'], watch: false });
  await t.until('connect fail');
  await t.turn();
});
for (const [name, callbacks] of Object.entries({
  none: [],
  success: ['success'],
  fail: ['fail'],
  complete: ['complete']
})) {
  scenario('unwatched_send_with_' + name, async (t) => {
    const task = await t.connect(t.url());
    t.listen(task);
    t.send(task, 'early', { callbacks, watch: false });
    await t.until('open');
    t.close(task, {});
    await closed(t);
  });
}

for (const [name, callbacks] of Object.entries({ none: [], fail: ['fail'] })) {
  scenario('unwatched_close_with_' + name, async (t) => {
    const task = await t.open(t.url());
    t.close(task, { code: 999 }, { callbacks, watch: false });
    t.close(task, {}, { lane: 'second closing' });
    await closed(t);
    t.close(task, {}, { lane: 'third closing', callbacks, watch: false });
  });
}

// --- the functions without a task, which Taro does not have for H5

scenario('global_functions', async (t) => {
  for (const name of [
    'sendSocketMessage',
    'closeSocket',
    'onSocketOpen',
    'onSocketMessage',
    'onSocketError',
    'onSocketClose'
  ]) {
    await t.call(name, name, undefined, () =>
      t.Taro[name](name.startsWith('on') ? () => t.step(name, 'event') : { data: 'x' })
    );
  }
  await session(t, t.url(), async (task) => {
    t.send(task, 'hello');
    await t.until('message');
  });
});
