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
        // It says that it wants more room as soon as there is none left.
        Self { takeover, packed: Vec::new(), given: 0, out: vec![0; limit + 1] }
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

/// Inflates with a window of the agreed size and not a byte more: what looks back farther comes out wrong.
pub struct Windowed {
    takeover: bool,
    state: DecompressorOxide,
    window: Vec<u8>,
    at: usize,
}

impl Windowed {
    pub fn new(takeover: bool, bits: u8) -> Self {
        Self { takeover, state: DecompressorOxide::new(), window: vec![0; 1 << bits], at: 0 }
    }

    /// A payload without a final block.
    pub fn message(&mut self, payload: &[u8]) -> Vec<u8> {
        let packed = [payload, &TAIL].concat();
        let (mut rest, mut message) = (&packed[..], Vec::new());
        loop {
            let flags = inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;
            let (status, taken, made) = decompress(&mut self.state, rest, &mut self.window, self.at, flags);
            message.extend_from_slice(&self.window[self.at..self.at + made]);
            self.at = (self.at + made) % self.window.len();
            rest = &rest[taken..];
            match status {
                TINFLStatus::HasMoreOutput => {}
                TINFLStatus::NeedsMoreInput => break,
                other => panic!("{other:?}"),
            }
        }
        if !self.takeover {
            self.state = DecompressorOxide::new();
            self.window.fill(0);
        }
        message
    }
}
