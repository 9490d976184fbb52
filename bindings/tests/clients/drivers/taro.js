'use strict';
// The other side of programs/taro.js: npm's ws, which greets and echoes.

const { WebSocketServer } = require('ws');

module.exports = async function drive(host, platform) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, binary) => socket.send(data, { binary }));
    socket.send('welcome');
  });
  await new Promise((resolve) => { server.once('listening', resolve); });
  try {
    return await host.play('taro', { platform, port: server.address().port });
  } finally {
    server.close();
    server.clients.forEach((socket) => socket.terminate());
  }
};
