/* Results: exactly one, in order, through callbacks and promises, also if the bridge does not play along. */
'use strict';

const { assert, test, turn, takeUnhandled, callbacks, names, connectSocket, openSocket } = require('./kit');
const { FLAVOURS, CLOSED, CONNECTING, newApp } = require('./bridge');

const MINI_PROGRAMS = FLAVOURS.filter((flavour) => flavour !== 'h5' && flavour !== 'rn');
const TARO_ONLY = ['h5', 'rn'];
const throwing = (name, log) => () => {
    log.push([name]);
    throw new Error(name);
};

for (const flavour of FLAVOURS) {
    test(`${flavour}: success, then complete, with one record`, async () => {
        const app = newApp(flavour);
        const log = [];
        const { task } = await openSocket(app, callbacks(log));
        assert.deepEqual(names(log), ['success', 'complete']);
        assert.equal(log[0][1], log[1][1]);
        assert.equal(log[0][1].errMsg, 'connectSocket:ok');
        assert.equal(task.errMsg, 'connectSocket:ok');
        log.length = 0;
        task.send({ data: 'x', ...callbacks(log) });
        task.close(callbacks(log));
        assert.deepEqual(log, [], 'nothing runs inside the call');
        await app.bridge.dispatch();
        assert.deepEqual(names(log), ['success', 'complete', 'success', 'complete']);
        const prefix = TARO_ONLY.includes(flavour) ? ['sendSocketMessage', 'closeSocket']
            : ['SocketTask.send', 'SocketTask.close'];
        assert.equal(log[0][1].errMsg, `${prefix[0]}:ok`);
        assert.equal(log[2][1].errMsg, `${prefix[1]}:ok`);
        assert.equal(app.bridge.queue.length, 0);
    });

    test(`${flavour}: fail, then complete, with one record`, async () => {
        const app = newApp(flavour);
        const { task } = await connectSocket(app);
        const log = [];
        task.send({ data: 'x', ...callbacks(log) });
        await app.bridge.dispatch();
        assert.deepEqual(names(log), ['fail', 'complete']);
        assert.equal(log[0][1], log[1][1]);
        assert.equal(log[0][1].errMsg, 'SocketTask.send:fail not connected');
        assert.equal(log[0][1].errno, 600107);
    });

    test(`${flavour}: a refused connect`, async () => {
        for (const through of ['platform', 'Taro']) {
            const app = newApp(flavour);
            if (!app[through]) continue;
            app.bridge.connectStatus = -100;
            const log = [];
            let rejection;
            const result = app[through].connectSocket({ url: 'http://x', multiple: true, ...callbacks(log) });
            if (through === 'Taro') result.catch((res) => { rejection = res; });
            await app.bridge.dispatch();
            assert.deepEqual(names(log), ['fail', 'complete']);
            assert.equal(log[0][1].errMsg, 'connectSocket:fail invalid url "http://x"');
            if (through === 'Taro') {
                assert.equal(rejection, log[0][1]);
                continue;
            }
            const task = result;
            assert.equal(task.readyState, CLOSED);
            assert.equal(task.socketTaskId, 0);
            assert.equal(task.errMsg, log[0][1].errMsg);
            assert.equal(task.bufferedAmount, 0);
            log.length = 0;
            task.onError(() => log.push(['event']));
            task.onClose(() => log.push(['event']));
            task.send({ data: 'x', ...callbacks(log) });
            task.close(callbacks(log));
            await app.bridge.dispatch();
            assert.deepEqual(names(log), ['fail', 'complete', 'fail', 'complete']);
            assert.deepEqual(app.bridge.calls('send'), []);
        }
    });

    test(`${flavour}: each callback is guarded`, async () => {
        const app = newApp(flavour);
        const log = [];
        const { task } = await openSocket(app, { success: throwing('s', log), complete: throwing('c', log) });
        assert.deepEqual(names(log), ['s', 'c']);
        task.send({ data: 'x', success: throwing('s', log), complete: throwing('c', log) });
        task.close({ code: 1, fail: throwing('f', log), complete: throwing('c', log) });
        task.close(callbacks(log));
        await app.bridge.dispatch();
        assert.deepEqual(names(log), ['s', 'c', 's', 'c', 'f', 'c', 'success', 'complete']);
        assert.deepEqual(app.bridge.reports.map(({ message }) => message), ['s', 'c', 's', 'c', 'f', 'c']);
    });

    test(`${flavour}: no callbacks, no call number`, async () => {
        const app = newApp(flavour);
        const { task } = await openSocket(app);
        const result = task.send({ data: 'x' });
        const [, call] = app.bridge.calls('send').pop();
        if (TARO_ONLY.includes(flavour)) {
            assert.ok(call > 0 && result instanceof Promise);
        } else {
            assert.equal(call, 0);
            assert.equal(result, undefined);
        }
        await app.bridge.dispatch();
    });

    test(`${flavour}: a result that comes twice is told once`, async () => {
        const app = newApp(flavour);
        const { task } = await openSocket(app);
        const log = [];
        task.send({ data: 'x', ...callbacks(log) });
        app.bridge.queue.push({ ...app.bridge.queue[0] });
        await app.bridge.dispatch();
        assert.deepEqual(names(log), ['success', 'complete']);
    });

    test(`${flavour}: 10,000 sends with callbacks in one turn`, async () => {
        const app = newApp(flavour);
        const { task, id } = await openSocket(app);
        const order = [];
        for (let i = 0; i < 10000; i++) {
            task.send({ data: `${i}`, success: () => order.push(i), fail: () => order.push('fail') });
        }
        app.bridge.closed(id);
        await app.bridge.dispatch();
        assert.equal(order.length, 10000);
        assert.ok(order.every((value, i) => value === i));
        assert.equal(app.bridge.calls('release').length, 1);
    });

    test(`${flavour}: the end of a socket waits for the results of its calls`, async () => {
        const app = newApp(flavour);
        const { task, id } = await openSocket(app);
        const log = [];
        task.onClose(() => log.push(['close']));
        // The close is under way when the call is made: its result comes after it.
        app.bridge.closed(id);
        task.send({ data: 'x', ...callbacks(log) });
        task.send({ data: 'y', ...callbacks(log) });
        await app.bridge.dispatch();
        assert.deepEqual(names(log), ['close', 'success', 'complete', 'success', 'complete']);
        assert.deepEqual(app.bridge.calls('release'), [['release', id]]);
        assert.equal(app.bridge.log.at(-1)[0], 'release');
    });

    test(`${flavour}: a status of misuse becomes a failure`, async () => {
        const app = newApp(flavour);
        const { task, id } = await openSocket(app);
        app.bridge.sendStatus = -3;
        const log = [];
        task.send({ data: 'x', ...callbacks(log) });
        await app.bridge.dispatch();
        assert.deepEqual(names(log), ['fail', 'complete']);
        assert.deepEqual(app.bridge.calls('refuse').pop(), ['refuse', 'sendSocketMessage', -107, '']);
        // No result is waited for that will not come, and no other one is forgotten.
        app.bridge.sendStatus = 0;
        app.bridge.closed(id);
        task.send({ data: 'late', ...callbacks(log) });
        await app.bridge.dispatch();
        assert.deepEqual(names(log).slice(2), ['success', 'complete']);
        assert.equal(app.bridge.calls('release').length, 1);
    });

    test(`${flavour}: a status that fail carries is not refused again`, async () => {
        const app = newApp(flavour);
        const { task } = await openSocket(app);
        app.bridge.sendStatus = -110;
        const log = [];
        task.send({ data: 'x', ...callbacks(log) });
        await app.bridge.dispatch();
        assert.deepEqual(names(log), ['fail', 'complete']);
        assert.deepEqual(app.bridge.calls('refuse'), []);
    });

    test(`${flavour}: an exception of the bridge's connect becomes a failure`, async () => {
        const app = newApp(flavour);
        app.bridge.connectThrows = new Error('TARO_STATUS_NO_RESOURCES');
        const log = [];
        app.Taro.connectSocket({ url: 'ws://host/', ...callbacks(log) });
        const task = app.platform?.connectSocket({ url: 'ws://host/', multiple: true, ...callbacks(log) });
        await app.bridge.dispatch();
        const expected = app.platform ? ['fail', 'complete', 'fail', 'complete'] : ['fail', 'complete'];
        assert.deepEqual(names(log), expected);
        assert.equal(log[0][1].errMsg, 'connectSocket:fail system error');
        if (task) assert.equal(task.readyState, CLOSED);
        assert.deepEqual(app.bridge.reports, []);
    });

    test(`${flavour}: the library is shutting down: nothing follows`, async () => {
        const app = newApp(flavour);
        const { task } = await openSocket(app);
        app.bridge.refuseStatus = -9;
        const log = [];
        task.send({ data: 5, ...callbacks(log) });
        app.Taro.sendSocketMessage({ data: 5, ...callbacks(log) }).then(assert.fail, assert.fail);
        await app.bridge.dispatch();
        assert.deepEqual(log, []);
        // And the numbers are forgotten: a late result is nobody's.
        app.bridge.push(1, 0, [2, 0, 'x', '', 0, 0]);
        app.bridge.push(1, 0, [77, 0, 'x', '', 0, 0]);
        await app.bridge.dispatch();
        assert.deepEqual(log, []);
        assert.deepEqual(app.bridge.reports, []);
    });

    test(`${flavour}: after the binding was released`, async () => {
        const app = newApp(flavour);
        const { task } = await openSocket(app);
        app.bridge.released = true;
        assert.equal(task.readyState, CLOSED);
        assert.equal(task.bufferedAmount, 0);
        assert.throws(() => app.platform.connectSocket({ url: 'ws://host/' }));
        await assert.rejects(app.Taro.connectSocket({ url: 'ws://host/' }), /the binding was released/);
        await assert.rejects(app.Taro.sendSocketMessage({ data: 'x' }), /the binding was released/);
        if (TARO_ONLY.includes(flavour)) {
            await assert.rejects(task.send({ data: 'x' }), /the binding was released/);
        } else {
            task.send({ data: 'x' });
            assert.throws(() => task.send({ data: 'x', fail() {} }), /the binding was released/);
        }
    });

    test(`${flavour}: the binding is released inside a handler`, async () => {
        const app = newApp(flavour);
        const { task, id } = await openSocket(app);
        const log = [];
        task.onClose(() => {
            app.bridge.released = true;
            log.push('close');
            throw new Error('reported to nobody');
        });
        app.bridge.closed(id);
        await app.bridge.dispatch();
        assert.deepEqual(log, ['close']);
        assert.deepEqual(app.bridge.reports, []);
    });

    test(`${flavour}: Taro.connectSocket resolves with the task after success`, async () => {
        const app = newApp(flavour);
        const log = [];
        const promise = app.Taro.connectSocket({ url: 'ws://host/', ...callbacks(log) });
        assert.ok(promise instanceof Promise);
        promise.then((task) => log.push(['then', task]));
        await turn();
        assert.deepEqual(log, []);
        await app.bridge.dispatch();
        assert.deepEqual(names(log), ['success', 'complete', 'then']);
        const task = log[2][1];
        assert.equal(task.errMsg, 'connectSocket:ok');
        assert.equal(task.readyState, CONNECTING);
        assert.equal(typeof task.socketTaskId, 'number');
    });

    test(`${flavour}: a rejection is left to the script only if it passed no callback`, async () => {
        const app = newApp(flavour);
        const { task } = await connectSocket(app);
        const functions = [[app.Taro.connectSocket, { url: 5 }], [app.Taro.sendSocketMessage, { data: 5 }],
            [app.Taro.closeSocket, { code: 'x' }]];
        if (TARO_ONLY.includes(flavour)) {
            functions.push([(option) => task.send(option), { data: 'x' }]);
            // Its typings say that it gives nothing: nobody would take a rejection.
            functions.push([(option) => task.close(option), { code: 5 }, true]);
        }
        if (app.platform?.sendSocketMessage) {
            functions.push([app.platform.sendSocketMessage, { data: 5 }]);
            functions.push([app.platform.closeSocket, { code: 'x' }]);
        }
        for (const [call, option, isQuiet] of functions) {
            assert.ok(call(option) instanceof Promise);
            await app.bridge.dispatch();
            const unhandled = await takeUnhandled();
            assert.equal(unhandled.length, isQuiet ? 0 : 1);
            if (!isQuiet) assert.match(unhandled[0].errMsg, /:fail /);
            for (const name of ['success', 'fail', 'complete']) {
                call({ ...option, [name]() {} });
                await app.bridge.dispatch();
                assert.deepEqual(await takeUnhandled(), [], name);
            }
            // Who asks for the promise gets it all the same.
            const promise = call({ ...option, fail() {} });
            if (!promise) continue;
            const rejected = assert.rejects(promise, (res) => /:fail /.test(res.errMsg));
            await app.bridge.dispatch();
            await rejected;
        }
    });
}

for (const flavour of MINI_PROGRAMS) {
    test(`${flavour}: which functions of the platform return a promise`, async () => {
        const app = newApp(flavour);
        const { task } = await openSocket(app, { through: 'platform' });
        assert.equal(task.send({ data: 'x' }), undefined);
        assert.equal(task.send({ data: 'x', success() {} }), undefined);
        assert.equal(task.close(), undefined);
        assert.ok(!(task instanceof Promise) && task.then === undefined);
        await app.bridge.dispatch();
        if (flavour === 'tt') return;
        await connectSocket(app, { through: 'platform', multiple: false });
        app.bridge.open(app.bridge.last);
        await app.bridge.dispatch();
        for (const name of ['success', 'fail', 'complete']) {
            assert.equal(app.platform.sendSocketMessage({ data: 'x', [name]() {} }), undefined);
        }
        const sent = app.platform.sendSocketMessage({ data: 'x' });
        const closed = app.platform.closeSocket();
        await app.bridge.dispatch();
        const ok = (name) => (flavour === 'alipay' ? {} : { errMsg: `${name}:ok` });
        assert.deepEqual(await sent, ok('sendSocketMessage'));
        assert.deepEqual(await closed, ok('closeSocket'));
    });
}

test('a task that was frozen before success', async () => {
    const app = newApp('weapp');
    const log = [];
    Object.freeze(app.platform.connectSocket({ url: 'ws://host/', ...callbacks(log) }));
    await app.bridge.dispatch();
    assert.deepEqual(names(log), ['success', 'complete']);
    assert.equal(app.bridge.reports.length, 1);
});
