// expect: 0
// With nothing left to wait for the host ends by itself: after timers, sockets and results, not before.
const url = 'ws://127.0.0.1:' + JSON.parse(host.args[0]).ports.ws + '/echo';
const told = [];
setTimeout(() => told.push('timer'), 20);
const task = wx.connectSocket({ url });
task.onOpen(() => task.send({ data: 'x', complete: () => told.push('sent') }));
task.onMessage(() => task.close());
task.onClose(() => {
  told.push('closed');
  // The last thing that is left: a result.
  task.send({
    data: 'late',
    fail: () => setTimeout(() => {
      // Wrong: a rejection makes the exit code 1.
      if (told.slice().sort().join() !== 'closed,sent,timer') Promise.reject(new Error(told.join()));
    }, 30),
  });
});
