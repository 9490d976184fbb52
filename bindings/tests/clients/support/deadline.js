'use strict';
// How long a test waits for what must happen. Runs in every engine.

/* global setTimeout, clearTimeout */
const slow = typeof process === 'object' && process.env ? Number(process.env.TARO_TEST_SLOW || 1) : 1;
const DEADLINE_MS = 20000 * slow;

/** The promise's value, or an error that says what did not happen. */
function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${DEADLINE_MS} ms: ${what}`)), DEADLINE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

module.exports = { DEADLINE_MS, within };
