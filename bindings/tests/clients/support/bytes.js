'use strict';
// Payloads that both sides of a test know, without sending them to each other first. Runs in every engine.

const { sha256 } = require('js-sha256');

const BIG = 1024 * 1024;

/** Bytes that look random and are the same everywhere, zeros among them. */
function bytesOf(seed, length) {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

const hashOf = (bytes) => `${bytes.length}:${sha256(bytes)}`;

/** Messages of both kinds, from nothing to more than one frame of the broker's, each with its quality of service. */
const MESSAGES = [
  { topic: '0/text', qos: 0, payload: 'hello, 你好 🙂' },
  { topic: '1/text', qos: 1, payload: 'at least once' },
  { topic: '2/text', qos: 2, payload: 'exactly once' },
  { topic: '0/empty', qos: 0, payload: '' },
  { topic: '1/bytes', qos: 1, payload: bytesOf(1, 1000) },
  { topic: '2/bytes', qos: 2, payload: bytesOf(2, 10000) },
];

/** Engines have no TextEncoder. */
function utf8(text) {
  const parts = encodeURIComponent(text).match(/%..|./g) || [];
  return Uint8Array.from(parts, (part) => (part.length > 1 ? parseInt(part.slice(1), 16) : part.charCodeAt(0)));
}

const hashOfMessage = ({ payload }) => hashOf(typeof payload === 'string' ? utf8(payload) : payload);

module.exports = { BIG, MESSAGES, bytesOf, hashOf, hashOfMessage };
