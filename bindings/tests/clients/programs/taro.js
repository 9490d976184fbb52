'use strict';
// Taro as it is built for mini programs, @tarojs/api and @tarojs/shared, which makes its functions of the platform's:
// not our Taro over the same app. The driver has a server that echoes.

/* global globalThis */
// The platform's frame has these, and Taro's build the switches.
globalThis.getApp = () => undefined;
globalThis.getCurrentPages = () => [];
const switches = [
  'ADJACENT_HTML', 'CLONE_NODE', 'CONTAINS', 'INNER_HTML', 'MUTATION_OBSERVER', 'SIZE_APIS', 'TEMPLATE_CONTENT',
];
for (const name of switches) globalThis[`ENABLE_${name}`] = false;

const { default: Taro } = require('@tarojs/api');
const { processApis } = require('@tarojs/shared');
const { Inbox, ok, same } = require('../support/check');
const { bytesOf, hashOf } = require('../support/bytes');

const EVENTS = ['Open', 'Message', 'Error', 'Close'];

module.exports = async ({ config, step }) => {
  processApis(Taro, globalThis[config.platform], {});
  const url = `ws://127.0.0.1:${config.port}/`;

  await step('the task of the Promise', async () => {
    const inbox = new Inbox();
    const told = [];
    const task = await Taro.connectSocket({
      url,
      success: () => told.push('success'),
      complete: () => told.push('complete'),
    });
    same(told, ['success', 'complete'], 'callbacks');
    same(task.errMsg, 'connectSocket:ok', 'errMsg');
    same([task.CONNECTING, task.OPEN, task.CLOSING, task.CLOSED], [0, 1, 2, 3], 'constants');
    same(task.readyState, 0, 'ready state');
    // The server says something as soon as it can: nothing is lost.
    for (const event of EVENTS) task[`on${event}`]((res) => inbox.put(event, res));
    ok((await inbox.take('Open')).header, 'open has the response header');
    same((await inbox.take('Message')).data, 'welcome', 'first message');
    same(task.readyState, 1, 'ready state');
    task.send({ data: 'xxx' });
    same((await inbox.take('Message')).data, 'xxx', 'text');
    const bytes = bytesOf(7, 70000);
    task.send({ data: bytes.buffer });
    same(hashOf(new Uint8Array((await inbox.take('Message')).data)), hashOf(bytes), 'bytes');
    task.close({ code: 3001, reason: 'enough' });
    same(await inbox.take('Close'), { code: 3001, reason: 'enough' }, 'close');
    same(task.readyState, 3, 'ready state');
    same(inbox.left(), [], 'events');
  });

  await step('a refused call', async () => {
    const told = [];
    const refused = await Taro.connectSocket({ url: 'http://127.0.0.1/', fail: (res) => told.push(res.errMsg) })
      .then(() => undefined, (res) => res);
    same(refused.errMsg, 'connectSocket:fail invalid url "http://127.0.0.1/"', 'errMsg');
    same(told, [refused.errMsg], 'fail');
  });

  if (Taro.onSocketOpen) {
    await step('the global functions', async () => {
      const inbox = new Inbox();
      for (const event of EVENTS) Taro[`onSocket${event}`]((res) => inbox.put(event, res));
      await Taro.connectSocket({ url });
      await inbox.take('Open');
      same((await inbox.take('Message')).data, 'welcome', 'first message');
      same((await Taro.sendSocketMessage({ data: 'hello' })).errMsg, 'sendSocketMessage:ok', 'errMsg');
      same((await inbox.take('Message')).data, 'hello', 'text');
      await Taro.closeSocket();
      same(await inbox.take('Close'), { code: 1000, reason: '' }, 'close');
      const late = await Taro.sendSocketMessage({ data: 'late' }).then(() => undefined, (res) => res);
      same(late.errMsg, 'sendSocketMessage:fail WebSocket is not connected', 'errMsg');
      same(inbox.left(), [], 'events');
    });
  }
};
