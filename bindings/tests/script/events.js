/* Events: order, handlers, states, which socket the global functions act on; and the task as an object. */
'use strict';

const vm = require('node:vm');
const { assert, test, callbacks, names, connectSocket, openSocket } = require('./kit');
const { FLAVOURS, CONNECTING, OPEN, CLOSING, CLOSED, newApp } = require('./bridge');

const withoutAlipay = FLAVOURS.filter((flavour) => flavour !== 'alipay');
/** Those whose platform object has global functions that act on any socket. */
const GLOBAL = ['weapp', 'swan'];

function listen(source, log, prefix = 'on') {
    for (const event of ['Open', 'Message', 'Error', 'Close']) {
        source[prefix + event]((res) => log.push([event.toLowerCase(), res]));
    }
}

for (const flavour of FLAVOURS) {
    test(`${flavour}: handlers attached some microtasks after success miss nothing`, async () => {
        const app = newApp(flavour);
        const { bridge } = app;
        const log = [];
        const promise = app.Taro.connectSocket({ url: 'ws://host/', multiple: true });
        const id = bridge.last;
        bridge.open(id);
        bridge.message(id, 'early');
        bridge.error(id, false);
        bridge.closed(id, 1006, '');
        (async () => {
            const task = await promise;
            await null;
            await Promise.resolve().then(() => {});
            listen(task, log);
        })();
        await bridge.dispatch();
        assert.deepEqual(names(log), ['open', 'message', 'error', 'close']);
        assert.equal(log[1][1].data, 'early');
        assert.deepEqual(log[3][1], { code: 1006, reason: '' });
    });

    test(`${flavour}: the ready state as events tell it, and the end`, async () => {
        const app = newApp(flavour);
        const { bridge } = app;
        const { task, id } = await connectSocket(app);
        const states = [task.readyState];
        const note = () => states.push(task.readyState);
        for (const event of ['Open', 'Message']) task[`on${event}`](note);
        task.onClose(() => {
            note();
            assert.deepEqual(bridge.calls('release'), [], 'the id is good in the last handler');
        });
        bridge.open(id);
        bridge.message(id, 'x');
        await bridge.dispatch();
        task.close();
        states.push(task.readyState);
        bridge.closed(id);
        await bridge.dispatch();
        assert.deepEqual(states, [CONNECTING, OPEN, OPEN, CLOSING, CLOSED]);
        assert.deepEqual(bridge.calls('release'), [['release', id]]);
        assert.deepEqual(bridge.reports, []);
        assert.equal(task.readyState, CLOSED);
        const log = [];
        task.send({ data: 'x', ...callbacks(log) });
        task.close(callbacks(log));
        await bridge.dispatch();
        assert.deepEqual(names(log), ['fail', 'complete', 'fail', 'complete']);
        assert.match(log[0][1].errMsg, /^SocketTask.send:fail not connected$/);
        assert.match(log[2][1].errMsg, /^SocketTask.close:fail not connected$/);
        assert.equal(bridge.calls('send').length, 0);
    });

    test(`${flavour}: an error ends the socket if the library says so, else close does`, async () => {
        for (const isLast of [true, false]) {
            const app = newApp(flavour);
            const { bridge } = app;
            const { task, id } = await connectSocket(app);
            const log = [];
            listen(task, log);
            task.onError((res) => log.push(['error', res, task.readyState]));
            bridge.error(id, isLast);
            await bridge.dispatch();
            const [, res, state] = log.at(-1);
            assert.equal(res.errMsg, 'connectSocket:fail connection failed');
            assert.equal(res.errno, 600106);
            // As in a browser it is closed before the error is told.
            const isTaroOnly = flavour === 'h5' || flavour === 'rn';
            assert.equal(state, isLast || isTaroOnly ? CLOSED : CONNECTING);
            assert.equal(bridge.calls('release').length, isLast ? 1 : 0);
            if (isLast) continue;
            bridge.closed(id, 1006, 'abnormal');
            await bridge.dispatch();
            assert.deepEqual(log.at(-1), ['close', { code: 1006, reason: 'abnormal' }]);
            assert.equal(bridge.calls('release').length, 1);
        }
    });

    test(`${flavour}: nothing after the end, and nothing of an unknown socket`, async () => {
        const app = newApp(flavour);
        const { bridge } = app;
        const { task, id } = await openSocket(app);
        const log = [];
        listen(task, log);
        // A result is outstanding: the socket is known still.
        task.onClose(() => log.push(['close']));
        bridge.closed(id);
        bridge.message(id, 'late');
        bridge.push(5, id, [1000, 'again', 1]);
        bridge.message(4711, 'unknown');
        task.send({ data: 'x', complete() {} });
        await bridge.dispatch();
        assert.equal(names(log).at(-1), 'close');
        assert.equal(log.filter(([name]) => name === 'message').length, 0);
        assert.deepEqual(bridge.reports, []);
    });

    test(`${flavour}: a handler that throws breaks nothing`, async () => {
        const app = newApp(flavour);
        const { bridge } = app;
        const { task, id } = await connectSocket(app, { multiple: false });
        const log = [];
        const sources = [[task, 'on'], [app.Taro, 'onSocket'], [app.platform, 'onSocket']];
        for (const [source, prefix] of sources) {
            for (const event of ['Open', 'Message', 'Error', 'Close']) {
                source?.[prefix + event]?.(() => {
                    log.push(event);
                    throw new Error(event);
                });
            }
        }
        bridge.open(id);
        bridge.message(id, 'x');
        bridge.error(id, false);
        bridge.closed(id);
        await bridge.dispatch();
        const times = app.platform?.onSocketOpen ? 3 : 2;
        const expected = ['Open', 'Message', 'Error', 'Close'].flatMap((event) => Array(times).fill(event));
        assert.deepEqual(log, expected);
        assert.deepEqual(bridge.reports.map(({ message }) => message), expected);
        assert.equal(bridge.calls('release').length, 1);
    });

    test(`${flavour}: the task's own handlers come first, then the platform's, then Taro's`, async () => {
        const app = newApp(flavour);
        const { task, id } = await connectSocket(app, { multiple: false });
        const log = [];
        app.Taro.onSocketOpen(() => log.push('Taro'));
        app.platform?.onSocketOpen?.(() => log.push('platform'));
        task.onOpen(() => log.push('task'));
        app.bridge.open(id);
        await app.bridge.dispatch();
        assert.deepEqual(log, app.platform?.onSocketOpen ? ['task', 'platform', 'Taro'] : ['task', 'Taro']);
    });

    test(`${flavour}: open tells the header and the profile`, async () => {
        const app = newApp(flavour);
        const { task, id } = await connectSocket(app);
        let res;
        task.onOpen((value) => { res = value; });
        app.bridge.open(id, [
            'Set-Cookie', 'a=1', 'Upgrade', 'websocket', 'set-cookie', 'b=2', 'X', '', 'SET-COOKIE', 'c',
            '__proto__', 'p', 'toString', 't',
        ]);
        await app.bridge.dispatch();
        assert.deepEqual(Object.entries(res.header), [
            ['Set-Cookie', 'a=1, b=2, c'], ['Upgrade', 'websocket'], ['X', ''], ['__proto__', 'p'],
            ['toString', 't'],
        ]);
        assert.equal(Object.getPrototypeOf(res.header), Object.prototype);
        assert.deepEqual(res.profile, {
            fetchStart: 1, domainLookUpStart: 2, domainLookUpEnd: 3, connectStart: 4, connectEnd: 5, rtt: 6,
            handshakeCost: 7, cost: 8,
        });
    });

    test(`${flavour}: a handler may do anything to its socket`, async () => {
        const app = newApp(flavour);
        const { task, id } = await connectSocket(app);
        const log = [];
        task.onOpen(() => {
            task.onOpen(() => log.push('never'));
            task.send({ data: 'a', ...callbacks(log) });
            task.close(callbacks(log));
        });
        task.onClose(() => {
            task.send({ data: 'b', ...callbacks(log) });
            task.onClose(() => log.push('never'));
        });
        app.bridge.open(id);
        await app.bridge.dispatch();
        app.bridge.closed(id);
        await app.bridge.dispatch();
        assert.deepEqual(names(log), [
            'success', 'complete', 'success', 'complete', 'fail', 'complete',
        ]);
    });

    test(`${flavour}: drain is no event of the script's`, async () => {
        const app = newApp(flavour);
        const { task, id } = await openSocket(app);
        const log = [];
        listen(task, log);
        app.bridge.drain(id);
        await app.bridge.dispatch();
        assert.deepEqual([log, app.bridge.reports], [[], []]);
    });

    test(`${flavour}: the task is a plain object that can be extended, copied onto and wrapped`, async () => {
        const app = newApp(flavour);
        const { task, id } = await openSocket(app);
        assert.deepEqual([task.CONNECTING, task.OPEN, task.CLOSING, task.CLOSED], [0, 1, 2, 3]);
        assert.deepEqual(Object.keys(task).sort(), ['errMsg', 'socketTaskId']);
        Object.assign(task, { errMsg: 'own', socketTaskId: 99, more: 1 });
        assert.deepEqual([task.errMsg, task.socketTaskId, task.more], ['own', 99, 1]);
        assert.equal(task.ws, undefined);
        JSON.stringify(task);
        // As reactive frameworks do: objects that are read through it are wrapped, too.
        const wrap = (object) => new Proxy(object, {
            get(target, key, receiver) {
                const value = Reflect.get(target, key, receiver);
                return typeof value === 'object' && value !== null ? wrap(value) : value;
            },
        });
        for (const copy of [wrap(task), Object.create(task)]) {
            assert.equal(copy.readyState, OPEN);
            copy.send({ data: 'x' });
            assert.equal(app.bridge.calls('send').pop()[2], id);
        }
        await app.bridge.dispatch();
        app.bridge.sockets.get(id).buffered = 12;
        assert.equal(task.bufferedAmount, 12);
    });

    test(`${flavour}: tasks are numbered`, async () => {
        const app = newApp(flavour);
        const first = (await connectSocket(app)).task;
        const second = (await connectSocket(app)).task;
        assert.deepEqual([first.socketTaskId, second.socketTaskId], [1, 2]);
    });

    test(`${flavour}: what data may be`, async () => {
        const app = newApp(flavour);
        const { task } = await openSocket(app);
        const buffer = Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 7]).buffer;
        const shared = new SharedArrayBuffer(4);
        new Uint8Array(shared).set([9, 8, 7, 6]);
        const foreign = vm.runInNewContext('({ bytes: Uint8Array.of(1, 2).buffer, view: Uint8Array.of(3) })');
        const cases = [
            ['', ''], ['text\u0000\ud83d\ude00', 'text\u0000\ud83d\ude00'], ['\ud800', '\ud800'],
            [buffer, [0, 1, 2, 3, 4, 5, 6, 7]], [new ArrayBuffer(0), []],
            [new Uint8Array(buffer, 2, 3), [2, 3, 4]], [new Uint16Array(buffer, 2, 2), [2, 3, 4, 5]],
            [new DataView(buffer, 5), [5, 6, 7]],
            [new Float64Array(0), []], [Buffer.from('pooled'), [...Buffer.from('pooled')]],
            [shared, [9, 8, 7, 6]], [new Uint8Array(shared, 1, 2), [8, 7]], [new DataView(shared, 3), [6]],
            [foreign.bytes, [1, 2]], [foreign.view, [3]],
        ];
        for (const [data, expected] of cases) {
            task.send({ data });
            assert.deepEqual(app.bridge.calls('send').pop()[3], expected);
        }
        await app.bridge.dispatch();
    });

    test(`${flavour}: options of connect reach the bridge`, async () => {
        const app = newApp(flavour);
        app.Taro.connectSocket({
            url: 'wss://host/p?q', header: { A: 'b' }, protocols: ['x', 'y'], timeout: 5000, tcpNoDelay: true,
            multiple: true,
        });
        assert.deepEqual(app.bridge.calls('connect').pop(), [
            'connect', 'wss://host/p?q', ['A', 'b'], ['x', 'y'], 1, 5000,
        ]);
        const flags = (option) => {
            app.Taro.connectSocket({ url: 'ws://host/', multiple: true, ...option });
            return app.bridge.calls('connect').pop()[4];
        };
        assert.equal(flags({}), 0);
        assert.equal(flags({ tcpNoDelay: false, perMessageDeflate: true }), 2);
        assert.equal(flags({ forceCellularNetwork: true }), 4);
        assert.equal(flags({ tcpNoDelay: true, perMessageDeflate: true, forceCellularNetwork: true }), 7);
        await app.bridge.dispatch();
    });
}

for (const flavour of withoutAlipay) {
    test(`${flavour}: the last handler wins, and null takes it away`, async () => {
        const app = newApp(flavour);
        const { task, id } = await openSocket(app);
        const log = [];
        const { platform, Taro } = app;
        for (const source of [task, Taro, platform]) {
            const name = source === task ? 'onMessage' : 'onSocketMessage';
            if (!source?.[name]) continue;
            source[name](() => log.push('first'));
            source[name](() => log.push('last'));
            app.bridge.message(id, 'x');
            await app.bridge.dispatch();
            source[name](null);
            app.bridge.message(id, 'y');
            await app.bridge.dispatch();
            assert.deepEqual(log.splice(0), ['last']);
        }
        assert.equal(task.offMessage, undefined);
        assert.equal(app.Taro.offSocketMessage, undefined);
    });

    test(`${flavour}: the global functions act on the socket that the library bound`, async () => {
        const app = newApp(flavour);
        const { bridge, Taro } = app;
        const log = [];
        listen(Taro, log, 'onSocket');
        Taro.sendSocketMessage({ data: 'early', ...callbacks(log) });
        await bridge.dispatch();
        assert.deepEqual(names(log), ['fail', 'complete']);
        assert.equal(log[0][1].errMsg, 'sendSocketMessage:fail not connected');
        log.length = 0;

        const first = await openSocket(app);
        const second = await openSocket(app);
        bridge.message(second.id, 'not global');
        bridge.message(first.id, 'global');
        await bridge.dispatch();
        assert.deepEqual(names(log), ['open', 'message']);
        assert.equal(log[1][1].data, 'global');
        Taro.sendSocketMessage({ data: 'out' });
        assert.deepEqual(bridge.calls('send').pop().slice(2), [first.id, 'out']);
        Taro.closeSocket({ code: 3001, reason: 'r' });
        assert.deepEqual(bridge.calls('close').pop().slice(2), [first.id, 3001, 'r']);
        await bridge.dispatch();
        log.length = 0;

        // Its end is still told; another one is bound by the next connect, not before.
        Taro.sendSocketMessage({ data: 'none', ...callbacks(log) });
        bridge.closed(first.id, 3001, 'r');
        await bridge.dispatch();
        assert.deepEqual(names(log), ['fail', 'complete', 'close']);
        log.length = 0;
        const third = await openSocket(app);
        Taro.sendSocketMessage({ data: 'new' });
        assert.equal(bridge.calls('send').pop()[2], third.id);
        bridge.closed(second.id);
        await bridge.dispatch();
        assert.deepEqual(names(log), ['open']);
    });

    test(`${flavour}: a socket that is over before connect returns has its global error`, async () => {
        const app = newApp(flavour);
        const log = [];
        listen(app.Taro, log, 'onSocket');
        app.bridge.endsAtOnce = true;
        const { id } = await connectSocket(app);
        app.bridge.error(id, true);
        await app.bridge.dispatch();
        assert.deepEqual(names(log), ['error']);
    });

    test(`${flavour}: closeSocket while connecting changes nothing`, async () => {
        const app = newApp(flavour);
        const { id } = await connectSocket(app);
        const log = [];
        app.Taro.closeSocket(callbacks(log));
        await app.bridge.dispatch();
        assert.deepEqual(names(log), ['fail', 'complete']);
        assert.equal(log[0][1].errMsg, 'closeSocket:fail not connected');
        assert.deepEqual(app.bridge.calls('close'), []);
        app.bridge.open(id);
        await app.bridge.dispatch();
        app.Taro.closeSocket(callbacks(log));
        await app.bridge.dispatch();
        assert.deepEqual(names(log).slice(2), ['success', 'complete']);
    });

    test(`${flavour}: a wrong argument is told before a missing socket`, async () => {
        const app = newApp(flavour);
        const log = [];
        app.Taro.sendSocketMessage({ data: 5, ...callbacks(log) });
        app.Taro.closeSocket({ reason: 5, ...callbacks(log) });
        await app.bridge.dispatch();
        assert.equal(log[0][1].errMsg, 'sendSocketMessage:fail parameter error: data');
        assert.equal(log[2][1].errMsg, 'closeSocket:fail parameter error: reason');
    });
}

for (const flavour of GLOBAL) {
    test(`${flavour}: both faces act on the same socket, each with its own handlers`, async () => {
        const app = newApp(flavour);
        const log = [];
        app.platform.onSocketMessage(({ data }) => log.push(`platform ${data}`));
        app.Taro.onSocketMessage(({ data }) => log.push(`Taro ${data}`));
        const { id } = await openSocket(app, { through: 'platform' });
        app.platform.sendSocketMessage({ data: 'a' });
        app.Taro.sendSocketMessage({ data: 'b' });
        assert.deepEqual(app.bridge.calls('send').map((entry) => entry[2]), [id, id]);
        app.bridge.message(id, 'x');
        await app.bridge.dispatch();
        assert.deepEqual(log, ['platform x', 'Taro x']);
    });
}

test('two apps do not know of each other', async () => {
    const one = newApp('weapp');
    const two = newApp('weapp');
    const log = [];
    two.Taro.onSocketMessage(() => log.push('two'));
    const { task, id } = await openSocket(one);
    one.bridge.message(id, 'x');
    await one.bridge.dispatch();
    assert.deepEqual(log, []);
    const { task: other } = await openSocket(two);
    assert.equal(task.socketTaskId, other.socketTaskId);
    const stranger = Object.getPrototypeOf(other).send;
    assert.throws(() => stranger.call(task, { data: 'x' }), TypeError);
});
