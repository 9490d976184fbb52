'use strict';
// What a scenario is written with. A step is a line of JSON: who (the lane), what, and what could be seen then.
//
// A lane has an order of its own: `socket` for a task, its calls and its events, and one for the results of each
// send and close, because nobody promises when those come among the events. Lanes are compared with lanes of the
// same name. `Taro`, the ports and `out` come from the host: page.js in a browser, app.js in a mini program.

const EVENTS = ['open', 'message', 'error', 'close'];
const RESULTS = ['success', 'fail', 'complete'];
const FIELDS = ['header', 'profile', 'data', 'code', 'reason', 'errMsg', 'errno', 'socketTaskId'];
// What differs from run to run, and says nothing: only that it is there is compared.
const ONLY_KIND = ['socketTaskId'];
const ONLY_KEYS = ['header', 'profile'];
const LONG = 200;

const isObject = (value) => value !== null && typeof value === 'object';
const className = (value) => Object.prototype.toString.call(value).slice(8, -1);
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

// FNV-1a: enough to see that two long messages are the same.
const digest = (items) => {
  let hash = 2166136261;
  for (let i = 0; i < items.length; i++) {
    const item = typeof items === 'string' ? items.charCodeAt(i) : items[i];
    hash = Math.imul(hash ^ (item & 255), 16777619);
    hash = Math.imul(hash ^ (item >> 8), 16777619);
  }
  return (hash >>> 0).toString(16);
};

const describeBytes = (bytes) => `${bytes.length} bytes ${bytes.length > LONG ? digest(bytes) : hex(bytes)}`.trim();

function describe(value) {
  if (typeof value === 'string') {
    return value.length > LONG ? `text of ${value.length}, ${digest(value)}` : JSON.stringify(value);
  }
  if (typeof value === 'function') return 'function';
  if (!isObject(value)) return String(value);
  const name = className(value);
  if (name === 'ArrayBuffer') return 'ArrayBuffer of ' + describeBytes(new Uint8Array(value));
  if (name === 'Blob') return `Blob of ${value.size} bytes`;
  if (name === 'DOMException' || value instanceof Error) return value.name;
  if (name !== 'Object') return name;
  return `{${Object.keys(value)
    .sort()
    .map((key) => `${key}: ${describe(value[key])}`)
    .join(', ')}}`;
}

// The argument of a callback, as the fields that a mini program may look at.
function fieldsOf(value) {
  if (!isObject(value)) return { argument: describe(value) };
  const fields = { argument: className(value) };
  if (fields.argument === 'DOMException' || value instanceof Error) fields.argument = value.name;
  for (const field of FIELDS) {
    if (!(field in value)) continue;
    const seen = value[field];
    if (ONLY_KIND.includes(field)) fields[field] = typeof seen;
    else if (ONLY_KEYS.includes(field))
      fields[field] = isObject(seen) ? Object.keys(seen).sort().join(' ') : describe(seen);
    else fields[field] = describe(seen);
  }
  return fields;
}

class Script {
  constructor(name, host) {
    this.name = name;
    this.host = host;
    this.Taro = host.Taro;
    this.lanes = new Map();
    this.waiting = [];
    this.tasks = new Map();
  }

  // A URL of the server, whose log of it goes to this scenario and lane.
  url(path = '/echo', query = {}, { lane = 'socket', listener = 'ws', host = '127.0.0.1', scheme = 'ws' } = {}) {
    const all = { id: `${this.name}.${lane.replace(/ /g, '-')}`, ...query };
    // Actions have an encoding of their own.
    const encode = (key) => (key === 'act' || key === 'onclose' ? all[key] : encodeURIComponent(all[key]));
    const pairs = Object.keys(all).map((key) => `${key}=${encode(key)}`);
    return `${scheme}://${host}:${this.host.ports[listener]}${path}?${pairs.join('&')}`;
  }

  step(lane, what, fields = {}) {
    const task = this.tasks.get(lane);
    if (task) fields = { ...fields, readyState: describe(task.readyState) };
    this.host.out(JSON.stringify({ scenario: this.name, lane, step: what, fields }));
    const steps = this.lanes.get(lane) || [];
    this.lanes.set(lane, steps);
    steps.push(what);
    this.waiting = this.waiting.filter((wait) => !wait(lane));
  }

  // Resolves once the lane has had the step, or so many of it.
  until(what, { lane = 'socket', times = 1 } = {}) {
    return new Promise((resolve) => {
      const see = (changed) => {
        const had = (this.lanes.get(lane) || []).filter((step) => step === what).length;
        if (changed !== lane || had < times) return false;
        resolve();
        return true;
      };
      if (!see(lane)) this.waiting.push(see);
    });
  }

  turn() {
    return new Promise((resolve) => this.host.later(resolve));
  }

  // Waits for a ready state that nobody is to be told of: a listener would change what is looked at.
  async state(task, wanted) {
    while (task.readyState !== wanted) await this.turn();
  }

  // Calls, and traces all that the call says. Gives what its Promise gave, undefined if it was rejected.
  async call(lane, what, option, call, { callbacks = RESULTS, watch = true } = {}) {
    if (isObject(option)) {
      option = { ...option };
      for (const result of callbacks) {
        if (!(result in option)) option[result] = (value) => this.step(lane, `${what} ${result}`, fieldsOf(value));
      }
    }
    let value;
    try {
      value = call(option);
    } catch (error) {
      this.step(lane, `${what} threw`, fieldsOf(error));
      return undefined;
    }
    this.step(lane, `${what} returned`, { value: describe(value) });
    if (!watch) return undefined;
    if (!isObject(value) || typeof value.then !== 'function') return value;
    return value.then(
      (given) => {
        if (this.isTask(given)) this.tasks.set(lane, given);
        const fields = this.isTask(given) ? { argument: 'task' } : fieldsOf(given);
        this.step(lane, `${what} resolved`, fields);
        return given;
      },
      (error) => this.step(lane, `${what} rejected`, fieldsOf(error))
    );
  }

  isTask(value) {
    return isObject(value) && typeof value.send === 'function';
  }

  connect(option, { lane = 'socket', ...more } = {}) {
    if (typeof option === 'string') option = { url: option };
    return this.call(lane, 'connect', option, (given) => this.Taro.connectSocket(given), more);
  }

  // Traces events, and then runs what the scenario does in them.
  listen(task, does = {}, { lane = 'socket', events = EVENTS } = {}) {
    for (const event of events) {
      const on = 'on' + event[0].toUpperCase() + event.slice(1);
      task[on]((value) => {
        this.step(lane, event, fieldsOf(value));
        if (does[event]) does[event](value);
      });
    }
  }

  // Connects, traces everything, and waits for the open event, or for the end where there is none.
  async open(option, { does = {}, lane = 'socket', ...more } = {}) {
    const task = await this.connect(option, { lane, ...more });
    if (!this.isTask(task)) return undefined;
    this.listen(task, does, { lane });
    await Promise.race([this.until('open', { lane }), this.until('close', { lane })]);
    return task;
  }

  send(task, option, { lane = 'send', ...more } = {}) {
    if (!isObject(option) || className(option) !== 'Object') option = { data: option };
    return this.call(lane, 'send', option, (given) => task.send(given), more);
  }

  close(task, option, { lane = 'closing', ...more } = {}) {
    return this.call(lane, 'close', option, (given) => task.close(given), more);
  }

  // The bytes of a message, whatever they came in.
  async bytes(data, lane = 'contents') {
    const buffer = className(data) === 'Blob' ? await data.arrayBuffer() : data;
    this.step(lane, 'contents', { bytes: describeBytes(new Uint8Array(buffer)) });
  }
}

module.exports = { Script, describe, fieldsOf };
