'use strict';
// Taro.connectSocket, wx, my, swan and tt for Node.js and Electron: taro_socket.js over taro_socket_node.node.

const fs = require('fs');
const path = require('path');

const NATIVE = 'taro_socket_node.node';
const SCRIPT = 'taro_socket.js';

function find(what, given, places, help) {
  if (given !== undefined) {
    if (typeof given !== 'string' || given === '') throw new TypeError(`${what}: must be the path of a file`);
    return path.resolve(given);
  }
  const found = places.find((place) => fs.existsSync(place));
  if (found === undefined) {
    const error = new Error(`There is no ${what}. ${help} It was looked for at:\n  ${places.join('\n  ')}`);
    error.code = 'MODULE_NOT_FOUND';
    throw error;
  }
  return found;
}

function nativeFile(given) {
  const places = ['', 'build', 'build/Release'].map((folder) => path.join(__dirname, folder, NATIVE));
  return find(NATIVE, given === undefined ? process.env.TARO_SOCKET_NODE || undefined : given, places,
    'Build it in the folder of libtaro_socket:\n'
      + '  cargo build --release --locked\n'
      + '  cmake -S bindings/node -B bindings/node/build && cmake --build bindings/node/build\n'
      + 'or name it: the option native, or the environment\'s TARO_SOCKET_NODE.');
}

function scriptFile(given) {
  return find(SCRIPT, given, [path.join(__dirname, SCRIPT), path.join(__dirname, '..', 'js', SCRIPT)],
    'It stands in bindings/js of libtaro_socket; name it with the option script.');
}

/** Makes an app: see index.d.ts and README.md. */
function create(options = {}) {
  if (options === null || typeof options !== 'object') throw new TypeError('options must be an object');
  const { native, script, ...appOptions } = options;
  const { create: createApp } = require(nativeFile(native));
  const { create: createFaces } = require(scriptFile(script));
  const host = createApp(appOptions);
  try {
    return Object.assign(host, createFaces(host.bridge));
  } catch (error) {
    host.release();
    throw error;
  }
}

module.exports = { create };
