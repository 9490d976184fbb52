/*
 * libtaro_socket for scripts: `wx`, `my`, `swan` or `tt`, and `Taro`, over the functions of a binding.
 *
 * A classic script for any ES2020 engine. Its value is `{ create }`; it defines no global. `create(bridge)`
 * gives `{ platform, Taro }`. README.md beside this file says what a bridge is.
 *
 * Limits, texts and codes are the library's: each errMsg, errno and code comes from a record of the bridge. A
 * call that never gets as far as the library is handed to bridge.refuse, which answers with such a record.
 */
(() => {
    'use strict';

    // What the bridge's handler is told, and the script functions that bridge.refuse knows.
    const RESULT = 1, OPEN = 2, MESSAGE = 3, ERROR = 4, CLOSE = 5;
    const CALL_CONNECT = 1, CALL_SEND = 2, CALL_CLOSE = 3;

    const STATUS_OK = 0;
    const STATUS_TOO_MANY_SOCKETS = -102;
    const STATUS_PARAMETER = -103;
    const STATUS_NOT_CONNECTED = -107;
    const STATUS_INVALID_CLOSE_CODE = -108;
    const STATUS_INTERNAL = -199;
    /** The call did not happen, and no result follows. */
    const isMisuse = (status) => status < 0 && status > -100;

    const FLAG_TCP_NO_DELAY = 1, FLAG_PER_MESSAGE_DEFLATE = 2, FLAG_CELLULAR = 4;
    const LONGEST_TIMEOUT = 0x7fffffff;

    const STATES = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 };
    const CALLBACKS = ['success', 'fail', 'complete'];
    const EVENTS = ['Open', 'Message', 'Error', 'Close'];
    const PROFILE = [
        'fetchStart', 'domainLookUpStart', 'domainLookUpEnd', 'connectStart', 'connectEnd', 'rtt',
        'handshakeCost', 'cost',
    ];
    /** For canIUse; callbacks apart. */
    const OPTIONS = {
        connectSocket: [
            'url', 'header', 'protocols', 'timeout', 'tcpNoDelay', 'perMessageDeflate',
            'forceCellularNetwork',
        ],
        sendSocketMessage: ['data'],
        closeSocket: ['code', 'reason'],
    };
    const ALIPAY_OPTIONS = { connectSocket: ['multiple', 'data'], sendSocketMessage: ['isBuffer'] };

    // --- what the script passes

    /** Why a call goes no further. `subject`: what the text names. */
    class Refusal {
        constructor(status, subject = '') {
            this.status = status;
            this.subject = subject;
        }
    }

    /** `why`: for flavours whose text says it. */
    const wrong = (name, why) => new Refusal(STATUS_PARAMETER, why ? `${name} ${why}` : name);

    /** A kind of value: the name that texts give it, and whether a value is one. */
    const kindOf = (name, isRight) => ({ name, isRight });
    const STRING = kindOf('String', (value) => typeof value === 'string');
    const NUMBER = kindOf('Number', (value) => typeof value === 'number');
    const OBJECT = kindOf('Object', (value) => isObject(value));
    const STRINGS = kindOf('Array', (value) => Array.isArray(value) || isString(value));
    const ANYTHING = kindOf('', () => true);

    function typeName(value) {
        if (value === null) return 'Null';
        if (Array.isArray(value)) return 'Array';
        const name = typeof value;
        return name[0].toUpperCase() + name.slice(1);
    }

    const isString = (value) => typeof value === 'string';
    const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
    const hasOwn = (object, name) => Object.prototype.hasOwnProperty.call(object, name);
    /** The options of a call; anything else counts as none. */
    const objectOf = (option) => (typeof option === 'object' && option !== null ? option : {});

    /** For what may run the script's getters, proxies and conversions: an exception is a wrong argument. */
    function attempt(name, read) {
        try {
            return read();
        } catch (error) {
            throw error instanceof Refusal ? error : wrong(name);
        }
    }

    function checked(name, value, { name: expected, isRight }) {
        if (!isRight(value)) throw wrong(name, `should be ${expected} instead of ${typeName(value)}`);
        return value;
    }

    function required(option, name, kind) {
        return attempt(name, () => checked(name, option[name], kind));
    }

    /** undefined and null mean: left out. */
    function optional(option, name, kind) {
        return attempt(name, () => {
            const value = option[name];
            return value === undefined || value === null ? undefined : checked(name, value, kind);
        });
    }

    /** A switch, which is on for whatever counts as true: libraries pass objects of their own there. */
    function isOn(option, name) {
        return attempt(name, () => Boolean(option[name]));
    }

    /** The header's fields as [name, value, name, value, …]. */
    function headerFields(option) {
        const header = optional(option, 'header', OBJECT);
        const fields = [];
        if (header === undefined) return fields;
        return attempt('header', () => {
            for (const name of Object.keys(header)) {
                const value = header[name];
                // A template, unlike String(), refuses a Symbol.
                if (value !== undefined && value !== null) fields.push(name, `${value}`);
            }
            return fields;
        });
    }

    /** In place of an array a string may stand, in which commas part them as on the wire. */
    function protocolList(option) {
        const protocols = optional(option, 'protocols', STRINGS);
        if (protocols === undefined) return [];
        if (isString(protocols)) {
            return protocols.split(',').map((protocol) => protocol.trim()).filter(Boolean);
        }
        const list = attempt('protocols', () => Array.from(protocols));
        if (!list.every(isString)) throw wrong('protocols');
        return list;
    }

    function timeoutOf(option) {
        const timeout = optional(option, 'timeout', NUMBER);
        return timeout > 0 ? Math.min(Math.ceil(timeout), LONGEST_TIMEOUT) : 0;
    }

    function flagsOf(option) {
        return (isOn(option, 'tcpNoDelay') ? FLAG_TCP_NO_DELAY : 0)
            | (isOn(option, 'perMessageDeflate') ? FLAG_PER_MESSAGE_DEFLATE : 0)
            | (isOn(option, 'forceCellularNetwork') ? FLAG_CELLULAR : 0);
    }

    /** Code and reason; 0 is the library's default code. */
    function closeArguments(option) {
        const code = optional(option, 'code', NUMBER);
        const reason = optional(option, 'reason', STRING) ?? '';
        if (code === undefined) return { code: 0, reason };
        const isCode = Number.isInteger(code) && code > 0 && code <= 0xffff;
        if (!isCode) throw new Refusal(STATUS_INVALID_CLOSE_CODE);
        return { code, reason };
    }

    // instanceof fails for buffers of another realm and can be fooled; the getters of the prototypes cannot.
    const lengthGetter = (type) => Object.getOwnPropertyDescriptor(type.prototype, 'byteLength').get;
    const arrayBufferLength = lengthGetter(ArrayBuffer);
    const sharedLength =
        typeof SharedArrayBuffer === 'function' ? lengthGetter(SharedArrayBuffer) : () => undefined;

    function lengthBy(getter, value) {
        try {
            return getter.call(value);
        } catch {
            return undefined;
        }
    }

    /** What bridge.send takes: a string, or a range of an ArrayBuffer. Shared memory is copied. */
    function payload(data) {
        if (isString(data)) return { bytes: data, offset: 0, length: 0 };
        const isView = ArrayBuffer.isView(data);
        const buffer = isView ? data.buffer : data;
        const offset = isView ? data.byteOffset : 0;
        let length = lengthBy(arrayBufferLength, buffer);
        const isShared = length === undefined;
        if (isShared) length = lengthBy(sharedLength, buffer);
        if (length === undefined) {
            throw wrong('data', `should be String or ArrayBuffer instead of ${typeName(data)}`);
        }
        if (isView) length = data.byteLength;
        if (!isShared) return { bytes: buffer, offset, length };
        return { bytes: new Uint8Array(buffer, offset, length).slice().buffer, offset: 0, length };
    }

    const wellFormed = (text) => text.replace(/[\ud800-\udfff]/gu, '\ufffd');
    const encode = (text) => encodeURIComponent(wellFormed(text));

    /** The URL with the alipay option `data` in its query. */
    function urlWithQuery(url, option) {
        const data = optional(option, 'data', OBJECT);
        if (data === undefined) return url;
        const query = attempt('data', () => {
            const fields = [];
            for (const name of Object.keys(data)) {
                const value = data[name];
                if (value === undefined || value === null) continue;
                const text = typeof value === 'object' ? JSON.stringify(value) : `${value}`;
                fields.push(`${encode(name)}=${encode(text)}`);
            }
            return fields.join('&');
        });
        if (query === '') return url;
        const end = url.indexOf('#') < 0 ? url.length : url.indexOf('#');
        const base = url.slice(0, end);
        const joint = !base.includes('?') ? '?' : /[?&]$/.test(base) ? '' : '&';
        return base + joint + query + url.slice(end);
    }

    // --- base64: engines have no atob

    const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    const DIGIT_CODES = Uint8Array.from(DIGITS, (digit) => digit.charCodeAt(0));
    const DIGIT_VALUES = new Int8Array(128).fill(-1);
    DIGIT_CODES.forEach((code, value) => { DIGIT_VALUES[code] = value; });
    const PADDING = '='.charCodeAt(0);

    function toBase64(buffer) {
        const bytes = new Uint8Array(buffer);
        const codes = new Uint8Array(Math.ceil(bytes.length / 3) * 4);
        let at = 0;
        for (let i = 0; i < bytes.length; i += 3) {
            const left = bytes.length - i;
            // Past the end there is undefined, which counts as 0.
            const bits = (bytes[i] << 16) | (bytes[i + 1] << 8) | bytes[i + 2];
            codes[at++] = DIGIT_CODES[bits >> 18];
            codes[at++] = DIGIT_CODES[(bits >> 12) & 63];
            codes[at++] = left > 1 ? DIGIT_CODES[(bits >> 6) & 63] : PADDING;
            codes[at++] = left > 2 ? DIGIT_CODES[bits & 63] : PADDING;
        }
        // Engines bound the number of arguments.
        const parts = [];
        for (let i = 0; i < codes.length; i += 4096) {
            parts.push(String.fromCharCode.apply(null, codes.subarray(i, i + 4096)));
        }
        return parts.join('');
    }

    /** Takes what a browser's atob takes: white space, and no padding. undefined if it is not base64. */
    function fromBase64(text) {
        let digits = text.replace(/[\t\n\f\r ]/g, '');
        if (digits.length % 4 === 0) digits = digits.replace(/={1,2}$/, '');
        if (digits.length % 4 === 1) return undefined;
        const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
        let at = 0;
        let bits = 0;
        for (let i = 0; i < digits.length; i++) {
            const value = DIGIT_VALUES[digits.charCodeAt(i)] ?? -1;
            if (value < 0) return undefined;
            bits = ((bits << 6) | value) & 0xffffff;
            if (i % 4 > 0) bytes[at++] = bits >> (6 - 2 * (i % 4));
        }
        return bytes.buffer;
    }

    // --- what the script gets

    /** A response's header as an object: repeated fields are joined, under the first one's spelling. */
    function headerObject(fields) {
        const byName = new Map();
        for (let i = 0; i < fields.length; i += 2) {
            const name = fields[i].toLowerCase();
            const field = byName.get(name);
            if (field) field[1] += `, ${fields[i + 1]}`;
            else byName.set(name, [fields[i], fields[i + 1]]);
        }
        return Object.fromEntries(byName.values());
    }

    const profileObject = (numbers) => Object.fromEntries(PROFILE.map((name, i) => [name, numbers[i]]));

    /** Event handlers of a task, or of the global functions. Alipay keeps all, the others the last one. */
    class Listeners {
        constructor(keepsAll) {
            this.keepsAll = keepsAll;
            // Lists are replaced, never changed: an event goes to those that were there when it came.
            for (const event of EVENTS) this[event] = [];
        }

        on(event, handler) {
            const isHandler = typeof handler === 'function';
            if (this.keepsAll) {
                if (isHandler) this[event] = [...this[event], handler];
            } else {
                this[event] = isHandler ? [handler] : [];
            }
        }

        off(event, handler) {
            const all = handler === undefined || handler === null;
            this[event] = all ? [] : this[event].filter((other) => other !== handler);
        }
    }

    // --- one app

    function create(bridge) {
        const flavour = bridge.flavour;
        const isAlipay = flavour === 'alipay';
        /** Taro's own implementations, not a platform's API under Taro. */
        const isTaroOnly = flavour === 'h5' || flavour === 'rn';
        const tellsTaskId = isTaroOnly || flavour === 'tt';

        /** Calls that wait for their result, by number. */
        const calls = new Map();
        /** Live sockets by id: whoever drops a task still gets its events. */
        const connections = new Map();
        let lastCall = 0;
        let lastTaskId = 0;
        /** alipay: the one socket made without `multiple`, the last of them. */
        let single = null;

        /** One for `platform`, one for `Taro`: each has its own global handlers. */
        const newFace = (isTaro) => (
            { isTaro, usesBase64: isAlipay && !isTaro, listeners: new Listeners(isAlipay) }
        );
        const platformFace = newFace(false);
        const taroFace = newFace(true);

        function report(error) {
            try {
                bridge.report(error);
            } catch {
                // The binding was released: nobody is left to tell.
            }
        }

        /** A handler of the script never breaks another one. */
        function run(handler, res) {
            try {
                handler(res);
            } catch (error) {
                report(error);
            }
        }

        // --- calls

        /** `name`: the script function, if its results do not carry the record's own. */
        function newCall(api, face, option, name) {
            const call = {
                number: 0, api, face, name, connection: null, task: null,
                success: undefined, fail: undefined, complete: undefined, hasCallbacks: false,
                resolve: undefined, reject: undefined, refusal: undefined,
            };
            for (const key of CALLBACKS) {
                try {
                    const callback = option[key];
                    if (typeof callback !== 'function') continue;
                    call[key] = callback;
                    call.hasCallbacks = true;
                } catch {
                    call.refusal = wrong(key);
                }
            }
            return call;
        }

        function promiseOf(call) {
            const promise = new Promise((resolve, reject) => {
                call.resolve = resolve;
                call.reject = reject;
            });
            // Who passed callbacks has been told.
            if (call.hasCallbacks) promise.catch(() => {});
            return promise;
        }

        /** Lets `act` hand the call to the bridge; what keeps it from that becomes the call's `fail`. */
        function submit(call, act) {
            const isAwaited = call.hasCallbacks || call.resolve !== undefined || call.api === CALL_CONNECT;
            if (isAwaited) {
                call.number = ++lastCall;
                calls.set(call.number, call);
            }
            let refusal = call.refusal;
            if (refusal === undefined) {
                try {
                    if (isMisuse(act())) refusal = new Refusal(STATUS_NOT_CONNECTED);
                    else if (isAwaited && call.connection) call.connection.pending++;
                } catch (error) {
                    // Anything else is the bridge's own: misuse of connect.
                    refusal = error instanceof Refusal ? error : new Refusal(STATUS_INTERNAL);
                }
            }
            if (refusal === undefined || !isAwaited) return;
            call.connection = null;
            try {
                const status = bridge.refuse(call.number, call.api, refusal.status, refusal.subject);
                // The library is shutting down: nothing follows, as for all other calls that wait.
                if (status !== STATUS_OK) calls.delete(call.number);
            } catch (error) {
                // The binding was released.
                calls.delete(call.number);
                if (!call.reject) throw error;
                call.reject(error);
            }
        }

        function resultOf(call, status, errMsg, reason, errno, code) {
            const isOk = status === STATUS_OK;
            const res = {};
            // Taro's own implementations name the global functions in `ok`.
            if (call.name !== undefined && !(isOk && isTaroOnly)) {
                errMsg = isOk ? `${call.name}:ok` : `${call.name}:fail ${reason}`;
            }
            if (!isOk) {
                if (isAlipay) Object.assign(res, { error: code, errorMessage: reason });
                return Object.assign(res, { errMsg, errno });
            }
            if (!isAlipay || call.face.isTaro) res.errMsg = errMsg;
            if (call.task && tellsTaskId) res.socketTaskId = call.task.socketTaskId;
            return res;
        }

        function onResult(number, status, errMsg, reason, errno, code) {
            const call = calls.get(number);
            if (!call) return;
            calls.delete(number);
            const isOk = status === STATUS_OK;
            const res = resultOf(call, status, errMsg, reason, errno, code);
            const { task } = call;
            // The script may have frozen it.
            if (task) run(() => Object.assign(task, { errMsg }, isOk ? res : undefined));
            const told = isOk ? call.success : call.fail;
            if (told) run(told, res);
            if (call.complete) run(call.complete, res);
            if (call.resolve) {
                if (isOk) call.resolve(task ?? res);
                else call.reject(res);
            }
            if (call.connection) {
                call.connection.pending--;
                letGo(call.connection);
            }
        }

        // --- sockets

        function newConnection(face) {
            return {
                id: 0, face, isGlobal: false, listeners: new Listeners(isAlipay),
                /** The terminal event came; also so as long as there is no socket. */
                hasEnded: true,
                /** `error` came. */
                hasFailed: false,
                /** Results that are still to come. */
                pending: 0,
            };
        }

        function stateOf(connection) {
            if (connection.hasEnded) return STATES.CLOSED;
            try {
                return bridge.state(connection.id);
            } catch {
                return STATES.CLOSED;
            }
        }

        /** What a task shows: in a browser a socket is closed before `error` is told (WHATWG). */
        function readyStateOf(connection) {
            return isTaroOnly && connection.hasFailed ? STATES.CLOSED : stateOf(connection);
        }

        /** Gives an ended socket's id back, but not before the results of its calls: release is silent. */
        function letGo(connection) {
            if (!connection.hasEnded || connection.pending > 0 || !connections.delete(connection.id)) return;
            try {
                bridge.release(connection.id);
            } catch {
                // The binding was released, and the socket with it.
            }
        }

        function connect(face, option) {
            const connection = newConnection(face);
            const call = newCall(CALL_CONNECT, face, objectOf(option));
            call.task = new SocketTask(connection);
            const promise = face.isTaro ? promiseOf(call) : undefined;
            let isMultiple = false;
            submit(call, () => {
                checked('parameter', option, OBJECT);
                let url = required(option, 'url', STRING);
                const header = headerFields(option);
                const protocols = protocolList(option);
                const flags = flagsOf(option);
                const timeout = timeoutOf(option);
                if (isAlipay) {
                    isMultiple = isOn(option, 'multiple');
                    url = urlWithQuery(url, option);
                    const isTaken = single && !single.hasFailed && stateOf(single) < STATES.CLOSING;
                    if (!isMultiple && isTaken) throw new Refusal(STATUS_TOO_MANY_SOCKETS, '1');
                }
                const before = bridge.globalSocket();
                const id = bridge.connect(call.number, url, header, protocols, flags, timeout);
                if (id === 0) return STATUS_OK;
                connection.id = id;
                connection.hasEnded = false;
                call.task.socketTaskId = ++lastTaskId;
                // It may be over and unbound again by now.
                connection.isGlobal = isAlipay ? !isMultiple : before === 0 || bridge.globalSocket() === id;
                connections.set(id, connection);
                if (isAlipay && !isMultiple) single = connection;
                return STATUS_OK;
            });
            if (promise) return promise;
            return isAlipay && !isMultiple ? undefined : call.task;
        }

        /** `find`: gives the connection, once the arguments are known to be right. */
        function send(call, find, option) {
            submit(call, () => {
                let data = required(option, 'data', ANYTHING);
                const isBase64 = isAlipay && isOn(option, 'isBuffer') && isString(data);
                if (isBase64) {
                    data = fromBase64(data);
                    if (data === undefined) throw wrong('data', 'should be base64');
                }
                const { bytes, offset, length } = attempt('data', () => payload(data));
                const { id } = call.connection = find();
                return bridge.send(call.number, id, bytes, offset, length);
            });
        }

        function close(call, find, option) {
            submit(call, () => {
                const { code, reason } = closeArguments(option);
                const { id } = call.connection = find();
                return bridge.close(call.number, id, code, reason);
            });
        }

        // A task's connection stands under a symbol, for frameworks wrap tasks in proxies; behind a function that
        // only this script can use, for an app could give it the id of another app's socket.
        const CONNECTION = Symbol('connection');
        const KEY = {};
        const connectionOf = (task) => task[CONNECTION](KEY);

        class SocketTask {
            constructor(connection) {
                Object.defineProperty(this, CONNECTION, { value: (key) => (key === KEY ? connection : undefined) });
                this.socketTaskId = 0;
                this.errMsg = '';
            }

            get readyState() {
                return readyStateOf(connectionOf(this));
            }

            /** No platform's, but nobody can pace a flood of messages without it. */
            get bufferedAmount() {
                const connection = connectionOf(this);
                return stateOf(connection) === STATES.CLOSED ? 0 : bridge.bufferedAmount(connection.id);
            }

            send(option) {
                return ofTask(connectionOf(this), CALL_SEND, 'SocketTask.send', send, option);
            }

            close(option) {
                return ofTask(connectionOf(this), CALL_CLOSE, 'SocketTask.close', close, option);
            }
        }
        Object.assign(SocketTask.prototype, STATES);
        for (const event of EVENTS) {
            SocketTask.prototype[`on${event}`] = function (handler) {
                connectionOf(this).listeners.on(event, handler);
            };
            if (!isAlipay) continue;
            SocketTask.prototype[`off${event}`] = function (handler) {
                connectionOf(this).listeners.off(event, handler);
            };
        }

        function ofTask(connection, api, name, act, option) {
            option = objectOf(option);
            const call = newCall(api, connection.face, option, name);
            const promise = isTaroOnly ? promiseOf(call) : undefined;
            // The typings say that close gives nothing: nobody expects a rejection there.
            if (promise && api === CALL_CLOSE) promise.catch(() => {});
            act(call, () => {
                if (connection.hasEnded) throw new Refusal(STATUS_NOT_CONNECTED);
                return connection;
            }, option);
            return promise;
        }

        // --- global functions

        function ofGlobal(face, api, act, option) {
            option = objectOf(option);
            const call = newCall(api, face, option);
            const promise = face.isTaro || !call.hasCallbacks ? promiseOf(call) : undefined;
            act(call, () => {
                const connection = isAlipay ? single : connections.get(bridge.globalSocket());
                if (!connection || connection.hasEnded) throw new Refusal(STATUS_NOT_CONNECTED);
                // WeChat's rule: before it is open, closeSocket changes nothing.
                const isEarly = api === CALL_CLOSE && stateOf(connection) === STATES.CONNECTING;
                if (isEarly) throw new Refusal(STATUS_NOT_CONNECTED);
                return connection;
            }, option);
            return promise;
        }

        function functionsOf(face) {
            const functions = {
                connectSocket: (option) => connect(face, option),
                sendSocketMessage: (option) => ofGlobal(face, CALL_SEND, send, option),
                closeSocket: (option) => ofGlobal(face, CALL_CLOSE, close, option),
            };
            for (const event of EVENTS) {
                functions[`onSocket${event}`] = (handler) => face.listeners.on(event, handler);
                if (!isAlipay) continue;
                functions[`offSocket${event}`] = (handler) => face.listeners.off(event, handler);
            }
            return functions;
        }

        /** For libraries that ask first, as for `connectSocket.object.protocols`. */
        function canIUse(platform, schema) {
            const [api, part, name] = String(schema).split('.');
            if (api === 'SocketTask') return part === undefined || hasOwn(SocketTask.prototype, part);
            if (!hasOwn(platform, api)) return false;
            if (part !== 'object' || name === undefined) return true;
            if (CALLBACKS.includes(name) || OPTIONS[api]?.includes(name)) return true;
            return isAlipay && (ALIPAY_OPTIONS[api]?.includes(name) ?? false);
        }

        function newPlatform() {
            if (isTaroOnly) return undefined;
            const functions = functionsOf(platformFace);
            // tt has no global functions.
            const platform = flavour === 'tt' ? { connectSocket: functions.connectSocket } : functions;
            // Not enumerable: a host that copies the functions into its own object keeps its own canIUse.
            Object.defineProperty(platform, 'canIUse', {
                value: (schema) => canIUse(platform, schema), writable: true, configurable: true,
            });
            return platform;
        }

        // --- events

        /** `resOf`: makes what a face's handlers get. */
        function emit(connection, event, resOf) {
            tell(connection.listeners[event], connection.face, resOf);
            if (!connection.isGlobal) return;
            tell(platformFace.listeners[event], platformFace, resOf);
            tell(taroFace.listeners[event], taroFace, resOf);
        }

        function tell(handlers, face, resOf) {
            if (handlers.length === 0) return;
            const res = resOf(face);
            for (const handler of handlers) run(handler, res);
        }

        /** In a browser these are DOM events. */
        const typed = (type, res) => (flavour === 'h5' ? Object.assign({ type }, res) : res);

        function openOf(header, profile) {
            return typed('open', { header: headerObject(header), profile: profileObject(profile) });
        }

        function messageOf(face, data) {
            if (!isAlipay) return typed('message', { data });
            const isBuffer = face.usesBase64 && !isString(data);
            return { data: isBuffer ? toBase64(data) : data, isBuffer };
        }

        function errorOf(status, errMsg, reason, errno, code) {
            const res = isAlipay ? { error: code, errorMessage: reason } : {};
            return typed('error', Object.assign(res, { errMsg, errno }));
        }

        /** Whatever handlers do from now on, the socket is over; the library has told the last of it. */
        function end(connection, event, resOf) {
            connection.hasEnded = true;
            emit(connection, event, resOf);
            letGo(connection);
        }

        bridge.listen((kind, socket, a, b, c, d, e, f) => {
            if (kind === RESULT) {
                onResult(a, b, c, d, e, f);
                return;
            }
            const connection = connections.get(socket);
            if (!connection || connection.hasEnded) return;
            switch (kind) {
                case OPEN:
                    emit(connection, 'Open', () => openOf(a, d));
                    break;
                case MESSAGE:
                    emit(connection, 'Message', (face) => messageOf(face, a));
                    break;
                case ERROR: {
                    connection.hasFailed = true;
                    const resOf = () => errorOf(a, b, c, d, e);
                    // Which event is the last one is the flavour's affair: the library has set the state.
                    if (stateOf(connection) === STATES.CLOSED) end(connection, 'Error', resOf);
                    else emit(connection, 'Error', resOf);
                    break;
                }
                case CLOSE:
                    end(connection, 'Close', () => ({ code: a, reason: b }));
                    break;
                default:
                    // drain: no platform tells its scripts.
            }
        });

        return { platform: newPlatform(), Taro: functionsOf(taroFace) };
    }

    const script = { create };
    if (typeof module === 'object' && module !== null) module.exports = script;
    return script;
})();
