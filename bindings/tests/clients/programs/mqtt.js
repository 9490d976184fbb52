'use strict';
// MQTT.js over its transports wx, wxs and ali. The driver has the broker and a peer.

const { Buffer } = require('buffer');
const mqttModule = require('mqtt');
const { BIG, MESSAGES, bytesOf, hashOf, hashOfMessage } = require('../support/bytes');
const { Inbox, ok, once, same } = require('../support/check');

/* global my */
const mqtt = mqttModule.default || mqttModule;

const options = ({ transport, port }) => ({
  protocol: transport,
  ...(transport === 'ali' ? { my } : {}),
  host: '127.0.0.1',
  port,
  forceNativeWebSocket: true,
  reconnectPeriod: 100,
});

/** Connects with a will and waits to be killed. */
async function testament({ config, say, step }) {
  const will = { topic: config.will, payload: Buffer.from('so long'), qos: 2 };
  const client = mqtt.connect({ ...options(config), clientId: 'testator', will });
  await step('connect', () => once(client, 'connect'));
  say('killable');
  await new Promise(() => {});
}

async function talk({ config, say, step }) {
  const inbox = new Inbox();
  const will = { topic: 'up/will', payload: Buffer.from('never sent'), qos: 1 };
  const client = mqtt.connect({ ...options(config), clientId: 'talker', will });
  client.on('message', (topic, payload, packet) => inbox.put(topic, { hash: hashOf(payload), qos: packet.qos }));

  await step('connect', async () => {
    const [connack] = await once(client, 'connect');
    same(connack.returnCode, 0, 'return code');
  });

  await step('subscribe', async () => {
    const wanted = { 'down/0/#': { qos: 0 }, 'down/1/#': { qos: 1 }, 'down/2/#': { qos: 2 } };
    const granted = await client.subscribeAsync(wanted);
    same(granted.map(({ topic, qos }) => [topic, qos]), [['down/0/#', 0], ['down/1/#', 1], ['down/2/#', 2]], 'granted');
  });

  // All at once, and one after the other; the driver looks at what the peer gets.
  const publish = ({ topic, qos, payload }) => client.publishAsync(`up/${topic}`, Buffer.from(payload), { qos });
  await step('publish', async () => {
    await Promise.all(MESSAGES.map(publish));
    for (const message of MESSAGES) await publish(message);
    say('published');
  });

  await step('receive', async () => {
    say('receive');
    for (const message of MESSAGES) {
      const { hash, qos } = await inbox.take(`down/${message.topic}`);
      same([hash, qos], [hashOfMessage(message), message.qos], message.topic);
    }
  });

  await step('1 MiB out', async () => {
    await client.publishAsync('up/big', Buffer.from(bytesOf(3, BIG)), { qos: 1 });
    say('big out');
  });

  await step('1 MiB in', async () => {
    say('big in');
    const { hash } = await inbox.take('down/1/big');
    say('big came');
    same(hash, hashOf(bytesOf(4, BIG)), 'payload');
  });

  await step('unsubscribe', async () => {
    await client.unsubscribeAsync('down/1/#');
    say('unsubscribed');
    await inbox.take('down/2/after unsubscribe');
    same(inbox.left(), [], 'messages that nobody asked for');
  });

  await step('reconnect', async () => {
    // A send that fails makes MQTT.js throw, for nobody hears its inner stream's error: all of them get through first.
    await client.publishAsync('up/all is sent', '', { qos: 1 });
    const closed = once(client, 'close');
    say('stop');
    await closed;
    ok(!client.connected, 'not connected');
    // The second attempt says that the first one has failed.
    await once(client, 'reconnect');
    await once(client, 'reconnect');
    const connected = once(client, 'connect');
    const queued = client.publishAsync('up/queued', 'while nobody was there', { qos: 1, retain: true });
    say('start');
    await connected;
    await queued;
    say('back');
    await inbox.take('down/2/after restart');
  });

  await step('will of another', async () => {
    say('testament');
    const { hash, qos } = await inbox.take('down/2/will');
    same([hash, qos], [hashOf(Buffer.from('so long')), 2], 'will');
  });

  await step('end', async () => {
    const closed = once(client, 'close');
    await client.endAsync();
    await closed;
    ok(client.disconnected, 'disconnected');
    say('ended');
  });
}

module.exports = (program) => (program.config.will ? testament : talk)(program);
