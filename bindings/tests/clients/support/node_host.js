'use strict';
// node_host.js PROGRAM CONFIG: runs a program in Node.js with wx, my, swan, tt and Taro from the Node-API binding.

// MQTT.js sends chunk.buffer, the whole ArrayBuffer under a chunk; Node.js cuts small Buffers from one for all.
Buffer.poolSize = 0;

const start = require('./start');
const { create } = require('../../../node');

const [file, text] = process.argv.slice(2);
const config = JSON.parse(text);

// In mini programs this name is known, and undefined: some libraries name it without asking first.
globalThis.window = undefined;

/** A global that is made when somebody looks at it: libraries tell the platforms apart by what is there. */
function define(name, flavour, faceOf) {
  Object.defineProperty(globalThis, name, {
    configurable: true,
    get() {
      // MQTT.js and Supabase's client try again after a `close` only.
      const value = faceOf(create({ flavour, caFile: config.ca, closeAfterError: true }));
      Object.defineProperty(globalThis, name, { configurable: true, writable: true, value });
      return value;
    },
  });
}
define('wx', 'weapp', (app) => app.platform);
define('my', 'alipay', (app) => app.platform);
define('swan', 'swan', (app) => app.platform);
define('tt', 'tt', (app) => app.platform);
define('Taro', 'weapp', (app) => app.Taro);

// Apps without live sockets do not keep the process, and are released with it.
start(require(file), config, {
  exit: (code) => process.exit(code),
  onUncaught: (handler) => process.on('uncaughtException', handler),
});
