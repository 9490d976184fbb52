'use strict';
// What scenarios have in common. A scenario is what a mini program does, with nothing but Taro.connectSocket, the
// SocketTask and the trace (trace.js). Each is played alone, in a page or an app of its own. None waits for time: it ends
// with an event or a result.

const scenarios = {};
// wire: false where the client may have sent its request or not when the scenario ends.
const scenario = (name, run, { wire = true } = {}) => {
  scenarios[name] = { run, wire };
};

const bytes = (...values) => new Uint8Array(values).buffer;
const patternText = (length) => 'taro '.repeat(length / 5 + 1).slice(0, length);
const closed = (t, lane = 'socket') => t.until('close', { lane });

// Opens, and waits for the end that comes by itself.
async function life(t, option) {
  if (await t.open(option)) await closed(t);
}

// Opens, does something, closes unless that did, and ends with the close event.
async function session(t, option, act) {
  const task = await t.open(option);
  if (!task) return;
  if (task.readyState === 1) await act(task);
  if (task.readyState === 1) t.close(task, {});
  await closed(t);
}

module.exports = { scenarios, scenario, bytes, patternText, closed, life, session };
