// An echo server made of npm's ws: `interop_ws.js [CERTS_DIR]`.
//
// Prints the ports of `ws` and `wss` as a line of JSON, ends when its standard input does. Commands are text
// messages: `close:CODE:REASON` closes, `fragments:A|B|C` comes back in fragments, `ping` comes back once a ping was
// answered.
'use strict';

const fs = require('fs');
const http = require('http');
const https = require('https');
const path = require('path');
const { WebSocketServer } = require('ws');

const certs = process.argv[2] || process.env.TARO_TEST_CERTS;

function answer(socket, text) {
  const [name, ...values] = text.split(':');
  const value = values.join(':');
  if (name === 'close') {
    socket.close(Number(values[0]), values.slice(1).join(':'));
  } else if (name === 'fragments') {
    const parts = value.split('|');
    parts.forEach((part, index) => socket.send(part, { fin: index === parts.length - 1 }));
  } else if (name === 'ping') {
    socket.once('pong', () => socket.send(text));
    socket.ping('interop');
  } else {
    socket.send(text);
  }
}

function serve(server) {
  const sockets = new WebSocketServer({
    server,
    maxPayload: 0, // no limit
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has('chat') ? 'chat' : false),
  });
  sockets.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, binary) => {
      if (binary) {
        socket.send(data);
      } else {
        answer(socket, data.toString());
      }
    });
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
}

async function main() {
  const file = (name) => fs.readFileSync(path.join(certs, name));
  const ws = await serve(http.createServer());
  const wss = await serve(https.createServer({ cert: file('good.pem'), key: file('good.key') }));
  console.log(JSON.stringify({ ws, wss }));
  process.stdin.on('end', () => process.exit(0)).resume();
}

main();
