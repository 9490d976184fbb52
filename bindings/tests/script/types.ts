/* Compiles against the typings with `tsc --strict --noEmit`; what must not compile says so. Not run. */
import { create, App, Bridge, Result, SocketTask } from '../../js/taro_socket';

declare const weapp: Bridge<'weapp'>, alipay: Bridge<'alipay'>, tt: Bridge<'tt'>, h5: Bridge<'h5'>;

export async function documentation(): Promise<void> {
    const { Taro, platform: wx } = create(weapp);
    // Both examples of Taro's documentation.
    Taro.connectSocket({
        url: 'ws://echo.websocket.org/echo',
        success: function () {
            console.log('connect success');
        },
    }).then((task) => {
        task.onOpen(function () {
            console.log('onOpen');
            task.send({ data: 'xxx' });
        });
        task.onMessage(function (msg) {
            console.log('onMessage: ', msg);
            task.close();
        });
        task.onError(function () {
            console.log('onError');
        });
        task.onClose(function (e) {
            console.log('onClose: ', e);
        });
    });
    const header = { a: 1 };
    const task: SocketTask = wx.connectSocket({ url: 'wss://host', header, perMessageDeflate: true });
    task.onOpen((res) => [res.header['x'].length, res.profile.domainLookUpEnd.toFixed()]);
    task.onMessage<ArrayBuffer>(({ data }) => data.byteLength);
    task.send({ data: new Uint8Array(2), fail: ({ errMsg, errno }) => [errMsg.length, errno.toFixed()] });
    task.socketTaskId = task.readyState === task.OPEN ? 1 : 2;
    // @ts-expect-error: read only
    task.readyState = 1;
    // @ts-expect-error: not in wx
    task.offOpen();
    // @ts-expect-error: url is required
    wx.connectSocket({});
    // @ts-expect-error: not a number
    task.send({ data: 5 });

    const sent: Result = await wx.sendSocketMessage({ data: 'x' });
    const nothing: void = wx.sendSocketMessage({ data: 'x', success() {} });
    const closed: Promise<Result> = wx.closeSocket();
    const always: Promise<Result> = Taro.sendSocketMessage({ data: 'x', success() {} });
    void [sent, nothing, closed, always];
}

export function flavours(): void {
    const { platform: my } = create(alipay);
    const task = my.connectSocket({ url: 'wss://host', multiple: true, data: { a: 1 }, protocols: 'mqtt' });
    task.offMessage();
    task.send({ data: 'AA==', isBuffer: true, fail: (res) => [res.error + 1, res.errorMessage.length] });
    my.onSocketMessage(({ data, isBuffer }) => (isBuffer ? data.length : data));
    const none: void = my.connectSocket({ url: 'wss://host' });
    const empty: Promise<{}> = my.closeSocket({ code: 1000 });

    const { platform } = create(tt);
    platform.connectSocket({ url: 'wss://host', success: ({ socketTaskId }) => socketTaskId.toFixed() });
    // @ts-expect-error: tt has no global functions
    platform.sendSocketMessage({ data: 'x' });

    const web: App<'h5'> = create(h5);
    const missing: undefined = web.platform;
    web.Taro.connectSocket({ url: 'wss://host' })
        .then((one) => one.send({ data: 'x' }))
        .then((res) => res.errMsg);
    void [none, empty, missing];
}
