//! Where each field of each C struct lies, for the test that compares it with what a C compiler says. In
//! builds with the feature `test-hooks` only.

use std::ffi::{CStr, c_char};
use std::mem::{align_of, offset_of, size_of};

use super::app::{taro_address_override, taro_app_options};
use super::connect::taro_connect_options;
use super::event::*;
use super::library::taro_init_options;
use super::refuse::taro_refuse_options;
use super::socket::{taro_close_options, taro_send_options, taro_socket_counters};
use super::types::{taro_header, taro_str};

/// Tells sizes, alignments and offsets by name. A struct that gains a field does not compile here until it is named.
macro_rules! layout {
    ($($type:ident { $($field:ident),* $(,)? })*) => {
        fn find(name: &str) -> Option<usize> {
            match name {
                $(
                    stringify!($type) => Some(size_of::<$type>()),
                    concat!(stringify!($type), " alignment") => Some(align_of::<$type>()),
                    $(concat!(stringify!($type), ".", stringify!($field)) => Some(offset_of!($type, $field)),)*
                )*
                _ => None,
            }
        }

        $(const _: fn(&$type) = |whole| {
            let $type { $($field: _),* } = whole;
        };)*
    };
}

layout! {
    taro_str { ptr, len }
    taro_header { name, value }
    taro_address_override { from, to }
    taro_init_options {
        struct_size, io_threads, log_level, reserved, log, thread_start, thread_stop, user_data, release,
    }
    taro_app_options {
        struct_size, flavour, delivery, single_socket, forbid_ws, max_sockets, timeout_ms, tls_insecure,
        allow_list, allow_list_len, referer, address_overrides, address_overrides_len, ca_pem, ca_file,
        send_limit_bytes, message_limit_bytes, queue_limit_bytes, pause_limit_bytes, ping_interval_ms,
        pong_timeout_ms, idle_timeout_ms, background_grace_ms, close_timeout_ms, close_after_error, wake, user_data,
        release,
    }
    taro_connect_options {
        struct_size, tcp_no_delay, per_message_deflate, start_paused, app, url, headers, headers_len,
        protocols, protocols_len, timeout_ms, reserved, bind_interface, success, fail, complete, open,
        message, error, close, drain, user_data, release,
    }
    taro_send_options { struct_size, kind, data, data_len, success, fail, complete, user_data, release }
    taro_close_options { struct_size, code, reason, success, fail, complete, user_data, release }
    taro_refuse_options { struct_size, call, app, status, reserved, subject, fail, complete, user_data, release }
    taro_socket_counters {
        struct_size, reserved, messages_sent, messages_received, payload_bytes_sent, payload_bytes_received,
        wire_bytes_sent, wire_bytes_received, pings_sent, pongs_received,
    }
    taro_result {
        struct_size, status, err_no, code, err_msg, reason, cause, http_status, os_error, tls_error,
        tls_detail, detail,
    }
    taro_profile {
        struct_size, reserved, fetch_start_us, domain_look_up_start_us, domain_look_up_end_us,
        connect_start_us, connect_end_us, rtt_us, handshake_cost_us, cost_us,
    }
    taro_open_event {
        struct_size, http_status, headers, headers_len, protocol, extensions, peer_address, tls_version,
        tls_cipher, profile,
    }
    taro_message_event { struct_size, kind, message, data, data_len }
    taro_close_event { struct_size, code, reason, was_clean, initiator, cause, os_error }
    taro_drain_event { struct_size, reserved, buffered_amount_bytes }
}

/// The size of a struct, the alignment of `struct alignment`, or the offset of `struct.field`; -1 for what is
/// neither.
///
/// cbindgen:ignore
#[unsafe(no_mangle)]
pub extern "C" fn taro_test_layout(name: *const c_char) -> i64 {
    // SAFETY: tests pass a NUL-terminated string.
    let name = unsafe { CStr::from_ptr(name) };
    name.to_str().ok().and_then(find).and_then(|number| i64::try_from(number).ok()).unwrap_or(-1)
}
