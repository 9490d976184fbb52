//! The library as a whole: version, init, shutdown.

use std::ffi::{c_char, c_void};

use super::callback::{self, HostData};
use super::event::taro_release_fn;
use super::status::taro_status;
use super::types::TARO_ABI_VERSION;
use super::{guard, ptr};
use crate::core::error::Status;
use crate::core::library;

/// Log level: something failed that the host did not see fail.
pub const TARO_LOG_ERROR: u32 = 1;
/// Log level: worth a look, such as a callback that ran for longer than 100 ms.
pub const TARO_LOG_WARN: u32 = 2;
/// Log level: connects and ends of sockets.
pub const TARO_LOG_INFO: u32 = 3;
/// Log level: more than a host wants outside of a search for a fault.
pub const TARO_LOG_DEBUG: u32 = 4;

/// A line of the log: UTF-8, also NUL-terminated, it lives until the callback returns. A notice: it runs on
/// any thread, also inside a library call, and must call no function of the library (those that answer with
/// a status give TARO_STATUS_IN_NOTICE). Must not throw or longjmp.
pub type taro_log_fn = Option<
    unsafe extern "C" fn(level: u32, message: *const c_char, message_len: usize, user_data: *mut c_void),
>;

/// Runs on each I/O thread, first or last of all; `name` is NUL-terminated and lives until it returns. For
/// hosts that must attach threads to a virtual machine (JNI). A notice: see taro_log_fn.
pub type taro_thread_fn = Option<unsafe extern "C" fn(name: *const c_char, user_data: *mut c_void)>;

/// Options of `taro_init`; every field that is 0 means its default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct taro_init_options {
    /// sizeof(taro_init_options)
    pub struct_size: u32,
    /// Number of I/O threads, 1 to 64; 0 means 1. A thread is started when the first app needs it; apps are
    /// spread over them, an app stays on one.
    pub io_threads: u32,
    /// The most detailed TARO_LOG_… level that log receives; 0 means TARO_LOG_WARN.
    pub log_level: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Receives the log; NULL for none.
    pub log: taro_log_fn,
    /// Runs first on each new I/O thread; may be NULL.
    pub thread_start: taro_thread_fn,
    /// Runs last on each I/O thread, before shutdown returns; may be NULL.
    pub thread_stop: taro_thread_fn,
    /// Given to the callbacks above.
    pub user_data: *mut c_void,
    /// Runs once, at the end of the `taro_shutdown` that returns TARO_STATUS_OK; may be NULL.
    pub release: taro_release_fn,
}

/// The number of the binary interface of the library that is loaded.
///
/// Compare it with TARO_ABI_VERSION after `dlopen`, before any other call.
///
/// Ownership: nothing is passed.
/// Threads: any.
/// Callbacks: none follow; may be called inside any callback, notices included.
/// Returns: TARO_ABI_VERSION of the library.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_abi_version() -> u32 {
    guard::anywhere("taro_abi_version", TARO_ABI_VERSION, || TARO_ABI_VERSION)
}

/// The version of the library that is loaded, such as `0.1.0`.
///
/// Ownership: the string is static and NUL-terminated; do not free it.
/// Threads: any.
/// Callbacks: none follow; may be called inside any callback, notices included.
/// Returns: the version. Never NULL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_version() -> *const c_char {
    guard::anywhere("taro_version", VERSION.as_ptr(), || VERSION.as_ptr()).cast()
}

static VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");

/// Sets what holds for the whole library. Optional: without it, the defaults hold.
///
/// `options`: what to set; NULL means every default.
///
/// Ownership: options is copied. On OK the library owns user_data until the end of `taro_shutdown`, which
/// runs release; on any other status it has not taken it.
/// Threads: any. No thread is started.
/// Callbacks: none follow by itself; may be called inside results and events, where it answers busy.
/// Returns: TARO_STATUS_OK; TARO_STATUS_BUSY if the library has been initialised already, or an app or a
/// socket was made; TARO_STATUS_BAD_STRUCT_SIZE; TARO_STATUS_BAD_ARGUMENT if io_threads is over 64, log_level
/// is none, or reserved is not 0; TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN;
/// TARO_STATUS_INTERNAL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_init(options: *const taro_init_options) -> taro_status {
    guard::call("taro_init", || {
        // SAFETY: "options: NULL, or points to a struct of struct_size bytes" (header, Ownership).
        let options = unsafe { ptr::read_options(options) }?;
        if options.io_threads > 64 || options.log_level > TARO_LOG_DEBUG || options.reserved != 0 {
            return Err(Status::BadArgument);
        }
        let log_level = if options.log_level == 0 { TARO_LOG_WARN } else { options.log_level };
        let data = HostData::hold(options.user_data, options.release);
        let settings = library::Settings {
            io_threads: options.io_threads.max(1) as usize,
            log_level,
            log: callback::log(options.log, options.user_data),
            thread_start: callback::thread(options.thread_start, options.user_data),
            thread_stop: callback::thread(options.thread_stop, options.user_data),
        };
        library::init(settings, data)
    })
}

/// Ends everything: every app and socket silently, then the library's threads.
///
/// Releases all apps, waits for callbacks that run, runs every release function, joins the I/O threads. After
/// OK no code of the library runs on any I/O thread, `dlclose` is harmless, ids of before stay unknown,
/// retained messages stay valid, and the library can be used again, `taro_init` included. Calling it again,
/// or without ever having connected, is fine. While it runs, other calls answer TARO_STATUS_SHUTTING_DOWN or
/// TARO_STATUS_BAD_HANDLE; a second `taro_shutdown` waits for the first.
///
/// `timeout_ms`: how long to wait in milliseconds for callbacks that run on other threads; 0 does not wait.
///
/// Ownership: user_data of apps, sockets and calls is released, on the calling thread or on the thread that
/// was in a callback.
/// Threads: any but the library's own; it blocks.
/// Callbacks: only release functions run. Inside any callback it answers would-deadlock.
/// Returns: TARO_STATUS_OK; TARO_STATUS_TIMED_OUT if a callback or a hook of the host still runs: nothing was
/// freed, call again; TARO_STATUS_WOULD_DEADLOCK inside a callback; TARO_STATUS_IN_NOTICE;
/// TARO_STATUS_FORKED; TARO_STATUS_INTERNAL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_shutdown(timeout_ms: u32) -> taro_status {
    guard::call("taro_shutdown", || library::shutdown(std::time::Duration::from_millis(timeout_ms.into())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::status;

    #[test]
    fn version_is_a_c_string() {
        assert!(VERSION.ends_with('\0'));
        assert_eq!(status::code(Status::Ok), 0);
    }
}
