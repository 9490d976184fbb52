// expect: 1
Promise.reject(new Error('on purpose'));
// One that is taken in the same turn is none.
const taken = Promise.reject(new Error('taken'));
queueMicrotask(() => taken.catch(() => {}));
