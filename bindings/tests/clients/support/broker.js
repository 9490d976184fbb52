'use strict';
// Debian's mosquitto, on free ports of its own: a plain listener, and WebSocket ones with and without TLS beside it.

const fs = require('fs');
const net = require('net');
const path = require('path');
const spawnChild = require('./child');
const { DEADLINE_MS, within } = require('./deadline');

/** The program, or undefined: in the folders of a system's services too, which are not in every user's PATH. */
function findMosquitto() {
  const folders = [...(process.env.PATH || '').split(':'), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => path.join(folder, 'mosquitto')).find((file) => fs.existsSync(file));
}

/** Ports that nobody listens on now. All are held until all are known, so that they differ. */
async function freePorts(count) {
  const listening = (server) => new Promise((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', () => resolve(server));
  });
  const servers = await Promise.all(Array.from({ length: count }, () => listening(net.createServer())));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

const connects = (port) => new Promise((resolve) => {
  const socket = net.connect(port, '127.0.0.1');
  socket.once('connect', () => { socket.destroy(); resolve(true); });
  socket.once('error', () => resolve(false));
});

class Broker {
  /** `folder`: for its configuration. `certs`: made by scripts/certs.sh. */
  constructor(program, folder, certs) {
    Object.assign(this, { program, folder, certs, ports: undefined, process: undefined, log: '' });
  }

  async start() {
    // Somebody else may take a port before the broker does; once the clients know the ports they stay.
    const keeps = this.ports !== undefined;
    const end = Date.now() + DEADLINE_MS;
    do {
      if (!keeps) {
        const [mqtt, ws, wss] = await freePorts(3);
        this.ports = { mqtt, ws, wss };
      }
      if (await this.run()) return;
    } while (Date.now() < end);
    throw new Error(`mosquitto does not start:\n${this.log}`);
  }

  async run() {
    const config = path.join(this.folder, 'mosquitto.conf');
    const { mqtt, ws, wss } = this.ports;
    fs.writeFileSync(config, [
      // As root it would become another user, who may not read the certificates' keys.
      ...(process.getuid() === 0 ? ['user root'] : []),
      'allow_anonymous true', 'log_dest stderr',
      `listener ${mqtt} 127.0.0.1`,
      `listener ${ws} 127.0.0.1`, 'protocol websockets',
      `listener ${wss} 127.0.0.1`, 'protocol websockets',
      `certfile ${path.join(this.certs, 'good.pem')}`, `keyfile ${path.join(this.certs, 'good.key')}`, '',
    ].join('\n'));
    this.log = '';
    this.process = spawnChild(this.program, ['-c', config], ['ignore', 'pipe']);
    this.ended = new Promise((resolve) => { this.process.once('exit', resolve); });
    this.process.stderr.setEncoding('utf8').on('data', (text) => { this.log += text; });
    await within(Promise.race([this.logged(/ running\n/), this.ended]), 'mosquitto runs');
    // Another process may have taken a port, which is then not the broker's.
    const answers = await Promise.all(Object.values(this.ports).map(connects));
    if (answers.every(Boolean) && this.process.exitCode === null) return true;
    await this.stop();
    return false;
  }

  /** Resolves when its log has the line. */
  async logged(pattern) {
    const { stderr } = this.process;
    while (!pattern.test(this.log)) await new Promise((resolve) => { stderr.once('data', resolve); });
  }

  async stop() {
    if (this.process) this.process.kill('SIGKILL');
    await this.ended;
    this.process = undefined;
  }
}

module.exports = { Broker, findMosquitto };
