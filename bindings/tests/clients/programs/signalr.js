'use strict';
// taro-signalr over our own Taro.connectSocket. It comes untranslated, for Taro's build: it is always bundled, with
// support/taro.js as @tarojs/taro. The driver speaks the server's side of SignalR's older protocol.

const { HubClient } = require('taro-signalr');
const { Inbox, ok, same } = require('../support/check');

module.exports = async ({ config, say, step }) => {
  const quiet = { info() {}, warn() {}, error() {} };
  const inbox = new Inbox();
  const client = new HubClient({ url: `http://127.0.0.1:${config.port}/signalr`, logger: quiet });
  // As its README has it.
  client._registerHubProxies = () => {};
  const chat = client.createHubProxy('Chat');
  chat._logger = quiet;
  chat.funcs.news = (...values) => inbox.put('news', values);

  await step('start', () => client.start());

  await step('invoke', async () => {
    const value = { text: '你好 🙂', list: [1, null] };
    same(await chat.invoke('echo', value), value, 'result');
    const results = await Promise.all(Array.from({ length: 100 }, (_, i) => chat.invoke('echo', i)));
    same(results, Array.from({ length: 100 }, (_, i) => i), 'results');
    const refused = await chat.invoke('fail').then(() => undefined, (error) => error);
    ok(refused && refused.message === 'not today', 'an error of the server');
  });

  await step('called by the server', async () => {
    say('call');
    same(await inbox.take('news'), ['from the server', 1], 'arguments');
  });

  await step('the connection breaks, the client comes again', async () => {
    client.on('reconnected', () => inbox.put('reconnected'));
    say('break');
    await inbox.take('reconnected');
    same(await chat.invoke('echo', 'here again'), 'here again', 'result');
  });

  await step('stop', async () => {
    client.on('disconnected', () => inbox.put('disconnected'));
    client.stop();
    await inbox.take('disconnected');
    say('stopped');
  });
};
