//! Inflates with another implementation than the library's.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};

const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Begins anew with each message: at the start of the stream of blocks that the message is part of.
pub struct Independent {
    takeover: bool,
    /// The stream so far, and how much of what it inflates to was given out.
    packed: Vec<u8>,
    given: usize,
    out: Vec<u8>,
}

impl Independent {
    /// `limit`: on all that it gives, together.
    pub fn new(takeover: bool, limit: usize) -> Self {
        Self { takeover, packed: Vec::new(), given: 0, out: vec![0; limit] }
    }

    /// None: not DEFLATE, or too much.
    pub fn message(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        let mut message = Vec::new();
        if !self.add(payload, &mut message)? {
            self.add(&TAIL, &mut message)?;
        }
        if !self.takeover {
            self.packed.clear();
            self.given = 0;
        }
        Some(message)
    }

    /// Whether a final block ended with the last byte.
    fn add(&mut self, bytes: &[u8], message: &mut Vec<u8>) -> Option<bool> {
        self.packed.extend_from_slice(bytes);
        let mut ended = false;
        while !self.packed.is_empty() {
            let flags = inflate_flags::TINFL_FLAG_HAS_MORE_INPUT
                | inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
            let mut state = DecompressorOxide::new();
            let (status, taken, made) = decompress(&mut state, &self.packed, &mut self.out, 0, flags);
            message.extend_from_slice(&self.out[self.given.min(made)..made]);
            self.given = made;
            match status {
                TINFLStatus::NeedsMoreInput => return Some(false),
                TINFLStatus::Done => {
                    self.packed.drain(..taken);
                    self.given = 0;
                    ended = true;
                }
                _ => return None,
            }
        }
        Some(ended)
    }
}
