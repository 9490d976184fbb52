//! The host as the core sees it: C functions and user data behind the core's traits.

use std::ffi::{CString, c_void};
use std::sync::Arc;

use super::app::{taro_app_options, taro_wake_fn};
use super::connect::taro_connect_options;
use super::event::*;
use super::library::{taro_log_fn, taro_thread_fn};
use super::refuse::taro_refuse_options;
use super::status;
use super::{ptr, retained};
use crate::core::Hook;
use crate::core::error::{Cause, Status, TlsFault};
use crate::core::event::{Closed, Initiator, Opened, Payload, Record};
use crate::core::handler::{AppHandler, CallHandler, SocketHandler, Token};
use crate::core::log::Sink;
use crate::core::scope;
use crate::core::settings::ConnectRequest;

/// A pointer of the host that is passed back to it, and never read.
#[derive(Clone, Copy)]
struct UserData(*mut c_void);

// SAFETY: the library does not look behind the pointer; the header says on which threads the host gets it.
unsafe impl Send for UserData {}
// SAFETY: as above.
unsafe impl Sync for UserData {}

impl UserData {
    fn get(self) -> *mut c_void {
        self.0
    }
}

/// User data with its release function, which runs when this is dropped.
pub struct HostData {
    user_data: UserData,
    release: taro_release_fn,
}

impl HostData {
    pub fn hold(user_data: *mut c_void, release: taro_release_fn) -> Box<HostData> {
        Box::new(HostData { user_data: UserData(user_data), release })
    }
}

impl Token for HostData {
    fn disarm(&mut self) {
        self.release = None;
    }
}

impl Drop for HostData {
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            let _level = scope::enter_callback();
            // SAFETY: "release: runs once, after the last callback that gets user_data" (header): a valid
            // function of the host, which gets what it gave.
            unsafe { release(self.user_data.get()) };
        }
    }
}

/// The result functions of one call.
struct Call {
    success: taro_result_fn,
    fail: taro_result_fn,
    complete: taro_result_fn,
    data: HostData,
}

/// The callbacks of a send or close; from here on the user data is taken.
pub fn call(
    success: taro_result_fn,
    fail: taro_result_fn,
    complete: taro_result_fn,
    user_data: *mut c_void,
    release: taro_release_fn,
) -> Box<dyn CallHandler> {
    let data = HostData { user_data: UserData(user_data), release };
    Box::new(Call { success, fail, complete, data })
}

impl CallHandler for Call {
    fn outcome(&self, socket: u64, record: &Record) {
        let function = if record.status == Status::Ok { self.success } else { self.fail };
        result(function, socket, record, self.data.user_data);
    }

    fn complete(&self, socket: u64, record: &Record) {
        result(self.complete, socket, record, self.data.user_data);
    }

    fn is_silent(&self) -> bool {
        self.success.is_none()
            && self.fail.is_none()
            && self.complete.is_none()
            && self.data.release.is_none()
    }
}

fn result(function: taro_result_fn, socket: u64, record: &Record, user_data: UserData) {
    let Some(function) = function else { return };
    let c_record = taro_result {
        struct_size: size_of::<taro_result>() as u32,
        status: status::code(record.status),
        err_no: record.err_no,
        code: record.code,
        err_msg: ptr::text(record.err_msg.as_bytes()),
        reason: ptr::text(record.reason().as_bytes()),
        cause: cause(record.fault.cause),
        http_status: record.fault.http_status,
        os_error: record.fault.os_error,
        tls_error: tls_error(record.fault.tls),
        tls_detail: ptr::text(record.fault.tls_detail.as_bytes()),
        detail: ptr::text(record.fault.detail.as_bytes()),
    };
    // SAFETY: a function of the host with this signature; the record lives until it returns (header).
    unsafe { function(socket, &c_record, user_data.get()) };
}

fn cause(cause: Cause) -> u32 {
    match cause {
        Cause::None => TARO_CAUSE_NONE,
        Cause::Resolve => TARO_CAUSE_RESOLVE,
        Cause::Connect => TARO_CAUSE_CONNECT,
        Cause::Timeout => TARO_CAUSE_TIMEOUT,
        Cause::Tls => TARO_CAUSE_TLS,
        Cause::HttpStatus => TARO_CAUSE_HTTP_STATUS,
        Cause::Upgrade => TARO_CAUSE_UPGRADE,
        Cause::Reset => TARO_CAUSE_RESET,
        Cause::PongTimeout => TARO_CAUSE_PONG_TIMEOUT,
        Cause::Idle => TARO_CAUSE_IDLE,
        Cause::Interrupted => TARO_CAUSE_INTERRUPTED,
        Cause::ProtocolError => TARO_CAUSE_PROTOCOL_ERROR,
        Cause::BadUtf8 => TARO_CAUSE_BAD_UTF8,
        Cause::TooBig => TARO_CAUSE_TOO_BIG,
        Cause::Internal => TARO_CAUSE_INTERNAL,
        Cause::Cancelled => TARO_CAUSE_CANCELLED,
    }
}

fn tls_error(fault: TlsFault) -> u32 {
    match fault {
        TlsFault::None => TARO_TLS_ERROR_NONE,
        TlsFault::Expired => TARO_TLS_ERROR_EXPIRED,
        TlsFault::NotYetValid => TARO_TLS_ERROR_NOT_YET_VALID,
        TlsFault::WrongHost => TARO_TLS_ERROR_WRONG_HOST,
        TlsFault::UnknownIssuer => TARO_TLS_ERROR_UNKNOWN_ISSUER,
        TlsFault::Revoked => TARO_TLS_ERROR_REVOKED,
        TlsFault::BadCertificate => TARO_TLS_ERROR_BAD_CERTIFICATE,
        TlsFault::Protocol => TARO_TLS_ERROR_PROTOCOL,
    }
}

/// The functions of one socket. Its user data is released on its own, see `SocketHandler`.
struct Callbacks {
    success: taro_result_fn,
    fail: taro_result_fn,
    complete: taro_result_fn,
    open: taro_open_fn,
    message: taro_message_fn,
    error: taro_error_fn,
    close: taro_close_fn,
    drain: taro_drain_fn,
    user_data: UserData,
    last_place: retained::LastPlace,
}

/// The callbacks and the user data of a connect; from here on it is taken.
pub fn socket(options: &taro_connect_options) -> (Box<dyn SocketHandler>, Box<HostData>) {
    let handler = Callbacks {
        success: options.success,
        fail: options.fail,
        complete: options.complete,
        open: options.open,
        message: options.message,
        error: options.error,
        close: options.close,
        drain: options.drain,
        user_data: UserData(options.user_data),
        last_place: retained::LastPlace::new(),
    };
    (Box::new(handler), HostData::hold(options.user_data, options.release))
}

/// The same of a refused call, which has no socket and no events.
pub fn refused(options: &taro_refuse_options) -> (Box<dyn SocketHandler>, Box<HostData>) {
    let handler = Callbacks {
        success: None,
        fail: options.fail,
        complete: options.complete,
        open: None,
        message: None,
        error: None,
        close: None,
        drain: None,
        user_data: UserData(options.user_data),
        last_place: retained::LastPlace::new(),
    };
    (Box::new(handler), HostData::hold(options.user_data, options.release))
}

impl SocketHandler for Callbacks {
    fn outcome(&self, socket: u64, record: &Record) {
        let function = if record.status == Status::Ok { self.success } else { self.fail };
        result(function, socket, record, self.user_data);
    }

    fn complete(&self, socket: u64, record: &Record) {
        result(self.complete, socket, record, self.user_data);
    }

    fn open(&self, socket: u64, event: &Opened) {
        let Some(function) = self.open else { return };
        let headers: Vec<_> = event
            .headers
            .iter()
            .map(|(name, value)| super::types::taro_header { name: ptr::text(name), value: ptr::text(value) })
            .collect();
        let phases = &event.profile;
        let profile = taro_profile {
            struct_size: size_of::<taro_profile>() as u32,
            reserved: 0,
            fetch_start_us: phases.fetch_start_us,
            domain_look_up_start_us: phases.domain_look_up_start_us,
            domain_look_up_end_us: phases.domain_look_up_end_us,
            connect_start_us: phases.connect_start_us,
            connect_end_us: phases.connect_end_us,
            rtt_us: phases.rtt_us,
            handshake_cost_us: phases.handshake_cost_us,
            cost_us: phases.cost_us,
        };
        let c_event = taro_open_event {
            struct_size: size_of::<taro_open_event>() as u32,
            http_status: i32::from(event.http_status),
            headers: headers.as_ptr(),
            headers_len: headers.len(),
            protocol: ptr::text(event.protocol.as_bytes()),
            extensions: ptr::text(event.extensions.as_bytes()),
            peer_address: ptr::text(event.peer_address.as_bytes()),
            tls_version: ptr::text(event.tls_version.as_bytes()),
            tls_cipher: ptr::text(event.tls_cipher.as_bytes()),
            profile: &profile,
        };
        // SAFETY: a function of the host with this signature; the event lives until it returns (header).
        unsafe { function(socket, &c_event, self.user_data.get()) };
    }

    fn message(&self, socket: u64, text: bool, payload: Payload<'_>) {
        let Some(function) = self.message else { return };
        retained::lend(payload, &self.last_place, |message, data, data_len| {
            let c_event = taro_message_event {
                struct_size: size_of::<taro_message_event>() as u32,
                kind: if text { TARO_MESSAGE_TEXT } else { TARO_MESSAGE_BINARY },
                message,
                data: data.cast(),
                data_len,
            };
            // SAFETY: a function of the host with this signature; the event and its payload live until it
            // returns (header).
            unsafe { function(socket, &c_event, self.user_data.get()) };
        });
    }

    fn error(&self, socket: u64, record: &Record) {
        result(self.error, socket, record, self.user_data);
    }

    fn close(&self, socket: u64, event: &Closed) {
        let Some(function) = self.close else { return };
        let c_event = taro_close_event {
            struct_size: size_of::<taro_close_event>() as u32,
            code: u32::from(event.code),
            reason: ptr::text(event.reason.as_bytes()),
            was_clean: u32::from(event.was_clean),
            initiator: match event.initiator {
                Initiator::None => TARO_INITIATOR_NONE,
                Initiator::Host => TARO_INITIATOR_HOST,
                Initiator::Peer => TARO_INITIATOR_PEER,
                Initiator::Library => TARO_INITIATOR_LIBRARY,
            },
            cause: cause(event.cause),
            os_error: event.os_error,
        };
        // SAFETY: a function of the host with this signature; the event lives until it returns (header).
        unsafe { function(socket, &c_event, self.user_data.get()) };
    }

    fn drain(&self, socket: u64, buffered_bytes: u64) {
        let Some(function) = self.drain else { return };
        let c_event = taro_drain_event {
            struct_size: size_of::<taro_drain_event>() as u32,
            reserved: 0,
            buffered_amount_bytes: buffered_bytes,
        };
        // SAFETY: a function of the host with this signature; the event lives until it returns (header).
        unsafe { function(socket, &c_event, self.user_data.get()) };
    }
}

struct Wake {
    function: taro_wake_fn,
    user_data: UserData,
}

/// The wake-up of an app.
pub fn app(options: &taro_app_options) -> Box<dyn AppHandler> {
    Box::new(Wake { function: options.wake, user_data: UserData(options.user_data) })
}

impl AppHandler for Wake {
    fn wake(&self, app: u64) {
        if let Some(function) = self.function {
            // SAFETY: a function of the host with this signature (header).
            unsafe { function(app, self.user_data.get()) };
        }
    }

    fn wants_notices(&self) -> bool {
        self.function.is_some()
    }
}

/// The log function of the host.
pub fn log(function: taro_log_fn, user_data: *mut c_void) -> Option<Sink> {
    let function = function?;
    let user_data = UserData(user_data);
    Some(Arc::new(move |level, line: &str| {
        let _level = scope::enter_notice();
        let Ok(line) = CString::new(line.replace('\0', " ")) else { return };
        let length = line.as_bytes().len();
        // SAFETY: a function of the host with this signature; the line lives until it returns (header).
        unsafe { function(level, line.as_ptr(), length, user_data.get()) };
    }))
}

/// A thread hook of the host.
pub fn thread(function: taro_thread_fn, user_data: *mut c_void) -> Option<Hook> {
    let function = function?;
    let user_data = UserData(user_data);
    Some(Arc::new(move |name: &str| {
        let _level = scope::enter_notice();
        let Ok(name) = CString::new(name) else { return };
        // SAFETY: a function of the host with this signature; the name lives until it returns (header).
        unsafe { function(name.as_ptr(), user_data.get()) };
    }))
}

/// What a connect asks for, borrowed from the host for the length of the call.
///
/// # Safety
/// The pointers in `options` are valid for their lengths until the call returns.
pub unsafe fn connect_request<'a>(options: &taro_connect_options) -> Result<ConnectRequest<'a>, Status> {
    let flag = |value: u32| if value < 2 { Ok(value == 1) } else { Err(Status::BadArgument) };
    if options.reserved != 0 {
        return Err(Status::BadArgument);
    }
    // SAFETY: the caller's promise is ours, for this block as a whole.
    unsafe {
        let mut headers = Vec::new();
        for header in ptr::slice(options.headers, options.headers_len)? {
            headers.push((ptr::str_bytes(header.name)?, ptr::str_bytes(header.value)?));
        }
        let mut protocols = Vec::new();
        for protocol in ptr::slice(options.protocols, options.protocols_len)? {
            protocols.push(ptr::str_bytes(*protocol)?);
        }
        Ok(ConnectRequest {
            url: ptr::str_bytes(options.url)?,
            headers,
            protocols,
            timeout_ms: options.timeout_ms,
            tcp_no_delay: flag(options.tcp_no_delay)?,
            per_message_deflate: flag(options.per_message_deflate)?,
            start_paused: flag(options.start_paused)?,
            interface: ptr::str_bytes(options.bind_interface)?,
        })
    }
}
