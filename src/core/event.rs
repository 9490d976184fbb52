//! What is delivered to a host: the record of results and `error`, and the events.

use std::borrow::Cow;

use super::error::{Cause, Fault, Status};

/// The script function that a result belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    Connect,
    Send,
    Close,
}

impl Api {
    pub fn name(self) -> &'static str {
        match self {
            Api::Connect => "connectSocket",
            Api::Send => "sendSocketMessage",
            Api::Close => "closeSocket",
        }
    }
}

/// The record of a result or of `error`.
#[derive(Clone, Debug)]
pub struct Record {
    pub status: Status,
    pub err_no: i32,
    pub code: i32,
    pub err_msg: Cow<'static, str>,
    /// Where the reason starts in `err_msg`; its length for `ok`.
    pub reason_at: usize,
    pub fault: Fault,
}

impl Record {
    pub fn reason(&self) -> &str {
        self.err_msg.get(self.reason_at..).unwrap_or_default()
    }
}

/// The eight phases of a connect: microseconds since 1970, the last three durations.
#[derive(Clone, Copy, Debug, Default)]
pub struct Profile {
    pub fetch_start_us: i64,
    pub domain_look_up_start_us: i64,
    pub domain_look_up_end_us: i64,
    pub connect_start_us: i64,
    pub connect_end_us: i64,
    pub rtt_us: i64,
    pub handshake_cost_us: i64,
    pub cost_us: i64,
}

/// `open`.
#[derive(Debug)]
pub struct Opened {
    pub http_status: u16,
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub protocol: String,
    pub extensions: String,
    pub peer_address: String,
    pub tls_version: &'static str,
    pub tls_cipher: &'static str,
    pub profile: Profile,
}

/// Who began a close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initiator {
    None,
    Host,
    Peer,
    Library,
}

/// `close`.
#[derive(Clone, Debug)]
pub struct Closed {
    pub code: u16,
    pub reason: Cow<'static, str>,
    pub was_clean: bool,
    pub initiator: Initiator,
    pub cause: Cause,
    pub os_error: i32,
}

/// A payload on its way to the host: the host may keep an owned one without a copy.
pub type Payload<'a> = Cow<'a, [u8]>;

/// Ready state (WHATWG), as the host has been told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ReadyState {
    Connecting = 0,
    Open = 1,
    Closing = 2,
    Closed = 3,
}
