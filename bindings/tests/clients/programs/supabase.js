'use strict';
// Supabase's realtime client for WeChat. The driver answers as its server, Phoenix, does.

const { RealtimeClient } = require('supabase-wechat-stable-v2');
const { Inbox, same } = require('../support/check');

module.exports = async ({ config, say, step }) => {
  const inbox = new Inbox();
  const client = new RealtimeClient(`ws://127.0.0.1:${config.port}/realtime/v1`, {
    params: { apikey: 'a key' },
    headers: { 'X-Client-Info': 'tests', 'X-Number': 7 },
    heartbeatIntervalMs: 50,
    reconnectAfterMs: () => 20,
  });
  const channel = client.channel('room', { config: { broadcast: { ack: true, self: true } } });
  channel.on('broadcast', { event: 'said' }, ({ payload }) => inbox.put('said', payload));

  await step('subscribe', async () => {
    channel.subscribe((status) => inbox.put(status));
    await inbox.take('SUBSCRIBED');
    same(client.isConnected(), true, 'connected');
  });

  await step('broadcast', async () => {
    same(await channel.send({ type: 'broadcast', event: 'said', payload: { text: '你好 🙂' } }), 'ok', 'answer');
    same(await inbox.take('said'), { text: '你好 🙂' }, 'payload');
  });

  await step('heartbeat', async () => {
    say('heartbeat');
    same((await inbox.take('said')).beats, 2, 'heartbeats');
  });

  await step('the connection breaks, the client comes again', async () => {
    say('break');
    await inbox.take('CHANNEL_ERROR');
    await inbox.take('SUBSCRIBED');
    same(await channel.send({ type: 'broadcast', event: 'said', payload: { text: 'again' } }), 'ok', 'answer');
    same(await inbox.take('said'), { text: 'again' }, 'payload');
  });

  await step('disconnect', async () => {
    // What it does when its socket says that it has closed: another attempt, were this not the end.
    client.reconnectTimer.scheduleTimeout = () => inbox.put('closed');
    same(await channel.unsubscribe(), 'ok', 'answer');
    client.disconnect();
    await inbox.take('closed');
    say('disconnected');
  });

  // What was cut off waits for its answer, for 10 seconds.
  return 'quit';
};
