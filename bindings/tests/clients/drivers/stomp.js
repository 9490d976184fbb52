'use strict';
// The other side of programs/stomp.js: a STOMP broker for Node.js.

const http = require('http');
const StompServer = require('stomp-broker-js');

module.exports = async function drive(host, adapter) {
  const server = http.createServer();
  const sockets = new Set();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const broker = new StompServer({ server, path: '/stomp', heartbeat: [0, 0] });
  broker.subscribe('/topic/up/text', (body) => broker.send('/topic/down', {}, body.toString()));
  broker.subscribe('/topic/up/bytes', (body) => broker.send('/topic/down', {}, Buffer.from(body)));
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  try {
    return await host.play('stomp', { adapter, port: server.address().port }, {
      break: () => sockets.forEach((socket) => socket.destroy()),
    });
  } finally {
    server.close();
    sockets.forEach((socket) => socket.destroy());
  }
};
