//! `taro_connect_socket` and its options.

use std::ffi::c_void;

use super::event::{
    taro_close_fn, taro_drain_fn, taro_error_fn, taro_message_fn, taro_open_fn, taro_release_fn,
    taro_result_fn,
};
use super::status::taro_status;
use super::types::{taro_app, taro_header, taro_socket, taro_str};
use super::{callback, guard, ptr};
use crate::core::connect;

/// Options of `taro_connect_socket`; every field that is 0 means its default. TARO_CONNECT_OPTIONS_INIT plus
/// url is a working call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct taro_connect_options {
    /// sizeof(taro_connect_options)
    pub struct_size: u32,
    /// 1: TCP_NODELAY is set. 0: it is not, as in WeChat.
    pub tcp_no_delay: u32,
    /// 1: offer compression (permessage-deflate, RFC 7692); `open` says whether it was agreed on. Messages of
    /// 128 bytes and more are compressed then. 0: it is not offered, as in WeChat.
    pub per_message_deflate: u32,
    /// 1: the socket is created paused: open, message, error and close wait for `taro_socket_resume`.
    pub start_paused: u32,
    /// The app that owns the socket; 0 is the default app.
    pub app: taro_app,
    /// An absolute ws or wss URL with a host and without a fragment. Userinfo becomes Basic authorization
    /// unless headers has one.
    pub url: taro_str,
    /// Header fields of the upgrade request; order, case and repetition are kept. Referer and the
    /// handshake's own fields (Host, Connection, Upgrade, Content-Length, Sec-WebSocket-…) are left out.
    pub headers: *const taro_header,
    /// Number of elements of headers.
    pub headers_len: usize,
    /// Subprotocols in order of preference: unique, non-empty tokens.
    pub protocols: *const taro_str,
    /// Number of elements of protocols.
    pub protocols_len: usize,
    /// Milliseconds for name, TCP, TLS and upgrade together; 0 or less means the app's default.
    pub timeout_ms: i32,
    /// Must be 0.
    pub reserved: u32,
    /// Name of the network interface to connect through, such as `wlan0`; empty for the system's choice.
    pub bind_interface: taro_str,
    /// The connect was accepted; not yet that it is open. May be NULL, as all of the callbacks.
    pub success: taro_result_fn,
    /// The connect was refused.
    pub fail: taro_result_fn,
    /// Follows success or fail.
    pub complete: taro_result_fn,
    /// The connection is open.
    pub open: taro_open_fn,
    /// A message arrived.
    pub message: taro_message_fn,
    /// The handshake failed, or the connection broke.
    pub error: taro_error_fn,
    /// The socket has ended.
    pub close: taro_close_fn,
    /// After a full send buffer: there is room again.
    pub drain: taro_drain_fn,
    /// Given to all callbacks of this struct.
    pub user_data: *mut c_void,
    /// Runs once, after the last callback that gets user_data. May be NULL.
    pub release: taro_release_fn,
}

/// Connects a WebSocket.
///
/// Checks the arguments and the app's limits, then connects in the background. `success` says that the
/// connect was accepted; the outcome is `open`, or `error`. In direct delivery callbacks may run on the I/O
/// thread before this call has returned: `*socket` is written before that.
///
/// `options`: what to connect to and how; not NULL. `socket`: receives the id, 0 if the call fails; not NULL.
///
/// Ownership: options and all it points to is copied. Except for a misuse status, user_data is taken, and
/// release runs once, after the last callback. The id lives until `taro_socket_release`, or until its app is
/// released, also after the socket has ended.
/// Threads: any. The first connect starts the I/O thread.
/// Callbacks: success or fail, then complete, then the events. May be called inside results and events.
/// Returns: TARO_STATUS_OK: success follows. What fail carries: TARO_STATUS_INVALID_URL,
/// TARO_STATUS_URL_NOT_ALLOWED, TARO_STATUS_TOO_MANY_SOCKETS, TARO_STATUS_PARAMETER (header, protocols,
/// interface), TARO_STATUS_INTERRUPTED, TARO_STATUS_INTERNAL. Misuse: TARO_STATUS_NULL_POINTER,
/// TARO_STATUS_BAD_STRUCT_SIZE, TARO_STATUS_BAD_ARGUMENT (a flag is neither 0 nor 1, reserved is not 0),
/// TARO_STATUS_BAD_HANDLE (app), TARO_STATUS_NO_RESOURCES, TARO_STATUS_IN_NOTICE, TARO_STATUS_FORKED,
/// TARO_STATUS_SHUTTING_DOWN.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_connect_socket(
    options: *const taro_connect_options,
    socket: *mut taro_socket,
) -> taro_status {
    // SAFETY: "socket: receives the id" (header), so it is NULL or writable.
    let out = unsafe { ptr::Out::new(socket) };
    guard::taking_call("taro_connect_socket", |probe| {
        let mut out = out?;
        // SAFETY: "options: points to a struct of struct_size bytes" (header).
        let options = unsafe { ptr::read_required(options) }?;
        // SAFETY: the pointers in options are valid for their lengths until this call returns (header).
        let request = unsafe { callback::connect_request(&options) }?;
        let ready = connect::prepare(options.app)?;
        let (handler, data) = callback::socket(&options);
        let id_slot: &mut dyn FnMut(u64) = &mut |id| out.set(id);
        ready.accept(&request, handler, data, id_slot, probe)
    })
}
