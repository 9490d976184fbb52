//! What a message reader gives: what a peer said, or how it broke the rules.

use std::borrow::Cow;
use std::ops::Deref;

use super::super::close;
use super::super::frame::MAX_CONTROL_BYTES;

/// How a peer broke the protocol, or our bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    Protocol(&'static str),
    /// What came compressed is not DEFLATE.
    Deflate,
    Utf8,
    TooBig,
}

impl Violation {
    /// What to close with.
    pub fn close_code(self) -> u16 {
        match self {
            Self::Protocol(_) => close::PROTOCOL_ERROR,
            Self::Utf8 | Self::Deflate => close::BAD_PAYLOAD,
            Self::TooBig => close::TOO_BIG,
        }
    }
}

/// A message's bytes: borrowed from the input if one frame of it held them all.
pub type Payload<'a> = Cow<'a, [u8]>;

/// Payload of a control frame, inline.
#[derive(Clone, Copy, Debug)]
pub struct Control {
    len: u8,
    bytes: [u8; MAX_CONTROL_BYTES],
}

impl Control {
    pub(super) const EMPTY: Self = Self { len: 0, bytes: [0; MAX_CONTROL_BYTES] };

    /// `part` fits: the head of its frame has been judged.
    pub(super) fn push(&mut self, part: &[u8]) {
        let start = usize::from(self.len);
        self.bytes[start..start + part.len()].copy_from_slice(part);
        self.len += part.len() as u8;
    }
}

impl Deref for Control {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// What a peer has said. Text is UTF-8.
#[derive(Clone, Debug)]
pub enum Incoming<'a> {
    Text(Payload<'a>),
    Binary(Payload<'a>),
    Ping(Control),
    #[allow(dead_code, reason = "whose pong it is does not matter: any bytes answer a ping")]
    Pong(Control),
    /// Code and reason, if the frame had any.
    Close(Option<(u16, String)>),
}
