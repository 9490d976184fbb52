//! Frame heads, read and written.

use super::mask;
use super::message::Violation;

pub const CONTINUATION: u8 = 0;
pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// Beside the opcode: the message is compressed (RFC 7692, 6).
pub const RSV1: u8 = 0x40;

/// Longest payload of a control frame, and of a head without an extended length.
pub const MAX_CONTROL_BYTES: usize = 125;

/// Longest head of a masked frame.
const LONGEST_HEAD: usize = 14;

/// A frame without its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub fin: bool,
    /// The three reserved bits, RSV1 the highest.
    pub rsv: u8,
    pub opcode: u8,
    pub masked: bool,
    /// Bytes of payload that the peer claims.
    pub length: u64,
    /// Bytes of the head itself, mask key included.
    pub size: usize,
}

/// Reads the head at the front of `bytes`, if it is whole. Judges the length's form and nothing else.
#[inline]
pub fn parse_head(bytes: &[u8]) -> Result<Option<Head>, Violation> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    let (length, mut size) = match second & 0x7f {
        126 => {
            let Some(extended) = rest.first_chunk() else { return Ok(None) };
            (u64::from(u16::from_be_bytes(*extended)), 4)
        }
        127 => {
            let Some(extended) = rest.first_chunk() else { return Ok(None) };
            (u64::from_be_bytes(*extended), 10)
        }
        short => (u64::from(short), 2),
    };
    if (size == 4 && length < 126) || (size == 10 && length <= 0xffff) {
        return Err(Violation::Protocol("length not minimal"));
    }
    if length >> 63 != 0 {
        return Err(Violation::Protocol("length over 63 bits"));
    }
    let masked = second & 0x80 != 0;
    if masked {
        size += 4;
        if bytes.len() < size {
            return Ok(None);
        }
    }
    Ok(Some(Head { fin: first & 0x80 != 0, rsv: first >> 4 & 7, opcode: first & 15, masked, length, size }))
}

/// Bytes of the frame that `encode` makes of a payload.
#[inline]
pub const fn encoded_len(payload_len: usize) -> usize {
    let head = match payload_len {
        0..=125 => 6,
        126..=0xffff => 8,
        _ => 14,
    };
    head + payload_len
}

/// Appends one masked frame, the message's last or not. RSV bits may stand above the opcode.
#[inline]
pub fn encode(out: &mut Vec<u8>, fin: bool, opcode: u8, payload: &[u8], mask: [u8; 4]) {
    // The mask's last lane may need some room beyond the end, for a moment.
    out.reserve(encoded_len(payload.len()) + mask::SHORT_LANE);
    append_head(out, fin, opcode, payload.len(), mask);
    mask::append_masked(out, payload, mask);
}

#[inline(always)]
fn append_head(out: &mut Vec<u8>, fin: bool, opcode: u8, length: usize, mask: [u8; 4]) {
    let first = if fin { 0x80 | opcode } else { opcode };
    let [a, b, c, d] = mask;
    // Each arm appends an array of fixed size: one store or two, no call.
    match length {
        length @ 0..=125 => out.extend_from_slice(&[first, 0x80 | length as u8, a, b, c, d]),
        length @ 126..=0xffff => {
            let [e, f] = (length as u16).to_be_bytes();
            out.extend_from_slice(&[first, 0x80 | 126, e, f, a, b, c, d]);
        }
        length => {
            out.extend_from_slice(&[first, 0x80 | 127]);
            out.extend_from_slice(&(length as u64).to_be_bytes());
            out.extend_from_slice(&mask);
        }
    }
}

/// One masked frame that is encoded piece by piece, for who cannot use more of it at a time.
pub struct Pieces<'a> {
    fin: bool,
    opcode: u8,
    mask: [u8; 4],
    /// What is left of it.
    payload: &'a [u8],
    begun: bool,
}

impl<'a> Pieces<'a> {
    /// RSV bits may stand above the opcode.
    #[inline]
    pub fn new(fin: bool, opcode: u8, payload: &'a [u8], mask: [u8; 4]) -> Self {
        Self { fin, opcode, mask, payload, begun: false }
    }

    /// Bytes that are still to come.
    #[inline]
    pub fn len(&self) -> usize {
        if self.begun { self.payload.len() } else { encoded_len(self.payload.len()) }
    }

    /// Appends the next piece, of at most `most` bytes, at least 32; whether another one follows.
    #[inline]
    pub fn append(&mut self, out: &mut Vec<u8>, most: usize) -> bool {
        if !self.begun && self.len() <= most {
            self.begun = true;
            encode(out, self.fin, self.opcode, std::mem::take(&mut self.payload), self.mask);
            return false;
        }
        self.append_some(out, most)
    }

    #[inline(never)]
    fn append_some(&mut self, out: &mut Vec<u8>, most: usize) -> bool {
        out.reserve(most + mask::SHORT_LANE);
        let mut room = most;
        if !self.begun {
            self.begun = true;
            append_head(out, self.fin, self.opcode, self.payload.len(), self.mask);
            room -= LONGEST_HEAD;
        }
        // Each piece but the last is a multiple of the mask, which begins anew with every piece.
        let (piece, rest) = self.payload.split_at(self.payload.len().min(room - room % self.mask.len()));
        self.payload = rest;
        mask::append_masked(out, piece, self.mask);
        !rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Straight from the diagram in the RFC: final bit, opcode, payload unmasked, rest.
    fn decode(bytes: &[u8]) -> (bool, u8, Vec<u8>, &[u8]) {
        let (mut length, mut at) = (usize::from(bytes[1] % 128), 2);
        let wide = [0, 2, 8][length.saturating_sub(125)];
        if wide > 0 {
            length = bytes[2..2 + wide].iter().fold(0, |sum, byte| sum * 256 + usize::from(*byte));
            at += wide;
        }
        assert!(bytes[1] >= 128);
        let key = &bytes[at..at + 4];
        let body = &bytes[at + 4..at + 4 + length];
        let payload = body.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
        (bytes[0] >= 128, bytes[0] % 128, payload, &bytes[at + 4 + length..])
    }

    #[test]
    fn encoded_frames_decode() {
        let mut out = Vec::new();
        let lengths = [0, 1, 4, 63, 64, 65, 124, 125, 126, 127, 128, 1000, 65_535, 65_536, 100_000];
        let payload = |length: usize| (0..length).map(|index| (index * 31) as u8).collect::<Vec<_>>();
        for length in lengths {
            let start = out.len();
            encode(&mut out, true, BINARY, &payload(length), [7, 0, 0xff, length as u8]);
            assert_eq!(out.len() - start, encoded_len(length));
        }
        let mut rest = &out[..];
        for length in lengths {
            let (fin, opcode, body, after) = decode(rest);
            assert_eq!((fin, opcode, body), (true, BINARY, payload(length)));
            rest = after;
        }
        assert!(rest.is_empty());
    }

    #[test]
    fn one_allocation_for_a_frame() {
        for length in [0, 125, 126, 70_000] {
            let mut out = Vec::with_capacity(encoded_len(length) + mask::SHORT_LANE);
            let before = out.as_ptr();
            encode(&mut out, true, TEXT, &vec![1; length], [1, 2, 3, 4]);
            assert_eq!(out.as_ptr(), before);
        }
    }

    #[test]
    fn pieces_make_the_same_frame() {
        let payload: Vec<u8> = (0..70_000).map(|index| (index * 31) as u8).collect();
        for length in [0, 1, 17, 18, 19, 31, 125, 126, 1000, 65_535, 65_536, 70_000] {
            for most in [32, 33, 35, 1000, 16_384, length + 13, length + 14, usize::MAX] {
                let most = most.max(32);
                let mut whole = Vec::new();
                encode(&mut whole, false, BINARY | RSV1, &payload[..length], [1, 2, 3, 0xf4]);
                let mut pieces = Pieces::new(false, BINARY | RSV1, &payload[..length], [1, 2, 3, 0xf4]);
                let mut out = Vec::new();
                loop {
                    let before = out.len();
                    assert_eq!(before + pieces.len(), whole.len());
                    let more = pieces.append(&mut out, most);
                    assert!((1..=most).contains(&(out.len() - before)), "{length} by {most}");
                    if !more {
                        break;
                    }
                }
                assert!(out == whole, "{length} by {most}");
            }
        }
    }

    #[test]
    fn the_example_of_the_rfc() {
        let mut out = Vec::new();
        encode(&mut out, true, TEXT, b"Hello", [0x37, 0xfa, 0x21, 0x3d]);
        assert_eq!(out, [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    }

    #[test]
    fn heads() {
        let head = |fin, rsv, opcode, masked, length, size| Head { fin, rsv, opcode, masked, length, size };
        for (bytes, expected) in [
            (&[0x81, 5][..], head(true, 0, TEXT, false, 5, 2)),
            (&[0x02, 0], head(false, 0, BINARY, false, 0, 2)),
            (&[0xc1, 125], head(true, 4, TEXT, false, 125, 2)),
            (&[0xff, 0x85, 1, 2, 3, 4], head(true, 7, 15, true, 5, 6)),
            (&[0x80, 126, 0, 126], head(true, 0, CONTINUATION, false, 126, 4)),
            (&[0x80, 254, 1, 0, 9, 9, 9, 9], head(true, 0, CONTINUATION, true, 256, 8)),
            (&[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0], head(true, 0, BINARY, false, 65_536, 10)),
            (&[0x82, 127, 127, 255, 255, 255, 255, 255, 255, 255], {
                head(true, 0, BINARY, false, u64::MAX >> 1, 10)
            }),
        ] {
            for end in 0..bytes.len() {
                assert_eq!(parse_head(&bytes[..end]), Ok(None), "{bytes:?} to {end}");
            }
            assert_eq!(parse_head(bytes), Ok(Some(expected)));
            assert_eq!(parse_head(&[bytes, &[1, 2]].concat()), Ok(Some(expected)));
        }
    }

    #[test]
    fn lengths_are_minimal_and_of_63_bits() {
        for bytes in [
            &[0x81, 126, 0, 0][..],
            &[0x81, 126, 0, 125],
            &[0x81, 127, 0, 0, 0, 0, 0, 0, 0, 5],
            &[0x81, 127, 0, 0, 0, 0, 0, 0, 255, 255],
            &[0x81, 127, 128, 0, 0, 0, 0, 0, 0, 0],
            &[0x81, 127, 255, 255, 255, 255, 255, 255, 255, 255],
        ] {
            assert!(matches!(parse_head(bytes), Err(Violation::Protocol(_))), "{bytes:?}");
        }
    }
}
