/*
 * A bridge without a library: what bindings/js/README.md asks of a binding, in memory. Sockets do what the
 * test says; results and events wait until dispatch. A call that breaks the contract throws.
 */
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { isArrayBuffer } = require('node:util').types;
const vm = require('node:vm');

const SCRIPT = path.join(__dirname, '..', '..', 'js', 'taro_socket.js');
const FLAVOURS = ['weapp', 'alipay', 'swan', 'tt', 'h5', 'rn'];
const NAMES = { 1: 'connectSocket', 2: 'sendSocketMessage', 3: 'closeSocket' };
const [CONNECTING, OPEN, CLOSING, CLOSED] = [0, 1, 2, 3];

/**
 * A table like the library's: enough to see that what the script shows comes from here. As in weapp a wrong parameter's
 * text has its name alone, and not what is wrong with it.
 */
function record(api, status, subject) {
    if (status === 0) return [0, `${NAMES[api]}:ok`, '', 0, 0];
    const reasons = {
        '-100': `invalid url "${subject}"`, '-102': `too many ${subject}`,
        '-103': `parameter error: ${String(subject).split(' ')[0]}`, '-106': 'connection failed', '-107': 'not connected',
        '-108': 'invalid code', '-109': 'reason too long', '-199': 'system error',
    };
    const reason = reasons[status] ?? `status ${status}`;
    return [status, `${NAMES[api]}:fail ${reason}`, reason, 600000 - status, -status];
}

function check(isRight, what) {
    if (!isRight) throw new TypeError(`the script broke the bridge's contract: ${what}`);
}
const isInteger = (value, from, to) => Number.isInteger(value) && value >= from && value <= to;
const isText = (value) => typeof value === 'string';

class FakeBridge {
    constructor(flavour) {
        this.flavour = flavour;
        this.handler = null;
        this.queue = [];
        this.sockets = new Map();
        this.nextSocket = 2 ** 40;
        this.global = 0;
        this.released = false;
        /** What the script did: one array a call. */
        this.log = [];
        this.reports = [];
        /** Answers in place of the usual ones. */
        this.connectThrows = null;
        this.connectStatus = 0;
        this.sendStatus = 0;
        this.refuseStatus = 0;
        /** A socket is over for the library before connect returns. */
        this.endsAtOnce = false;
        for (const name of ['connect', 'send', 'close', 'refuse', 'state', 'bufferedAmount', 'globalSocket',
            'release', 'listen', 'report']) {
            const method = this[`_${name}`].bind(this);
            this[name] = (...args) => {
                if (this.released) throw new Error('the binding was released');
                return method(...args);
            };
        }
    }

    _connect(call, url, headers, protocols, flags, timeout) {
        check(isInteger(call, 0, Number.MAX_SAFE_INTEGER), 'call');
        check(isText(url), 'url');
        check(Array.isArray(headers) && headers.length % 2 === 0 && headers.every(isText), 'headers');
        check(Array.isArray(protocols) && protocols.every(isText), 'protocols');
        check(isInteger(flags, 0, 7), 'flags');
        check(isInteger(timeout, -(2 ** 31), 2 ** 31 - 1), 'timeout');
        this.log.push(['connect', url, headers, protocols, flags, timeout]);
        if (this.connectThrows) throw this.connectThrows;
        if (this.connectStatus) {
            this._result(0, call, 1, this.connectStatus, url);
            return 0;
        }
        const id = this.nextSocket++;
        this.sockets.set(id, { state: CONNECTING, buffered: 0 });
        if (this.global === 0) this.global = id;
        if (this.endsAtOnce) this.global = 0;
        this._result(id, call, 1, 0);
        return id;
    }

    _send(call, id, data, offset, length) {
        check(isInteger(call, 0, Number.MAX_SAFE_INTEGER), 'call');
        if (!isText(data)) {
            check(isArrayBuffer(data), 'data');
            check(isInteger(offset, 0, data.byteLength), 'offset');
            check(isInteger(length, 0, data.byteLength - offset), 'length');
        }
        const bytes = isText(data) ? data : [...new Uint8Array(data, offset, length)];
        this.log.push(['send', call, id, bytes]);
        if (this.sendStatus) {
            if (this.sendStatus <= -100 && call) this._result(id, call, 2, this.sendStatus);
            return this.sendStatus;
        }
        const socket = this.sockets.get(id);
        if (!socket) return -3;
        const status = socket.state === OPEN ? 0 : -107;
        if (call) this._result(id, call, 2, status);
        return status;
    }

    _close(call, id, code, reason) {
        check(isInteger(call, 0, Number.MAX_SAFE_INTEGER), 'call');
        check(isInteger(code, 0, 65535), 'code');
        check(isText(reason), 'reason');
        this.log.push(['close', call, id, code, reason]);
        const socket = this.sockets.get(id);
        if (!socket) return -3;
        let status = 0;
        if (code !== 0 && code !== 1000 && (code < 3000 || code > 4999)) status = -108;
        else if (Buffer.byteLength(reason) > 123) status = -109;
        else if (socket.state > OPEN) status = -107;
        if (status === 0) {
            socket.state = CLOSING;
            if (this.global === id) this.global = 0;
        }
        if (call) this._result(id, call, 3, status);
        return status;
    }

    _refuse(call, api, status, subject) {
        check(isInteger(call, 1, Number.MAX_SAFE_INTEGER), 'call');
        check(isInteger(api, 1, 3), 'api');
        check(isInteger(status, -199, -100), 'status');
        check(isText(subject), 'subject');
        this.log.push(['refuse', NAMES[api], status, subject]);
        if (this.refuseStatus) return this.refuseStatus;
        this._result(0, call, api, status, subject);
        return 0;
    }

    _state(id) {
        return this.sockets.get(id)?.state ?? CLOSED;
    }

    _bufferedAmount(id) {
        return this.sockets.get(id)?.buffered ?? 0;
    }

    _globalSocket() {
        return this.global;
    }

    _release(id) {
        check(this.sockets.delete(id), 'release of an unknown socket');
        this.log.push(['release', id]);
        // Silent, as the library's: what waits for the socket is never told.
        this.queue = this.queue.filter(({ args }) => args[1] !== id);
        if (this.global === id) this.global = 0;
    }

    _listen(handler) {
        this.handler = handler;
    }

    _report(error) {
        this.reports.push(error);
    }

    // --- for tests

    _result(id, call, api, status, subject = '') {
        if (call) this.queue.push({ args: [1, id, call, ...record(api, status, subject)] });
    }

    push(kind, id, args, before = () => {}) {
        this.queue.push({ args: [kind, id, ...args], before });
    }

    open(id, headers = ['Upgrade', 'websocket'], profile = [1, 2, 3, 4, 5, 6, 7, 8]) {
        this.push(2, id, [headers, '', '', profile], () => { this.sockets.get(id).state = OPEN; });
    }

    message(id, data) {
        this.push(3, id, [data]);
    }

    /** `isLast`: no close follows. */
    error(id, isLast) {
        this.push(4, id, record(1, -106), () => {
            if (this.global === id) this.global = 0;
            if (isLast) this.sockets.get(id).state = CLOSED;
        });
    }

    closed(id, code = 1000, reason = 'bye', wasClean = 1) {
        this.push(5, id, [code, reason, wasClean], () => {
            if (this.global === id) this.global = 0;
            this.sockets.get(id).state = CLOSED;
        });
    }

    drain(id) {
        this.push(6, id, [0]);
    }

    /** Each event is a turn of its own: microtasks run out before the next. */
    async dispatch() {
        while (this.queue.length > 0 && !this.released) {
            const { args, before } = this.queue.shift();
            before?.();
            try {
                this.handler(...args);
            } catch (error) {
                this.reports.push(error);
            }
            await new Promise((resolve) => setImmediate(resolve));
        }
    }

    /** Calls of this kind so far. */
    calls(name) {
        return this.log.filter(([first]) => first === name);
    }

    /** The id of the last socket. */
    get last() {
        return this.nextSocket - 1;
    }
}

/** As an engine binding does: the script's completion value. */
function loadScript() {
    return vm.runInThisContext(fs.readFileSync(SCRIPT, 'utf8'), { filename: SCRIPT });
}

function newApp(flavour) {
    const bridge = new FakeBridge(flavour);
    const { platform, Taro } = loadScript().create(bridge);
    return { bridge, platform, Taro, flavour };
}

module.exports = {
    FLAVOURS, CONNECTING, OPEN, CLOSING, CLOSED, SCRIPT, FakeBridge, loadScript, newApp, record,
};
