//! What every part of the C surface is made of: ids and strings.

use std::ffi::c_char;

/// Number of the binary interface, also in the file name `libtaro_socket.so.<ABI>`. It changes when a
/// program built against an older header could break. Compare it with `taro_abi_version()` after `dlopen`.
pub const TARO_ABI_VERSION: u32 = 1;

/// An app: one mini program inside the host, the owner of sockets, limits, policy and delivery. An opaque
/// id below 2^53, so it survives as a JavaScript number. 0 is the default app: direct delivery and default
/// options; it is made on first use, and made again after it was released.
pub type taro_app = u64;

/// A socket: one SocketTask. An opaque id below 2^53, never reused. 0 is never a socket.
pub type taro_socket = u64;

/// An inbound message. An opaque id below 2^53, never reused. 0 is never a message.
pub type taro_message = u64;

/// A string: UTF-8 of a known length, no terminating NUL needed. `ptr` may be NULL only if `len` is 0.
/// This struct is frozen: it will never grow, and has no struct_size.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct taro_str {
    /// First byte; NULL is allowed if `len` is 0.
    pub ptr: *const c_char,
    /// Length in bytes, without a terminating NUL.
    pub len: usize,
}

/// One header field, of the request or of the response. This struct is frozen like `taro_str`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct taro_header {
    /// Field name: a token of RFC 9110.
    pub name: taro_str,
    /// Field value, without the white space around it. In a response the bytes may be other than UTF-8.
    pub value: taro_str,
}
