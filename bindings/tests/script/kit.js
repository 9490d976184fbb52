/* A runner of a few lines, and what tests share. A rejection that nobody handled fails a test, too. */
'use strict';

const assert = require('node:assert/strict');

const tests = [];
let unhandled = [];
/** The test that runs; a promise that never settles would end the process as if all were well. */
let running = 'none';
process.exitCode = 1;
process.on('exit', () => {
    if (running) console.log(`FAILED ${running}: nothing is left that could go on`);
});
process.on('unhandledRejection', (reason) => unhandled.push(reason));

function test(name, body) {
    tests.push({ name, body });
}

/** Until microtasks have run out and Node has told of rejections that nobody handled. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** The rejections so far that nobody handled. */
async function takeUnhandled() {
    await turn();
    const taken = unhandled;
    unhandled = [];
    return taken;
}

async function runAll() {
    let failed = 0;
    for (const { name, body } of tests) {
        running = name;
        try {
            await body();
            assert.deepEqual(await takeUnhandled(), [], 'rejections that nobody handled');
        } catch (error) {
            failed++;
            await takeUnhandled();
            console.log(`FAILED ${name}\n${error.stack}`);
        }
    }
    running = undefined;
    console.log(`${tests.length - failed} of ${tests.length} tests passed`);
    process.exitCode = failed > 0 || tests.length === 0 ? 1 : 0;
}
// Once the file has been read.
setImmediate(runAll);

/** Callbacks that write down what they get: `log` holds [name, res]. */
function callbacks(log) {
    const entry = (name) => (res) => { log.push([name, res]); };
    return { success: entry('success'), fail: entry('fail'), complete: entry('complete') };
}

const names = (log) => log.map(([name]) => name);

/** A socket of the app, through `Taro` unless `option.through` is `platform`: { task, id }. */
async function connectSocket(app, { through = 'Taro', ...option } = {}) {
    const isPlain = app.flavour === 'alipay' && option.multiple === undefined;
    const full = { url: 'ws://host/', ...(isPlain ? { multiple: true } : {}), ...option };
    const result = app[through].connectSocket(full);
    const id = app.bridge.last;
    await app.bridge.dispatch();
    return { task: await result, id };
}

async function openSocket(app, option) {
    const { task, id } = await connectSocket(app, option);
    app.bridge.open(id);
    await app.bridge.dispatch();
    return { task, id };
}

module.exports = { assert, test, turn, takeUnhandled, callbacks, names, connectSocket, openSocket };
