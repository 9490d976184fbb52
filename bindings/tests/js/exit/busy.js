// expect: 0
// The engine ends with sockets in every state, results that are still to come, and messages that the script holds.
const base = 'ws://127.0.0.1:' + JSON.parse(host.args[0]).ports.ws + '/echo';
const connecting = wx.connectSocket({ url: base + '?stall=request', complete() {} });
const closing = wx.connectSocket({ url: base + '?onclose=ignore' });
closing.onOpen(() => closing.close({ complete() {} }));
globalThis.held = [];
const open = wx.connectSocket({ url: base + '?act=fill:100000;fill:100000;fill:100000' });
open.onMessage(({ data }) => {
  held.push(data);
  if (held.length < 3) return;
  for (let at = 0; at < 100; at++) open.send({ data, complete() {} });
  wx.sendSocketMessage({ data: 'x' });
  Taro.connectSocket({ url: base }).then(() => {});
  my.connectSocket({ url: base, multiple: true });
  host.exit(0);
  // What comes after exit in the same turn does no harm.
  wx.connectSocket({ url: base });
  open.close();
});
connecting.onError(() => {});
