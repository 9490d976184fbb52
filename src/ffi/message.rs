//! Inbound payloads that outlive their callback.

use std::ffi::c_void;

use super::status::taro_status;
use super::types::taro_message;
use super::{guard, ptr, retained};

/// Keeps an inbound message beyond its callback, for a script engine that takes the bytes without a copy.
///
/// `message`: the id of the message event, while its callback runs; or one that is retained already, which
/// gives the same pointer again. `data`: receives the payload; not NULL. `data_len`: receives its length in
/// bytes; not NULL.
///
/// Ownership: the payload is the host's alone until `taro_message_release`: writable, 16-byte aligned, never
/// NULL. It outlives socket, app and `taro_shutdown`. It is copied only where it was not aligned or not
/// alone in its buffer; then the pointer differs from the event's, which stays good until the callback returns.
/// Threads: any, while the message's callback runs or after it was retained.
/// Callbacks: none follow; meant to be called inside message callbacks.
/// Returns: TARO_STATUS_OK; TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_HANDLE if the message's callback has
/// returned; TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED; TARO_STATUS_INTERNAL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_message_retain(
    message: taro_message,
    data: *mut *mut c_void,
    data_len: *mut usize,
) -> taro_status {
    // SAFETY: "data: receives the payload" (header), so it is NULL or writable.
    let data = unsafe { ptr::Out::with(data, std::ptr::null_mut()) };
    // SAFETY: "data_len: receives its length" (header), so it is NULL or writable.
    let len = unsafe { ptr::Out::new(data_len) };
    guard::call("taro_message_retain", || {
        let mut data = data?;
        let mut len = len?;
        let (pointer, length) = retained::retain(message)?;
        data.set(pointer.cast());
        len.set(length);
        Ok(())
    })
}

/// Gives a retained message back.
///
/// Inside its own callback the payload stays readable until the callback returns.
///
/// `message`: the message; 0 is accepted and does nothing.
///
/// Ownership: the payload is freed, the id ends. One release is enough, however often it was retained.
/// Threads: any.
/// Callbacks: none follow; may be called inside results and events.
/// Returns: TARO_STATUS_OK; TARO_STATUS_BAD_HANDLE if the message is not retained; TARO_STATUS_IN_NOTICE;
/// TARO_STATUS_FORKED; TARO_STATUS_INTERNAL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_message_release(message: taro_message) -> taro_status {
    guard::call("taro_message_release", || if message == 0 { Ok(()) } else { retained::release(message) })
}
