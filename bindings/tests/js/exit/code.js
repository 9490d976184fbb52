// expect: 7
// The script says the code, and with that it is over: the timer never comes.
setTimeout(() => host.exit(9), 600000);
wx.connectSocket({ url: 'ws://127.0.0.1:' + JSON.parse(host.args[0]).ports.ws + '/echo' }).onOpen(() => host.exit(7));
