/* What only alipay has: multiple, data in the query, off*, base64, its shapes. */
'use strict';

const { assert, test, callbacks, names, connectSocket, openSocket } = require('./kit');
const { CLOSED, newApp } = require('./bridge');

const newAlipay = () => newApp('alipay');
/** The socket made without `multiple`, open; its handlers are the global ones. */
const openSingle = (app, through = 'platform') => openSocket(app, { through, multiple: false });
const SHAPE = { error: 600103 - 600000, errorMessage: 'parameter error: url', errno: 600103 };

test('a task is returned only with multiple', async () => {
    const { bridge, platform: my } = newAlipay();
    assert.equal(my.connectSocket({ url: 'ws://a/' }), undefined);
    assert.equal(my.connectSocket({ url: 'ws://a/', multiple: false, fail() {} }), undefined);
    const task = my.connectSocket({ url: 'ws://a/', multiple: true });
    assert.equal(typeof task.send, 'function');
    await bridge.dispatch();
});

test('without multiple only one socket may live', async () => {
    const app = newAlipay();
    const { bridge, platform: my } = app;
    const log = [];
    const again = async () => {
        log.length = 0;
        my.connectSocket({ url: 'ws://a/', ...callbacks(log) });
        await bridge.dispatch();
        return names(log).join();
    };
    assert.equal(await again(), 'success,complete');
    const id = bridge.last;
    assert.equal(await again(), 'fail,complete', 'while connecting');
    assert.deepEqual(bridge.calls('refuse').pop(), ['refuse', 'connectSocket', -102, '1']);
    bridge.open(id);
    await bridge.dispatch();
    assert.equal(await again(), 'fail,complete', 'while open');
    assert.equal(bridge.calls('connect').length, 1);
    // Others have no part in it.
    my.connectSocket({ url: 'ws://b/', multiple: true });
    assert.equal(bridge.calls('connect').length, 2);
    my.closeSocket({ success() {} });
    assert.equal(await again(), 'success,complete', 'once its close was accepted');
    assert.equal(await again(), 'fail,complete', 'the new one counts');
    // The end of the old one does not make room again.
    bridge.closed(id);
    await bridge.dispatch();
    assert.equal(await again(), 'fail,complete');
});

test('the one socket may be made anew in its error and close handlers', async () => {
    const app = newAlipay();
    const { bridge, platform: my } = app;
    const log = [];
    my.onSocketError(() => my.connectSocket({ url: 'ws://a/', ...callbacks(log) }));
    const { id } = await openSingle(app);
    bridge.error(id, false);
    await bridge.dispatch();
    assert.deepEqual(names(log), ['success', 'complete']);
    my.offSocketError();
    my.onSocketClose(() => my.connectSocket({ url: 'ws://a/', ...callbacks(log) }));
    bridge.closed(bridge.last);
    await bridge.dispatch();
    assert.deepEqual(names(log).slice(2), ['success', 'complete']);
});

test('a refused connect leaves room', async () => {
    const { bridge, platform: my } = newAlipay();
    bridge.connectStatus = -100;
    my.connectSocket({ url: 'x', fail() {} });
    bridge.connectStatus = 0;
    const log = [];
    my.connectSocket({ url: 'ws://a/', ...callbacks(log) });
    await bridge.dispatch();
    assert.deepEqual(names(log), ['success', 'complete']);
});

test('the global functions and handlers belong to the socket without multiple', async () => {
    const app = newAlipay();
    const { bridge, platform: my } = app;
    const log = [];
    for (const event of ['Open', 'Message', 'Error', 'Close']) {
        my[`onSocket${event}`]((res) => log.push([event, res]));
    }
    // The first one, which the library would bind.
    const multiple = await openSocket(app);
    bridge.message(multiple.id, 'not for them');
    my.sendSocketMessage({ data: 'x', ...callbacks(log) });
    await bridge.dispatch();
    assert.deepEqual(names(log), ['fail', 'complete']);
    log.length = 0;
    my.connectSocket({ url: 'ws://a/' });
    const id = bridge.last;
    my.closeSocket(callbacks(log));
    await bridge.dispatch();
    assert.deepEqual(names(log), ['fail', 'complete'], 'while connecting it changes nothing');
    log.length = 0;
    bridge.open(id);
    bridge.message(id, 'in');
    await bridge.dispatch();
    my.sendSocketMessage({ data: 'out', success() {} });
    assert.deepEqual(bridge.calls('send').pop().slice(2), [id, 'out']);
    my.closeSocket({ code: 3000, reason: 'r', success() {} });
    assert.deepEqual(bridge.calls('close').pop().slice(2), [id, 3000, 'r']);
    bridge.closed(id, 3000, 'r');
    await bridge.dispatch();
    assert.deepEqual(names(log), ['Open', 'Message', 'Close']);
    assert.deepEqual(log[1][1], { data: 'in', isBuffer: false });
    assert.deepEqual(log[2][1], { code: 3000, reason: 'r' });
});

test('any number of handlers; off takes one of them, or all', async () => {
    const app = newAlipay();
    const { bridge, platform: my, Taro } = app;
    const { task, id } = await openSocket(app, { through: 'platform' });
    const { id: single } = await openSingle(app);
    const sources = [[task, '', id], [my, 'Socket', single], [Taro, 'Socket', single]];
    for (const [source, word, socket] of sources) {
        const log = [];
        const say = async (value) => {
            bridge.message(socket, value);
            await bridge.dispatch();
            return log.splice(0).join();
        };
        const [a, b] = [() => log.push('a'), () => log.push('b')];
        const on = (handler) => source[`on${word}Message`](handler);
        const off = (...handlers) => source[`off${word}Message`](...handlers);
        on(a);
        on(b);
        on(a);
        assert.equal(await say(1), 'a,b,a');
        off(() => {});
        off('a');
        off({});
        assert.equal(await say(2), 'a,b,a');
        off(a);
        assert.equal(await say(3), 'b');
        on(a);
        off();
        assert.equal(await say(4), '');
        on(a);
        off(null);
        assert.equal(await say(5), '');
        // One that throws does not keep the next from it, nor do changes on the way.
        on(() => { throw new Error('one'); });
        on(() => { off(); on(b); });
        on(a);
        assert.equal(await say(6), 'a');
        assert.equal(bridge.reports.pop().message, 'one');
        assert.equal(await say(7), 'b');
        off();
        for (const event of ['Open', 'Error', 'Close']) {
            assert.equal(typeof source[`off${word}${event}`], 'function');
        }
    }
});

test('the other three events can be taken off, too', async () => {
    const app = newAlipay();
    const { bridge } = app;
    const { task, id } = await connectSocket(app);
    const log = [];
    for (const event of ['Open', 'Error', 'Close']) {
        const handler = () => log.push(`${event} off`);
        task[`on${event}`](handler);
        task[`on${event}`](() => log.push(event));
        task[`off${event}`](handler);
    }
    bridge.open(id);
    bridge.error(id, false);
    bridge.closed(id);
    await bridge.dispatch();
    assert.deepEqual(log, ['Open', 'Error', 'Close']);
});

test('results and errors have error and errorMessage', async () => {
    const app = newAlipay();
    const { bridge, platform: my } = app;
    const log = [];
    my.connectSocket({ ...callbacks(log) });
    await bridge.dispatch();
    assert.deepEqual(log[0][1], { ...SHAPE, errMsg: 'connectSocket:fail parameter error: url' });
    log.length = 0;
    my.connectSocket({ url: 'ws://a/', ...callbacks(log) });
    await bridge.dispatch();
    assert.deepEqual(log[0][1], {});
    let res;
    my.onSocketError((value) => { res = value; });
    bridge.error(bridge.last, true);
    await bridge.dispatch();
    assert.deepEqual(res, {
        error: 106, errorMessage: 'connection failed', errMsg: 'connectSocket:fail connection failed',
        errno: 600106,
    });
});

test('data goes into the query', async () => {
    const app = newAlipay();
    const urlOf = (url, data) => {
        app.platform.connectSocket({ url, data, multiple: true });
        return app.bridge.calls('connect').pop()[1];
    };
    const cases = [
        ['ws://a/', { b: 1 }, 'ws://a/?b=1'],
        ['ws://a/?', { b: 1 }, 'ws://a/?b=1'],
        ['ws://a/?c', { b: 1 }, 'ws://a/?c&b=1'],
        ['ws://a/?c=2&', { b: 1, d: 'x' }, 'ws://a/?c=2&b=1&d=x'],
        ['ws://a/#part', { b: 1 }, 'ws://a/?b=1#part'],
        ['ws://a/#part?', { b: 1 }, 'ws://a/?b=1#part?'],
        ['ws://a/?c#part', { b: 1 }, 'ws://a/?c&b=1#part'],
        ['ws://a/', {}, 'ws://a/'],
        ['ws://a/', { b: undefined, c: null }, 'ws://a/'],
        ['ws://a/', { 'k e&y=': 'v/al ue?&=#+%' }, 'ws://a/?k%20e%26y%3D=v%2Fal%20ue%3F%26%3D%23%2B%25'],
        ['ws://a/', { '键': '值\ud83d\ude00' }, 'ws://a/?%E9%94%AE=%E5%80%BC%F0%9F%98%80'],
        ['ws://a/', { '\udc00': 'a\ud800b' }, 'ws://a/?%EF%BF%BD=a%EF%BF%BDb'],
        ['ws://a/', { a: true, b: 5n, c: NaN, d: '' }, 'ws://a/?a=true&b=5&c=NaN&d='],
        ['ws://a/', { a: { b: 1 }, c: [1, '2'] }, 'ws://a/?a=%7B%22b%22%3A1%7D&c=%5B1%2C%222%22%5D'],
    ];
    for (const [url, data, expected] of cases) assert.equal(urlOf(url, data), expected);
    await app.bridge.dispatch();
});

test('data that cannot be a query is a parameter error', async () => {
    const app = newAlipay();
    const circle = {};
    circle.self = circle;
    const getter = Object.defineProperty({}, 'a', { get() { throw new Error('trap'); }, enumerable: true });
    const unspeakable = { toJSON() { throw new Error('no'); } };
    for (const data of [{ a: Symbol('s') }, { a: circle }, getter, { a: unspeakable }]) {
        const log = [];
        app.platform.connectSocket({ url: 'ws://a/', data, ...callbacks(log) });
        await app.bridge.dispatch();
        assert.deepEqual(names(log), ['fail', 'complete']);
        assert.equal(log[0][1].errorMessage, 'parameter error: data');
    }
});

test('a protocol need not stand in an array', async () => {
    const app = newAlipay();
    app.platform.connectSocket({ url: 'ws://a/', protocols: 'mqtt' });
    assert.deepEqual(app.bridge.calls('connect').pop()[3], ['mqtt']);
    await app.bridge.dispatch();
});

// RFC 4648, section 10, and every length around the coder's steps.
const VECTORS = [
    ['', ''], ['f', 'Zg=='], ['fo', 'Zm8='], ['foo', 'Zm9v'], ['foob', 'Zm9vYg=='], ['fooba', 'Zm9vYmE='],
    ['foobar', 'Zm9vYmFy'], ['\x00', 'AA=='], ['\x00\x00', 'AAA='], ['\xff\xfe\xfd\xfc', '//79/A=='],
    ['\xfb\xef\xbe', '++++'], ['\xff\xff\xff', '////'],
];

async function received(app, id, bytes) {
    let res;
    app.platform.offSocketMessage();
    app.platform.onSocketMessage((value) => { res = value; });
    app.bridge.message(id, Uint8Array.from(bytes).buffer);
    await app.bridge.dispatch();
    return res;
}

test('binary comes as base64', async () => {
    const app = newAlipay();
    const { id } = await openSingle(app);
    for (const [text, base64] of VECTORS) {
        const res = await received(app, id, Buffer.from(text, 'latin1'));
        assert.deepEqual(res, { data: base64, isBuffer: true });
    }
    for (const length of [3071, 3072, 3073, 4095, 4096, 4097, 100000]) {
        const bytes = Buffer.alloc(length).map((_, i) => (i * 7 + (i >> 8)) & 255);
        assert.equal((await received(app, id, bytes)).data, bytes.toString('base64'));
    }
});

test('isBuffer sends base64 as binary', async () => {
    const app = newAlipay();
    const { id } = await openSingle(app);
    const { task } = await openSocket(app, { through: 'platform' });
    const sent = (data, isBuffer) => {
        app.bridge.log.length = 0;
        app.platform.sendSocketMessage({ data, isBuffer, fail() {} });
        task.send({ data, isBuffer });
        const [one, two] = app.bridge.calls('send').slice(-2);
        assert.deepEqual(one[3], two[3]);
        assert.equal(one[2], id);
        return typeof one[3] === 'string' ? one[3] : Buffer.from(one[3]).toString('latin1');
    };
    for (const [text, base64] of VECTORS) {
        assert.equal(sent(base64, true), text);
        assert.equal(sent(base64.replace(/=/g, ''), true), text, 'without padding');
        const spaced = ` ${base64.slice(0, 2)}\r\n\t${base64.slice(2)}\f`;
        assert.equal(sent(spaced, true), text, 'with white space');
    }
    assert.equal(sent('Zm8=', false), 'Zm8=');
    assert.equal(sent('Zm8=', undefined), 'Zm8=');
    assert.equal(sent(Uint8Array.of(65, 66).buffer, undefined), 'AB');
    assert.equal(sent(Uint8Array.of(65, 66), true), 'AB', 'bytes are bytes already');
    const bytes = Buffer.alloc(100000).map((_, i) => (i * 13 + (i >> 7)) & 255);
    assert.equal(sent(bytes.toString('base64'), true), bytes.toString('latin1'));
    await app.bridge.dispatch();
});

test('what is not base64 is a parameter error', async () => {
    const app = newAlipay();
    const { task } = await openSocket(app, { through: 'platform' });
    const texts = [
        'Z', 'Zm9vY', 'Zm8-', 'Zm8_', 'Zg=', 'Zg===', '=', '====', 'Z=g=', 'Zm9v=', 'Zm\u00a09v', 'Zm9\u4e2d',
        'Zm9v\ud83d\ude00', 'Z\u0000g=',
    ];
    for (const data of texts) {
        const log = [];
        task.send({ data, isBuffer: true, ...callbacks(log) });
        await app.bridge.dispatch();
        assert.deepEqual(names(log), ['fail', 'complete'], data);
        assert.equal(log[0][1].errorMessage, 'parameter error: data', data);
    }
    assert.deepEqual(app.bridge.calls('send'), []);
});

test('through Taro binary is an ArrayBuffer and results have errMsg', async () => {
    const app = newAlipay();
    const log = [];
    const { task, id } = await openSingle(app, 'Taro');
    const buffer = Uint8Array.of(1, 2).buffer;
    task.onMessage((res) => log.push(['task', res]));
    app.Taro.onSocketMessage((res) => log.push(['Taro', res]));
    app.platform.onSocketMessage((res) => log.push(['my', res]));
    app.bridge.message(id, buffer);
    app.bridge.message(id, 'text');
    await app.bridge.dispatch();
    assert.deepEqual(log.splice(0), [
        ['task', { data: buffer, isBuffer: false }], ['my', { data: 'AQI=', isBuffer: true }],
        ['Taro', { data: buffer, isBuffer: false }], ['task', { data: 'text', isBuffer: false }],
        ['my', { data: 'text', isBuffer: false }], ['Taro', { data: 'text', isBuffer: false }],
    ]);
    task.send({ data: buffer, ...callbacks(log) });
    task.send({ data: 'AQI=', isBuffer: true });
    assert.deepEqual(app.bridge.calls('send').map((entry) => entry[3]), [[1, 2], [1, 2]]);
    await app.bridge.dispatch();
    assert.deepEqual(log[0], ['success', { errMsg: 'SocketTask.send:ok' }]);
});

test('Taro gives a task without multiple, too, and it is the one of the global functions', async () => {
    const app = newAlipay();
    const { task, id } = await openSingle(app, 'Taro');
    assert.equal(task.errMsg, 'connectSocket:ok');
    app.Taro.sendSocketMessage({ data: 'x' });
    app.platform.sendSocketMessage({ data: 'x', success() {} });
    assert.deepEqual(app.bridge.calls('send').map((entry) => entry[2]), [id, id]);
    const again = app.Taro.connectSocket({ url: 'ws://a/' });
    const rejected = assert.rejects(again, (res) => res.error === 102);
    await app.bridge.dispatch();
    await rejected;
    app.bridge.closed(id);
    await app.bridge.dispatch();
    assert.equal(task.readyState, CLOSED);
});
