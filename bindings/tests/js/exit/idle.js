// expect: 1
// With nothing left to wait for the host ends by itself: after timers, sockets and results, not before. The exit code
// tells that all of it came: the last thing is a rejection.
const told = [];
const task = wx.connectSocket({ url: 'ws://127.0.0.1:' + JSON.parse(host.args[0]).ports.ws + '/echo' });
task.onOpen(() => task.send({ data: 'x', complete: () => told.push('sent') }));
task.onMessage(() => task.close());
task.onClose(() => {
  told.push('closed');
  // What is left now: a result, then a timer.
  task.send({
    data: 'late',
    fail: () => setTimeout(() => {
      if (told.slice().sort().join() === 'closed,sent') Promise.reject(new Error('all came'));
    }, 30),
  });
});
