'use strict';
// The other side of programs/mqtt.js: mosquitto, and a peer that speaks MQTT over plain TCP.

const mqtt = require('mqtt');
const { Broker, findMosquitto } = require('../support/broker');
const { BIG, MESSAGES, bytesOf, hashOf, hashOfMessage } = require('../support/bytes');
const { Inbox, ok, once, same } = require('../support/check');
const { within } = require('../support/deadline');

module.exports = async function drive(host, transport, { folder, certs }) {
  const program = findMosquitto();
  if (!program) {
    console.log('mosquitto is not installed');
    return false;
  }
  const broker = new Broker(program, folder, certs);
  await broker.start();
  const peer = mqtt.connect({ host: '127.0.0.1', port: broker.ports.mqtt, reconnectPeriod: 20, clientId: 'peer' });
  try {
    const inbox = new Inbox();
    peer.on('message', (topic, payload, { qos }) => inbox.put(topic, { hash: hashOf(payload), qos }));
    await within(once(peer, 'connect'), 'the peer is connected');
    await peer.subscribeAsync('up/#', { qos: 2 });
    const config = { transport, port: transport.endsWith('s') ? broker.ports.wss : broker.ports.ws };
    return await host.play('mqtt', config, answersOf({ host, config, broker, peer, inbox }));
  } finally {
    peer.end(true);
    await broker.stop();
  }
};

function answersOf({ host, config, broker, peer, inbox }) {
  const take = (topic) => within(inbox.take(topic), `${topic} comes to the peer`);
  const isBig = { came: false };

  return {
    async published() {
      for (const message of [...MESSAGES, ...MESSAGES]) {
        const { hash, qos } = await take(`up/${message.topic}`);
        same([hash, qos], [hashOfMessage(message), message.qos], message.topic);
      }
      same(inbox.left(), [], 'messages that came twice');
    },
    receive() {
      for (const { topic, qos, payload } of MESSAGES) peer.publish(`down/${topic}`, Buffer.from(payload), { qos });
    },
    async 'big out'() {
      same((await take('up/big')).hash, hashOf(bytesOf(3, BIG)), 'the big message');
    },
    async 'big in'() {
      peer.publish('down/1/big', Buffer.from(bytesOf(4, BIG)), { qos: 1 });
      // The broker writes 4 KiB to a WebSocket in each turn of its loop, which turns ten times a second, or when
      // something comes at the plain listener.
      while (!isBig.came) await peer.publishAsync('pace', '', { qos: 1 });
    },
    'big came'() {
      isBig.came = true;
    },
    unsubscribed() {
      peer.publish('down/1/after unsubscribe', 'not for you', { qos: 1 });
      peer.publish('down/2/after unsubscribe', 'for you', { qos: 1 });
    },
    async stop() {
      await broker.stop();
    },
    async start() {
      const back = once(peer, 'connect');
      await broker.start();
      await within(back, 'the peer is connected again');
    },
    async back() {
      same((await take('up/queued')).hash, hashOf(Buffer.from('while nobody was there')), 'what was queued');
      peer.publish('down/2/after restart', 'here again', { qos: 2 });
    },
    async testament() {
      const connected = await new Promise((resolve) => {
        const testator = host.run('mqtt', { ...config, will: 'down/2/will' }, (what) => {
          if (what === 'killable') resolve(testator);
        });
        testator.ended.then(() => resolve(undefined));
      });
      ok(connected, 'the second client connects');
      await connected.kill();
    },
    async ended() {
      // As opposed to one that went away: then its will is published.
      await within(broker.logged(/Client talker disconnected/), 'the broker was told goodbye');
      same(inbox.left().filter((topic) => topic === 'up/will'), [], 'will');
    },
  };
}
