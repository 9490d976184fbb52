//! What callbacks receive: the record of results and errors, the events, and the callback types.

use std::ffi::c_void;

use super::status::taro_status;
use super::types::{taro_header, taro_message, taro_socket, taro_str};

/// Message kind, and ready states, causes and the like below: integers, so that a value of a later version
/// stays readable. A text message: UTF-8.
pub const TARO_MESSAGE_TEXT: u32 = 1;
/// A binary message: bytes.
pub const TARO_MESSAGE_BINARY: u32 = 2;

/// Ready state (WHATWG): connecting, `open` has not been delivered.
pub const TARO_READY_STATE_CONNECTING: u32 = 0;
/// Ready state: `open` has been delivered, or is being delivered.
pub const TARO_READY_STATE_OPEN: u32 = 1;
/// Ready state: a close was accepted.
pub const TARO_READY_STATE_CLOSING: u32 = 2;
/// Ready state: the terminal event (`close`, or `error` where no `close` follows) has been or is delivered.
pub const TARO_READY_STATE_CLOSED: u32 = 3;

/// Cause: none; a result of a call, or a clean close.
pub const TARO_CAUSE_NONE: u32 = 0;
/// Cause: the host name could not be resolved.
pub const TARO_CAUSE_RESOLVE: u32 = 1;
/// Cause: no TCP connection; `os_error` has the system's number (refused, unreachable …).
pub const TARO_CAUSE_CONNECT: u32 = 2;
/// Cause: the connect timeout, or the bound on the closing handshake, ran out.
pub const TARO_CAUSE_TIMEOUT: u32 = 3;
/// Cause: TLS; `tls_error` and `tls_detail` say what.
pub const TARO_CAUSE_TLS: u32 = 4;
/// Cause: the server answered the upgrade with another status than 101; `http_status` has it.
pub const TARO_CAUSE_HTTP_STATUS: u32 = 5;
/// Cause: the server's answer is not a valid upgrade (RFC 6455, 4.1): malformed, wrong
/// Sec-WebSocket-Accept, a protocol or extension that was not offered.
pub const TARO_CAUSE_UPGRADE: u32 = 6;
/// Cause: the connection ended without a closing handshake; `os_error` has the system's number, 0 = end of stream.
pub const TARO_CAUSE_RESET: u32 = 7;
/// Cause: no answer to a ping in time.
pub const TARO_CAUSE_PONG_TIMEOUT: u32 = 8;
/// Cause: no message for as long as the app's idle timeout.
pub const TARO_CAUSE_IDLE: u32 = 9;
/// Cause: the app was in the background for longer than its grace.
pub const TARO_CAUSE_INTERRUPTED: u32 = 10;
/// Cause: the peer broke RFC 6455.
pub const TARO_CAUSE_PROTOCOL_ERROR: u32 = 11;
/// Cause: a text message or close reason of the peer was not UTF-8.
pub const TARO_CAUSE_BAD_UTF8: u32 = 12;
/// Cause: an inbound message was larger than the app's limit.
pub const TARO_CAUSE_TOO_BIG: u32 = 13;
/// Cause: an error inside the library.
pub const TARO_CAUSE_INTERNAL: u32 = 14;
/// Cause: the host closed the socket while it was connecting.
pub const TARO_CAUSE_CANCELLED: u32 = 15;

/// TLS error: none.
pub const TARO_TLS_ERROR_NONE: u32 = 0;
/// TLS error: the certificate has expired.
pub const TARO_TLS_ERROR_EXPIRED: u32 = 1;
/// TLS error: the certificate is not valid yet.
pub const TARO_TLS_ERROR_NOT_YET_VALID: u32 = 2;
/// TLS error: the certificate is for another host name.
pub const TARO_TLS_ERROR_WRONG_HOST: u32 = 3;
/// TLS error: the certificate's chain ends at no trusted root.
pub const TARO_TLS_ERROR_UNKNOWN_ISSUER: u32 = 4;
/// TLS error: the certificate was revoked.
pub const TARO_TLS_ERROR_REVOKED: u32 = 5;
/// TLS error: the certificate is wrong in another way.
pub const TARO_TLS_ERROR_BAD_CERTIFICATE: u32 = 6;
/// TLS error: the peer sent a fatal alert, or no TLS at all.
pub const TARO_TLS_ERROR_PROTOCOL: u32 = 7;

/// Initiator of a close: nobody, the connection broke.
pub const TARO_INITIATOR_NONE: u32 = 0;
/// Initiator of a close: the host, with `taro_socket_close`.
pub const TARO_INITIATOR_HOST: u32 = 1;
/// Initiator of a close: the peer, with a close frame.
pub const TARO_INITIATOR_PEER: u32 = 2;
/// Initiator of a close: the library, by policy (background, idle, a new socket in single-socket mode) or
/// because the peer broke the protocol or a limit.
pub const TARO_INITIATOR_LIBRARY: u32 = 3;

/// The record of a result (`success`, `fail`, `complete`) and of `error`. Everything in it lives until the
/// callback returns.
#[repr(C)]
pub struct taro_result {
    /// Size of this struct in the library; read fields only up to it.
    pub struct_size: u32,
    /// TARO_STATUS_OK for `success`, else what failed.
    pub status: taro_status,
    /// WeChat's errno (PublicErrno table); 0 for `success`.
    pub err_no: i32,
    /// The app's flavour's own code where it has one (Alipay's `error`), else the same as `err_no`.
    pub code: i32,
    /// `<api>:ok` or `<api>:fail <reason>`: fixed English, never localised.
    pub err_msg: taro_str,
    /// What stands after `<api>:fail ` in err_msg, for a binding with its own `<api>`; empty for `success`.
    pub reason: taro_str,
    /// TARO_CAUSE_…: what lies behind it, TARO_CAUSE_NONE if the status says it all.
    pub cause: u32,
    /// HTTP status of the upgrade response, 0 if none came.
    pub http_status: i32,
    /// The operating system's error number, 0 if none.
    pub os_error: i32,
    /// TARO_TLS_ERROR_…
    pub tls_error: u32,
    /// What TLS had to say, in English for a developer; empty if nothing.
    pub tls_detail: taro_str,
    /// More about the cause, in English for a developer's log; empty if nothing. Not for the script.
    pub detail: taro_str,
}

/// The eight phases of a connect (WeChat's SocketProfile), in microseconds. The first five are points in
/// time since 1970 (UTC), measured on one steady clock; the last three are durations.
#[repr(C)]
pub struct taro_profile {
    /// Size of this struct in the library; read fields only up to it.
    pub struct_size: u32,
    /// Always 0.
    pub reserved: u32,
    /// `fetchStart`: the connect was begun on the I/O thread.
    pub fetch_start_us: i64,
    /// `domainLookUpStart`; equals fetch_start_us if no name had to be resolved.
    pub domain_look_up_start_us: i64,
    /// `domainLookUpEnd`; equals fetch_start_us if no name had to be resolved.
    pub domain_look_up_end_us: i64,
    /// `connectStart`: the first TCP attempt was begun.
    pub connect_start_us: i64,
    /// `connectEnd`: TCP, and TLS for wss, were done.
    pub connect_end_us: i64,
    /// `rtt`: duration of TCP and TLS of this connection.
    pub rtt_us: i64,
    /// `handshakeCost`: duration of the WebSocket upgrade, from request to response.
    pub handshake_cost_us: i64,
    /// `cost`: duration from fetch_start_us to the end of the upgrade.
    pub cost_us: i64,
}

/// `open`: the connection is open. Everything in it lives until the callback returns.
#[repr(C)]
pub struct taro_open_event {
    /// Size of this struct in the library; read fields only up to it.
    pub struct_size: u32,
    /// HTTP status of the upgrade response: 101.
    pub http_status: i32,
    /// The response's header fields: order, case and repetition as the server sent them.
    pub headers: *const taro_header,
    /// Number of elements of headers.
    pub headers_len: usize,
    /// The subprotocol that the server picked; empty if none.
    pub protocol: taro_str,
    /// The negotiated extensions, as in Sec-WebSocket-Extensions; empty if none.
    pub extensions: taro_str,
    /// Address and port of the peer, such as `192.0.2.1:443` or `[2001:db8::1]:443`.
    pub peer_address: taro_str,
    /// `TLSv1.3` or `TLSv1.2`; empty for ws.
    pub tls_version: taro_str,
    /// Name of the cipher suite (IANA), such as `TLS_AES_128_GCM_SHA256`; empty for ws.
    pub tls_cipher: taro_str,
    /// The measured phases of this connect; never NULL.
    pub profile: *const taro_profile,
}

/// `message`: a whole message. It lives until the callback returns; to keep it, see `taro_message_retain`.
#[repr(C)]
pub struct taro_message_event {
    /// Size of this struct in the library; read fields only up to it.
    pub struct_size: u32,
    /// TARO_MESSAGE_TEXT (valid UTF-8) or TARO_MESSAGE_BINARY.
    pub kind: u32,
    /// The message's id, for `taro_message_retain`; unless retained it ends with the callback.
    pub message: taro_message,
    /// The payload, without a terminating NUL; may hold NULs. Never NULL.
    pub data: *const c_void,
    /// Length of the payload in bytes; 0 for an empty message.
    pub data_len: usize,
}

/// `close`: the socket has ended. Everything in it lives until the callback returns.
#[repr(C)]
pub struct taro_close_event {
    /// Size of this struct in the library; read fields only up to it.
    pub struct_size: u32,
    /// Close code (RFC 6455, 7.4): the peer's, 1005 if it sent none, 1006 if the connection broke. In weapp
    /// the caller's, if the connection broke after an accepted `taro_socket_close`.
    pub code: u32,
    /// Close reason, of the same origin as the code. For 1006 a fixed text of the flavour.
    pub reason: taro_str,
    /// 1 if the closing handshake was completed, else 0.
    pub was_clean: u32,
    /// TARO_INITIATOR_…: who began it.
    pub initiator: u32,
    /// TARO_CAUSE_…: why it was not clean; TARO_CAUSE_NONE if it was.
    pub cause: u32,
    /// The operating system's error number behind the cause, 0 if none.
    pub os_error: i32,
}

/// `drain`: after a send failed with TARO_STATUS_FULL, half of the send buffer is free again.
#[repr(C)]
pub struct taro_drain_event {
    /// Size of this struct in the library; read fields only up to it.
    pub struct_size: u32,
    /// Always 0.
    pub reserved: u32,
    /// Payload bytes that still wait to be handed to the operating system.
    pub buffered_amount_bytes: u64,
}

/// `success`, `fail` and `complete` of connect, send and close: exactly one of the first two, then exactly
/// one `complete` with the same record. `socket` is 0 if a connect failed. Must not throw or longjmp.
pub type taro_result_fn =
    Option<unsafe extern "C" fn(socket: taro_socket, result: *const taro_result, user_data: *mut c_void)>;

/// `open` of a socket: at most once, before any message. Must not throw or longjmp.
pub type taro_open_fn =
    Option<unsafe extern "C" fn(socket: taro_socket, event: *const taro_open_event, user_data: *mut c_void)>;

/// `message` of a socket: between `open` and the end. Must not throw or longjmp.
pub type taro_message_fn = Option<
    unsafe extern "C" fn(socket: taro_socket, event: *const taro_message_event, user_data: *mut c_void),
>;

/// `error` of a socket: at most once. In weapp it is the last event of a failed handshake, and is followed
/// by `close` 1006 when an open connection broke. Must not throw or longjmp.
pub type taro_error_fn =
    Option<unsafe extern "C" fn(socket: taro_socket, event: *const taro_result, user_data: *mut c_void)>;

/// `close` of a socket: at most once, the last event. Must not throw or longjmp.
pub type taro_close_fn =
    Option<unsafe extern "C" fn(socket: taro_socket, event: *const taro_close_event, user_data: *mut c_void)>;

/// `drain` of a socket: it is worth sending again. Must not throw or longjmp.
pub type taro_drain_fn =
    Option<unsafe extern "C" fn(socket: taro_socket, event: *const taro_drain_event, user_data: *mut c_void)>;

/// The end of a user_data: runs exactly once, after the last callback that gets it, on the thread that runs
/// the app's callbacks; at the app's release on the thread that releases, and in host delivery never on another one
/// than that or the dispatching one. Must not throw or longjmp.
pub type taro_release_fn = Option<unsafe extern "C" fn(user_data: *mut c_void)>;
