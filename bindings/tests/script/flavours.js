/* What each flavour's face looks like; how the script is loaded. */
'use strict';

const fs = require('node:fs');
const vm = require('node:vm');
const { assert, test, callbacks, connectSocket, openSocket } = require('./kit');
const { FLAVOURS, SCRIPT, FakeBridge, newApp } = require('./bridge');

const FUNCTIONS = [
    'connectSocket', 'sendSocketMessage', 'closeSocket', 'onSocketOpen', 'onSocketMessage', 'onSocketError',
    'onSocketClose',
];
const OFF = ['offSocketOpen', 'offSocketMessage', 'offSocketError', 'offSocketClose'];
const TASK = ['send', 'close', 'onOpen', 'onMessage', 'onError', 'onClose'];

for (const flavour of FLAVOURS) {
    const isAlipay = flavour === 'alipay';

    test(`${flavour}: the functions of the faces`, async () => {
        const app = newApp(flavour);
        const all = (isAlipay ? [...FUNCTIONS, ...OFF] : FUNCTIONS).sort();
        assert.deepEqual(Object.keys(app.Taro).sort(), all);
        if (flavour === 'h5' || flavour === 'rn') assert.equal(app.platform, undefined);
        else if (flavour === 'tt') assert.deepEqual(Object.keys(app.platform), ['connectSocket']);
        else assert.deepEqual(Object.keys(app.platform).sort(), all);
        const { task } = await connectSocket(app);
        const prototype = Object.getPrototypeOf(task);
        for (const name of TASK) assert.equal(typeof prototype[name], 'function');
        assert.equal('offMessage' in task, isAlipay);
        assert.equal(prototype.constructor.name, 'SocketTask');
        // Without `this`, as who takes them out of the object calls them.
        const { connectSocket: connect, onSocketOpen, sendSocketMessage } = app.Taro;
        onSocketOpen(() => {});
        connect({ url: 'ws://host/', fail() {} });
        sendSocketMessage({ data: 'x', fail() {} });
        await app.bridge.dispatch();
    });

    test(`${flavour}: the shapes of results and events`, async () => {
        const app = newApp(flavour);
        const { bridge } = app;
        const seen = {};
        const { task, id } = await connectSocket(app, {
            success(res) { seen.connect = res; }, through: 'Taro',
        });
        for (const event of ['Open', 'Message', 'Error', 'Close']) {
            task[`on${event}`]((res) => { seen[event] = res; });
        }
        bridge.open(id);
        bridge.message(id, 'text');
        bridge.error(id, false);
        bridge.closed(id, 4000, 'why');
        await bridge.dispatch();
        const type = (name) => (flavour === 'h5' ? { type: name } : {});
        const tellsId = ['tt', 'h5', 'rn'].includes(flavour);
        const taskId = tellsId ? { socketTaskId: 1 } : {};
        assert.deepEqual(seen.connect, { errMsg: 'connectSocket:ok', ...taskId });
        assert.deepEqual(seen.Open, {
            ...type('open'), header: { Upgrade: 'websocket' },
            profile: {
                fetchStart: 1, domainLookUpStart: 2, domainLookUpEnd: 3, connectStart: 4, connectEnd: 5,
                rtt: 6, handshakeCost: 7, cost: 8,
            },
        });
        const isBuffer = isAlipay ? { isBuffer: false } : {};
        assert.deepEqual(seen.Message, { ...type('message'), data: 'text', ...isBuffer });
        assert.deepEqual(seen.Error, {
            ...type('error'), errMsg: 'connectSocket:fail connection failed', errno: 600106,
            ...(isAlipay ? { error: 106, errorMessage: 'connection failed' } : {}),
        });
        assert.deepEqual(seen.Close, { code: 4000, reason: 'why' });
    });

    test(`${flavour}: binary through Taro is an ArrayBuffer, the bridge's own`, async () => {
        const app = newApp(flavour);
        const { task, id } = await openSocket(app);
        const buffer = new ArrayBuffer(3);
        let data;
        task.onMessage((res) => { data = res.data; });
        app.bridge.message(id, buffer);
        await app.bridge.dispatch();
        assert.equal(data, buffer);
    });

    test(`${flavour}: the platform's connectSocket returns the task at once`, async () => {
        const { platform, bridge } = newApp(flavour);
        if (!platform) return;
        const log = [];
        const task = platform.connectSocket({ url: 'ws://host/', multiple: true, ...callbacks(log) });
        assert.equal(typeof task.onOpen, 'function');
        assert.equal(task.readyState, 0);
        assert.deepEqual(log, []);
        await bridge.dispatch();
        assert.equal(task.errMsg, 'connectSocket:ok');
    });

    test(`${flavour}: canIUse`, () => {
        const { platform } = newApp(flavour);
        if (!platform) return;
        const yes = [
            'connectSocket', 'connectSocket.object.protocols', 'connectSocket.object.success', 'SocketTask',
            'SocketTask.send', 'SocketTask.onMessage', 'connectSocket.return.x',
        ];
        const no = [
            'request', 'connectSocket.object.method', 'SocketTask.ping', 'SocketTask.valueOf', 'toString',
            'constructor', '', undefined,
        ];
        const globals = ['onSocketOpen', 'onSocketOpen.callback.header', 'closeSocket.object.code'];
        (flavour === 'tt' ? no : yes).push(...globals);
        const mine = ['connectSocket.object.multiple', 'offSocketOpen', 'SocketTask.offOpen'];
        (isAlipay ? yes : no).push(...mine, 'sendSocketMessage.object.isBuffer');
        for (const schema of yes) assert.equal(platform.canIUse(schema), true, schema);
        for (const schema of no) assert.equal(platform.canIUse(schema), false, schema);
        // A host that copies the functions keeps its own.
        assert.ok(!('canIUse' in { ...platform }));
    });
}

test('the script is a classic one: its value is the module, it defines no global', () => {
    const source = fs.readFileSync(SCRIPT, 'utf8');
    const context = vm.createContext({});
    const before = vm.runInContext('Object.getOwnPropertyNames(globalThis).join()', context);
    const script = vm.runInContext(source, context);
    assert.equal(typeof script.create, 'function');
    assert.equal(vm.runInContext('Object.getOwnPropertyNames(globalThis).join()', context), before);
    assert.deepEqual(Object.keys(script), ['create']);
    assert.equal(require(SCRIPT).create.length, 1);
});

for (const flavour of FLAVOURS) {
    test(`${flavour}: protocols in one string, parted by commas`, async () => {
        const { Taro, bridge } = newApp(flavour);
        const cases = [['mqtt', ['mqtt']], ['a, b', ['a', 'b']], [' a ,,b,', ['a', 'b']], ['', []]];
        for (const [protocols, expected] of cases) {
            Taro.connectSocket({ url: 'ws://host/', multiple: true, protocols });
            assert.deepEqual(bridge.calls('connect').pop()[3], expected);
        }
        await bridge.dispatch();
    });

    test(`${flavour}: switches are on for whatever counts as true`, async () => {
        const { Taro, bridge } = newApp(flavour);
        const cases = [[true, 7], [{ threshold: 1024 }, 7], [1, 7], ['on', 7], [false, 0], [0, 0], ['', 0], [null, 0]];
        for (const [value, flags] of cases) {
            const option = { tcpNoDelay: value, perMessageDeflate: value, forceCellularNetwork: value };
            Taro.connectSocket({ url: 'ws://host/', multiple: true, ...option });
            assert.equal(bridge.calls('connect').pop()[4], flags, String(value));
        }
        await bridge.dispatch();
    });

    test(`${flavour}: a task gives no way to its connection`, async () => {
        const app = newApp(flavour);
        const { task, id } = await openSocket(app);
        const symbols = Object.getOwnPropertySymbols(task);
        assert.equal(symbols.length, 1);
        for (const key of [undefined, null, {}, task]) assert.equal(task[symbols[0]](key), undefined);
        task.socketTaskId = id + 1;
        task.send({ data: 'x' })?.catch(() => {});
        assert.equal(app.bridge.calls('send').pop()[2], id);
        await app.bridge.dispatch();
    });
}

test('an engine without SharedArrayBuffer', async () => {
    const context = vm.createContext({});
    vm.runInContext('delete globalThis.SharedArrayBuffer', context);
    const { create } = vm.runInContext(fs.readFileSync(SCRIPT, 'utf8'), context);
    const bridge = new FakeBridge('weapp');
    const { platform } = create(bridge);
    const task = platform.connectSocket({ url: 'ws://host/' });
    bridge.open(bridge.last);
    await bridge.dispatch();
    const log = [];
    task.send({ data: Uint8Array.of(1) });
    task.send({ data: 5, ...callbacks(log) });
    await bridge.dispatch();
    assert.deepEqual(bridge.calls('send').map((entry) => entry[3]), [[1]]);
    assert.equal(log[0][1].errMsg, 'SocketTask.send:fail parameter error: data');
});

test('the flavour is read once, the handler set once', () => {
    let reads = 0;
    let handlers = 0;
    const bridge = new FakeBridge('weapp');
    Object.defineProperty(bridge, 'flavour', { get() { reads++; return 'swan'; } });
    bridge.listen = () => { handlers++; };
    require(SCRIPT).create(bridge);
    assert.deepEqual([reads, handlers], [1, 1]);
});
