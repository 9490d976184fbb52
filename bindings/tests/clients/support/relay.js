'use strict';
// A TCP port before another one. It can refuse connections.

const net = require('net');

class Relay {
  constructor() {
    this.target = undefined;
    this.refused = undefined;
    this.server = net.createServer((socket) => {
      socket.on('error', () => {});
      if (!this.refused) {
        this.forward(socket);
        return;
      }
      socket.destroy();
      this.refused();
    });
  }

  /** The port that it listens on. */
  listen() {
    return new Promise((resolve) => {
      this.server.listen(0, '127.0.0.1', () => resolve(this.server.address().port));
    });
  }

  /** From now on connections end at once. Resolves with the first that does. */
  refuse() {
    return new Promise((resolve) => { this.refused = resolve; });
  }

  /** Connections go to this port. */
  open(port) {
    this.refused = undefined;
    this.target = port;
  }

  forward(socket) {
    const other = net.connect(this.target, '127.0.0.1');
    other.on('error', () => {});
    other.once('close', () => socket.destroy());
    socket.once('close', () => other.destroy());
    socket.pipe(other).pipe(socket);
  }

  close() {
    this.server.close();
  }
}

module.exports = { Relay };
