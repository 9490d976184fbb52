'use strict';
// Runs a program of programs/ in whatever engine this is, and tells the driver how it goes: each line `@ JSON` on the
// console is for the driver, see run.js.

const { within } = require('./deadline');

/**
 * `program({ config, say, step, tolerate })`. `exit(code)` ends the process; after success it has to end by itself, unless
 * the program's value is 'quit', for a library that leaves timers behind.
 * `onUncaught(handler)`: for exceptions of handlers that nobody caught.
 */
module.exports = async function start(program, config, { exit, onUncaught }) {
  const say = (what, details) => console.log(`@ ${JSON.stringify({ what, ...details })}`);
  const step = async (name, body) => {
    const value = await within(Promise.resolve().then(body), name);
    say('passed', { name });
    return value;
  };
  const failed = (error) => {
    say('failed', { error: `${error && error.message}\n${error && error.stack}` });
    exit(1);
  };
  /** A library may throw this, where its platform would only write it to the console. */
  const tolerate = (message) => onUncaught((error) => {
    if (!error || error.message !== message) failed(error);
  });
  try {
    const end = await program({ config, say, step, tolerate });
    say('done');
    if (end === 'quit') exit(0);
  } catch (error) {
    failed(error);
  }
};
