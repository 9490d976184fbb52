// An echo server made of npm's ws: `interop_ws.js [CERTS_DIR]`.
//
// Prints the ports of `ws` and `wss` as a line of JSON, and of `ws_deflate` and `wss_deflate`, which compress every
// message, on terms that depend on the path; ends when its standard input does. Commands are text messages:
// `close:CODE:REASON` closes, `fragments:A|B|C` comes back in fragments, `ping` comes back once a ping was answered.
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

function talk(socket) {
  socket.on('error', () => {});
  socket.on('message', (data, binary) => {
    if (binary) {
      socket.send(data);
    } else {
      answer(socket, data.toString());
    }
  });
}

// What permessage-deflate is answered with, by path.
const plain = { '/': false };
const compressed = {
  '/': { threshold: 0 },
  '/no-takeover': { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true },
  '/windows': { threshold: 0, serverMaxWindowBits: 10, clientMaxWindowBits: 11 },
};

function serve(server, terms) {
  const upgrades = new Map();
  for (const [path, perMessageDeflate] of Object.entries(terms)) {
    upgrades.set(path, new WebSocketServer({
      noServer: true,
      maxPayload: 0, // no limit
      perMessageDeflate,
      handleProtocols: (offered) => (offered.has('chat') ? 'chat' : false),
    }));
  }
  server.on('upgrade', (request, socket, head) => {
    const sockets = upgrades.get(request.url);
    if (sockets) {
      sockets.handleUpgrade(request, socket, head, talk);
    } else {
      socket.destroy();
    }
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
}

async function main() {
  const file = (name) => fs.readFileSync(path.join(certs, name));
  const secure = () => https.createServer({ cert: file('good.pem'), key: file('good.key') });
  console.log(JSON.stringify({
    ws: await serve(http.createServer(), plain),
    wss: await serve(secure(), plain),
    ws_deflate: await serve(http.createServer(), compressed),
    wss_deflate: await serve(secure(), compressed),
  }));
  process.stdin.on('end', () => process.exit(0)).resume();
}

main();
