//! The C surface: the only room that knows C.
//!
//! It reads what the host passes, checks everything that the ABI's own rules ask for, and hands plain Rust
//! values to the core; the other way it turns the core's events into C structs that live until a callback
//! returns. It decides nothing about sockets. Every export is one call of `guard`: no panic gets out, no
//! function runs inside a notice or in a forked child.
//!
//! The header is generated from this room's comments, in the order of the lines below.

#[allow(dead_code, reason = "as above")]
mod app;
mod connect;
#[allow(dead_code, reason = "the header's constants, of which some only hosts use")]
mod event;
#[allow(dead_code, reason = "as above")]
mod library;
mod message;
mod refuse;
mod socket;
mod status;
pub mod types;

mod app_options;
mod callback;
mod guard;
mod hooks;
#[cfg(feature = "test-hooks")]
mod layout;
mod ptr;
mod retained;
