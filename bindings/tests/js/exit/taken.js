// expect: 0
const taken = Promise.reject(new Error('taken'));
queueMicrotask(() => taken.catch(() => {}));
