// expect: 1
// An exception in a handler does not end the app, but its exit code tells.
const task = wx.connectSocket({ url: 'ws://127.0.0.1:' + JSON.parse(host.args[0]).ports.ws + '/echo' });
task.onOpen(() => {
  task.close();
  throw new Error('on purpose');
});
