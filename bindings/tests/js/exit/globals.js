// expect: 0
// What the host gives: console, timers, microtasks, require.
const told = [];
const expected = 'turn,microtask,now,later 1 2,every,every';
setTimeout((...values) => told.push('later ' + values.join(' ')), 10, 1, 2);
setTimeout(() => told.push('now'));
const never = setTimeout(() => told.push('never'), 5);
clearTimeout(never);
clearTimeout(undefined);
let count = 0;
const every = setInterval(() => {
  if (told.length < 4) return;
  told.push('every');
  if (++count === 2) clearInterval(every);
}, 1);
queueMicrotask(() => told.push('microtask'));
told.push('turn');
setTimeout(function look() {
  if (told.length < 6) return void setTimeout(look, 1);
  if (told.join() !== expected) throw new Error(told.join());
}, 20);
console.log('text', 1, -0, true, null, undefined, { a: [1, 'two', { b: { c: { d: 1 } } }], f() {} }, new ArrayBuffer(3));
const loop = {};
loop.self = loop;
console.info(loop, [new Error('shown')], Symbol('s'), 10n);
const module_ = require('./exported');
if (module_.value !== 7 || require('./exported.js') !== module_) throw new Error('require');
for (const bad of ['./nothing', '../exported.js']) {
  try {
    require(bad);
  } catch (error) {
    continue;
  }
  throw new Error('require of ' + bad);
}
