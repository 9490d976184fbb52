'use strict';
// Plays one scenario. Resolves when it has come to its end; steps may still follow, they are traced all the same.

const scenarios = require('./scenarios.js');
const { Script, fieldsOf } = require('./trace.js');

module.exports = async function play(name, host) {
  const script = new Script(name, host);
  // What the engine tells of errors that nobody caught.
  host.onTrouble((what, error) => script.step('script', what, fieldsOf(error)));
  try {
    await scenarios[name].run(script);
    // Rejections that nobody looks at are told after the turn that they happened in.
    await script.turn();
    await script.turn();
  } catch (error) {
    script.step('script', 'the scenario threw', { message: String(error) });
  }
};
