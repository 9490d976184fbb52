// What a script finds in the mini host, whatever the engine: console, timers, microtasks, require, `host`, and Taro,
// wx, my, swan and tt. The host calls the last expression's value with
//
//   native(operation, number, text)   the C++ side, see App::native
//   read(path)                        a file of the app, undefined if there is none
//   bridgeOf(flavour)                 makes a library app and a binding for it, and gives its bridge
//   taroSocket                        the value of taro_socket.js: { create }
//   facts                             JSON: { args, engine, flavour, timeline }
//
// and keeps the functions that this returns.
(function (native, read, bridgeOf, taroSocket, facts) {
  'use strict';
  facts = JSON.parse(facts);
  const define = (name, value) =>
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });

  // --- console

  const bytes = (buffer) => {
    const head = Array.from(new Uint8Array(buffer, 0, Math.min(buffer.byteLength, 16)));
    return head.map((byte) => byte.toString(16).padStart(2, '0')).join(' ') + (buffer.byteLength > 16 ? ' …' : '');
  };
  const inspect = (value, seen) => {
    if (typeof value === 'string') return JSON.stringify(value);
    if (typeof value === 'bigint') return value + 'n';
    if (typeof value === 'function') return '[Function ' + (value.name || 'anonymous') + ']';
    if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value);
    if (value instanceof Error) return describe(value);
    if (value instanceof ArrayBuffer) return 'ArrayBuffer(' + value.byteLength + ') <' + bytes(value) + '>';
    if (seen.includes(value)) return '[Circular]';
    const inner = seen.concat([value]);
    if (inner.length > 4) return Array.isArray(value) ? '[Array]' : '[Object]';
    if (Array.isArray(value)) return '[' + value.map((each) => inspect(each, inner)).join(', ') + ']';
    const fields = Object.keys(value).map((key) => key + ': ' + inspect(value[key], inner));
    const kind = value.constructor && value.constructor.name;
    return (kind && kind !== 'Object' ? kind + ' ' : '') + (fields.length ? '{ ' + fields.join(', ') + ' }' : '{}');
  };
  const describe = (error) => {
    if (!(error instanceof Error)) return inspect(error, []);
    const head = error.name + ': ' + error.message;
    // One engine's stack begins with the message, the other's does not.
    const stack = String(error.stack || '').replace(head, '').trim();
    return head + (stack ? '\n' + stack : '');
  };
  const format = (values) => values.map((value) => (typeof value === 'string' ? value : inspect(value, []))).join(' ');
  const writer = (kind) => (...values) => void native('print ' + kind, 0, format(values));
  define('console', { log: writer('log'), info: writer('info'), debug: writer('debug'), warn: writer('warn'),
    error: writer('error') });

  // --- exceptions and rejections that nobody caught: printed, and the exit code is 1; or told to host.onError

  const report = (error, what) => {
    if (typeof host.onError === 'function') {
      try {
        return void host.onError(error, what || 'exception');
      } catch (another) {
        error = another;
      }
    }
    native('failed', 0, 'uncaught ' + (what || 'exception') + ': ' + describe(error));
  };
  const rejections = new Map();
  const rejected = (promise, reason, handled) =>
    void (handled ? rejections.delete(promise) : rejections.set(promise, reason));
  const turnEnded = () => {
    if (rejections.size === 0) return;
    const reasons = Array.from(rejections.values());
    rejections.clear();
    for (const reason of reasons) report(reason, 'rejection');
  };
  const guarded = (callback, values) => {
    try {
      callback(...values);
    } catch (error) {
      report(error);
    }
  };

  // --- timers and microtasks: the host asks for the next deadline, and runs one timer a turn

  const timers = new Map();
  let lastTimer = 0;
  const now = () => native('now', 0, '');
  const start = (callback, delay, values, repeat) => {
    if (typeof callback !== 'function') throw new TypeError('a timer wants a function');
    const wait = Math.max(Number(delay) || 0, repeat ? 1 : 0);
    timers.set(++lastTimer, { callback, values, at: now() + wait, every: repeat ? wait : -1 });
    return lastTimer;
  };
  const first = () => {
    let found = 0;
    for (const [id, timer] of timers) if (!found || timer.at < timers.get(found).at) found = id;
    return found;
  };
  const runTimer = (due) => {
    const id = first();
    const timer = timers.get(id);
    if (!timer || timer.at > Number(due)) return 0;
    if (timer.every < 0) timers.delete(id);
    else timer.at = now() + timer.every;
    guarded(timer.callback, timer.values);
    return 1;
  };
  const nextTimer = () => (timers.size === 0 ? -1 : Math.max(0, timers.get(first()).at - now()));
  define('setTimeout', (callback, delay, ...values) => start(callback, delay, values, false));
  define('setInterval', (callback, delay, ...values) => start(callback, delay, values, true));
  define('clearTimeout', (id) => void timers.delete(id));
  define('clearInterval', (id) => void timers.delete(id));
  define('queueMicrotask', (callback) => {
    if (typeof callback !== 'function') throw new TypeError('queueMicrotask wants a function');
    Promise.resolve().then(() => guarded(callback, []));
  });

  // --- require: other scripts of the app, as every mini program has it

  const modules = new Map();
  const requireFrom = (folder) => (name) => {
    const path = [];
    for (const part of (folder + '/' + name).split('/')) {
      if (part === '..' && path.pop() === undefined) throw new Error(name + ' is outside of the app');
      if (part !== '..' && part !== '.' && part !== '') path.push(part);
    }
    const file = path.join('/').replace(/(\.js)?$/, '.js');
    if (!modules.has(file)) {
      const source = read(file);
      if (source === undefined) throw new Error('there is no ' + file);
      const module = { exports: {} };
      modules.set(file, module); // before it runs: two may require each other
      const run = new Function('module', 'exports', 'require', source + '\n//# sourceURL=' + file);
      try {
        run(module, module.exports, requireFrom(path.slice(0, -1).join('/')));
      } catch (error) {
        modules.delete(file);
        throw error;
      }
    }
    return modules.get(file).exports;
  };
  define('require', requireFrom(''));

  // --- the platforms

  const flavours = ['weapp', 'alipay', 'swan', 'tt', 'h5', 'rn'];
  // Sockets that have not ended, and calls without a result: what keeps the app going, besides timers.
  const live = [];
  const short = (data) => (typeof data !== 'string' ? data.byteLength + ' bytes'
    : inspect(data.length > 60 ? data.slice(0, 60) + '…' : data, []));
  // Of a socket's id the low 20 bits are enough to tell it from others.
  const print = (socket, ...words) =>
    void native('print event', 0, ['socket', socket % 0x100000, ...words.filter(Boolean)].join(' '));
  // A line of the timeline for each event of the bridge's handler.
  const told = [
    () => {},
    (socket, call, status, errMsg) => status && print(socket, errMsg),
    (socket, headers, protocol, extensions, profile) =>
      print(socket, 'open after', profile[7].toFixed(2), 'ms', protocol && 'with ' + protocol, extensions),
    (socket, data) => print(socket, 'message', short(data)),
    (socket, status, errMsg) => print(socket, 'error', errMsg),
    (socket, code, reason, clean) => print(socket, 'close', code, reason && short(reason), clean ? '' : '(not clean)'),
    (socket, left) => print(socket, 'drain:', left, 'bytes wait'),
  ];

  // Stands between a bridge and taro_socket.js, and sees what goes through: for the timeline and for `live`. A host
  // that wants neither lets the binding do all of this, with taro_quickjs_load or taro_jsc_load.
  const watched = (bridge) => {
    const tell = facts.timeline;
    const sockets = new Set();
    const calls = new Map(); // of calls, as strings: quickjs-ng is slow with many small numbers as keys
    live.push(sockets, calls);
    const asked = (call, socket, status) => {
      // From -1 to -99 it is misuse, and no result follows.
      if (call && (status >= 0 || status <= -100)) calls.set(String(call), socket);
      return status;
    };
    return {
      flavour: bridge.flavour,
      state: bridge.state,
      bufferedAmount: bridge.bufferedAmount,
      globalSocket: bridge.globalSocket,
      report: bridge.report,
      connect(call, url, ...rest) {
        const socket = bridge.connect(call, url, ...rest);
        if (tell) print(socket, 'connect', url);
        if (socket) sockets.add(socket);
        asked(call, socket, 0);
        return socket;
      },
      send(call, socket, data, offset, length) {
        if (tell) print(socket, 'send', typeof data === 'string' ? short(data) : length + ' bytes');
        return asked(call, socket, bridge.send(call, socket, data, offset, length));
      },
      close(call, socket, code, reason) {
        if (tell) print(socket, 'close asked', code, reason && short(reason));
        return asked(call, socket, bridge.close(call, socket, code, reason));
      },
      refuse: (call, ...rest) => asked(call, 0, bridge.refuse(call, ...rest)),
      release(socket) {
        bridge.release(socket);
        sockets.delete(socket);
        // The library gives no results of a socket that was released.
        for (const [call, its] of calls) if (its === socket) calls.delete(call);
      },
      listen: (handler) => bridge.listen(handler && ((kind, socket, ...rest) => {
        if (kind === 1) calls.delete(String(rest[0]));
        if (tell) told[kind](socket, ...rest);
        handler(kind, socket, ...rest);
      })),
    };
  };

  // One binding, so one library app, for each flavour that the script touches.
  const made = new Map();
  const faces = (flavour) => {
    if (!made.has(flavour)) {
      const bridge = bridgeOf(flavours.indexOf(flavour));
      native('new app', 0, ''); // it begins in the foreground, wherever the others are
      made.set(flavour, taroSocket.create(watched(bridge)));
    }
    return made.get(flavour);
  };
  const lazily = (name, get) =>
    Object.defineProperty(globalThis, name, { get, set: (value) => define(name, value), configurable: true });
  lazily('wx', () => faces('weapp').platform);
  lazily('my', () => faces('alipay').platform);
  lazily('swan', () => faces('swan').platform);
  lazily('tt', () => faces('tt').platform);
  lazily('Taro', () => faces(facts.flavour).Taro);

  // --- the host's own object, and app.json

  define('host', {
    args: facts.args,
    engine: facts.engine,
    onError: null,
    exit: (code) => void native('exit', Number(code) || 0, ''),
    gc: () => void native('gc', 0, ''),
    background: (flag) => void native('background', flag ? 1 : 0, ''),
  });

  // WeChat's keys where it has them. Its domain list is no part of app.json: it stands in the platform's console, and
  // has this name in the platform's API.
  const configure = (text) => {
    const config = JSON.parse(text);
    const number = (name, value) => typeof value === 'number' && native(name, value, '');
    native('config debug', config.debug === true ? 1 : 0, '');
    number('config timeout', (config.networkTimeout || {}).connectSocket);
    for (const domain of config.wsrequestdomain || []) native('config domain', 0, String(domain));
    const { maxSockets, sendBytes, messageBytes, backgroundGrace, closeAfterError } = config.miniHost || {};
    number('config maxSockets', maxSockets);
    number('config sendBytes', sendBytes);
    number('config messageBytes', messageBytes);
    number('config backgroundGrace', backgroundGrace);
    native('config closeAfterError', closeAfterError === true ? 1 : 0, '');
    return 1;
  };

  return { report, rejected, turnEnded, runTimer, nextTimer, configure,
    live: () => live.reduce((sum, each) => sum + each.size, 0) };
});
