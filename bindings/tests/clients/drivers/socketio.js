'use strict';
// The other side of programs/socketio.js: a socket.io server of the version that the library is made for.

const http = require('http');
const { Inbox, same } = require('../support/check');
const { bytesOf, hashOf } = require('../support/bytes');
const { within } = require('../support/deadline');
const { Relay } = require('../support/relay');

class Service {
  constructor(version) {
    this.Server = require(version === 3 ? 'socket.io' : 'socket.io-4').Server;
    this.events = new Inbox();
  }

  async start() {
    this.http = http.createServer();
    this.io = new this.Server(this.http, { transports: ['websocket'] });
    this.io.on('connection', (socket) => this.talk(socket));
    this.io.of('/chat').on('connection', (socket) => {
      socket.on('where', (answer) => answer(socket.nsp.name));
    });
    await new Promise((resolve) => { this.http.listen(0, '127.0.0.1', resolve); });
    this.port = this.http.address().port;
  }

  talk(socket) {
    this.socket = socket;
    same(socket.handshake.query.from, 'a mini program', 'query');
    socket.on('echo', (value, answer) => answer(value));
    socket.on('hash', (value, answer) => answer(hashOf(new Uint8Array(value))));
    socket.on('want bytes', (length) => socket.emit('bytes', Buffer.from(bytesOf(5, length))));
    socket.on('disconnect', (reason) => this.events.put('disconnect', reason));
  }

  /** Ends the transport, not the session: as a proxy does. */
  cut() {
    this.socket.conn.transport.close();
  }

  async stop() {
    await new Promise((resolve) => { this.io.close(resolve); });
  }
}

module.exports = async function drive(host, library, platform) {
  const service = new Service(library === 'weapp' ? 3 : 4);
  await service.start();
  const relay = new Relay();
  const port = await relay.listen();
  relay.open(service.port);
  try {
    return await host.play('socketio', { library, platform, port }, {
      async cut() {
        service.cut();
        await within(service.events.take('disconnect'), 'the server sees the end');
      },
      async stop() {
        relay.refuse();
        const seen = service.events.take('disconnect');
        await service.stop();
        await within(seen, 'the server sees the end');
      },
      async start() {
        await service.start();
        relay.open(service.port);
      },
      async disconnected() {
        same(await within(service.events.take('disconnect'), 'the server sees the end'),
          'client namespace disconnect', 'reason');
      },
    });
  } finally {
    relay.close();
    await service.stop();
  }
};
