//! libtaro_socket: one native WebSocket client, behind a C ABI, for every mini-program host.
//!
//! The rooms, each of which calls only those to its right: `ffi` (the only one that knows C), `core` (what a
//! socket and an app are), then `protocol` (RFC 6455, sans I/O), `transport` (resolve, connect, TLS) and
//! `runtime` (threads, clock, timers, log). Callers read `include/taro_socket.h`; it is generated from `ffi`.
//!
//! Unsafe code stands in `ffi`, and in these files:
// unsafe-allowed: src/runtime/alarm.rs
// unsafe-allowed: src/runtime/clock.rs
// unsafe-allowed: src/runtime/flag.rs
// unsafe-allowed: src/runtime/fork.rs
// unsafe-allowed: src/runtime/signals.rs
#![deny(unsafe_code, unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

#[cfg(panic = "abort")]
compile_error!("libtaro_socket must be built with panic = \"unwind\": a panic must not end the host");

mod core;
#[allow(unsafe_code, non_camel_case_types)]
#[deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
mod ffi;
mod protocol;
mod runtime;
mod transport;
