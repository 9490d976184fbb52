'use strict';
// The other side of programs/signalr.js: what SignalR's server for ASP.NET says on a WebSocket.

const { WebSocketServer } = require('ws');
const { Inbox, same } = require('../support/check');
const { within } = require('../support/deadline');

module.exports = async function drive(host) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  const closes = new Inbox();
  const paths = [];
  server.on('connection', (socket, request) => {
    const { pathname, searchParams } = new URL(request.url, 'http://127.0.0.1');
    paths.push([pathname, searchParams.get('connectionToken'), searchParams.get('connectionData')]);
    socket.on('error', () => {});
    socket.on('close', (code) => closes.put('close', code));
    socket.on('message', (text) => {
      const { M: method, A: [value], I: id } = JSON.parse(text);
      const answer = method === 'fail' ? { I: `${id}`, E: 'not today' } : { I: `${id}`, R: value };
      socket.send(JSON.stringify(answer));
    });
    socket.send('{"C":"d-1","S":1,"M":[]}');
  });
  await new Promise((resolve) => { server.once('listening', resolve); });
  const all = (act) => server.clients.forEach(act);
  const tell = (socket) => socket.send('{"C":"d-2","M":[{"H":"Chat","M":"news","A":["from the server",1]}]}');
  try {
    return await host.play('signalr', { port: server.address().port }, {
      call: () => all(tell),
      async break() {
        all((socket) => socket.terminate());
        await within(closes.take('close'), 'the server sees the end');
      },
      async stopped() {
        same(await within(closes.take('close'), 'the server sees the end'), 1000, 'code');
        const rest = ['to+ken/=', '[{"name":"Chat"}]'];
        same(paths, [['/signalr/connect', ...rest], ['/signalr/reconnect', ...rest]], 'requests');
      },
    });
  } finally {
    server.close();
    all((socket) => socket.terminate());
  }
};
