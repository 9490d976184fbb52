//! Every status code, and its name.

use std::ffi::{CStr, c_char};

use super::guard;
use crate::core::error::Status;

/// Outcome of a call. 0 is OK. -1 to -99 is misuse: the call did not happen, nothing was taken, no callback
/// follows. -100 and below is what `fail` or `error` reports. Codes are only ever added: treat a code you do
/// not know by its range.
pub type taro_status = i32;

/// The call was accepted.
pub const TARO_STATUS_OK: taro_status = 0;
/// Misuse: a pointer is NULL where the header does not allow it.
pub const TARO_STATUS_NULL_POINTER: taro_status = -1;
/// Misuse: struct_size is 0, too small, cuts a field, or says that there are fields set which this version
/// does not know.
pub const TARO_STATUS_BAD_STRUCT_SIZE: taro_status = -2;
/// Misuse: the id is not, or no longer, that of an object of this kind.
pub const TARO_STATUS_BAD_HANDLE: taro_status = -3;
/// Misuse: an argument or option is outside its documented range.
pub const TARO_STATUS_BAD_ARGUMENT: taro_status = -4;
/// Misuse: `taro_init` after the library started, or `taro_app_dispatch` while the same app is dispatched.
pub const TARO_STATUS_BUSY: taro_status = -5;
/// Misuse: `taro_shutdown` inside a callback could never end.
pub const TARO_STATUS_WOULD_DEADLOCK: taro_status = -6;
/// `taro_shutdown`: a callback of the host still runs. Nothing was freed; call it again.
pub const TARO_STATUS_TIMED_OUT: taro_status = -7;
/// Misuse: this process was forked from one that had started the library.
pub const TARO_STATUS_FORKED: taro_status = -8;
/// The library is shutting down.
pub const TARO_STATUS_SHUTTING_DOWN: taro_status = -9;
/// Misuse: the function is not for an app of this delivery.
pub const TARO_STATUS_WRONG_DELIVERY: taro_status = -10;
/// Misuse: a wake-up, log or thread callback called a function of the library.
pub const TARO_STATUS_IN_NOTICE: taro_status = -11;
/// The operating system gave no thread, descriptor or memory for what the call needs.
pub const TARO_STATUS_NO_RESOURCES: taro_status = -12;
/// This system cannot do what was asked.
pub const TARO_STATUS_UNSUPPORTED: taro_status = -13;

/// The URL is not an absolute ws or wss URL with a host and without a fragment, or the app forbids ws.
pub const TARO_STATUS_INVALID_URL: taro_status = -100;
/// The URL's host is not on the app's allow-list.
pub const TARO_STATUS_URL_NOT_ALLOWED: taro_status = -101;
/// The app has as many live sockets as it may.
pub const TARO_STATUS_TOO_MANY_SOCKETS: taro_status = -102;
/// A header, protocol or other argument of the script is wrong; `reason` names the field.
pub const TARO_STATUS_PARAMETER: taro_status = -103;
/// The app is in the background, or was for longer than its grace.
pub const TARO_STATUS_INTERRUPTED: taro_status = -104;
/// The connection was not open within its timeout.
pub const TARO_STATUS_CONNECT_TIMEOUT: taro_status = -105;
/// The handshake failed, or the connection broke; `cause` says why.
pub const TARO_STATUS_CONNECTION_FAILED: taro_status = -106;
/// The socket is not open, or has ended.
pub const TARO_STATUS_NOT_CONNECTED: taro_status = -107;
/// The close code is neither 1000 nor between 3000 and 4999.
pub const TARO_STATUS_INVALID_CLOSE_CODE: taro_status = -108;
/// The close reason is longer than 123 bytes.
pub const TARO_STATUS_INVALID_CLOSE_REASON: taro_status = -109;
/// The send buffer is full; `drain` tells when it is worth trying again.
pub const TARO_STATUS_FULL: taro_status = -110;
/// The message is larger than the whole send buffer.
pub const TARO_STATUS_MESSAGE_TOO_BIG: taro_status = -111;
/// An error inside the library. The socket it happened in is ended; others live on.
pub const TARO_STATUS_INTERNAL: taro_status = -199;

/// Core outcome to C code. Exhaustive, so a new outcome cannot be forgotten here.
pub fn code(status: Status) -> taro_status {
    match status {
        Status::Ok => TARO_STATUS_OK,
        Status::NullPointer => TARO_STATUS_NULL_POINTER,
        Status::BadStructSize => TARO_STATUS_BAD_STRUCT_SIZE,
        Status::BadHandle => TARO_STATUS_BAD_HANDLE,
        Status::BadArgument => TARO_STATUS_BAD_ARGUMENT,
        Status::Busy => TARO_STATUS_BUSY,
        Status::WouldDeadlock => TARO_STATUS_WOULD_DEADLOCK,
        Status::TimedOut => TARO_STATUS_TIMED_OUT,
        Status::Forked => TARO_STATUS_FORKED,
        Status::ShuttingDown => TARO_STATUS_SHUTTING_DOWN,
        Status::WrongDelivery => TARO_STATUS_WRONG_DELIVERY,
        Status::InNotice => TARO_STATUS_IN_NOTICE,
        Status::NoResources => TARO_STATUS_NO_RESOURCES,
        Status::Unsupported => TARO_STATUS_UNSUPPORTED,
        Status::InvalidUrl => TARO_STATUS_INVALID_URL,
        Status::UrlNotAllowed => TARO_STATUS_URL_NOT_ALLOWED,
        Status::TooManySockets => TARO_STATUS_TOO_MANY_SOCKETS,
        Status::Parameter => TARO_STATUS_PARAMETER,
        Status::Interrupted => TARO_STATUS_INTERRUPTED,
        Status::ConnectTimeout => TARO_STATUS_CONNECT_TIMEOUT,
        Status::ConnectionFailed => TARO_STATUS_CONNECTION_FAILED,
        Status::NotConnected => TARO_STATUS_NOT_CONNECTED,
        Status::InvalidCloseCode => TARO_STATUS_INVALID_CLOSE_CODE,
        Status::InvalidCloseReason => TARO_STATUS_INVALID_CLOSE_REASON,
        Status::Full => TARO_STATUS_FULL,
        Status::MessageTooBig => TARO_STATUS_MESSAGE_TOO_BIG,
        Status::Internal => TARO_STATUS_INTERNAL,
    }
}

/// The outcome behind a code that `fail` may carry.
pub fn failure(status: taro_status) -> Option<Status> {
    const FAILURES: [Status; 13] = [
        Status::InvalidUrl,
        Status::UrlNotAllowed,
        Status::TooManySockets,
        Status::Parameter,
        Status::Interrupted,
        Status::ConnectTimeout,
        Status::ConnectionFailed,
        Status::NotConnected,
        Status::InvalidCloseCode,
        Status::InvalidCloseReason,
        Status::Full,
        Status::MessageTooBig,
        Status::Internal,
    ];
    FAILURES.into_iter().find(|&failure| code(failure) == status)
}

/// The name of a status code, for logs.
///
/// `status`: any number.
///
/// Ownership: the string is static and NUL-terminated; do not free it.
/// Threads: any.
/// Callbacks: none follow; may be called inside any callback, notices included.
/// Returns: the constant's name, such as `TARO_STATUS_BAD_HANDLE`, or `TARO_STATUS_UNKNOWN`. Never NULL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_status_name(status: taro_status) -> *const c_char {
    guard::anywhere("taro_status_name", c"TARO_STATUS_INTERNAL".as_ptr(), || name(status).as_ptr())
}

fn name(status: taro_status) -> &'static CStr {
    match status {
        TARO_STATUS_OK => c"TARO_STATUS_OK",
        TARO_STATUS_NULL_POINTER => c"TARO_STATUS_NULL_POINTER",
        TARO_STATUS_BAD_STRUCT_SIZE => c"TARO_STATUS_BAD_STRUCT_SIZE",
        TARO_STATUS_BAD_HANDLE => c"TARO_STATUS_BAD_HANDLE",
        TARO_STATUS_BAD_ARGUMENT => c"TARO_STATUS_BAD_ARGUMENT",
        TARO_STATUS_BUSY => c"TARO_STATUS_BUSY",
        TARO_STATUS_WOULD_DEADLOCK => c"TARO_STATUS_WOULD_DEADLOCK",
        TARO_STATUS_TIMED_OUT => c"TARO_STATUS_TIMED_OUT",
        TARO_STATUS_FORKED => c"TARO_STATUS_FORKED",
        TARO_STATUS_SHUTTING_DOWN => c"TARO_STATUS_SHUTTING_DOWN",
        TARO_STATUS_WRONG_DELIVERY => c"TARO_STATUS_WRONG_DELIVERY",
        TARO_STATUS_IN_NOTICE => c"TARO_STATUS_IN_NOTICE",
        TARO_STATUS_NO_RESOURCES => c"TARO_STATUS_NO_RESOURCES",
        TARO_STATUS_UNSUPPORTED => c"TARO_STATUS_UNSUPPORTED",
        TARO_STATUS_INVALID_URL => c"TARO_STATUS_INVALID_URL",
        TARO_STATUS_URL_NOT_ALLOWED => c"TARO_STATUS_URL_NOT_ALLOWED",
        TARO_STATUS_TOO_MANY_SOCKETS => c"TARO_STATUS_TOO_MANY_SOCKETS",
        TARO_STATUS_PARAMETER => c"TARO_STATUS_PARAMETER",
        TARO_STATUS_INTERRUPTED => c"TARO_STATUS_INTERRUPTED",
        TARO_STATUS_CONNECT_TIMEOUT => c"TARO_STATUS_CONNECT_TIMEOUT",
        TARO_STATUS_CONNECTION_FAILED => c"TARO_STATUS_CONNECTION_FAILED",
        TARO_STATUS_NOT_CONNECTED => c"TARO_STATUS_NOT_CONNECTED",
        TARO_STATUS_INVALID_CLOSE_CODE => c"TARO_STATUS_INVALID_CLOSE_CODE",
        TARO_STATUS_INVALID_CLOSE_REASON => c"TARO_STATUS_INVALID_CLOSE_REASON",
        TARO_STATUS_FULL => c"TARO_STATUS_FULL",
        TARO_STATUS_MESSAGE_TOO_BIG => c"TARO_STATUS_MESSAGE_TOO_BIG",
        TARO_STATUS_INTERNAL => c"TARO_STATUS_INTERNAL",
        _ => c"TARO_STATUS_UNKNOWN",
    }
}
