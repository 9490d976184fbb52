'use strict';
// Checks and waits of programs; runs in every engine.

const show = (value) => {
  const text = JSON.stringify(value);
  return text !== undefined && text.length > 300 ? `${text.slice(0, 300)}…` : String(text);
};

/** Plain values, by what JSON says of them. */
function same(value, expected, what) {
  if (JSON.stringify(value) === JSON.stringify(expected)) return;
  throw new Error(`${what}: ${show(value)}, not ${show(expected)}`);
}

function ok(value, what) {
  if (!value) throw new Error(`not so: ${what}`);
}

/** What the next `name` event of an emitter carries. Call it before what makes the event come. */
const once = (emitter, name) => new Promise((resolve) => { emitter.once(name, (...values) => resolve(values)); });

/** What came and was not yet taken, by key. */
class Inbox {
  constructor() {
    this.waiting = [];
    this.takers = [];
  }

  put(key, value) {
    const at = this.takers.findIndex((taker) => taker.key === key);
    if (at < 0) this.waiting.push({ key, value });
    else this.takers.splice(at, 1)[0].resolve(value);
  }

  take(key) {
    const at = this.waiting.findIndex((each) => each.key === key);
    if (at >= 0) return Promise.resolve(this.waiting.splice(at, 1)[0].value);
    return new Promise((resolve) => { this.takers.push({ key, resolve }); });
  }

  /** The keys of what nobody has taken. */
  left() {
    return this.waiting.map(({ key }) => key);
  }
}

module.exports = { Inbox, ok, once, same };
