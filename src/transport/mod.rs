//! Bytes: resolve, connect, TLS, and the writing side of a connection.
//!
//! It knows nothing of WebSocket; the core drives the upgrade over its streams. It may use the runtime, and
//! nothing above it.

pub mod dial;
pub mod link;
mod no_signal;
mod race;
pub mod resolve;
pub mod stream;
pub mod tls;
