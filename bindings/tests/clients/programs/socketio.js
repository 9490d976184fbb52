'use strict';
// socket.io's clients for mini programs: weapp.socket.io (socket.io 3) and @hyoga/uni-socket.io (socket.io 4). The
// driver, drivers/socketio.js, has a server of the same version.

const { Inbox, ok, once, same } = require('../support/check');
const { bytesOf, hashOf } = require('../support/bytes');

// uni-app gives its scripts the platform's functions under its own name.
/* global globalThis */
function load({ library, platform }) {
  if (library === 'weapp') return require('weapp.socket.io');
  globalThis.uni = globalThis[platform];
  return require('@hyoga/uni-socket.io');
}

/** What the server answers to an event. */
const ask = (socket, ...values) => new Promise((resolve) => { socket.emit(...values, resolve); });

module.exports = async ({ config, say, step, tolerate }) => {
  const io = load(config);
  const inbox = new Inbox();
  const url = `http://127.0.0.1:${config.port}`;
  const options = {
    transports: ['websocket'], query: { from: 'a mini program' }, reconnectionDelay: 50, reconnectionDelayMax: 50,
    forceNew: true,
  };
  const socket = io(url, options);
  for (const name of ['news', 'bytes', 'room']) socket.on(name, (value) => inbox.put(name, value));

  await step('connect', async () => {
    await once(socket, 'connect');
    ok(socket.id, 'it has an id');
  });

  await step('acknowledgement', async () => {
    const value = { text: '你好 🙂', list: [1, null, true] };
    same(await ask(socket, 'echo', value), value, 'echo');
  });

  await step('many messages in order', async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => ask(socket, 'echo', i)));
    same(answers, Array.from({ length: 200 }, (_, i) => i), 'answers');
  });

  await step('bytes in', async () => {
    socket.emit('want bytes', 100000);
    same(hashOf(new Uint8Array(await inbox.take('bytes'))), hashOf(bytesOf(5, 100000)), 'bytes');
  });

  await step('bytes out', async () => {
    const bytes = bytesOf(6, 100000);
    same(await ask(socket, 'hash', bytes.buffer), hashOf(bytes), 'an ArrayBuffer');
    // A view of a part: its own bytes, not those of the buffer under it, which the other library would pass.
    if (config.library !== 'weapp') return;
    same(await ask(socket, 'hash', bytes.subarray(1000, 2000)), hashOf(bytes.subarray(1000, 2000)), 'a view');
  });

  await step('a second namespace', async () => {
    const chat = io(`${url}/chat`, { ...options, forceNew: false });
    const connected = once(chat, 'connect');
    await connected;
    same(await ask(chat, 'where'), '/chat', 'namespace');
    const gone = once(chat, 'disconnect');
    chat.disconnect();
    await gone;
  });

  await step('the server closes, the client comes again', async () => {
    const before = socket.id;
    const gone = once(socket, 'disconnect');
    const again = once(socket, 'connect');
    say('cut');
    ok(['transport close', 'transport error'].includes((await gone)[0]), 'why it was disconnected');
    // What is said meanwhile gets there later.
    const answer = ask(socket, 'echo', 'queued');
    await again;
    ok(socket.id !== before, 'a new session');
    same(await answer, 'queued', 'echo');
  });

  await step('the server goes away and comes back', async () => {
    // Its handler of errors throws where no connection stands yet, and it tries again all the same.
    if (config.library === 'weapp') tolerate('WebSocket was closed before the connection was established');
    const tries = once(socket.io, 'reconnect_error');
    say('stop');
    await tries;
    const again = once(socket, 'connect');
    say('start');
    await again;
    same(await ask(socket, 'echo', 'here again'), 'here again', 'echo');
  });

  await step('disconnect', async () => {
    const gone = once(socket, 'disconnect');
    const closed = once(socket.io.engine, 'close');
    socket.disconnect();
    same((await gone)[0], 'io client disconnect', 'reason');
    await closed;
    say('disconnected');
  });
};
