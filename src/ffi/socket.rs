//! What can be done with a socket.

use std::ffi::{c_char, c_void};
use std::sync::atomic::{AtomicU64, Ordering};

use super::event::{TARO_MESSAGE_BINARY, TARO_MESSAGE_TEXT, taro_release_fn, taro_result_fn};
use super::status::taro_status;
use super::types::{taro_socket, taro_str};
use super::{callback, guard, ptr};
use crate::core::error::Status;
use crate::core::socket;

/// Options of `taro_socket_send`; every field that is 0 means its default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct taro_send_options {
    /// sizeof(taro_send_options)
    pub struct_size: u32,
    /// TARO_MESSAGE_TEXT or TARO_MESSAGE_BINARY; 0 means text.
    pub kind: u32,
    /// The payload; text must be UTF-8. NULL if data_len is 0.
    pub data: *const c_void,
    /// Length of the payload in bytes.
    pub data_len: usize,
    /// The message was handed to the operating system. May be NULL, as all of the callbacks.
    pub success: taro_result_fn,
    /// The message was refused, or the socket ended before it was handed over.
    pub fail: taro_result_fn,
    /// Follows success or fail.
    pub complete: taro_result_fn,
    /// Given to all callbacks of this struct.
    pub user_data: *mut c_void,
    /// Runs once, after the last callback that gets user_data. May be NULL.
    pub release: taro_release_fn,
}

/// Options of `taro_socket_close`; every field that is 0 means its default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct taro_close_options {
    /// sizeof(taro_close_options)
    pub struct_size: u32,
    /// Close code: 1000, or 3000 to 4999; 0 means 1000.
    pub code: u32,
    /// Close reason: at most 123 bytes of UTF-8.
    pub reason: taro_str,
    /// The close was accepted. May be NULL, as all of the callbacks.
    pub success: taro_result_fn,
    /// The close was refused; the socket lives on.
    pub fail: taro_result_fn,
    /// Follows success or fail.
    pub complete: taro_result_fn,
    /// Given to all callbacks of this struct.
    pub user_data: *mut c_void,
    /// Runs once, after the last callback that gets user_data. May be NULL.
    pub release: taro_release_fn,
}

/// What a socket has carried so far. The library fills as much of it as struct_size says.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct taro_socket_counters {
    /// In: sizeof(taro_socket_counters). Out: the number of bytes filled.
    pub struct_size: u32,
    /// Always 0.
    pub reserved: u32,
    /// Messages handed to the operating system.
    pub messages_sent: u64,
    /// Messages received whole.
    pub messages_received: u64,
    /// Payload bytes of messages_sent.
    pub payload_bytes_sent: u64,
    /// Payload bytes of messages_received.
    pub payload_bytes_received: u64,
    /// Bytes written to the network after the upgrade, TLS included.
    pub wire_bytes_sent: u64,
    /// Bytes read from the network after the upgrade, TLS included; over wss without those that came in one read
    /// with its end.
    pub wire_bytes_received: u64,
    /// Pings sent.
    pub pings_sent: u64,
    /// Pongs received.
    pub pongs_received: u64,
}

/// Sends a whole message, or nothing.
///
/// It leaves at once, unless others wait before it, or it is below 16 KiB and the last one left less than 5
/// microseconds ago: then they gather. What a callback sends leaves when the callbacks that run in turn with it
/// are over; from 64 KiB on earlier, if the app is of host delivery.
///
/// `socket`: the socket. `options`: the message; not NULL.
///
/// Ownership: options and all it points to is copied or sent before the call returns. Except for a misuse
/// status, user_data is taken, and release runs once, after the last callback.
/// Threads: any; messages of one thread keep their order. It may write to the network, never blocks.
/// Callbacks: success or fail, then complete; none if the socket or its app is released first. May be called
/// inside results and events.
/// Returns: TARO_STATUS_OK: accepted; success follows when the operating system has the message, or fail if
/// the socket ends first. What fail carries: TARO_STATUS_NOT_CONNECTED, TARO_STATUS_FULL (`drain` follows when
/// it is worth trying again), TARO_STATUS_MESSAGE_TOO_BIG, TARO_STATUS_PARAMETER (text that is not UTF-8),
/// TARO_STATUS_INTERRUPTED, TARO_STATUS_INTERNAL. Misuse: TARO_STATUS_NULL_POINTER,
/// TARO_STATUS_BAD_STRUCT_SIZE, TARO_STATUS_BAD_ARGUMENT (kind), TARO_STATUS_BAD_HANDLE,
/// TARO_STATUS_IN_NOTICE, TARO_STATUS_FORKED, TARO_STATUS_SHUTTING_DOWN.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_socket_send(socket: taro_socket, options: *const taro_send_options) -> taro_status {
    guard::taking_call("taro_socket_send", |probe| {
        // SAFETY: "options: points to a struct of struct_size bytes" (header).
        let options = unsafe { ptr::read_required(options) }?;
        let text = match options.kind {
            0 | TARO_MESSAGE_TEXT => true,
            TARO_MESSAGE_BINARY => false,
            _ => return Err(Status::BadArgument),
        };
        // SAFETY: "data: the payload, of data_len bytes" (header), valid until this call returns.
        let data = unsafe { ptr::bytes(options.data.cast(), options.data_len) }?;
        let (found, guard) = socket::enter(socket)?;
        let call = callback::call(
            options.success,
            options.fail,
            options.complete,
            options.user_data,
            options.release,
        );
        found.send(guard, text, data, call, probe)
    })
}

/// Sends a text message without callbacks: the fast path.
///
/// `socket`: the socket. `text`: UTF-8, no NUL needed; NULL if text_len is 0. `text_len`: length in bytes.
///
/// Ownership: the text is copied or sent before the call returns.
/// Threads: any; messages of one thread keep their order. It may write to the network, never blocks.
/// Callbacks: none follow but the socket's events; may be called inside results and events.
/// Returns: TARO_STATUS_OK: accepted; TARO_STATUS_NOT_CONNECTED; TARO_STATUS_FULL (`drain` follows);
/// TARO_STATUS_MESSAGE_TOO_BIG; TARO_STATUS_PARAMETER (not UTF-8); TARO_STATUS_INTERRUPTED;
/// TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_HANDLE; TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED;
/// TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_socket_send_text(
    socket: taro_socket,
    text: *const c_char,
    text_len: usize,
) -> taro_status {
    guard::call("taro_socket_send_text", || {
        // SAFETY: "text: UTF-8 of text_len bytes" (header), valid until this call returns.
        let text = unsafe { ptr::bytes(text.cast(), text_len) }?;
        socket::find(socket)?.send_quietly(true, text)
    })
}

/// Sends a binary message without callbacks: the fast path.
///
/// `socket`: the socket. `data`: the payload; NULL if data_len is 0. `data_len`: length in bytes.
///
/// Ownership: the data is copied or sent before the call returns.
/// Threads: any; messages of one thread keep their order. It may write to the network, never blocks.
/// Callbacks: none follow but the socket's events; may be called inside results and events.
/// Returns: TARO_STATUS_OK: accepted; TARO_STATUS_NOT_CONNECTED; TARO_STATUS_FULL (`drain` follows);
/// TARO_STATUS_MESSAGE_TOO_BIG; TARO_STATUS_INTERRUPTED; TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_HANDLE;
/// TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_socket_send_binary(
    socket: taro_socket,
    data: *const c_void,
    data_len: usize,
) -> taro_status {
    guard::call("taro_socket_send_binary", || {
        // SAFETY: "data: the payload, of data_len bytes" (header), valid until this call returns.
        let data = unsafe { ptr::bytes(data.cast(), data_len) }?;
        socket::find(socket)?.send_quietly(false, data)
    })
}

/// Closes a socket with the closing handshake of RFC 6455.
///
/// Messages accepted before go first, then code and reason. While the socket is connecting it is cancelled at
/// once, and `close` reports the caller's code. From an accepted close on, inbound messages are dropped. The
/// end is `close`, at the latest after the app's close_timeout_ms.
///
/// `socket`: the socket. `options`: code, reason and callbacks; NULL means every default.
///
/// Ownership: options and all it points to is copied. Except for a misuse status, user_data is taken, and
/// release runs once, after the last callback.
/// Threads: any.
/// Callbacks: success or fail, then complete; `close` of the socket. May be called inside results and events.
/// Returns: TARO_STATUS_OK: accepted, success follows. What fail carries: TARO_STATUS_NOT_CONNECTED (ended,
/// or closed before, by either side), TARO_STATUS_INVALID_CLOSE_CODE, TARO_STATUS_INVALID_CLOSE_REASON,
/// TARO_STATUS_PARAMETER (reason is not UTF-8), TARO_STATUS_INTERNAL. Misuse: TARO_STATUS_NULL_POINTER,
/// TARO_STATUS_BAD_STRUCT_SIZE, TARO_STATUS_BAD_HANDLE, TARO_STATUS_IN_NOTICE, TARO_STATUS_FORKED,
/// TARO_STATUS_SHUTTING_DOWN.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_socket_close(socket: taro_socket, options: *const taro_close_options) -> taro_status {
    guard::taking_call("taro_socket_close", |probe| {
        // SAFETY: "options: NULL, or points to a struct of struct_size bytes" (header).
        let options = unsafe { ptr::read_options(options) }?;
        // SAFETY: "reason" is valid for its length until this call returns (header).
        let reason = unsafe { ptr::str_bytes(options.reason) }?;
        let (found, guard) = socket::enter(socket)?;
        let call = callback::call(
            options.success,
            options.fail,
            options.complete,
            options.user_data,
            options.release,
        );
        found.close(guard, options.code, reason, call, probe)
    })
}

/// Gives a socket's id back; a live socket is ended silently.
///
/// On the wire an open socket still sends what was accepted, then close 1001, as far as that goes without waiting for
/// the peer.
///
/// For finalizers: it never waits. No event and no result of the socket starts after it has returned, except
/// one that runs already on another thread.
///
/// `socket`: the socket; 0 is accepted and does nothing.
///
/// Ownership: the id ends. user_data of the socket and of its pending calls is released after the last
/// callback, in the way events are delivered (host delivery: inside dispatch).
/// Threads: any.
/// Callbacks: release functions follow, nothing else. May be called inside results and events.
/// Returns: TARO_STATUS_OK; TARO_STATUS_BAD_HANDLE; TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED;
/// TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_socket_release(socket: taro_socket) -> taro_status {
    guard::call("taro_socket_release", || if socket == 0 { Ok(()) } else { socket::release(socket) })
}

/// The ready state as the host has been told it.
///
/// OPEN just before `open` runs, CLOSING at an accepted close, CLOSED just before the terminal event.
///
/// `socket`: the socket. `state`: receives a TARO_READY_STATE_…; not NULL.
///
/// Ownership: the number is copied out.
/// Threads: any.
/// Callbacks: none follow; may be called inside results and events.
/// Returns: TARO_STATUS_OK; TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_HANDLE; TARO_STATUS_IN_NOTICE;
/// TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_socket_get_ready_state(socket: taro_socket, state: *mut u32) -> taro_status {
    // SAFETY: "state: receives the state" (header), so it is NULL or writable.
    let out = unsafe { ptr::Out::new(state) };
    guard::call("taro_socket_get_ready_state", || {
        let mut out = out?;
        out.set(socket::find(socket)?.ready_state());
        Ok(())
    })
}

/// Payload bytes that were accepted and not yet handed to the operating system.
///
/// `socket`: the socket. `bytes`: receives the number; not NULL.
///
/// Ownership: the number is copied out.
/// Threads: any.
/// Callbacks: none follow; may be called inside results and events.
/// Returns: TARO_STATUS_OK; TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_HANDLE; TARO_STATUS_IN_NOTICE;
/// TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_socket_get_buffered_amount(socket: taro_socket, bytes: *mut u64) -> taro_status {
    // SAFETY: "bytes: receives the number" (header), so it is NULL or writable.
    let out = unsafe { ptr::Out::new(bytes) };
    guard::call("taro_socket_get_buffered_amount", || {
        let mut out = out?;
        out.set(socket::find(socket)?.buffered_amount());
        Ok(())
    })
}

/// The subprotocol that the server picked; empty before `open` was delivered and if it picked none.
///
/// `socket`: the socket. `buffer`: receives up to capacity bytes, without NUL; NULL if capacity is 0.
/// `capacity`: size of buffer in bytes. `needed`: receives the full length in bytes; not NULL.
///
/// Ownership: the text is copied out.
/// Threads: any.
/// Callbacks: none follow; may be called inside results and events.
/// Returns: TARO_STATUS_OK, also if capacity was too small; TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_HANDLE;
/// TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_socket_get_protocol(
    socket: taro_socket,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> taro_status {
    // SAFETY: "needed: receives the length" (header), so it is NULL or writable.
    let out = unsafe { ptr::Out::new(needed) };
    guard::call("taro_socket_get_protocol", || {
        let mut out = out?;
        let text = socket::find(socket)?.protocol();
        // SAFETY: "buffer: room for capacity bytes" (header).
        unsafe { ptr::write_slice(text.as_bytes(), buffer.cast(), capacity) }?;
        out.set(text.len());
        Ok(())
    })
}

/// The extensions that were negotiated, as in Sec-WebSocket-Extensions; empty before `open` was delivered and
/// if there are none.
///
/// `socket`: the socket. `buffer`: receives up to capacity bytes, without NUL; NULL if capacity is 0.
/// `capacity`: size of buffer in bytes. `needed`: receives the full length in bytes; not NULL.
///
/// Ownership: the text is copied out.
/// Threads: any.
/// Callbacks: none follow; may be called inside results and events.
/// Returns: TARO_STATUS_OK, also if capacity was too small; TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_HANDLE;
/// TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_socket_get_extensions(
    socket: taro_socket,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> taro_status {
    // SAFETY: "needed: receives the length" (header), so it is NULL or writable.
    let out = unsafe { ptr::Out::new(needed) };
    guard::call("taro_socket_get_extensions", || {
        let mut out = out?;
        let text = socket::find(socket)?.extensions();
        // SAFETY: "buffer: room for capacity bytes" (header).
        unsafe { ptr::write_slice(text.as_bytes(), buffer.cast(), capacity) }?;
        out.set(text.len());
        Ok(())
    })
}

/// What a socket has carried so far; also after it has ended.
///
/// `socket`: the socket. `counters`: struct_size set by the caller; receives the numbers; not NULL.
///
/// Ownership: the numbers are copied out.
/// Threads: any.
/// Callbacks: none follow; may be called inside results and events.
/// Returns: TARO_STATUS_OK; TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_STRUCT_SIZE; TARO_STATUS_BAD_HANDLE;
/// TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_socket_get_counters(
    socket: taro_socket,
    counters: *mut taro_socket_counters,
) -> taro_status {
    // SAFETY: "counters: points to a struct of struct_size bytes" (header).
    let out = unsafe { ptr::StructOut::new(counters) };
    guard::call("taro_socket_get_counters", || {
        let mut out = out?;
        let found = socket::find(socket)?;
        let now = found.counters();
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        out.set(taro_socket_counters {
            struct_size: 0,
            reserved: 0,
            messages_sent: read(&now.messages_sent),
            messages_received: read(&now.messages_received),
            payload_bytes_sent: read(&now.payload_bytes_sent),
            payload_bytes_received: read(&now.payload_bytes_received),
            wire_bytes_sent: read(&now.wire_bytes_sent),
            wire_bytes_received: read(&now.wire_bytes_received),
            pings_sent: read(&now.pings_sent),
            pongs_received: read(&now.pongs_received),
        });
        Ok(())
    })
}

/// Holds a socket's open, message, error and close back until it is resumed; results and drain go on.
///
/// What waits is bounded by the app's pause_limit_bytes: then the socket stops reading; nothing is dropped. A
/// callback that runs already on another thread is not held back. The release of the socket's user_data waits
/// too, and in single_socket mode the `open` of the socket that took this one's place.
///
/// `socket`: the socket; pausing a paused or ended one is fine.
///
/// Ownership: nothing is passed.
/// Threads: any.
/// Callbacks: none follow; may be called inside results and events.
/// Returns: TARO_STATUS_OK; TARO_STATUS_BAD_HANDLE; TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED;
/// TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_socket_pause(socket: taro_socket) -> taro_status {
    guard::call("taro_socket_pause", || socket::find(socket)?.pause())
}

/// Delivers what `taro_socket_pause` or start_paused held back, and all that follows.
///
/// `socket`: the socket; resuming one that is not paused is fine.
///
/// Ownership: nothing is passed.
/// Threads: any.
/// Callbacks: the socket's events follow; may be called inside results and events.
/// Returns: TARO_STATUS_OK; TARO_STATUS_BAD_HANDLE; TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED;
/// TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_socket_resume(socket: taro_socket) -> taro_status {
    guard::call("taro_socket_resume", || socket::find(socket)?.resume())
}

/// Sends a ping frame. The pong is counted, and satisfies the app's pong deadline; it is no event.
///
/// `socket`: an open socket. `payload`: its bytes; NULL if payload_len is 0. `payload_len`: at most 125.
///
/// Ownership: the payload is copied.
/// Threads: any.
/// Callbacks: none follow; may be called inside results and events.
/// Returns: TARO_STATUS_OK; TARO_STATUS_NOT_CONNECTED; TARO_STATUS_FULL; TARO_STATUS_INTERRUPTED;
/// TARO_STATUS_BAD_ARGUMENT (payload_len); TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_HANDLE;
/// TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_socket_ping(
    socket: taro_socket,
    payload: *const c_void,
    payload_len: usize,
) -> taro_status {
    guard::call("taro_socket_ping", || {
        if payload_len > 125 {
            return Err(Status::BadArgument);
        }
        // SAFETY: "payload: payload_len bytes" (header), valid until this call returns.
        let payload = unsafe { ptr::bytes(payload.cast(), payload_len) }?;
        socket::find(socket)?.ping(payload)
    })
}
