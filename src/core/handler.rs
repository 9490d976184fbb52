//! The host as the core sees it: whom results and events are told. The C room implements these.

use super::event::{Closed, Opened, Payload, Record};

/// User data of the host with its release function: dropping it releases the user data.
pub trait Token: Send {
    /// The call turned out not to happen: the user data stays the host's, dropping releases nothing.
    fn disarm(&mut self);
}

pub type HostToken = Box<dyn Token>;

/// Told the results of one send or close. Dropping it releases the call's user data.
pub trait CallHandler: Send {
    /// `success` or `fail`, as the record's status says.
    fn outcome(&self, socket: u64, record: &Record);
    fn complete(&self, socket: u64, record: &Record);
    /// Whether anybody listens: a call without callbacks and without release is forgotten at once.
    fn is_silent(&self) -> bool;
}

/// Told the results of connect and the events of one socket. The user data is not in here: it is released
/// after the last event, however long something still refers to the socket.
pub trait SocketHandler: Send + Sync {
    fn outcome(&self, socket: u64, record: &Record);
    fn complete(&self, socket: u64, record: &Record);
    fn open(&self, socket: u64, event: &Opened);
    fn message(&self, socket: u64, text: bool, payload: Payload<'_>);
    fn error(&self, socket: u64, record: &Record);
    fn close(&self, socket: u64, event: &Closed);
    fn drain(&self, socket: u64, buffered_bytes: u64);
}

/// Told that an app of host delivery has something to dispatch.
pub trait AppHandler: Send + Sync {
    fn wake(&self, app: u64);
    /// Whether anybody listens: else no notice is on its way, which a release would have to leave the finishing to.
    fn wants_notices(&self) -> bool;
}
