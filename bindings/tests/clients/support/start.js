'use strict';
// Runs a program of programs/ in whatever engine this is, and tells the driver how it goes: each line `@ JSON` on the
// console is for the driver, see run.js.

const { within } = require('./deadline');

/**
 * `program({ config, say, step, tolerate })`. `fail()` ends the process; after success it has to end by itself.
 * `onUncaught(handler)`: for exceptions of handlers that nobody caught.
 */
module.exports = async function start(program, config, { fail, onUncaught }) {
  const say = (what, details) => console.log(`@ ${JSON.stringify({ what, ...details })}`);
  const step = async (name, body) => {
    const value = await within(Promise.resolve().then(body), name);
    say('passed', { name });
    return value;
  };
  const failed = (error) => {
    say('failed', { error: `${error && error.message}\n${error && error.stack}` });
    fail();
  };
  /** A library may throw this, where its platform would only write it to the console. */
  const tolerate = (message) => onUncaught((error) => {
    if (!error || error.message !== message) failed(error);
  });
  try {
    await program({ config, say, step, tolerate });
    say('done');
  } catch (error) {
    failed(error);
  }
};
