'use strict';
// The other side of programs/supabase.js: channels as Phoenix has them, over npm's ws.

const { WebSocketServer } = require('ws');
const { Inbox, once, same } = require('../support/check');
const { within } = require('../support/deadline');
const { Relay } = require('../support/relay');

class Server {
  constructor() {
    this.server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    this.closes = new Inbox();
    this.beats = 0;
    this.requests = [];
    this.server.on('connection', (socket, request) => this.talk(socket, request));
  }

  talk(socket, { url, headers }) {
    this.requests.push([url, headers['x-client-info'], headers['x-number']]);
    socket.on('error', () => {});
    socket.on('close', (code) => this.closes.put('close', code));
    socket.on('message', (text) => {
      const { topic, event, payload, ref } = JSON.parse(text);
      if (topic === 'phoenix' && event === 'heartbeat' && (this.beats += 1) && this.onBeat) this.onBeat();
      if (event === 'broadcast') this.send({ topic, event, payload, ref: null });
      this.send({ topic, event: 'phx_reply', ref, payload: { status: 'ok', response: { postgres_changes: [] } } });
    });
  }

  /** To the one client there is. */
  send(message) {
    this.server.clients.forEach((socket) => socket.send(JSON.stringify(message)));
  }

  cut() {
    this.server.clients.forEach((socket) => socket.terminate());
  }
}

module.exports = async function drive(host) {
  const phoenix = new Server();
  await once(phoenix.server, 'listening');
  const relay = new Relay();
  const port = await relay.listen();
  relay.open(phoenix.server.address().port);
  try {
    return await host.play('supabase', { port }, {
      heartbeat() {
        phoenix.beats = 0;
        phoenix.onBeat = () => {
          if (phoenix.beats !== 2) return;
          const payload = { type: 'broadcast', event: 'said', payload: { beats: 2 } };
          phoenix.send({ topic: 'realtime:room', event: 'broadcast', payload, ref: null });
        };
      },
      async break() {
        const refused = relay.refuse();
        phoenix.cut();
        await within(phoenix.closes.take('close'), 'the server sees the end');
        await within(refused, 'the client tries again');
        relay.open(phoenix.server.address().port);
      },
      async disconnected() {
        same(await within(phoenix.closes.take('close'), 'the server sees the end'), 1000, 'code');
        const request = ['/realtime/v1/websocket?apikey=a%20key&vsn=1.0.0', 'tests', '7'];
        same(phoenix.requests, [request, request], 'requests');
      },
    });
  } finally {
    relay.close();
    phoenix.server.close();
    phoenix.cut();
  }
};
