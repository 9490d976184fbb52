//! Apps: options, life, policy, delivery.

use std::ffi::c_void;

use super::event::taro_release_fn;
use super::status::taro_status;
use super::types::{taro_app, taro_socket, taro_str};
use super::{guard, ptr};
use crate::core::error::Status;
use crate::core::{self, app};

/// Flavour: WeChat mini programs.
pub const TARO_FLAVOUR_WEAPP: u32 = 0;
/// Flavour: Alipay mini programs.
pub const TARO_FLAVOUR_ALIPAY: u32 = 1;
/// Flavour: Baidu smart programs.
pub const TARO_FLAVOUR_SWAN: u32 = 2;
/// Flavour: ByteDance mini programs.
pub const TARO_FLAVOUR_TT: u32 = 3;
/// Flavour: the browser (WHATWG).
pub const TARO_FLAVOUR_H5: u32 = 4;
/// Flavour: React Native.
pub const TARO_FLAVOUR_RN: u32 = 5;

/// Delivery: callbacks run on the app's own I/O thread, as soon as there is something to tell.
pub const TARO_DELIVERY_DIRECT: u32 = 0;
/// Delivery: callbacks are queued and run inside `taro_app_dispatch`, on the host's thread.
pub const TARO_DELIVERY_HOST: u32 = 1;

/// Tells that an app of host delivery has something to dispatch: when its queue becomes non-empty, and when
/// a dispatch leaves events behind. A notice: it runs on any thread, also inside a library call, and must
/// call no function of the library (those that answer with a status give TARO_STATUS_IN_NOTICE); post to the
/// host's loop and return. Must not throw or longjmp.
pub type taro_wake_fn = Option<unsafe extern "C" fn(app: taro_app, user_data: *mut c_void)>;

/// Connects to another address than the URL says, like curl's `--resolve`, for HTTPDNS and tests. The Host
/// header, the TLS name check and the allow-list still see the URL's host. This struct is frozen.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct taro_address_override {
    /// `host:port` of the URL, such as `echo.example.org:443`; the port is always given. Several entries of the
    /// same are its addresses, tried as those of a name are (RFC 8305).
    pub from: taro_str,
    /// `address:port` to connect to instead, such as `192.0.2.1:8443` or `[2001:db8::1]:443`.
    pub to: taro_str,
}

/// Options of `taro_app_create`; every field that is 0 means its default. Byte limits are high-water marks:
/// one message may pass them.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct taro_app_options {
    /// sizeof(taro_app_options)
    pub struct_size: u32,
    /// TARO_FLAVOUR_…: whose limits, messages and codes apply; 0 is weapp.
    pub flavour: u32,
    /// TARO_DELIVERY_…: how callbacks reach the host; 0 is direct.
    pub delivery: u32,
    /// 1: the one-socket mode of base libraries before 1.7.0: a new connect closes the old socket with 1000,
    /// and the old one's `close` comes before the new one's `open`. 0: max_sockets sockets.
    pub single_socket: u32,
    /// 1: only wss URLs are accepted. 0: ws too.
    pub forbid_ws: u32,
    /// Most live sockets, 1 to 65535; 0 means the flavour's number (weapp 5).
    pub max_sockets: u32,
    /// Default connect timeout in milliseconds; 0 or less means the flavour's (weapp 60000, alipay 30000).
    pub timeout_ms: i32,
    /// 1: accept any certificate. For development tools only: it gives the connection away to anyone. 0:
    /// certificates are checked.
    pub tls_insecure: u32,
    /// Hosts that may be connected to: each `host`, `host:port`, or either of them behind `ws://` or
    /// `wss://`. The host must match exactly (after IDNA), an entry without a port allows every port. NULL
    /// with 0 elements: every host.
    pub allow_list: *const taro_str,
    /// Number of elements of allow_list.
    pub allow_list_len: usize,
    /// Value of the Referer header of every upgrade request; empty for none. The app cannot set it.
    pub referer: taro_str,
    /// Addresses to connect to in place of names.
    pub address_overrides: *const taro_address_override,
    /// Number of elements of address_overrides.
    pub address_overrides_len: usize,
    /// Additional CA certificates, PEM text; they are trusted besides the system's.
    pub ca_pem: taro_str,
    /// Path of a PEM file with additional CA certificates, read by `taro_app_create`.
    pub ca_file: taro_str,
    /// Payload bytes of one socket that may wait to be handed to the operating system; 0 means 16 MiB.
    pub send_limit_bytes: u64,
    /// Largest inbound message; a larger one ends the socket with 1009. 0 means 16 MiB.
    pub message_limit_bytes: u64,
    /// Host delivery: bytes that may wait for dispatch before the app's sockets stop reading; a message counts as
    /// its payload and 64 bytes. 0 means 1 MiB.
    pub queue_limit_bytes: u64,
    /// Bytes that may wait in one paused socket before it stops reading, counted in the same way; 0 means 1 MiB.
    pub pause_limit_bytes: u64,
    /// Milliseconds between pings of the library to the peer; 0 sends none.
    pub ping_interval_ms: u32,
    /// Milliseconds after a ping within which something must arrive, else the connection counts as broken
    /// (TARO_CAUSE_PONG_TIMEOUT). 0: as long as ping_interval_ms.
    pub pong_timeout_ms: u32,
    /// Milliseconds without a message in either direction after which the socket is closed with 1006 and
    /// TARO_CAUSE_IDLE (1001 on the wire); 0 never.
    pub idle_timeout_ms: u32,
    /// Milliseconds in the background after which sockets are interrupted; 0 means 5000.
    pub background_grace_ms: u32,
    /// Milliseconds that a close may take from the call on, and our answer to the peer's close; 0 means 10000.
    pub close_timeout_ms: u32,
    /// 1: a failed handshake is `error`, then `close` 1006, in every flavour. Libraries that were written for
    /// mini programs wait for that `close` before they connect again (MQTT.js is one). 0: as the flavour
    /// has it (weapp: `error` alone; h5 and rn: both).
    pub close_after_error: u32,
    /// Tells that there is something to dispatch (host delivery); may be NULL if the descriptor is polled.
    pub wake: taro_wake_fn,
    /// Given to wake.
    pub user_data: *mut c_void,
    /// Runs once, as the last thing of the app: after every callback and every other release function of it.
    /// May be NULL.
    pub release: taro_release_fn,
}

/// Makes an app: the owner of sockets, limits, policy and delivery.
///
/// `options`: how it shall be; NULL means every default. `app`: receives the id, 0 on error; not NULL.
///
/// Ownership: options and all it points to is copied. On OK the library owns user_data until release runs;
/// on any other status it has not taken it.
/// Threads: any. No thread is started.
/// Callbacks: none follow by itself; may be called inside results and events.
/// Returns: TARO_STATUS_OK; TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_STRUCT_SIZE; TARO_STATUS_BAD_ARGUMENT
/// if an option is out of its range, the PEM text or file holds no certificate or cannot be read, or an
/// override or allow-list entry cannot be understood; TARO_STATUS_NO_RESOURCES beyond 1048575 apps and
/// sockets at a time; TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN;
/// TARO_STATUS_INTERNAL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_app_create(options: *const taro_app_options, app: *mut taro_app) -> taro_status {
    // SAFETY: "app: receives the id" (header), so it is NULL or writable.
    let out = unsafe { ptr::Out::new(app) };
    guard::call("taro_app_create", || {
        let mut out = out?;
        // SAFETY: "options: NULL, or points to a struct of struct_size bytes" (header).
        let options = unsafe { ptr::read_options(options) }?;
        // SAFETY: the pointers in options are valid for their lengths until this call returns (header).
        let (settings, handler, data) = unsafe { super::app_options::settings(&options) }?;
        out.set(app::create(settings, handler, data)?);
        Ok(())
    })
}

/// Ends an app and its sockets silently, and runs every release function that belongs to it.
///
/// After the call no new callback of the app starts. If none runs, the release is finished when the call
/// returns. If one runs on another thread, the call waits for it; inside a callback, of any app, it never
/// waits, and the thread that is in this app's callback finishes the release when that returns.
///
/// `app`: the app; 0 is the default app, which is made again on its next use. If there is none yet, nothing
/// happens.
///
/// Ownership: the id ends, also those of its sockets. Each user_data is released once, after the last
/// callback that gets it, the app's own last of all.
/// Threads: any; an app of host delivery on the thread that dispatches it. Waits for a wake-up callback of
/// the app that runs on another thread.
/// Callbacks: no results or events follow, only release functions. May be called inside results and events.
/// Returns: TARO_STATUS_OK; TARO_STATUS_BAD_HANDLE; TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED;
/// TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_app_release(app: taro_app) -> taro_status {
    guard::call("taro_app_release", || core::release_app(app))
}

/// Tells that the mini program went to the background, or came back.
///
/// In the background connect and send fail with TARO_STATUS_INTERRUPTED at once, close works. After the grace
/// (5 seconds, settable; the time the device sleeps counts) open sockets end with `close` 1006 `interrupted`,
/// connecting ones with `error`. Foreground before that cancels it.
///
/// `app`: the app, 0 for the default app. `background`: 1 in the background, 0 in the foreground.
///
/// Ownership: nothing is passed.
/// Threads: any.
/// Callbacks: events of the sockets may follow; may be called inside results and events.
/// Returns: TARO_STATUS_OK; TARO_STATUS_BAD_HANDLE; TARO_STATUS_BAD_ARGUMENT if background is neither 0 nor
/// 1; TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_app_set_background(app: taro_app, background: u32) -> taro_status {
    guard::call("taro_app_set_background", || match background {
        0 | 1 => app::set_background(app, background == 1),
        _ => Err(Status::BadArgument),
    })
}

/// Tells that the device's network changed (another Wi-Fi, mobile data): open sockets ping their peer at once
/// and end as broken if nothing arrives within pong_timeout_ms (5 seconds if that is 0).
///
/// `app`: the app, 0 for the default app.
///
/// Ownership: nothing is passed.
/// Threads: any.
/// Callbacks: events of the sockets may follow; may be called inside results and events.
/// Returns: TARO_STATUS_OK; TARO_STATUS_BAD_HANDLE; TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED;
/// TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_app_network_changed(app: taro_app) -> taro_status {
    guard::call("taro_app_network_changed", || app::network_changed(app))
}

/// The live sockets of an app, oldest first: those that count towards max_sockets.
///
/// `app`: the app, 0 for the default app. `sockets`: receives up to capacity ids; NULL if capacity is 0.
/// `capacity`: number of elements that sockets has room for. `count`: receives the number of live sockets,
/// which may be more than capacity; not NULL.
///
/// Ownership: the ids are copied out; they are not references.
/// Threads: any.
/// Callbacks: none follow; may be called inside results and events.
/// Returns: TARO_STATUS_OK, also if capacity was too small; TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_HANDLE;
/// TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_app_get_sockets(
    app: taro_app,
    sockets: *mut taro_socket,
    capacity: usize,
    count: *mut usize,
) -> taro_status {
    // SAFETY: "count: receives the number" (header), so it is NULL or writable.
    let out = unsafe { ptr::Out::new(count) };
    guard::call("taro_app_get_sockets", || {
        let mut out = out?;
        let live = app::live_sockets(app)?;
        // SAFETY: "sockets: room for capacity elements" (header).
        unsafe { ptr::write_slice(&live, sockets, capacity) }?;
        out.set(live.len());
        Ok(())
    })
}

/// The socket that the global functions (`wx.sendSocketMessage`, `wx.closeSocket`) of an app act on.
///
/// A socket is bound when its connect is accepted and no live socket is bound; nothing is bound anew when
/// that one ends.
///
/// `app`: the app, 0 for the default app. `socket`: receives the id, 0 if none is bound; not NULL.
///
/// Ownership: the id is copied out; it is not a reference.
/// Threads: any.
/// Callbacks: none follow; may be called inside results and events.
/// Returns: TARO_STATUS_OK; TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_HANDLE; TARO_STATUS_IN_NOTICE;
/// TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_app_get_global_socket(app: taro_app, socket: *mut taro_socket) -> taro_status {
    // SAFETY: "socket: receives the id" (header), so it is NULL or writable.
    let out = unsafe { ptr::Out::new(socket) };
    guard::call("taro_app_get_global_socket", || {
        let mut out = out?;
        out.set(app::global_socket(app)?);
        Ok(())
    })
}

/// Runs callbacks of an app of host delivery that wait, on the calling thread.
///
/// What a callback adds while this runs waits for the next dispatch, so the call ends. What callbacks send on
/// the app's sockets leaves together when they are over, on this thread; from 64 KiB on earlier.
///
/// `app`: an app of host delivery. `max_events`: most items to run, 0 means all that wait now; an item is an
/// event, a result (success or fail, and complete), or a release function that stands alone. `left`: receives
/// the number that still wait; may be NULL.
///
/// Ownership: nothing is passed.
/// Threads: any, one at a time for an app; the same one for all of an app's life if its script engine wants
/// that.
/// Callbacks: results and events of the app run inside the call. Inside results and events of the same app
/// it answers busy; inside those of another app it may be called.
/// Returns: TARO_STATUS_OK; TARO_STATUS_BAD_HANDLE; TARO_STATUS_WRONG_DELIVERY for an app of direct delivery;
/// TARO_STATUS_BUSY while the app is being dispatched; TARO_STATUS_IN_NOTICE; TARO_STATUS_FORKED;
/// TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_app_dispatch(app: taro_app, max_events: usize, left: *mut usize) -> taro_status {
    // SAFETY: "left: receives the number; may be NULL" (header).
    let mut out = unsafe { ptr::OptionalOut::new(left) };
    guard::call("taro_app_dispatch", || {
        out.set(app::dispatch(app, max_events)?);
        Ok(())
    })
}

/// A descriptor to poll: readable exactly while something waits for `taro_app_dispatch`.
///
/// For a host whose loop polls descriptors (epoll, kqueue, libuv). Poll it level-triggered for reading; do
/// not read, write or close it.
///
/// `app`: an app of host delivery. `descriptor`: receives the file descriptor, -1 on error; not NULL.
///
/// Ownership: the library keeps it and closes it when the app is released.
/// Threads: any.
/// Callbacks: none follow; may be called inside results and events.
/// Returns: TARO_STATUS_OK; TARO_STATUS_NULL_POINTER; TARO_STATUS_BAD_HANDLE; TARO_STATUS_WRONG_DELIVERY for
/// an app of direct delivery; TARO_STATUS_NO_RESOURCES if the process has no descriptor left;
/// TARO_STATUS_UNSUPPORTED on systems without pollable descriptors (Windows); TARO_STATUS_IN_NOTICE;
/// TARO_STATUS_FORKED; TARO_STATUS_SHUTTING_DOWN; TARO_STATUS_INTERNAL.
/// Since: 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn taro_app_get_descriptor(app: taro_app, descriptor: *mut i32) -> taro_status {
    // SAFETY: "descriptor: receives the file descriptor" (header), so it is NULL or writable.
    let out = unsafe { ptr::Out::with(descriptor, -1) };
    guard::call("taro_app_get_descriptor", || {
        let mut out = out?;
        out.set(app::descriptor(app)?);
        Ok(())
    })
}
