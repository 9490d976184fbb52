'use strict';
// Processes that do not outlive this one.

const { spawn } = require('child_process');

const children = new Set();
process.once('exit', () => children.forEach((child) => child.kill('SIGKILL')));

/** As child_process.spawn, without an input. */
module.exports = function spawnChild(command, args, outputs) {
  const child = spawn(command, args, { stdio: ['ignore', ...outputs] });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
};
