'use strict';
// What libraries take for granted and a mini program's engine does not have: it has the language, console, timers,
// microtasks and the platform. Each comes from npm, as in a mini program that is built with a bundler.

/* global globalThis */
// WeChat knows this name, and it is undefined: some libraries name it without asking first.
globalThis.window = undefined;
globalThis.self = globalThis;
globalThis.navigator = { userAgent: '' };
globalThis.process = require('process/browser');
globalThis.Buffer = require('buffer').Buffer;
require('core-js/web/immediate');
require('core-js/web/dom-exception');
require('core-js/web/url');
require('core-js/web/url-search-params');
require('fast-text-encoding');
require('abort-controller/polyfill');
