'use strict';
// Runs a program as the one script of an app in the mini host.

require('./polyfill');
const start = require('./start');

/* global host */
module.exports = (program) => start(program, JSON.parse(host.args[0]), {
  exit: (code) => host.exit(code),
  onUncaught: (handler) => { host.onError = handler; },
});
