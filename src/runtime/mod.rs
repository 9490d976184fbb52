//! The hidden runtime: I/O threads, threads for blocking work, the clock and timers on it, the log, the fork byte.
//!
//! It owns every thread of the library and knows nothing of sockets. It calls nothing above it; hooks of the
//! host reach it as plain closures.

mod alarm;
pub mod blocking;
pub mod clock;
pub mod flag;
pub mod fork;
pub mod log;
pub mod signals;
pub mod threads;
pub mod timers;
