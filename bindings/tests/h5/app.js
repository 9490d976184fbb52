'use strict';
// A scenario in a mini program of the mini host, which the first argument names.

const play = require('./play.js');

const plan = JSON.parse(host.args[0]);
play(plan.name, {
  Taro,
  ports: plan.ports,
  out: (line) => console.log('trace ' + line),
  later: (run) => setTimeout(run, 0),
  onTrouble: (tell) => {
    host.onError = (error, what) => tell(what === 'rejection' ? 'unhandled rejection' : 'uncaught error', error);
  }
});
