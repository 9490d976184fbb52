//! `taro_app_refuse_call` and its options.

use std::ffi::c_void;

use super::event::{taro_release_fn, taro_result_fn};
use super::status::taro_status;
use super::types::{taro_app, taro_str};
use super::{callback, guard, ptr, status};
use crate::core::connect;
use crate::core::error::Status;
use crate::core::event::Api;

/// Script function: `connectSocket`.
pub const TARO_CALL_CONNECT: u32 = 1;

/// Script function: `sendSocketMessage`.
pub const TARO_CALL_SEND: u32 = 2;

/// Script function: `closeSocket`.
pub const TARO_CALL_CLOSE: u32 = 3;

/// Options of `taro_app_refuse_call`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct taro_refuse_options {
    /// sizeof(taro_refuse_options)
    pub struct_size: u32,
    /// TARO_CALL_…: the script function that was called; 0 is none.
    pub call: u32,
    /// The app whose script called it; 0 is the default app.
    pub app: taro_app,
    /// Why it is refused: a status that `fail` may carry, TARO_STATUS_INVALID_URL and below.
    pub status: taro_status,
    /// Must be 0.
    pub reserved: u32,
    /// What the text names, and the script itself passed: the field for TARO_STATUS_PARAMETER, such as `data`, or
    /// with what is wrong with it, `data should be String instead of Number`, which h5 and rn tell; the URL for
    /// TARO_STATUS_INVALID_URL; the number for TARO_STATUS_TOO_MANY_SOCKETS. UTF-8.
    pub subject: taro_str,
    /// The call was refused. May be NULL.
    pub fail: taro_result_fn,
    /// Follows fail. May be NULL.
    pub complete: taro_result_fn,
    /// Given to both callbacks.
    pub user_data: *mut c_void,
    /// Runs once, after the last callback. May be NULL.
    pub release: taro_release_fn,
}

/// Refuses a call of the script on the binding's behalf, with the flavour's text and codes.
///
/// For what a binding finds before it can call the library: an argument of the wrong type, a global function
/// without a socket. The results come in the same way and order as those of other calls.
///
/// `options`: what is refused and why; not NULL.
///
/// Ownership: options and all it points to is copied. Except for a misuse status, user_data is taken, and
/// release runs once, after the last callback.
/// Threads: any. It may start the I/O thread, as a connect does.
/// Callbacks: fail, then complete, with socket 0; none if the app is released first. May be called inside
/// results and events.
/// Returns: TARO_STATUS_OK: fail follows. Misuse: TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_STRUCT_SIZE;
/// TARO_STATUS_BAD_ARGUMENT if call or status is not one of those named, subject is not UTF-8 or reserved is
/// not 0; TARO_STATUS_BAD_HANDLE (app); TARO_STATUS_NO_RESOURCES; TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED;
/// TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_app_refuse_call(options: *const taro_refuse_options) -> taro_status {
    guard::taking_call("taro_app_refuse_call", |probe| {
        // SAFETY: "options: points to a struct of struct_size bytes" (header).
        let options = unsafe { ptr::read_required(options) }?;
        let api = match options.call {
            TARO_CALL_CONNECT => Api::Connect,
            TARO_CALL_SEND => Api::Send,
            TARO_CALL_CLOSE => Api::Close,
            _ => return Err(Status::BadArgument),
        };
        let why = status::failure(options.status).ok_or(Status::BadArgument)?;
        if options.reserved != 0 {
            return Err(Status::BadArgument);
        }
        // SAFETY: "subject: UTF-8" of its length (header), valid until this call returns.
        let subject = unsafe { ptr::bytes(options.subject.ptr.cast(), options.subject.len) }?;
        let subject = std::str::from_utf8(subject).map_err(|_| Status::BadArgument)?;
        let ready = connect::prepare(options.app)?;
        let (handler, data) = callback::refused(&options);
        ready.refuse(api, (why, subject.to_owned()), handler, data, probe);
        Ok(())
    })
}
