'use strict';
// A TCP port before another one. It can refuse connections, or hold them until something answers there.

const net = require('net');

class Relay {
  constructor() {
    this.target = undefined;
    this.refused = undefined;
    this.held = [];
    this.server = net.createServer((socket) => {
      socket.on('error', () => {});
      if (this.refused) {
        socket.destroy();
        this.refused();
      } else if (this.target === undefined) this.held.push(socket);
      else this.forward(socket);
    });
  }

  /** The port that it listens on. */
  listen() {
    return new Promise((resolve) => {
      this.server.listen(0, '127.0.0.1', () => resolve(this.server.address().port));
    });
  }

  /** From now on connections wait. Those that stand go on. */
  hold() {
    this.target = undefined;
  }

  /** From now on connections end at once. Resolves with the first that does. */
  refuse() {
    return new Promise((resolve) => { this.refused = resolve; });
  }

  /** Connections go to this port. */
  open(port) {
    this.refused = undefined;
    this.target = port;
    this.held.splice(0).forEach((socket) => this.forward(socket));
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
    this.held.forEach((socket) => socket.destroy());
  }
}

module.exports = { Relay };
