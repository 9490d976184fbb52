// require('…/bindings/node'): Taro, wx, my, swan and tt on libtaro_socket in Node.js and Electron.

import type { App as Faces, Bridge, Flavour } from '../js/taro_socket';

export interface AppOptions<F extends Flavour = Flavour> {
  /** Whose limits, texts and codes apply. Default: 'weapp'. */
  flavour?: F;
  /** Most live sockets, 1 to 65535. Default, and 0: the flavour's number, 5. */
  maxSockets?: number;
  /** Connect timeout in milliseconds where a call passes none. Default, and 0 or less: the flavour's. */
  timeoutMs?: number;
  /** A new connect closes the old socket, as in base libraries before 1.7.0. */
  singleSocket?: boolean;
  /** Only wss URLs are accepted. */
  forbidWs?: boolean;
  /** Hosts that may be connected to: `host`, `host:port`, or either behind `ws://` or `wss://`. Default: every host. */
  allowList?: string[];
  /** Value of the Referer header of every upgrade request; scripts cannot set it. Default: none. */
  referer?: string;
  /** Connects to another address than the URL says: `host:port` of the URL, and `address:port` in its place. */
  addressOverrides?: { from: string; to: string }[];
  /** Additional CA certificates, PEM text. */
  caPem?: string;
  /** Path of a PEM file with additional CA certificates. */
  caFile?: string;
  /** Accepts any certificate. For development tools only: it gives the connection away to anyone. */
  tlsInsecure?: boolean;
  /** Payload bytes that may wait in one socket to be sent. Default, and 0: 16 MiB. */
  sendLimitBytes?: number;
  /** Largest inbound message. Default, and 0: 16 MiB. */
  messageLimitBytes?: number;
  /** Bytes that may wait for the event loop before the app's sockets stop reading. Default, and 0: 1 MiB. */
  queueLimitBytes?: number;
  /** Bytes that may wait in one paused socket. The script pauses none. Default, and 0: 1 MiB. */
  pauseLimitBytes?: number;
  /** Milliseconds between pings to the peer. Default, and 0: none. */
  pingIntervalMs?: number;
  /** Milliseconds after a ping within which something must arrive. Default, and 0: as pingIntervalMs. */
  pongTimeoutMs?: number;
  /** Milliseconds without a message after which a socket is closed. Default, and 0: never. */
  idleTimeoutMs?: number;
  /** Milliseconds in the background after which sockets are interrupted. Default, and 0: 5000. */
  backgroundGraceMs?: number;
  /** Milliseconds that a close may take. Default, and 0: 10000. */
  closeTimeoutMs?: number;
  /** A failed handshake is `error`, then `close` 1006, in every flavour. Default: as the flavour has it. */
  closeAfterError?: boolean;
  /** Network interface for sockets with forceCellularNetwork, such as `wwan0`. Default: that option does nothing. */
  cellularInterface?: string;
}

export interface Options<F extends Flavour = Flavour> extends AppOptions<F> {
  /** Path of taro_socket_node.node. Default: the environment's TARO_SOCKET_NODE, this folder, its build folders. */
  native?: string;
  /** Path of taro_socket.js. Default: this folder, `../js`. */
  script?: string;
}

export interface App<F extends Flavour = Flavour> extends Faces<F> {
  /** The mini program went to the background (true), or came back (false). */
  setBackground(background: boolean): void;
  /** The device's network changed: open sockets ask their peer at once, and end if no answer comes. */
  networkChanged(): void;
  /** Ends the app and its sockets, silently. Also inside a handler, and more than once. */
  release(): void;
  /** What taro_socket.js was given. */
  bridge: Bridge<F>;
}

/**
 * Makes an app. TypeError: an option is of the wrong type or unknown. Error with `code` TARO_STATUS_BAD_ARGUMENT: one
 * cannot be understood, such as a certificate. Error with `code` MODULE_NOT_FOUND: a file is missing.
 */
export function create<F extends Flavour = 'weapp'>(options?: Options<F>): App<F>;
