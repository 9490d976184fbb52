//! What a socket and an app are.
//!
//! It owns the tables of ids, options, state, events, the order of delivery, and the ends of everything. It
//! knows no C: the host is a few traits (`handler`). It calls protocol, transport and runtime, which do not
//! know it.
//!
//! A socket is a half that any thread may lock (`socket`, `send`, `end`) and a task on its app's I/O thread
//! (`task`, `establish`, `driver`). What the host is told goes through its app's queue (`delivery`, `pump`).

mod after;
pub mod app;
mod burst;
mod compress;
pub mod connect;
mod deadlines;
mod delivery;
mod descriptor;
mod driver;
mod end;
pub mod error;
mod establish;
pub mod event;
pub mod flavour;
pub mod handler;
pub mod handles;
mod hold;
mod inbound;
pub mod library;
mod liveness;
mod parting;
mod pending;
mod pump;
mod release;
pub mod scope;
mod send;
pub mod settings;
pub mod socket;
mod state;
mod task;
mod unsent;

#[cfg(feature = "test-hooks")]
pub use crate::runtime::clock;
pub use crate::runtime::threads::Hook;
pub use crate::runtime::{fork, log};
pub use release::release as release_app;
