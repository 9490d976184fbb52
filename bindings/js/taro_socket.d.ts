/* Typings of taro_socket.js. What a bridge has to do is in README.md. */

export type Flavour = 'weapp' | 'alipay' | 'swan' | 'tt' | 'h5' | 'rn';

/** What an engine binding gives the script. */
export interface Bridge<F extends Flavour = Flavour> {
    readonly flavour: F;
    /** The socket's id, 0 if the call was refused. Throws if it was misused. */
    connect(
        call: number, url: string, headers: string[], protocols: string[], flags: number, timeout: number,
    ): number;
    /** A taro_status. */
    send(call: number, socket: number, data: string | ArrayBuffer, offset: number, length: number): number;
    close(call: number, socket: number, code: number, reason: string): number;
    refuse(call: number, api: 1 | 2 | 3, status: number, subject: string): number;
    state(socket: number): number;
    bufferedAmount(socket: number): number;
    globalSocket(): number;
    release(socket: number): void;
    listen(handler: ((kind: number, socket: number, ...args: any[]) => void) | null): void;
    report(error: unknown): void;
}

// --- results and options

export interface Result {
    errMsg: string;
}

export interface Failure extends Result {
    errno: number;
}

/** What Alipay's `fail`, `complete` and error handlers get. */
export interface AlipayFailure extends Failure {
    error: number;
    errorMessage: string;
}

interface Callbacks<Success, Fail> {
    success?: (res: Success) => void;
    fail?: (res: Fail) => void;
    complete?: (res: Success | Fail) => void;
}

/** ArrayBuffers and views by their own bytes. */
export type Data = string | ArrayBuffer | SharedArrayBuffer | ArrayBufferView;

export interface ConnectOption<Success = Result, Fail = Failure> extends Callbacks<Success, Fail> {
    url: string;
    /** Values become strings; undefined and null are left out. */
    header?: Record<string, any> | null;
    /** In a string commas part them. */
    protocols?: string[] | string | null;
    /** Milliseconds; 0 or less is the app's default. */
    timeout?: number | null;
    tcpNoDelay?: boolean | null;
    perMessageDeflate?: boolean | null;
    forceCellularNetwork?: boolean | null;
}

export interface SendOption<Success = Result, Fail = Failure> extends Callbacks<Success, Fail> {
    data: Data;
}

export interface CloseOption<Success = Result, Fail = Failure> extends Callbacks<Success, Fail> {
    /** 1000 or 3000 to 4999; 1000 if left out. */
    code?: number | null;
    /** At most 123 bytes of UTF-8. */
    reason?: string | null;
}

/** success of connectSocket in tt, h5 and rn. */
export interface TaskResult extends Result {
    socketTaskId: number;
}

// --- events

/** Milliseconds. */
export interface SocketProfile {
    fetchStart: number;
    domainLookUpStart: number;
    domainLookUpEnd: number;
    connectStart: number;
    connectEnd: number;
    rtt: number;
    handshakeCost: number;
    cost: number;
}

export interface OpenEvent {
    /** Repeated fields are joined with ', ', under the first one's spelling. */
    header: Record<string, string>;
    profile: SocketProfile;
}

export interface MessageEvent<T = any> {
    /** string or ArrayBuffer. */
    data: T;
}

export interface CloseEvent {
    code: number;
    reason: string;
}

export type Handler<E> = (res: E) => void;

// --- the task

/** `R`: what send and close return. */
export interface SocketTask<R = void> {
    send(option: SendOption): R;
    close(option?: CloseOption): R;
    onOpen(handler: Handler<OpenEvent> | null): void;
    onMessage<T = any>(handler: Handler<MessageEvent<T>> | null): void;
    onError(handler: Handler<Failure> | null): void;
    onClose(handler: Handler<CloseEvent> | null): void;

    socketTaskId: number;
    errMsg: string;
    readonly readyState: number;
    /** Bytes that wait to be sent. */
    readonly bufferedAmount: number;
    readonly CONNECTING: 0;
    readonly OPEN: 1;
    readonly CLOSING: 2;
    readonly CLOSED: 3;
}

interface GlobalEvents {
    onSocketOpen(handler: Handler<OpenEvent> | null): void;
    onSocketMessage<T = any>(handler: Handler<MessageEvent<T>> | null): void;
    onSocketError(handler: Handler<Failure> | null): void;
    onSocketClose(handler: Handler<CloseEvent> | null): void;
}

/** A Promise unless the option has a callback. */
type Promised<O, Success, Fail> =
    keyof O & keyof Callbacks<Success, Fail> extends never ? Promise<Success> : void;

// --- wx, swan, tt

export interface Wx extends GlobalEvents {
    connectSocket(option: ConnectOption): SocketTask;
    sendSocketMessage<O extends SendOption>(option: O): Promised<O, Result, Failure>;
    closeSocket<O extends CloseOption = {}>(option?: O): Promised<O, Result, Failure>;
    canIUse(schema: string): boolean;
}

export interface Tt {
    connectSocket(option: ConnectOption<TaskResult>): SocketTask;
    canIUse(schema: string): boolean;
}

// --- my

export interface AlipayConnectOption extends ConnectOption<{}, AlipayFailure> {
    /** Appended to the URL's query; objects as JSON. */
    data?: Record<string, any> | null;
    /** true: a task is returned, and other sockets may live beside it. */
    multiple?: boolean | null;
}

export interface AlipaySendOption extends SendOption<{}, AlipayFailure> {
    /** true: data is base64 of what is to be sent as binary. */
    isBuffer?: boolean | null;
}

export interface AlipayMessageEvent {
    /** Text, or base64 if isBuffer is true. */
    data: string;
    isBuffer: boolean;
}

export interface AlipaySocketTask
    extends Omit<SocketTask, 'send' | 'close' | 'onOpen' | 'onMessage' | 'onError' | 'onClose'> {
    send(option: AlipaySendOption): void;
    close(option?: CloseOption<{}, AlipayFailure>): void;
    onOpen(handler: Handler<OpenEvent>): void;
    onMessage(handler: Handler<AlipayMessageEvent>): void;
    onError(handler: Handler<AlipayFailure>): void;
    onClose(handler: Handler<CloseEvent>): void;
    /** Without a handler: all of them. */
    offOpen(handler?: Handler<OpenEvent> | null): void;
    offMessage(handler?: Handler<AlipayMessageEvent> | null): void;
    offError(handler?: Handler<AlipayFailure> | null): void;
    offClose(handler?: Handler<CloseEvent> | null): void;
}

export interface My {
    connectSocket(option: AlipayConnectOption & { multiple: true }): AlipaySocketTask;
    connectSocket(option: AlipayConnectOption): void;
    sendSocketMessage<O extends AlipaySendOption>(option: O): Promised<O, {}, AlipayFailure>;
    closeSocket<O extends CloseOption<{}, AlipayFailure> = {}>(option?: O): Promised<O, {}, AlipayFailure>;
    onSocketOpen(handler: Handler<OpenEvent>): void;
    onSocketMessage(handler: Handler<AlipayMessageEvent>): void;
    onSocketError(handler: Handler<AlipayFailure>): void;
    onSocketClose(handler: Handler<CloseEvent>): void;
    offSocketOpen(handler?: Handler<OpenEvent> | null): void;
    offSocketMessage(handler?: Handler<AlipayMessageEvent> | null): void;
    offSocketError(handler?: Handler<AlipayFailure> | null): void;
    offSocketClose(handler?: Handler<CloseEvent> | null): void;
    canIUse(schema: string): boolean;
}

// --- Taro

/** `data` and `multiple` count in alipay. */
export type TaroConnectOption = ConnectOption & Pick<AlipayConnectOption, 'data' | 'multiple'>;

/** `R`: what the task's send and close return: nothing on mini-programs, a Promise in h5 and rn. */
export interface Taro<R = void> extends GlobalEvents {
    /** Resolves with the task once the call was accepted, before any event. */
    connectSocket(option: TaroConnectOption): Promise<SocketTask<R>>;
    sendSocketMessage(option: SendOption & { isBuffer?: boolean | null }): Promise<Result>;
    closeSocket(option?: CloseOption): Promise<Result>;
}

// --- the module

export interface Platforms {
    weapp: Wx;
    alipay: My;
    swan: Wx;
    tt: Tt;
    h5: undefined;
    rn: undefined;
}

export interface App<F extends Flavour> {
    /** What the flavour calls wx, my, swan or tt; undefined in h5 and rn. */
    platform: Platforms[F];
    Taro: Taro<F extends 'h5' | 'rn' ? Promise<Result> : void>;
}

export function create<F extends Flavour>(bridge: Bridge<F>): App<F>;
