/**
 * libtaro_socket: one WebSocket client for every mini-program host.
 *
 * This file is generated from the library's sources; do not edit it.
 *
 * LIFECYCLE
 *
 *     static void on_open(taro_socket socket, const taro_open_event *event, void *user_data) {
 *         taro_socket_send_text(socket, "hello", 5);
 *     }
 *     ...
 *     taro_connect_options options = TARO_CONNECT_OPTIONS_INIT;
 *     taro_socket socket;
 *     options.url = TARO_STR("wss://example.org/chat");
 *     options.open = on_open;
 *     options.message = on_message;
 *     taro_connect_socket(&options, &socket);
 *     ...
 *     taro_socket_close(socket, NULL);   // ends with `close`
 *     ...
 *     taro_socket_release(socket);       // when the script's object goes; on a live socket it is silent
 *     taro_shutdown(5000);
 *
 * THREADS
 *
 * Every function may be called from any thread at any time. The library has one thread of its own, more by
 * option, from the first connect on; they block all signals. An app lives on one of them. In direct delivery
 * its callbacks run on that thread: a callback that blocks there delays every socket of the thread. In host
 * delivery they run inside taro_app_dispatch, on the host's thread. Callbacks of one app never overlap.
 *
 * OWNERSHIP
 *
 * What goes in is copied or sent before the call returns; what a callback gets lives until it returns.
 * Nothing changes owner but user_data, which is taken by a call that does not answer with misuse and given
 * back by its release function exactly once, and messages between retain and release. A pointer may be NULL
 * only where the header says so, or if its length is 0; elements of arrays are read up to their _len. Arrays
 * of structs must be aligned for their type; structs passed by pointer and outputs need not be.
 *
 * CALLBACKS
 *
 * Results and events never run inside a library call on the caller's stack, except inside taro_app_dispatch.
 * No lock of the library is held while they run: every function may be called inside them. So hold no lock
 * of the host across a library call if a callback takes the same lock. Per socket they are ordered: success
 * or fail and complete of connect; at most one open; messages and drains; at most one error; at most one
 * close; then nothing, and last of all the release function. Notices (log, wake-up, thread start and stop)
 * may run at any time on any thread, and must call no function of the library. No callback may throw or
 * longjmp.
 *
 * ERRORS
 *
 * A call answers with a taro_status. 0: accepted. -1 to -99: misuse, nothing happened, nothing was taken (of
 * taro_shutdown: not finished). -100 and below: connect, send and close count, and report the same status
 * through fail and complete; taro_init and taro_app_create have not happened. What the network does arrives as
 * an event with a record: the status, the platform's errno and errMsg for the script, and apart from these the
 * cause, HTTP status, system error and TLS detail for the developer. Treat unknown codes by their range. There
 * is no last-error and nothing to free.
 *
 * VERSIONING
 *
 * Structs passed by pointer begin with struct_size and only grow at the end. Initialise them with their
 * macro, which sets struct_size and zeroes the rest; zero always means the documented default. A shorter
 * struct gets defaults for the rest; a longer one, up to 4096 bytes, is accepted if the rest is zero. The
 * library fills structs for callbacks up to the struct_size that it writes there. TARO_ABI_VERSION changes
 * when a program built against an older header could break; it is in the name of the shared library.
 */

#ifndef TARO_SOCKET_H
#define TARO_SOCKET_H

#include <stddef.h>
#include <stdint.h>

/** Version of this header, such as `0.1.0`; `taro_version()` tells the library's. */
#define TARO_VERSION_STRING "0.1.0"
/** First number of TARO_VERSION_STRING. */
#define TARO_VERSION_MAJOR 0
/** Second number of TARO_VERSION_STRING. */
#define TARO_VERSION_MINOR 1
/** Third number of TARO_VERSION_STRING. */
#define TARO_VERSION_PATCH 0

/** Flavour: WeChat mini programs. */
#define TARO_FLAVOUR_WEAPP 0

/** Flavour: Alipay mini programs. */
#define TARO_FLAVOUR_ALIPAY 1

/** Flavour: Baidu smart programs. */
#define TARO_FLAVOUR_SWAN 2

/** Flavour: ByteDance mini programs. */
#define TARO_FLAVOUR_TT 3

/** Flavour: the browser (WHATWG). */
#define TARO_FLAVOUR_H5 4

/** Flavour: React Native. */
#define TARO_FLAVOUR_RN 5

/** Delivery: callbacks run on the app's own I/O thread, as soon as there is something to tell. */
#define TARO_DELIVERY_DIRECT 0

/** Delivery: callbacks are queued and run inside `taro_app_dispatch`, on the host's thread. */
#define TARO_DELIVERY_HOST 1

/**
 * Message kind, and ready states, causes and the like below: integers, so that a value of a later version
 * stays readable. A text message: UTF-8.
 */
#define TARO_MESSAGE_TEXT 1

/** A binary message: bytes. */
#define TARO_MESSAGE_BINARY 2

/** Ready state (WHATWG): connecting, `open` has not been delivered. */
#define TARO_READY_STATE_CONNECTING 0

/** Ready state: `open` has been delivered, or is being delivered. */
#define TARO_READY_STATE_OPEN 1

/** Ready state: a close was accepted. */
#define TARO_READY_STATE_CLOSING 2

/** Ready state: the terminal event (`close`, or `error` where no `close` follows) has been or is delivered. */
#define TARO_READY_STATE_CLOSED 3

/** Cause: none; a result of a call, or a clean close. */
#define TARO_CAUSE_NONE 0

/** Cause: the host name could not be resolved. */
#define TARO_CAUSE_RESOLVE 1

/** Cause: no TCP connection; `os_error` has the system's number (refused, unreachable …). */
#define TARO_CAUSE_CONNECT 2

/** Cause: the connect timeout, or the bound on the closing handshake, ran out. */
#define TARO_CAUSE_TIMEOUT 3

/** Cause: TLS; `tls_error` and `tls_detail` say what. */
#define TARO_CAUSE_TLS 4

/** Cause: the server answered the upgrade with another status than 101; `http_status` has it. */
#define TARO_CAUSE_HTTP_STATUS 5

/**
 * Cause: the server's answer is not a valid upgrade (RFC 6455, 4.1): malformed, wrong
 * Sec-WebSocket-Accept, a protocol or extension that was not offered.
 */
#define TARO_CAUSE_UPGRADE 6

/** Cause: the connection ended without a closing handshake; `os_error` has the system's number, 0 = end of stream. */
#define TARO_CAUSE_RESET 7

/** Cause: no answer to a ping in time. */
#define TARO_CAUSE_PONG_TIMEOUT 8

/** Cause: no message for as long as the app's idle timeout. */
#define TARO_CAUSE_IDLE 9

/** Cause: the app was in the background for longer than its grace. */
#define TARO_CAUSE_INTERRUPTED 10

/** Cause: the peer broke RFC 6455. */
#define TARO_CAUSE_PROTOCOL_ERROR 11

/** Cause: a text message or close reason of the peer was not UTF-8. */
#define TARO_CAUSE_BAD_UTF8 12

/** Cause: an inbound message was larger than the app's limit. */
#define TARO_CAUSE_TOO_BIG 13

/** Cause: an error inside the library. */
#define TARO_CAUSE_INTERNAL 14

/** Cause: the host closed the socket while it was connecting. */
#define TARO_CAUSE_CANCELLED 15

/** TLS error: none. */
#define TARO_TLS_ERROR_NONE 0

/** TLS error: the certificate has expired. */
#define TARO_TLS_ERROR_EXPIRED 1

/** TLS error: the certificate is not valid yet. */
#define TARO_TLS_ERROR_NOT_YET_VALID 2

/** TLS error: the certificate is for another host name. */
#define TARO_TLS_ERROR_WRONG_HOST 3

/** TLS error: the certificate's chain ends at no trusted root. */
#define TARO_TLS_ERROR_UNKNOWN_ISSUER 4

/** TLS error: the certificate was revoked. */
#define TARO_TLS_ERROR_REVOKED 5

/** TLS error: the certificate is wrong in another way. */
#define TARO_TLS_ERROR_BAD_CERTIFICATE 6

/** TLS error: the peer sent a fatal alert, or no TLS at all. */
#define TARO_TLS_ERROR_PROTOCOL 7

/** Initiator of a close: nobody, the connection broke. */
#define TARO_INITIATOR_NONE 0

/** Initiator of a close: the host, with `taro_socket_close`. */
#define TARO_INITIATOR_HOST 1

/** Initiator of a close: the peer, with a close frame. */
#define TARO_INITIATOR_PEER 2

/**
 * Initiator of a close: the library, by policy (background, idle, a new socket in single-socket mode) or
 * because the peer broke the protocol or a limit.
 */
#define TARO_INITIATOR_LIBRARY 3

/** Log level: something failed that the host did not see fail. */
#define TARO_LOG_ERROR 1

/** Log level: worth a look, such as a callback that ran for longer than 100 ms. */
#define TARO_LOG_WARN 2

/** Log level: connects and ends of sockets. */
#define TARO_LOG_INFO 3

/** Log level: more than a host wants outside of a search for a fault. */
#define TARO_LOG_DEBUG 4

/** Script function: `connectSocket`. */
#define TARO_CALL_CONNECT 1

/** Script function: `sendSocketMessage`. */
#define TARO_CALL_SEND 2

/** Script function: `closeSocket`. */
#define TARO_CALL_CLOSE 3

/**
 * Number of the binary interface, also in the file name `libtaro_socket.so.<ABI>`. It changes when a
 * program built against an older header could break. Compare it with `taro_abi_version()` after `dlopen`.
 */
#define TARO_ABI_VERSION 1

/**
 * Outcome of a call. 0 is OK. -1 to -99 is misuse: the call did not happen, nothing was taken, no callback
 * follows. -100 and below is what `fail` or `error` reports. Codes are only ever added: treat a code you do
 * not know by its range.
 */
typedef int32_t taro_status;

/**
 * A string: UTF-8 of a known length, no terminating NUL needed. `ptr` may be NULL only if `len` is 0.
 * This struct is frozen: it will never grow, and has no struct_size.
 */
typedef struct taro_str {
    /** First byte; NULL is allowed if `len` is 0. */
    const char *ptr;
    /** Length in bytes, without a terminating NUL. */
    size_t len;
} taro_str;

/**
 * Connects to another address than the URL says, like curl's `--resolve`, for HTTPDNS and tests. The Host
 * header, the TLS name check and the allow-list still see the URL's host. This struct is frozen.
 */
typedef struct taro_address_override {
    /**
     * `host:port` of the URL, such as `echo.example.org:443`; the port is always given. Several entries of the
     * same are its addresses, tried as those of a name are (RFC 8305).
     */
    struct taro_str from;
    /** `address:port` to connect to instead, such as `192.0.2.1:8443` or `[2001:db8::1]:443`. */
    struct taro_str to;
} taro_address_override;

/**
 * An app: one mini program inside the host, the owner of sockets, limits, policy and delivery. An opaque
 * id below 2^53, so it survives as a JavaScript number. 0 is the default app: direct delivery and default
 * options; it is made on first use, and made again after it was released.
 */
typedef uint64_t taro_app;

/**
 * Tells that an app of host delivery has something to dispatch: when its queue becomes non-empty, and when
 * a dispatch leaves events behind. A notice: it runs on any thread, also inside a library call, and must
 * call no function of the library (those that answer with a status give TARO_STATUS_IN_NOTICE); post to the
 * host's loop and return. Must not throw or longjmp.
 */
typedef void (*taro_wake_fn)(taro_app app, void *user_data);

/**
 * The end of a user_data: runs exactly once, after the last callback that gets it, on the thread that runs
 * the app's callbacks; at the app's release on the thread that releases, and in host delivery never on another one
 * than that or the dispatching one. Must not throw or longjmp.
 */
typedef void (*taro_release_fn)(void *user_data);

/**
 * Options of `taro_app_create`; every field that is 0 means its default. Byte limits are high-water marks:
 * one message may pass them.
 */
typedef struct taro_app_options {
    /** sizeof(taro_app_options) */
    uint32_t struct_size;
    /** TARO_FLAVOUR_…: whose limits, messages and codes apply; 0 is weapp. */
    uint32_t flavour;
    /** TARO_DELIVERY_…: how callbacks reach the host; 0 is direct. */
    uint32_t delivery;
    /**
     * 1: the one-socket mode of base libraries before 1.7.0: a new connect closes the old socket with 1000,
     * and the old one's `close` comes before the new one's `open`. 0: max_sockets sockets.
     */
    uint32_t single_socket;
    /** 1: only wss URLs are accepted. 0: ws too. */
    uint32_t forbid_ws;
    /** Most live sockets, 1 to 65535; 0 means the flavour's number (weapp 5). */
    uint32_t max_sockets;
    /** Default connect timeout in milliseconds; 0 or less means the flavour's (weapp 60000, alipay 30000). */
    int32_t timeout_ms;
    /**
     * 1: accept any certificate. For development tools only: it gives the connection away to anyone. 0:
     * certificates are checked.
     */
    uint32_t tls_insecure;
    /**
     * Hosts that may be connected to: each `host`, `host:port`, or either of them behind `ws://` or
     * `wss://`. The host must match exactly (after IDNA), an entry without a port allows every port. NULL
     * with 0 elements: every host.
     */
    const struct taro_str *allow_list;
    /** Number of elements of allow_list. */
    size_t allow_list_len;
    /** Value of the Referer header of every upgrade request; empty for none. The app cannot set it. */
    struct taro_str referer;
    /** Addresses to connect to in place of names. */
    const struct taro_address_override *address_overrides;
    /** Number of elements of address_overrides. */
    size_t address_overrides_len;
    /** Additional CA certificates, PEM text; they are trusted besides the system's. */
    struct taro_str ca_pem;
    /** Path of a PEM file with additional CA certificates, read by `taro_app_create`. */
    struct taro_str ca_file;
    /** Payload bytes of one socket that may wait to be handed to the operating system; 0 means 16 MiB. */
    uint64_t send_limit_bytes;
    /** Largest inbound message; a larger one ends the socket with 1009. 0 means 16 MiB. */
    uint64_t message_limit_bytes;
    /**
     * Host delivery: bytes that may wait for dispatch before the app's sockets stop reading; a message counts as
     * its payload and 64 bytes. 0 means 1 MiB.
     */
    uint64_t queue_limit_bytes;
    /** Bytes that may wait in one paused socket before it stops reading, counted in the same way; 0 means 1 MiB. */
    uint64_t pause_limit_bytes;
    /** Milliseconds between pings of the library to the peer; 0 sends none. */
    uint32_t ping_interval_ms;
    /**
     * Milliseconds after a ping within which something must arrive, else the connection counts as broken
     * (TARO_CAUSE_PONG_TIMEOUT). 0: as long as ping_interval_ms.
     */
    uint32_t pong_timeout_ms;
    /**
     * Milliseconds without a message in either direction after which the socket is closed with 1006 and
     * TARO_CAUSE_IDLE (1001 on the wire); 0 never.
     */
    uint32_t idle_timeout_ms;
    /** Milliseconds in the background after which sockets are interrupted; 0 means 5000. */
    uint32_t background_grace_ms;
    /** Milliseconds that a close may take from the call on, and our answer to the peer's close; 0 means 10000. */
    uint32_t close_timeout_ms;
    /**
     * 1: a failed handshake is `error`, then `close` 1006, in every flavour. Libraries that were written for
     * mini programs wait for that `close` before they connect again (MQTT.js is one). 0: as the flavour
     * has it (weapp: `error` alone; h5 and rn: both).
     */
    uint32_t close_after_error;
    /** Tells that there is something to dispatch (host delivery); may be NULL if the descriptor is polled. */
    taro_wake_fn wake;
    /** Given to wake. */
    void *user_data;
    /**
     * Runs once, as the last thing of the app: after every callback and every other release function of it.
     * May be NULL.
     */
    taro_release_fn release;
} taro_app_options;

/** A socket: one SocketTask. An opaque id below 2^53, never reused. 0 is never a socket. */
typedef uint64_t taro_socket;

/** One header field, of the request or of the response. This struct is frozen like `taro_str`. */
typedef struct taro_header {
    /** Field name: a token of RFC 9110. */
    struct taro_str name;
    /** Field value, without the white space around it. In a response the bytes may be other than UTF-8. */
    struct taro_str value;
} taro_header;

/**
 * The record of a result (`success`, `fail`, `complete`) and of `error`. Everything in it lives until the
 * callback returns.
 */
typedef struct taro_result {
    /** Size of this struct in the library; read fields only up to it. */
    uint32_t struct_size;
    /** TARO_STATUS_OK for `success`, else what failed. */
    taro_status status;
    /** WeChat's errno (PublicErrno table); 0 for `success`. */
    int32_t err_no;
    /** The app's flavour's own code where it has one (Alipay's `error`), else the same as `err_no`. */
    int32_t code;
    /** `<api>:ok` or `<api>:fail <reason>`: fixed English, never localised. */
    struct taro_str err_msg;
    /** What stands after `<api>:fail ` in err_msg, for a binding with its own `<api>`; empty for `success`. */
    struct taro_str reason;
    /** TARO_CAUSE_…: what lies behind it, TARO_CAUSE_NONE if the status says it all. */
    uint32_t cause;
    /** HTTP status of the upgrade response, 0 if none came. */
    int32_t http_status;
    /** The operating system's error number, 0 if none. */
    int32_t os_error;
    /** TARO_TLS_ERROR_… */
    uint32_t tls_error;
    /** What TLS had to say, in English for a developer; empty if nothing. */
    struct taro_str tls_detail;
    /** More about the cause, in English for a developer's log; empty if nothing. Not for the script. */
    struct taro_str detail;
} taro_result;

/**
 * `success`, `fail` and `complete` of connect, send and close: exactly one of the first two, then exactly
 * one `complete` with the same record. `socket` is 0 if a connect failed. Must not throw or longjmp.
 */
typedef void (*taro_result_fn)(taro_socket socket, const struct taro_result *result, void *user_data);

/**
 * The eight phases of a connect (WeChat's SocketProfile), in microseconds. The first five are points in
 * time since 1970 (UTC), measured on one steady clock; the last three are durations.
 */
typedef struct taro_profile {
    /** Size of this struct in the library; read fields only up to it. */
    uint32_t struct_size;
    /** Always 0. */
    uint32_t reserved;
    /** `fetchStart`: the connect was begun on the I/O thread. */
    int64_t fetch_start_us;
    /** `domainLookUpStart`; equals fetch_start_us if no name had to be resolved. */
    int64_t domain_look_up_start_us;
    /** `domainLookUpEnd`; equals fetch_start_us if no name had to be resolved. */
    int64_t domain_look_up_end_us;
    /** `connectStart`: the first TCP attempt was begun. */
    int64_t connect_start_us;
    /** `connectEnd`: TCP, and TLS for wss, were done. */
    int64_t connect_end_us;
    /** `rtt`: duration of TCP and TLS of this connection. */
    int64_t rtt_us;
    /** `handshakeCost`: duration of the WebSocket upgrade, from request to response. */
    int64_t handshake_cost_us;
    /** `cost`: duration from fetch_start_us to the end of the upgrade. */
    int64_t cost_us;
} taro_profile;

/** `open`: the connection is open. Everything in it lives until the callback returns. */
typedef struct taro_open_event {
    /** Size of this struct in the library; read fields only up to it. */
    uint32_t struct_size;
    /** HTTP status of the upgrade response: 101. */
    int32_t http_status;
    /** The response's header fields: order, case and repetition as the server sent them. */
    const struct taro_header *headers;
    /** Number of elements of headers. */
    size_t headers_len;
    /** The subprotocol that the server picked; empty if none. */
    struct taro_str protocol;
    /** The negotiated extensions, as in Sec-WebSocket-Extensions; empty if none. */
    struct taro_str extensions;
    /** Address and port of the peer, such as `192.0.2.1:443` or `[2001:db8::1]:443`. */
    struct taro_str peer_address;
    /** `TLSv1.3` or `TLSv1.2`; empty for ws. */
    struct taro_str tls_version;
    /** Name of the cipher suite (IANA), such as `TLS_AES_128_GCM_SHA256`; empty for ws. */
    struct taro_str tls_cipher;
    /** The measured phases of this connect; never NULL. */
    const struct taro_profile *profile;
} taro_open_event;

/** `open` of a socket: at most once, before any message. Must not throw or longjmp. */
typedef void (*taro_open_fn)(taro_socket socket, const struct taro_open_event *event, void *user_data);

/** An inbound message. An opaque id below 2^53, never reused. 0 is never a message. */
typedef uint64_t taro_message;

/** `message`: a whole message. It lives until the callback returns; to keep it, see `taro_message_retain`. */
typedef struct taro_message_event {
    /** Size of this struct in the library; read fields only up to it. */
    uint32_t struct_size;
    /** TARO_MESSAGE_TEXT (valid UTF-8) or TARO_MESSAGE_BINARY. */
    uint32_t kind;
    /** The message's id, for `taro_message_retain`; unless retained it ends with the callback. */
    taro_message message;
    /** The payload, without a terminating NUL; may hold NULs. Never NULL. */
    const void *data;
    /** Length of the payload in bytes; 0 for an empty message. */
    size_t data_len;
} taro_message_event;

/** `message` of a socket: between `open` and the end. Must not throw or longjmp. */
typedef void (*taro_message_fn)(taro_socket socket, const struct taro_message_event *event, void *user_data);

/**
 * `error` of a socket: at most once. In weapp it is the last event of a failed handshake, and is followed
 * by `close` 1006 when an open connection broke. Must not throw or longjmp.
 */
typedef void (*taro_error_fn)(taro_socket socket, const struct taro_result *event, void *user_data);

/** `close`: the socket has ended. Everything in it lives until the callback returns. */
typedef struct taro_close_event {
    /** Size of this struct in the library; read fields only up to it. */
    uint32_t struct_size;
    /**
     * Close code (RFC 6455, 7.4): the peer's, 1005 if it sent none, 1006 if the connection broke. In weapp
     * the caller's, if the connection broke after an accepted `taro_socket_close`.
     */
    uint32_t code;
    /** Close reason, of the same origin as the code. For 1006 a fixed text of the flavour. */
    struct taro_str reason;
    /** 1 if the closing handshake was completed, else 0. */
    uint32_t was_clean;
    /** TARO_INITIATOR_…: who began it. */
    uint32_t initiator;
    /** TARO_CAUSE_…: why it was not clean; TARO_CAUSE_NONE if it was. */
    uint32_t cause;
    /** The operating system's error number behind the cause, 0 if none. */
    int32_t os_error;
} taro_close_event;

/** `close` of a socket: at most once, the last event. Must not throw or longjmp. */
typedef void (*taro_close_fn)(taro_socket socket, const struct taro_close_event *event, void *user_data);

/** `drain`: after a send failed with TARO_STATUS_FULL, half of the send buffer is free again. */
typedef struct taro_drain_event {
    /** Size of this struct in the library; read fields only up to it. */
    uint32_t struct_size;
    /** Always 0. */
    uint32_t reserved;
    /** Payload bytes that still wait to be handed to the operating system. */
    uint64_t buffered_amount_bytes;
} taro_drain_event;

/** `drain` of a socket: it is worth sending again. Must not throw or longjmp. */
typedef void (*taro_drain_fn)(taro_socket socket, const struct taro_drain_event *event, void *user_data);

/**
 * Options of `taro_connect_socket`; every field that is 0 means its default. TARO_CONNECT_OPTIONS_INIT plus
 * url is a working call.
 */
typedef struct taro_connect_options {
    /** sizeof(taro_connect_options) */
    uint32_t struct_size;
    /** 1: TCP_NODELAY is set. 0: it is not, as in WeChat. */
    uint32_t tcp_no_delay;
    /**
     * 1: offer compression (permessage-deflate, RFC 7692); `open` says whether it was agreed on. Messages of
     * 128 bytes and more are compressed then. 0: it is not offered, as in WeChat.
     */
    uint32_t per_message_deflate;
    /** 1: the socket is created paused: open, message, error and close wait for `taro_socket_resume`. */
    uint32_t start_paused;
    /** The app that owns the socket; 0 is the default app. */
    taro_app app;
    /**
     * An absolute ws or wss URL with a host and without a fragment. Userinfo becomes Basic authorization
     * unless headers has one.
     */
    struct taro_str url;
    /**
     * Header fields of the upgrade request; order, case and repetition are kept. Referer and the
     * handshake's own fields (Host, Connection, Upgrade, Content-Length, Sec-WebSocket-…) are left out.
     */
    const struct taro_header *headers;
    /** Number of elements of headers. */
    size_t headers_len;
    /** Subprotocols in order of preference: unique, non-empty tokens. */
    const struct taro_str *protocols;
    /** Number of elements of protocols. */
    size_t protocols_len;
    /** Milliseconds for name, TCP, TLS and upgrade together; 0 or less means the app's default. */
    int32_t timeout_ms;
    /** Must be 0. */
    uint32_t reserved;
    /** Name of the network interface to connect through, such as `wlan0`; empty for the system's choice. */
    struct taro_str bind_interface;
    /** The connect was accepted; not yet that it is open. May be NULL, as all of the callbacks. */
    taro_result_fn success;
    /** The connect was refused. */
    taro_result_fn fail;
    /** Follows success or fail. */
    taro_result_fn complete;
    /** The connection is open. */
    taro_open_fn open;
    /** A message arrived. */
    taro_message_fn message;
    /** The handshake failed, or the connection broke. */
    taro_error_fn error;
    /** The socket has ended. */
    taro_close_fn close;
    /** After a full send buffer: there is room again. */
    taro_drain_fn drain;
    /** Given to all callbacks of this struct. */
    void *user_data;
    /** Runs once, after the last callback that gets user_data. May be NULL. */
    taro_release_fn release;
} taro_connect_options;

/**
 * A line of the log: UTF-8, also NUL-terminated, it lives until the callback returns. A notice: it runs on
 * any thread, also inside a library call, and must call no function of the library (those that answer with
 * a status give TARO_STATUS_IN_NOTICE). Must not throw or longjmp.
 */
typedef void (*taro_log_fn)(uint32_t level, const char *message, size_t message_len, void *user_data);

/**
 * Runs on each I/O thread, first or last of all; `name` is NUL-terminated and lives until it returns. For
 * hosts that must attach threads to a virtual machine (JNI). A notice: see taro_log_fn.
 */
typedef void (*taro_thread_fn)(const char *name, void *user_data);

/** Options of `taro_init`; every field that is 0 means its default. */
typedef struct taro_init_options {
    /** sizeof(taro_init_options) */
    uint32_t struct_size;
    /**
     * Number of I/O threads, 1 to 64; 0 means 1. A thread is started when the first app needs it; apps are
     * spread over them, an app stays on one.
     */
    uint32_t io_threads;
    /** The most detailed TARO_LOG_… level that log receives; 0 means TARO_LOG_WARN. */
    uint32_t log_level;
    /** Must be 0. */
    uint32_t reserved;
    /** Receives the log; NULL for none. */
    taro_log_fn log;
    /** Runs first on each new I/O thread; may be NULL. */
    taro_thread_fn thread_start;
    /** Runs last on each I/O thread, before shutdown returns; may be NULL. */
    taro_thread_fn thread_stop;
    /** Given to the callbacks above. */
    void *user_data;
    /** Runs once, at the end of the `taro_shutdown` that returns TARO_STATUS_OK; may be NULL. */
    taro_release_fn release;
} taro_init_options;

/** Options of `taro_app_refuse_call`. */
typedef struct taro_refuse_options {
    /** sizeof(taro_refuse_options) */
    uint32_t struct_size;
    /** TARO_CALL_…: the script function that was called; 0 is none. */
    uint32_t call;
    /** The app whose script called it; 0 is the default app. */
    taro_app app;
    /** Why it is refused: a status that `fail` may carry, TARO_STATUS_INVALID_URL and below. */
    taro_status status;
    /** Must be 0. */
    uint32_t reserved;
    /**
     * What the text names, and the script itself passed: the field for TARO_STATUS_PARAMETER, such as `data`, or
     * with what is wrong with it, `data should be String instead of Number`, which h5 and rn tell; the URL for
     * TARO_STATUS_INVALID_URL; the number for TARO_STATUS_TOO_MANY_SOCKETS. UTF-8.
     */
    struct taro_str subject;
    /** The call was refused. May be NULL. */
    taro_result_fn fail;
    /** Follows fail. May be NULL. */
    taro_result_fn complete;
    /** Given to both callbacks. */
    void *user_data;
    /** Runs once, after the last callback. May be NULL. */
    taro_release_fn release;
} taro_refuse_options;

/** Options of `taro_socket_send`; every field that is 0 means its default. */
typedef struct taro_send_options {
    /** sizeof(taro_send_options) */
    uint32_t struct_size;
    /** TARO_MESSAGE_TEXT or TARO_MESSAGE_BINARY; 0 means text. */
    uint32_t kind;
    /** The payload; text must be UTF-8. NULL if data_len is 0. */
    const void *data;
    /** Length of the payload in bytes. */
    size_t data_len;
    /** The message was handed to the operating system. May be NULL, as all of the callbacks. */
    taro_result_fn success;
    /** The message was refused, or the socket ended before it was handed over. */
    taro_result_fn fail;
    /** Follows success or fail. */
    taro_result_fn complete;
    /** Given to all callbacks of this struct. */
    void *user_data;
    /** Runs once, after the last callback that gets user_data. May be NULL. */
    taro_release_fn release;
} taro_send_options;

/** Options of `taro_socket_close`; every field that is 0 means its default. */
typedef struct taro_close_options {
    /** sizeof(taro_close_options) */
    uint32_t struct_size;
    /** Close code: 1000, or 3000 to 4999; 0 means 1000. */
    uint32_t code;
    /** Close reason: at most 123 bytes of UTF-8. */
    struct taro_str reason;
    /** The close was accepted. May be NULL, as all of the callbacks. */
    taro_result_fn success;
    /** The close was refused; the socket lives on. */
    taro_result_fn fail;
    /** Follows success or fail. */
    taro_result_fn complete;
    /** Given to all callbacks of this struct. */
    void *user_data;
    /** Runs once, after the last callback that gets user_data. May be NULL. */
    taro_release_fn release;
} taro_close_options;

/** What a socket has carried so far. The library fills as much of it as struct_size says. */
typedef struct taro_socket_counters {
    /** In: sizeof(taro_socket_counters). Out: the number of bytes filled. */
    uint32_t struct_size;
    /** Always 0. */
    uint32_t reserved;
    /** Messages handed to the operating system. */
    uint64_t messages_sent;
    /** Messages received whole. */
    uint64_t messages_received;
    /** Payload bytes of messages_sent. */
    uint64_t payload_bytes_sent;
    /** Payload bytes of messages_received. */
    uint64_t payload_bytes_received;
    /** Bytes written to the network after the upgrade, TLS included. */
    uint64_t wire_bytes_sent;
    /**
     * Bytes read from the network after the upgrade, TLS included; over wss without those that came in one read
     * with its end.
     */
    uint64_t wire_bytes_received;
    /** Pings sent. */
    uint64_t pings_sent;
    /** Pongs received. */
    uint64_t pongs_received;
} taro_socket_counters;

/** The call was accepted. */
#define TARO_STATUS_OK 0

/** Misuse: a pointer is NULL where the header does not allow it. */
#define TARO_STATUS_NULL_POINTER -1

/**
 * Misuse: struct_size is 0, too small, cuts a field, or says that there are fields set which this version
 * does not know.
 */
#define TARO_STATUS_BAD_STRUCT_SIZE -2

/** Misuse: the id is not, or no longer, that of an object of this kind. */
#define TARO_STATUS_BAD_HANDLE -3

/** Misuse: an argument or option is outside its documented range. */
#define TARO_STATUS_BAD_ARGUMENT -4

/** Misuse: `taro_init` after the library started, or `taro_app_dispatch` while the same app is dispatched. */
#define TARO_STATUS_BUSY -5

/** Misuse: `taro_shutdown` inside a callback could never end. */
#define TARO_STATUS_WOULD_DEADLOCK -6

/** `taro_shutdown`: a callback of the host still runs. Nothing was freed; call it again. */
#define TARO_STATUS_TIMED_OUT -7

/** Misuse: this process was forked from one that had started the library. */
#define TARO_STATUS_FORKED -8

/** The library is shutting down. */
#define TARO_STATUS_SHUTTING_DOWN -9

/** Misuse: the function is not for an app of this delivery. */
#define TARO_STATUS_WRONG_DELIVERY -10

/** Misuse: a wake-up, log or thread callback called a function of the library. */
#define TARO_STATUS_IN_NOTICE -11

/** The operating system gave no thread, descriptor or memory for what the call needs. */
#define TARO_STATUS_NO_RESOURCES -12

/** This system cannot do what was asked. */
#define TARO_STATUS_UNSUPPORTED -13

/** The URL is not an absolute ws or wss URL with a host and without a fragment, or the app forbids ws. */
#define TARO_STATUS_INVALID_URL -100

/** The URL's host is not on the app's allow-list. */
#define TARO_STATUS_URL_NOT_ALLOWED -101

/** The app has as many live sockets as it may. */
#define TARO_STATUS_TOO_MANY_SOCKETS -102

/** A header, protocol or other argument of the script is wrong; `reason` names the field. */
#define TARO_STATUS_PARAMETER -103

/** The app is in the background, or was for longer than its grace. */
#define TARO_STATUS_INTERRUPTED -104

/** The connection was not open within its timeout. */
#define TARO_STATUS_CONNECT_TIMEOUT -105

/** The handshake failed, or the connection broke; `cause` says why. */
#define TARO_STATUS_CONNECTION_FAILED -106

/** The socket is not open, or has ended. */
#define TARO_STATUS_NOT_CONNECTED -107

/** The close code is neither 1000 nor between 3000 and 4999. */
#define TARO_STATUS_INVALID_CLOSE_CODE -108

/** The close reason is longer than 123 bytes. */
#define TARO_STATUS_INVALID_CLOSE_REASON -109

/** The send buffer is full; `drain` tells when it is worth trying again. */
#define TARO_STATUS_FULL -110

/** The message is larger than the whole send buffer. */
#define TARO_STATUS_MESSAGE_TOO_BIG -111

/** An error inside the library. The socket it happened in is ended; others live on. */
#define TARO_STATUS_INTERNAL -199

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Makes an app: the owner of sockets, limits, policy and delivery.
 *
 * `options`: how it shall be; NULL means every default. `app`: receives the id, 0 on error; not NULL.
 *
 * Ownership: options and all it points to is copied. On OK the library owns user_data until release runs;
 * on any other status it has not taken it.
 * Threads: any. No thread is started.
 * Callbacks: none follow by itself; may be called inside results and events.
 * Returns: TARO_STATUS_OK; TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_STRUCT_SIZE; TARO_STATUS_BAD_ARGUMENT
 * if an option is out of its range, the PEM text or file holds no certificate or cannot be read, or an
 * override or allow-list entry cannot be understood; TARO_STATUS_NO_RESOURCES beyond 1048575 apps and
 * sockets at a time; TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN;
 * TARO_STATUS_INTERNAL.
 * Since: 0.1.0
 */
taro_status taro_app_create(const struct taro_app_options *options, taro_app *app);

/**
 * Ends an app and its sockets silently, and runs every release function that belongs to it.
 *
 * After the call no new callback of the app starts. If none runs, the release is finished when the call
 * returns. If one runs on another thread, the call waits for it; inside a callback, of any app, it never
 * waits, and the thread that is in this app's callback finishes the release when that returns.
 *
 * `app`: the app; 0 is the default app, which is made again on its next use. If there is none yet, nothing
 * happens.
 *
 * Ownership: the id ends, also those of its sockets. Each user_data is released once, after the last
 * callback that gets it, the app's own last of all.
 * Threads: any; an app of host delivery on the thread that dispatches it. Waits for a wake-up callback of
 * the app that runs on another thread.
 * Callbacks: no results or events follow, only release functions. May be called inside results and events.
 * Returns: TARO_STATUS_OK; TARO_STATUS_BAD_HANDLE; TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED;
 * TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
 * Since: 0.1.0
 */
taro_status taro_app_release(taro_app app);

/**
 * Tells that the mini program went to the background, or came back.
 *
 * In the background connect and send fail with TARO_STATUS_INTERRUPTED at once, close works. After the grace
 * (5 seconds, settable; the time the device sleeps counts) open sockets end with `close` 1006 `interrupted`,
 * connecting ones with `error`. Foreground before that cancels it.
 *
 * `app`: the app, 0 for the default app. `background`: 1 in the background, 0 in the foreground.
 *
 * Ownership: nothing is passed.
 * Threads: any.
 * Callbacks: events of the sockets may follow; may be called inside results and events.
 * Returns: TARO_STATUS_OK; TARO_STATUS_BAD_HANDLE; TARO_STATUS_BAD_ARGUMENT if background is neither 0 nor
 * 1; TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
 * Since: 0.1.0
 */
taro_status taro_app_set_background(taro_app app, uint32_t background);

/**
 * Tells that the device's network changed (another Wi-Fi, mobile data): open sockets ping their peer at once
 * and end as broken if nothing arrives within pong_timeout_ms (5 seconds if that is 0).
 *
 * `app`: the app, 0 for the default app.
 *
 * Ownership: nothing is passed.
 * Threads: any.
 * Callbacks: events of the sockets may follow; may be called inside results and events.
 * Returns: TARO_STATUS_OK; TARO_STATUS_BAD_HANDLE; TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED;
 * TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
 * Since: 0.1.0
 */
taro_status taro_app_network_changed(taro_app app);

/**
 * The live sockets of an app, oldest first: those that count towards max_sockets.
 *
 * `app`: the app, 0 for the default app. `sockets`: receives up to capacity ids; NULL if capacity is 0.
 * `capacity`: number of elements that sockets has room for. `count`: receives the number of live sockets,
 * which may be more than capacity; not NULL.
 *
 * Ownership: the ids are copied out; they are not references.
 * Threads: any.
 * Callbacks: none follow; may be called inside results and events.
 * Returns: TARO_STATUS_OK, also if capacity was too small; TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_HANDLE;
 * TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
 * Since: 0.1.0
 */
taro_status taro_app_get_sockets(taro_app app, taro_socket *sockets, size_t capacity, size_t *count);

/**
 * The socket that the global functions (`wx.sendSocketMessage`, `wx.closeSocket`) of an app act on.
 *
 * A socket is bound when its connect is accepted and no live socket is bound; nothing is bound anew when
 * that one ends.
 *
 * `app`: the app, 0 for the default app. `socket`: receives the id, 0 if none is bound; not NULL.
 *
 * Ownership: the id is copied out; it is not a reference.
 * Threads: any.
 * Callbacks: none follow; may be called inside results and events.
 * Returns: TARO_STATUS_OK; TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_HANDLE; TARO_STATUS_IN_NOTICE;
 * TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
 * Since: 0.1.0
 */
taro_status taro_app_get_global_socket(taro_app app, taro_socket *socket);

/**
 * Runs callbacks of an app of host delivery that wait, on the calling thread.
 *
 * What a callback adds while this runs waits for the next dispatch, so the call ends. What callbacks send on
 * the app's sockets leaves together when they are over, on this thread; from 64 KiB on earlier.
 *
 * `app`: an app of host delivery. `max_events`: most items to run, 0 means all that wait now; an item is an
 * event, a result (success or fail, and complete), or a release function that stands alone. `left`: receives
 * the number that still wait; may be NULL.
 *
 * Ownership: nothing is passed.
 * Threads: any, one at a time for an app; the same one for all of an app's life if its script engine wants
 * that.
 * Callbacks: results and events of the app run inside the call. Inside results and events of the same app
 * it answers busy; inside those of another app it may be called.
 * Returns: TARO_STATUS_OK; TARO_STATUS_BAD_HANDLE; TARO_STATUS_WRONG_DELIVERY for an app of direct delivery;
 * TARO_STATUS_BUSY while the app is being dispatched; TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED;
 * TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
 * Since: 0.1.0
 */
taro_status taro_app_dispatch(taro_app app, size_t max_events, size_t *left);

/**
 * A descriptor to poll: readable exactly while something waits for `taro_app_dispatch`.
 *
 * For a host whose loop polls descriptors (epoll, kqueue, libuv). Poll it level-triggered for reading; do
 * not read, write or close it.
 *
 * `app`: an app of host delivery. `descriptor`: receives the file descriptor, -1 on error; not NULL.
 *
 * Ownership: the library keeps it and closes it when the app is released.
 * Threads: any.
 * Callbacks: none follow; may be called inside results and events.
 * Returns: TARO_STATUS_OK; TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_HANDLE; TARO_STATUS_WRONG_DELIVERY for
 * an app of direct delivery; TARO_STATUS_NO_RESOURCES if the process has no descriptor left;
 * TARO_STATUS_UNSUPPORTED on systems without pollable descriptors (Windows); TARO_STATUS_IN_NOTICE;
 * TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
 * Since: 0.1.0
 */
taro_status taro_app_get_descriptor(taro_app app, int32_t *descriptor);

/**
 * Connects a WebSocket.
 *
 * Checks the arguments and the app's limits, then connects in the background. `success` says that the
 * connect was accepted; the outcome is `open`, or `error`. In direct delivery callbacks may run on the I/O
 * thread before this call has returned: `*socket` is written before that.
 *
 * `options`: what to connect to and how; not NULL. `socket`: receives the id, 0 if the call fails; not NULL.
 *
 * Ownership: options and all it points to is copied. Except for a misuse status, user_data is taken, and
 * release runs once, after the last callback. The id lives until `taro_socket_release`, or until its app is
 * released, also after the socket has ended.
 * Threads: any. The first connect starts the I/O thread.
 * Callbacks: success or fail, then complete, then the events. May be called inside results and events.
 * Returns: TARO_STATUS_OK: success follows. What fail carries: TARO_STATUS_INVALID_URL,
 * TARO_STATUS_URL_NOT_ALLOWED, TARO_STATUS_TOO_MANY_SOCKETS, TARO_STATUS_PARAMETER (header, protocols,
 * interface), TARO_STATUS_INTERRUPTED, TARO_STATUS_INTERNAL. Misuse: TARO_STATUS_NULL_POINTER,
 * TARO_STATUS_BAD_STRUCT_SIZE, TARO_STATUS_BAD_ARGUMENT (a flag is neither 0 nor 1, reserved is not 0),
 * TARO_STATUS_BAD_HANDLE (app), TARO_STATUS_NO_RESOURCES, TARO_STATUS_IN_NOTICE, TARO_STATUS_FORKED,
 * TARO_STATUS_SHUTTING_DOWN.
 * Since: 0.1.0
 */
taro_status taro_connect_socket(const struct taro_connect_options *options, taro_socket *socket);

/**
 * The number of the binary interface of the library that is loaded.
 *
 * Compare it with TARO_ABI_VERSION after `dlopen`, before any other call.
 *
 * Ownership: nothing is passed.
 * Threads: any.
 * Callbacks: none follow; may be called inside any callback, notices included.
 * Returns: TARO_ABI_VERSION of the library.
 * Since: 0.1.0
 */
uint32_t taro_abi_version(void);

/**
 * The version of the library that is loaded, such as `0.1.0`.
 *
 * Ownership: the string is static and NUL-terminated; do not free it.
 * Threads: any.
 * Callbacks: none follow; may be called inside any callback, notices included.
 * Returns: the version. Never NULL.
 * Since: 0.1.0
 */
const char *taro_version(void);

/**
 * Sets what holds for the whole library. Optional: without it, the defaults hold.
 *
 * `options`: what to set; NULL means every default.
 *
 * Ownership: options is copied. On OK the library owns user_data until the end of `taro_shutdown`, which
 * runs release; on any other status it has not taken it.
 * Threads: any. No thread is started.
 * Callbacks: none follow by itself; may be called inside results and events, where it answers busy.
 * Returns: TARO_STATUS_OK; TARO_STATUS_BUSY if the library has been initialised already, or an app or a
 * socket was made; TARO_STATUS_BAD_STRUCT_SIZE; TARO_STATUS_BAD_ARGUMENT if io_threads is over 64, log_level
 * is none, or reserved is not 0; TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN;
 * TARO_STATUS_INTERNAL.
 * Since: 0.1.0
 */
taro_status taro_init(const struct taro_init_options *options);

/**
 * Ends everything: every app and socket silently, then the library's threads.
 *
 * Releases all apps, waits for callbacks that run, runs every release function, joins the I/O threads. After
 * OK no code of the library runs on any I/O thread, `dlclose` is harmless, ids of before stay unknown,
 * retained messages stay valid, and the library can be used again, `taro_init` included. Calling it again,
 * or without ever having connected, is fine. While it runs, other calls answer TARO_STATUS_SHUTTING_DOWN or
 * TARO_STATUS_BAD_HANDLE; a second `taro_shutdown` waits for the first.
 *
 * `timeout_ms`: how long to wait in milliseconds for callbacks that run on other threads; 0 does not wait.
 *
 * Ownership: user_data of apps, sockets and calls is released, on the calling thread or on the thread that
 * was in a callback.
 * Threads: any but the library's own; it blocks.
 * Callbacks: only release functions run. Inside any callback it answers would-deadlock.
 * Returns: TARO_STATUS_OK; TARO_STATUS_TIMED_OUT if a callback or a hook of the host still runs: nothing was
 * freed, call again; TARO_STATUS_WOULD_DEADLOCK inside a callback; TARO_STATUS_IN_NOTICE;
 * TARO_STATUS_FORKED; TARO_STATUS_INTERNAL.
 * Since: 0.1.0
 */
taro_status taro_shutdown(uint32_t timeout_ms);

/**
 * Keeps an inbound message beyond its callback, for a script engine that takes the bytes without a copy.
 *
 * `message`: the id of the message event, while its callback runs; or one that is retained already, which
 * gives the same pointer again. `data`: receives the payload; not NULL. `data_len`: receives its length in
 * bytes; not NULL.
 *
 * Ownership: the payload is the host's alone until `taro_message_release`: writable, 16-byte aligned, never
 * NULL. It outlives socket, app and `taro_shutdown`. It is copied only where it was not aligned or not
 * alone in its buffer; then the pointer differs from the event's, which stays good until the callback returns.
 * Threads: any, while the message's callback runs or after it was retained.
 * Callbacks: none follow; meant to be called inside message callbacks.
 * Returns: TARO_STATUS_OK; TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_HANDLE if the message's callback has
 * returned; TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED; TARO_STATUS_INTERNAL.
 * Since: 0.1.0
 */
taro_status taro_message_retain(taro_message message,
                                void **data,
                                size_t *data_len);

/**
 * Gives a retained message back.
 *
 * Inside its own callback the payload stays readable until the callback returns.
 *
 * `message`: the message; 0 is accepted and does nothing.
 *
 * Ownership: the payload is freed, the id ends. One release is enough, however often it was retained.
 * Threads: any.
 * Callbacks: none follow; may be called inside results and events.
 * Returns: TARO_STATUS_OK; TARO_STATUS_BAD_HANDLE if the message is not retained; TARO_STATUS_IN_NOTICE;
 * TARO_STATUS_FORKED; TARO_STATUS_INTERNAL.
 * Since: 0.1.0
 */
taro_status taro_message_release(taro_message message);

/**
 * Refuses a call of the script on the binding's behalf, with the flavour's text and codes.
 *
 * For what a binding finds before it can call the library: an argument of the wrong type, a global function
 * without a socket. The results come in the same way and order as those of other calls.
 *
 * `options`: what is refused and why; not NULL.
 *
 * Ownership: options and all it points to is copied. Except for a misuse status, user_data is taken, and
 * release runs once, after the last callback.
 * Threads: any. It may start the I/O thread, as a connect does.
 * Callbacks: fail, then complete, with socket 0; none if the app is released first. May be called inside
 * results and events.
 * Returns: TARO_STATUS_OK: fail follows. Misuse: TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_STRUCT_SIZE;
 * TARO_STATUS_BAD_ARGUMENT if call or status is not one of those named, subject is not UTF-8 or reserved is
 * not 0; TARO_STATUS_BAD_HANDLE (app); TARO_STATUS_NO_RESOURCES; TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED;
 * TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
 * Since: 0.1.0
 */
taro_status taro_app_refuse_call(const struct taro_refuse_options *options);

/**
 * Sends a whole message, or nothing.
 *
 * It leaves at once, unless others wait before it, or it is below 16 KiB and the last one left less than 5
 * microseconds ago: then they gather. What a callback sends leaves when the callbacks that run in turn with it
 * are over; from 64 KiB on earlier, if the app is of host delivery.
 *
 * `socket`: the socket. `options`: the message; not NULL.
 *
 * Ownership: options and all it points to is copied or sent before the call returns. Except for a misuse
 * status, user_data is taken, and release runs once, after the last callback.
 * Threads: any; messages of one thread keep their order. It may write to the network, never blocks.
 * Callbacks: success or fail, then complete; none if the socket or its app is released first. May be called
 * inside results and events.
 * Returns: TARO_STATUS_OK: accepted; success follows when the operating system has the message, or fail if
 * the socket ends first. What fail carries: TARO_STATUS_NOT_CONNECTED, TARO_STATUS_FULL (`drain` follows when
 * it is worth trying again), TARO_STATUS_MESSAGE_TOO_BIG, TARO_STATUS_PARAMETER (text that is not UTF-8),
 * TARO_STATUS_INTERRUPTED, TARO_STATUS_INTERNAL. Misuse: TARO_STATUS_NULL_POINTER,
 * TARO_STATUS_BAD_STRUCT_SIZE, TARO_STATUS_BAD_ARGUMENT (kind), TARO_STATUS_BAD_HANDLE,
 * TARO_STATUS_IN_NOTICE, TARO_STATUS_FORKED, TARO_STATUS_SHUTTING_DOWN.
 * Since: 0.1.0
 */
taro_status taro_socket_send(taro_socket socket,
                             const struct taro_send_options *options);

/**
 * Sends a text message without callbacks: the fast path.
 *
 * `socket`: the socket. `text`: UTF-8, no NUL needed; NULL if text_len is 0. `text_len`: length in bytes.
 *
 * Ownership: the text is copied or sent before the call returns.
 * Threads: any; messages of one thread keep their order. It may write to the network, never blocks.
 * Callbacks: none follow but the socket's events; may be called inside results and events.
 * Returns: TARO_STATUS_OK: accepted; TARO_STATUS_NOT_CONNECTED; TARO_STATUS_FULL (`drain` follows);
 * TARO_STATUS_MESSAGE_TOO_BIG; TARO_STATUS_PARAMETER (not UTF-8); TARO_STATUS_INTERRUPTED;
 * TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_HANDLE; TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED;
 * TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
 * Since: 0.1.0
 */
taro_status taro_socket_send_text(taro_socket socket, const char *text, size_t text_len);

/**
 * Sends a binary message without callbacks: the fast path.
 *
 * `socket`: the socket. `data`: the payload; NULL if data_len is 0. `data_len`: length in bytes.
 *
 * Ownership: the data is copied or sent before the call returns.
 * Threads: any; messages of one thread keep their order. It may write to the network, never blocks.
 * Callbacks: none follow but the socket's events; may be called inside results and events.
 * Returns: TARO_STATUS_OK: accepted; TARO_STATUS_NOT_CONNECTED; TARO_STATUS_FULL (`drain` follows);
 * TARO_STATUS_MESSAGE_TOO_BIG; TARO_STATUS_INTERRUPTED; TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_HANDLE;
 * TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
 * Since: 0.1.0
 */
taro_status taro_socket_send_binary(taro_socket socket, const void *data, size_t data_len);

/**
 * Closes a socket with the closing handshake of RFC 6455.
 *
 * Messages accepted before go first, then code and reason. While the socket is connecting it is cancelled at
 * once, and `close` reports the caller's code. From an accepted close on, inbound messages are dropped. The
 * end is `close`, at the latest after the app's close_timeout_ms.
 *
 * `socket`: the socket. `options`: code, reason and callbacks; NULL means every default.
 *
 * Ownership: options and all it points to is copied. Except for a misuse status, user_data is taken, and
 * release runs once, after the last callback.
 * Threads: any.
 * Callbacks: success or fail, then complete; `close` of the socket. May be called inside results and events.
 * Returns: TARO_STATUS_OK: accepted, success follows. What fail carries: TARO_STATUS_NOT_CONNECTED (ended,
 * or closed before, by either side), TARO_STATUS_INVALID_CLOSE_CODE, TARO_STATUS_INVALID_CLOSE_REASON,
 * TARO_STATUS_PARAMETER (reason is not UTF-8), TARO_STATUS_INTERNAL. Misuse: TARO_STATUS_NULL_POINTER,
 * TARO_STATUS_BAD_STRUCT_SIZE, TARO_STATUS_BAD_HANDLE, TARO_STATUS_IN_NOTICE, TARO_STATUS_FORKED,
 * TARO_STATUS_SHUTTING_DOWN.
 * Since: 0.1.0
 */
taro_status taro_socket_close(taro_socket socket, const struct taro_close_options *options);

/**
 * Gives a socket's id back; a live socket is ended silently.
 *
 * On the wire an open socket still sends what was accepted, then close 1001, as far as that goes without waiting for
 * the peer.
 *
 * For finalizers: it never waits. No event and no result of the socket starts after it has returned, except
 * one that runs already on another thread.
 *
 * `socket`: the socket; 0 is accepted and does nothing.
 *
 * Ownership: the id ends. user_data of the socket and of its pending calls is released after the last
 * callback, in the way events are delivered (host delivery: inside dispatch).
 * Threads: any.
 * Callbacks: release functions follow, nothing else. May be called inside results and events.
 * Returns: TARO_STATUS_OK; TARO_STATUS_BAD_HANDLE; TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED;
 * TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
 * Since: 0.1.0
 */
taro_status taro_socket_release(taro_socket socket);

/**
 * The ready state as the host has been told it.
 *
 * OPEN just before `open` runs, CLOSING at an accepted close, CLOSED just before the terminal event.
 *
 * `socket`: the socket. `state`: receives a TARO_READY_STATE_…; not NULL.
 *
 * Ownership: the number is copied out.
 * Threads: any.
 * Callbacks: none follow; may be called inside results and events.
 * Returns: TARO_STATUS_OK; TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_HANDLE; TARO_STATUS_IN_NOTICE;
 * TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
 * Since: 0.1.0
 */
taro_status taro_socket_get_ready_state(taro_socket socket, uint32_t *state);

/**
 * Payload bytes that were accepted and not yet handed to the operating system.
 *
 * `socket`: the socket. `bytes`: receives the number; not NULL.
 *
 * Ownership: the number is copied out.
 * Threads: any.
 * Callbacks: none follow; may be called inside results and events.
 * Returns: TARO_STATUS_OK; TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_HANDLE; TARO_STATUS_IN_NOTICE;
 * TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
 * Since: 0.1.0
 */
taro_status taro_socket_get_buffered_amount(taro_socket socket, uint64_t *bytes);

/**
 * The subprotocol that the server picked; empty before `open` was delivered and if it picked none.
 *
 * `socket`: the socket. `buffer`: receives up to capacity bytes, without NUL; NULL if capacity is 0.
 * `capacity`: size of buffer in bytes. `needed`: receives the full length in bytes; not NULL.
 *
 * Ownership: the text is copied out.
 * Threads: any.
 * Callbacks: none follow; may be called inside results and events.
 * Returns: TARO_STATUS_OK, also if capacity was too small; TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_HANDLE;
 * TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
 * Since: 0.1.0
 */
taro_status taro_socket_get_protocol(taro_socket socket, char *buffer, size_t capacity, size_t *needed);

/**
 * The extensions that were negotiated, as in Sec-WebSocket-Extensions; empty before `open` was delivered and
 * if there are none.
 *
 * `socket`: the socket. `buffer`: receives up to capacity bytes, without NUL; NULL if capacity is 0.
 * `capacity`: size of buffer in bytes. `needed`: receives the full length in bytes; not NULL.
 *
 * Ownership: the text is copied out.
 * Threads: any.
 * Callbacks: none follow; may be called inside results and events.
 * Returns: TARO_STATUS_OK, also if capacity was too small; TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_HANDLE;
 * TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
 * Since: 0.1.0
 */
taro_status taro_socket_get_extensions(taro_socket socket, char *buffer, size_t capacity, size_t *needed);

/**
 * What a socket has carried so far; also after it has ended.
 *
 * `socket`: the socket. `counters`: struct_size set by the caller; receives the numbers; not NULL.
 *
 * Ownership: the numbers are copied out.
 * Threads: any.
 * Callbacks: none follow; may be called inside results and events.
 * Returns: TARO_STATUS_OK; TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_STRUCT_SIZE; TARO_STATUS_BAD_HANDLE;
 * TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
 * Since: 0.1.0
 */
taro_status taro_socket_get_counters(taro_socket socket, struct taro_socket_counters *counters);

/**
 * Holds a socket's open, message, error and close back until it is resumed; results and drain go on.
 *
 * What waits is bounded by the app's pause_limit_bytes: then the socket stops reading; nothing is dropped. A
 * callback that runs already on another thread is not held back. The release of the socket's user_data waits
 * too, and in single_socket mode the `open` of the socket that took this one's place.
 *
 * `socket`: the socket; pausing a paused or ended one is fine.
 *
 * Ownership: nothing is passed.
 * Threads: any.
 * Callbacks: none follow; may be called inside results and events.
 * Returns: TARO_STATUS_OK; TARO_STATUS_BAD_HANDLE; TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED;
 * TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
 * Since: 0.1.0
 */
taro_status taro_socket_pause(taro_socket socket);

/**
 * Delivers what `taro_socket_pause` or start_paused held back, and all that follows.
 *
 * `socket`: the socket; resuming one that is not paused is fine.
 *
 * Ownership: nothing is passed.
 * Threads: any.
 * Callbacks: the socket's events follow; may be called inside results and events.
 * Returns: TARO_STATUS_OK; TARO_STATUS_BAD_HANDLE; TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED;
 * TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
 * Since: 0.1.0
 */
taro_status taro_socket_resume(taro_socket socket);

/**
 * Sends a ping frame. The pong is counted, and satisfies the app's pong deadline; it is no event.
 *
 * `socket`: an open socket. `payload`: its bytes; NULL if payload_len is 0. `payload_len`: at most 125.
 *
 * Ownership: the payload is copied.
 * Threads: any.
 * Callbacks: none follow; may be called inside results and events.
 * Returns: TARO_STATUS_OK; TARO_STATUS_NOT_CONNECTED; TARO_STATUS_FULL; TARO_STATUS_INTERRUPTED;
 * TARO_STATUS_BAD_ARGUMENT (payload_len); TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_HANDLE;
 * TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
 * Since: 0.1.0
 */
taro_status taro_socket_ping(taro_socket socket, const void *payload, size_t payload_len);

/**
 * The name of a status code, for logs.
 *
 * `status`: any number.
 *
 * Ownership: the string is static and NUL-terminated; do not free it.
 * Threads: any.
 * Callbacks: none follow; may be called inside any callback, notices included.
 * Returns: the constant's name, such as `TARO_STATUS_BAD_HANDLE`, or `TARO_STATUS_UNKNOWN`. Never NULL.
 * Since: 0.1.0
 */
const char *taro_status_name(taro_status status);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

/** A taro_str of a string literal. */
#ifdef __cplusplus
#define TARO_STR(literal) (taro_str{ "" literal, sizeof(literal) - 1 })
#else
#define TARO_STR(literal) ((taro_str){ "" literal, sizeof(literal) - 1 })
#endif

/** Every default of taro_init_options. */
#define TARO_INIT_OPTIONS_INIT { (uint32_t)sizeof(taro_init_options), 0, 0, 0, 0, 0, 0, 0, 0 }

/** Every default of taro_app_options. */
#define TARO_APP_OPTIONS_INIT \
    { (uint32_t)sizeof(taro_app_options), 0, 0, 0, 0, 0, 0, 0, 0, 0, { 0, 0 }, 0, 0, { 0, 0 }, { 0, 0 }, \
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/** Every default of taro_connect_options; url is still to be set. */
#define TARO_CONNECT_OPTIONS_INIT \
    { (uint32_t)sizeof(taro_connect_options), 0, 0, 0, 0, { 0, 0 }, 0, 0, 0, 0, 0, 0, { 0, 0 }, \
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/** Every default of taro_send_options: an empty text message. */
#define TARO_SEND_OPTIONS_INIT { (uint32_t)sizeof(taro_send_options), 0, 0, 0, 0, 0, 0, 0, 0 }

/** Every default of taro_close_options: code 1000, no reason. */
#define TARO_CLOSE_OPTIONS_INIT { (uint32_t)sizeof(taro_close_options), 0, { 0, 0 }, 0, 0, 0, 0, 0 }

/** A taro_refuse_options of the default app; call and status are still to be set. */
#define TARO_REFUSE_OPTIONS_INIT { (uint32_t)sizeof(taro_refuse_options), 0, 0, 0, 0, { 0, 0 }, 0, 0, 0, 0 }

/** A taro_socket_counters for taro_socket_get_counters to fill. */
#define TARO_SOCKET_COUNTERS_INIT { (uint32_t)sizeof(taro_socket_counters), 0, 0, 0, 0, 0, 0, 0, 0, 0 }

#endif  /* TARO_SOCKET_H */
