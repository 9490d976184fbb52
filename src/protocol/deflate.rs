//! permessage-deflate (RFC 7692): what is agreed on, and message payloads through it.

mod agreement;
mod deflater;
mod inflater;

pub use agreement::{Agreement, OFFER, agree};
pub use deflater::Deflater;
pub use inflater::{Corrupt, Inflater, Progress};

/// What ends the payload of a flushed block, and is left out on the wire (RFC 7692, 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
