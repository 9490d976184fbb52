//! What the Rust clients of the benchmark share. A client implements `Peer` and calls `run`; the command line and
//! the figures are those of ../c/common.h.

mod gate;
mod plan;
mod scenarios;
mod stream;

pub use plan::{Plan, Scenario};
pub use scenarios::run;
pub use stream::Stream;

/// One connection of a library.
#[allow(async_fn_in_trait)] // the clients run on one thread
pub trait Peer: Sized + 'static {
    /// Upgrades a connected stream.
    async fn upgrade(stream: Stream, plan: &Plan) -> Self;

    /// Sends a message and sees to it that it leaves.
    async fn send(&mut self, text: bool, data: &'static [u8]);

    /// Sends a message that may wait in the library's buffer, if it has one.
    async fn feed(&mut self, text: bool, data: &'static [u8]);

    /// Sees to it that what was fed leaves.
    async fn flush(&mut self);

    /// The next message, to be looked at where it lies. It may be dropped while it waits, and be called again.
    async fn receive<R>(&mut self, look: impl FnOnce(&[u8]) -> R) -> R;
}
