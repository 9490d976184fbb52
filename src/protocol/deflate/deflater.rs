//! Payloads into our compression.

use flate2::{Compress, Compression, FlushCompress};

use super::{Agreement, TAIL};

/// Beside zlib's default, 6: two thirds of the time for messages of 16 KiB of JSON and up, about the same for small ones,
/// and 1 to 5 per cent more bytes (benches/micro, program `levels`).
const LEVEL: u32 = 4;

/// The other direction's compressor. It has memory (some 260 KiB) from its first use on; without context
/// takeover only until `rest`.
#[derive(Debug)]
pub struct Deflater {
    stream: Option<Box<Compress>>,
    window_bits: u8,
    takeover: bool,
}

impl Deflater {
    /// None: the agreed window is one of 8 bits, which zlib cannot make. Whatever was agreed on, a message may
    /// be sent as it is (RFC 7692, 6).
    pub fn new(agreement: &Agreement) -> Option<Self> {
        (agreement.client_window_bits > 8).then_some(Self {
            stream: None,
            window_bits: agreement.client_window_bits,
            takeover: agreement.client_takeover,
        })
    }

    /// Appends what a part of a message becomes; `last` ends the message. A part that is not the last may
    /// append nothing.
    pub fn add(&mut self, mut part: &[u8], last: bool, out: &mut Vec<u8>) {
        let bits = self.window_bits;
        let stream = self.stream.get_or_insert_with(|| {
            Box::new(Compress::new_with_window_bits(Compression::new(LEVEL), false, bits))
        });
        let start = out.len();
        let flush = if last { FlushCompress::Sync } else { FlushCompress::None };
        loop {
            out.reserve(part.len() / 2 + 64);
            let before = stream.total_in();
            // The only error is a misuse of the state machine, which cannot come from these calls.
            let status = stream.compress_vec(part, out, flush);
            debug_assert!(status.is_ok());
            part = part.get((stream.total_in() - before) as usize..).unwrap_or_default();
            // Room left over means that nothing is kept back.
            if status.is_err() || part.is_empty() && out.len() < out.capacity() {
                break;
            }
        }
        if last {
            if out.len() == start {
                // An empty message right behind a flush: zlib sees nothing to do (RFC 7692, 7.2.3.6).
                out.push(0);
            } else if out.ends_with(&TAIL) {
                out.truncate(out.len() - TAIL.len());
            }
            if !self.takeover {
                stream.reset();
            }
        }
    }

    /// Nothing goes out for a while.
    pub fn rest(&mut self) {
        if !self.takeover {
            self.stream = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hello_as_in_the_rfc() {
        let mut deflater = Deflater::new(&Agreement::default()).unwrap();
        let mut out = Vec::new();
        deflater.add(b"Hello", true, &mut out);
        assert_eq!(out, [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);
        out.clear();
        deflater.add(b"Hello", true, &mut out);
        assert_eq!(out, [0xf2, 0x00, 0x11, 0x00, 0x00], "the window is taken over");
    }

    #[test]
    fn without_takeover_each_message_stands_alone() {
        let agreement = Agreement { client_takeover: false, ..Agreement::default() };
        let mut deflater = Deflater::new(&agreement).unwrap();
        let mut sizes = Vec::new();
        for _ in 0..2 {
            let mut out = Vec::new();
            deflater.add(b"Hello", true, &mut out);
            sizes.push(out);
        }
        assert_eq!(sizes[0], sizes[1]);
        deflater.rest();
        assert!(deflater.stream.is_none());
    }

    #[test]
    fn parts_make_the_same_message() {
        let text = b"one two three one two three ".repeat(1000);
        let mut whole = Vec::new();
        Deflater::new(&Agreement::default()).unwrap().add(&text, true, &mut whole);
        let mut parts = Vec::new();
        let mut deflater = Deflater::new(&Agreement::default()).unwrap();
        for part in text.chunks(777) {
            deflater.add(part, false, &mut parts);
        }
        deflater.add(b"", true, &mut parts);
        assert_eq!(whole, parts);
    }

    #[test]
    fn a_window_of_8_bits_is_not_compressed_for() {
        let agreement = Agreement { client_window_bits: 8, ..Agreement::default() };
        assert!(Deflater::new(&agreement).is_none());
    }
}
