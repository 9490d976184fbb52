'use strict';
// @stomp/stompjs over the WebSocket that an adapter makes of wx: LeanCloud's and CloudBase's. The driver has a broker.

const { Client } = require('@stomp/stompjs');
const { Inbox, ok, same } = require('../support/check');

const makers = {
  leancloud(url, protocols) {
    const { WebSocket } = require('@leancloud/platform-adapters-weapp');
    return new WebSocket(url, protocols);
  },
  cloudbase(url, protocols) {
    const adapter = require('@cloudbase/adapter-wx_mp');
    const { wsClass: WebSocket } = (adapter.default || adapter).genAdapter({});
    return new WebSocket(url, { protocols });
  },
};

module.exports = async ({ config, say, step }) => {
  const inbox = new Inbox();
  const sockets = [];
  const client = new Client({
    webSocketFactory() {
      const socket = makers[config.adapter](`ws://127.0.0.1:${config.port}/stomp`, ['v11.stomp', 'v10.stomp']);
      sockets.push(socket);
      return socket;
    },
    reconnectDelay: 50,
    heartbeatIncoming: 0,
    heartbeatOutgoing: 0,
    onConnect: (frame) => inbox.put('connect', frame),
    onWebSocketClose: (event) => inbox.put('close', event),
    onWebSocketError: (event) => inbox.put('error', event),
    onStompError: (frame) => inbox.put('stomp error', frame),
  });

  await step('connect', async () => {
    client.activate();
    const frame = await inbox.take('connect');
    ok(frame.headers.version, 'the broker says its version');
    same(sockets[0].readyState, 1, 'ready state');
  });

  // What goes up comes down, as a text message or, since the broker counts characters, as a binary one.
  const goAndReturn = async (way, body) => {
    client.publish({ destination: `/topic/up/${way}`, body });
    same(await inbox.take('down'), body, way);
  };
  const subscribe = () => client.subscribe('/topic/down', (message) => inbox.put('down', message.body));

  await step('text', async () => {
    subscribe();
    await goAndReturn('text', 'hello');
    await goAndReturn('text', 'x'.repeat(20000));
  });

  await step('bytes', async () => {
    await goAndReturn('bytes', '你好 🙂');
    // LeanCloud's takes no views, which is what stompjs has.
    client.forceBinaryWSFrames = config.adapter === 'cloudbase';
  });

  await step('the connection breaks, the client comes again', async () => {
    say('break');
    await inbox.take('error');
    await inbox.take('close');
    await inbox.take('connect');
    subscribe();
    await goAndReturn('bytes', '你好 again');
  });

  await step('disconnect', async () => {
    await client.deactivate();
    await inbox.take('close');
    same(sockets.length, 2, 'connections');
    same(inbox.left(), [], 'what nobody waited for');
  });
};
