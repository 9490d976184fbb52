'use strict';
// A scenario in a browser: runs in a frame of its own, with the real Taro of web pages. top.html starts it.

// Taro's build turns Taro.connectSocket into this import.
const Taro = require('@tarojs/taro-h5');
const play = require('./play.js');

const host = {
  Taro,
  ports: parent.ports,
  out: (line) => parent.trace(line),
  later: (run) => setTimeout(run, 0),
  onTrouble: (tell) => {
    addEventListener('unhandledrejection', (event) => {
      tell('unhandled rejection', event.reason);
      event.preventDefault();
    });
    addEventListener('error', (event) => {
      tell('uncaught error', event.error);
      event.preventDefault();
    });
  }
};
const name = decodeURIComponent(location.search.slice(1));
play(name, host).then(() => parent.ended(name));
