'use strict';
// @tarojs/taro for a library that wants two functions of it: our connectSocket, and a request, for which there is no
// network here but the answer that SignalR's servers give.

/* global Taro */
module.exports = {
  connectSocket: (option) => Taro.connectSocket(option),
  request({ success }) {
    Promise.resolve().then(() => success({
      data: {
        ConnectionToken: 'to+ken/=', ConnectionId: 'id', KeepAliveTimeout: 0, DisconnectTimeout: 0.05,
        ProtocolVersion: '1.5', TryWebSockets: true,
      },
    }));
  },
};
