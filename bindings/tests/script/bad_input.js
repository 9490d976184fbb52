/* Every option of every function with every wrong type, in every flavour and through both faces. */
'use strict';

const { assert, test, callbacks, names, connectSocket, openSocket } = require('./kit');
const { FLAVOURS, newApp, record } = require('./bridge');

const PARAMETER = -103;
const VALUES = {
    undefined, null: null, true: true, zero: 0, number: 7, NaN, bigint: 7n, 'empty string': '',
    string: 'text', symbol: Symbol('s'), function: () => {}, object: {},
    'object without prototype': Object.create(null),
    array: [], 'array of strings': ['a'], date: new Date(0), map: new Map(), promise: Promise.resolve(),
    'String object': new String('s'), 'Number object': new Number(1), 'Boolean object': new Boolean(true),
    'array buffer': new ArrayBuffer(2), 'shared buffer': new SharedArrayBuffer(2),
    'typed array': new Uint8Array(2), 'data view': new DataView(new ArrayBuffer(2)),
    'not an array buffer': { byteLength: 2, [Symbol.toStringTag]: 'ArrayBuffer' },
};
/** A property whose getter throws. */
const trap = { get() { throw new Error('trap'); }, enumerable: true };
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isBytes = (value) => value instanceof ArrayBuffer || ArrayBuffer.isView(value)
    || value instanceof SharedArrayBuffer;
const TYPES = {
    string: (value) => typeof value === 'string',
    number: (value) => typeof value === 'number',
    switch: () => true,
    object: isObject,
    strings: (value) => Array.isArray(value) || typeof value === 'string',
    data: (value) => typeof value === 'string' || isBytes(value),
};

/** Function → option → type; `!`: required, so undefined and null are wrong as well. */
function optionsOf(flavour) {
    const isAlipay = flavour === 'alipay';
    const connect = {
        url: 'string!', header: 'object', timeout: 'number',
        protocols: 'strings',
        // Whatever counts as true: libraries pass objects of their own there.
        tcpNoDelay: 'switch', perMessageDeflate: 'switch', forceCellularNetwork: 'switch',
        ...(isAlipay ? { data: 'object', multiple: 'switch' } : {}),
    };
    const send = { data: 'data!', ...(isAlipay ? { isBuffer: 'switch' } : {}) };
    const close = { code: 'number', reason: 'string' };
    return {
        connectSocket: connect, sendSocketMessage: send, closeSocket: close,
        'task.send': send, 'task.close': close,
    };
}
const GOOD = {
    connectSocket: { url: 'ws://host/' }, sendSocketMessage: { data: '' }, closeSocket: {},
    'task.send': { data: '' }, 'task.close': {},
};
const API = {
    connectSocket: 1, sendSocketMessage: 2, closeSocket: 3, 'task.send': 2, 'task.close': 3,
};
const REACHED = { 1: 'connect', 2: 'send', 3: 'close' };

function isRight(type, value) {
    if (value === undefined || value === null) return !type.endsWith('!');
    return TYPES[type.replace('!', '')](value);
}

/** Every [name, function] to call with an option, through each face. alipay's `single` socket serves both. */
async function functionsOf(flavour) {
    const app = newApp(flavour);
    const isAlipay = flavour === 'alipay';
    const functions = [];
    for (const face of ['platform', 'Taro']) {
        if (!app[face]) continue;
        const { task } = await openSocket(app, { through: face, multiple: isAlipay || undefined });
        for (const name of ['connectSocket', 'sendSocketMessage', 'closeSocket']) {
            if (app[face][name]) functions.push([face, name, app[face][name]]);
        }
        functions.push([face, 'task.send', (option) => task.send(option)]);
        functions.push([face, 'task.close', (option) => task.close(option)]);
    }
    if (isAlipay) {
        await connectSocket(app, { multiple: false });
        app.bridge.open(app.bridge.last);
        await app.bridge.dispatch();
    }
    return { ...app, functions };
}

/** What a text says that each type should have been. */
const SHOULD_BE = {
    string: 'String', number: 'Number', object: 'Object', strings: 'Array', data: 'String or ArrayBuffer',
};

/** The call fails for `option`, once, with the record of a parameter error; `why`: what it should have been. */
async function isRefused({ bridge, flavour }, name, call, option, subject, what, why) {
    const log = [];
    const before = bridge.log.length;
    const result = call({ ...callbacks(log), ...option });
    if (result instanceof Promise) await assertRejects(bridge, result, what);
    else await bridge.dispatch();
    assert.deepEqual(names(log), ['fail', 'complete'], what);
    assert.equal(log[0][1], log[1][1], what);
    const [, errMsg, reason, errno, code] = record(API[name], PARAMETER, subject);
    const ours = name.startsWith('task.') ? `SocketTask.${name.slice(5)}:fail ${reason}` : errMsg;
    const expected = { errMsg: ours, errno };
    if (flavour === 'alipay') Object.assign(expected, { error: code, errorMessage: reason });
    assert.deepEqual(log[0][1], expected, what);
    const refusals = bridge.log.slice(before).filter(([kind]) => kind !== 'release');
    assert.deepEqual(refusals.map((refusal) => refusal.slice(0, 3)), [['refuse', errMsg.split(':')[0], PARAMETER]], what);
    const told = refusals[0][3];
    if (why === undefined) assert.equal(told, subject, what);
    else assert.match(told, new RegExp(`^${subject} should be ${why} instead of [A-Z][a-z]+$`), what);
    assert.deepEqual(bridge.reports, [], what);
}

async function assertRejects(bridge, promise, what) {
    let isRejected = false;
    promise.catch(() => { isRejected = true; });
    await bridge.dispatch();
    assert.ok(isRejected, what);
}

/** The call gets as far as the library. */
async function isAccepted({ bridge }, name, call, option, what) {
    const before = bridge.log.length;
    const result = call(option);
    const kinds = bridge.log.slice(before).map(([kind]) => kind);
    assert.ok(kinds.includes(REACHED[API[name]]) || kinds.includes('refuse'), what);
    const refusal = bridge.log.slice(before).find(([kind]) => kind === 'refuse');
    assert.ok(refusal === undefined || refusal[2] !== PARAMETER, `${what}: ${refusal}`);
    if (result instanceof Promise) result.catch(() => {});
    await bridge.dispatch();
}

for (const flavour of FLAVOURS) {
    test(`${flavour}: wrong types of every option`, async () => {
        const app = await functionsOf(flavour);
        let count = 0;
        for (const [face, name, call] of app.functions) {
            for (const [option, type] of Object.entries(optionsOf(flavour)[name])) {
                for (const [kind, value] of Object.entries(VALUES)) {
                    if (isRight(type, value)) continue;
                    const what = `${flavour} ${face} ${name} ${option}: ${kind}`;
                    await isRefused(app, name, call, { ...GOOD[name], [option]: value }, option, what,
                        SHOULD_BE[type.replace('!', '')]);
                    count++;
                }
            }
        }
        assert.ok(count > 200, `${count} cases`);
    });

    test(`${flavour}: getters that throw`, async () => {
        const app = await functionsOf(flavour);
        for (const [face, name, call] of app.functions) {
            for (const option of Object.keys(optionsOf(flavour)[name])) {
                const what = `${flavour} ${face} ${name} ${option}`;
                const log = [];
                const trapped = { ...GOOD[name], ...callbacks(log) };
                call(Object.defineProperty(trapped, option, trap))?.catch?.(() => {});
                await app.bridge.dispatch();
                assert.deepEqual(names(log), ['fail', 'complete'], what);
                assert.match(log[0][1].errMsg, new RegExp(`:fail parameter error: ${option}$`), what);
            }
            for (const option of ['success', 'fail', 'complete']) {
                const log = [];
                const trapped = { ...GOOD[name], ...callbacks(log) };
                call(Object.defineProperty(trapped, option, trap))?.catch?.(() => {});
                await app.bridge.dispatch();
                const expected = ['fail', 'complete'].filter((other) => other !== option);
                assert.deepEqual(names(log), expected, `${flavour} ${face} ${name} ${option}`);
                assert.match(log[0][1].errMsg, new RegExp(`parameter error: ${option}$`));
            }
        }
        assert.deepEqual(app.bridge.reports, []);
    });

    test(`${flavour}: unknown options are not even read`, async () => {
        const app = await functionsOf(flavour);
        for (const [face, name, call] of app.functions) {
            if (name === 'task.close' || name === 'closeSocket') continue;
            const option = { ...GOOD[name], method: 'GET', enableHttp2: 5, '': null };
            Object.defineProperty(option, 'unknown', trap);
            await isAccepted(app, name, call, option, `${flavour} ${face} ${name}`);
        }
    });

    test(`${flavour}: undefined and null leave an optional option out`, async () => {
        const app = await functionsOf(flavour);
        for (const [face, name, call] of app.functions) {
            for (const [option, type] of Object.entries(optionsOf(flavour)[name])) {
                if (type.endsWith('!')) continue;
                for (const value of [undefined, null]) {
                    const what = `${flavour} ${face} ${name} ${option}: ${value}`;
                    await isAccepted(app, name, call, { ...GOOD[name], [option]: value }, what);
                }
            }
        }
    });

    test(`${flavour}: callbacks that are no functions are left out`, async () => {
        const app = newApp(flavour);
        const { task } = await openSocket(app);
        for (const value of [null, 5, 'f', {}, []]) {
            const log = [];
            task.send({ data: 'x', success: value, fail: value, complete: (res) => log.push(res) });
            await app.bridge.dispatch();
            assert.equal(log.length, 1);
        }
        assert.deepEqual(app.bridge.reports, []);
    });

    test(`${flavour}: something else in place of the options`, async () => {
        const app = newApp(flavour);
        const { task, id } = await openSocket(app);
        for (const value of Object.values(VALUES)) {
            if (isObject(value)) continue;
            const before = app.bridge.calls('refuse').length;
            app.Taro.connectSocket(value).catch(() => {});
            app.Taro.sendSocketMessage(value).catch(() => {});
            app.platform?.connectSocket(value);
            task.send(value)?.catch(() => {});
            await app.bridge.dispatch();
            const subjects = app.bridge.calls('refuse').slice(before).map((entry) => entry[3]);
            assert.ok(subjects.length >= 2, `${subjects}`);
            assert.ok(subjects.every((one) => /^(parameter|data) should be /.test(one)), `${subjects}`);
        }
        // `task.close(1000)`, as of a browser's WebSocket, closes.
        task.close(1000);
        assert.deepEqual(app.bridge.calls('close').pop().slice(2), [id, 0, '']);
        await app.bridge.dispatch();
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        app.Taro.connectSocket(proxy).catch(() => {});
        app.platform?.connectSocket(proxy);
        await app.bridge.dispatch();
        assert.deepEqual(app.bridge.reports, []);
    });

    test(`${flavour}: handlers that are no functions`, async () => {
        const app = newApp(flavour);
        const { task, id } = await openSocket(app);
        const sources = [task, app.Taro, app.platform].filter(Boolean);
        for (const value of Object.values(VALUES)) {
            for (const source of sources) {
                for (const event of ['Open', 'Message', 'Error', 'Close']) {
                    for (const prefix of ['on', 'off', 'onSocket', 'offSocket']) {
                        assert.equal(source[prefix + event]?.(value), undefined);
                    }
                }
            }
        }
        app.bridge.message(id, 'x');
        app.bridge.closed(id);
        await app.bridge.dispatch();
        // Only what was in the table as a function was called.
        assert.deepEqual(app.bridge.reports, []);
    });

    test(`${flavour}: header values become strings as in a template`, async () => {
        const app = newApp(flavour);
        const header = {
            string: 'a', number: 1.5, zero: 0, true: true, false: false, bigint: 9n, array: [1, [2, 3]],
            empty: '', object: {}, custom: { toString: () => 'own' }, date: new Date(NaN), undefined,
            null: null, NaN,
            [Symbol('no name')]: 'left out',
        };
        app.Taro.connectSocket({ url: 'ws://host/', header });
        const [, , fields] = app.bridge.calls('connect').pop();
        assert.deepEqual(fields, [
            'string', 'a', 'number', '1.5', 'zero', '0', 'true', 'true', 'false', 'false', 'bigint', '9',
            'array', '1,2,3', 'empty', '', 'object', '[object Object]', 'custom', 'own',
            'date', 'Invalid Date', 'NaN', 'NaN',
        ]);
        await app.bridge.dispatch();
    });

    test(`${flavour}: what cannot be a header value is a parameter error`, async () => {
        const app = { ...newApp(flavour) };
        const proxy = new Proxy({}, { ownKeys: trap.get });
        const getter = Object.defineProperty({}, 'a', trap);
        const values = [
            { a: Symbol('s') }, { a: { toString() { throw new Error('no'); } } }, { a: Object.create(null) },
            { a: { toString: () => ({}), valueOf: () => ({}) } }, proxy, getter,
        ];
        for (const header of values) {
            const option = { url: 'ws://host/', header };
            await isRefused(app, 'connectSocket', app.Taro.connectSocket, option, 'header', flavour);
        }
    });

    test(`${flavour}: wrong elements of protocols`, async () => {
        const app = newApp(flavour);
        const getter = Object.defineProperty(['a', 'b'], '1', trap);
        const revoked = Proxy.revocable([], {});
        revoked.revoke();
        const values = [
            ['a', 5], [undefined], [null], new Array(2), [['a']], [Symbol('s')], getter, revoked.proxy,
        ];
        for (const protocols of values) {
            const option = { url: 'ws://host/', protocols };
            await isRefused(app, 'connectSocket', app.Taro.connectSocket, option, 'protocols', flavour);
        }
    });

    test(`${flavour}: close codes that no frame can carry`, async () => {
        const app = newApp(flavour);
        const { task } = await openSocket(app);
        for (const code of [0, -0, -1, 1.5, 65536, 2 ** 32, 2 ** 53, NaN, Infinity, -Infinity]) {
            const log = [];
            task.close({ code, ...callbacks(log) });
            await app.bridge.dispatch();
            const refusal = ['refuse', 'closeSocket', -108, ''];
            assert.deepEqual(app.bridge.calls('refuse').pop(), refusal, `${code}`);
            assert.deepEqual(names(log), ['fail', 'complete'], `${code}`);
        }
        // These are the library's to judge.
        for (const code of [1, 999, 1001, 2999, 5000, 65535]) {
            task.close({ code })?.catch(() => {});
            assert.equal(app.bridge.calls('close').pop()[3], code);
        }
        task.close({ code: 3000, reason: 'because' });
        assert.deepEqual(app.bridge.calls('close').pop().slice(3), [3000, 'because']);
        await app.bridge.dispatch();
    });

    test(`${flavour}: timeouts of any size`, async () => {
        const app = newApp(flavour);
        const cases = [
            [1, 1], [0.5, 1], [1234.5, 1235], [0, 0], [-1, 0], [NaN, 0], [-Infinity, 0],
            [2 ** 31, 2 ** 31 - 1], [Infinity, 2 ** 31 - 1],
        ];
        for (const [timeout, expected] of cases) {
            app.Taro.connectSocket({ url: 'ws://host/', timeout, multiple: true });
            assert.equal(app.bridge.calls('connect').pop()[5], expected, `${timeout}`);
        }
        await app.bridge.dispatch();
    });
}
