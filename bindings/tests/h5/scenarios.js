'use strict';
// All scenarios, by name: { run, wire }.

require('./scenarios/tasks.js');
require('./scenarios/messages.js');
require('./scenarios/closing.js');
require('./scenarios/connecting.js');
require('./scenarios/listeners.js');

module.exports = require('./scenarios/kit.js').scenarios;
