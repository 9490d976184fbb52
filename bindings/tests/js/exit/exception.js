// expect: 1
throw new Error('on purpose');
