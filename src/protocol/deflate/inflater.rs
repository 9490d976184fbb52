//! Payloads out of the server's compression.

use flate2::{Decompress, FlushDecompress, Status};

use super::{Agreement, TAIL};

/// What a step has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It wants more input.
    Hungry,
    /// The room is used up, and there may be more.
    Full,
}

/// Not DEFLATE.
#[derive(Debug, PartialEq, Eq)]
pub struct Corrupt;

/// One direction's decompressor. It has memory (some 40 KiB) from its first use on; without context takeover
/// only until `rest`.
#[derive(Debug)]
pub struct Inflater {
    stream: Option<Box<Decompress>>,
    window_bits: u8,
    takeover: bool,
    /// Bytes of the tail that are still to be fed; None before the end of a message.
    tail: Option<u8>,
    /// The last byte ended a final block: no tail belongs behind it.
    ended: bool,
}

impl Inflater {
    pub fn new(agreement: &Agreement) -> Self {
        Self {
            stream: None,
            // A window of 9 bits inflates what was made with one of 8.
            window_bits: agreement.server_window_bits.max(9),
            takeover: agreement.server_takeover,
            tail: None,
            ended: false,
        }
    }

    /// Inflates from the front of `input`, and appends at most `room` bytes to `out`.
    pub fn feed(&mut self, input: &mut &[u8], out: &mut Vec<u8>, room: usize) -> Result<Progress, Corrupt> {
        let start = out.len();
        // The zeros cost a hundredth of what inflating does.
        out.resize(start + room, 0);
        let mut at = start;
        let progress = self.inflate(input, out, &mut at);
        out.truncate(at);
        progress
    }

    /// Fills `out` from `at` on.
    fn inflate(&mut self, input: &mut &[u8], out: &mut [u8], at: &mut usize) -> Result<Progress, Corrupt> {
        let window_bits = self.window_bits;
        let stream =
            self.stream.get_or_insert_with(|| Box::new(Decompress::new_with_window_bits(false, window_bits)));
        self.ended &= input.is_empty();
        loop {
            let (in_before, out_before) = (stream.total_in(), stream.total_out());
            let status =
                stream.decompress(input, &mut out[*at..], FlushDecompress::None).map_err(|_| Corrupt)?;
            let used = (stream.total_in() - in_before) as usize;
            let made = (stream.total_out() - out_before) as usize;
            *at += made;
            *input = input.get(used..).unwrap_or_default();
            if status == Status::StreamEnd {
                // A final block ends one stream of blocks; another one may follow in the same message.
                stream.reset(false);
                if input.is_empty() {
                    self.ended = true;
                    return Ok(Progress::Hungry);
                }
                continue;
            }
            if *at == out.len() {
                return Ok(Progress::Full);
            }
            if input.is_empty() {
                return Ok(Progress::Hungry);
            }
            if used == 0 && made == 0 {
                return Err(Corrupt);
            }
        }
    }

    /// Ends a message once all its payload was fed. `Hungry`: all is out.
    pub fn finish(&mut self, out: &mut Vec<u8>, room: usize) -> Result<Progress, Corrupt> {
        let left = self.tail.unwrap_or(if self.ended { 0 } else { TAIL.len() as u8 });
        let mut rest = &TAIL[TAIL.len() - usize::from(left)..];
        // Without a rest what the room was too small for comes out.
        let progress = self.feed(&mut rest, out, room)?;
        self.tail = Some(rest.len() as u8);
        if progress == Progress::Hungry {
            self.tail = None;
            self.ended = false;
            if !self.takeover
                && let Some(stream) = &mut self.stream
            {
                stream.reset(false);
            }
        }
        Ok(progress)
    }

    /// Nothing comes for a while.
    pub fn rest(&mut self) {
        if !self.takeover {
            self.stream = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::deflate::Deflater;

    fn inflate(inflater: &mut Inflater, mut input: &[u8], room: usize) -> Result<Vec<u8>, Corrupt> {
        let mut out = Vec::new();
        let mut whole = Vec::new();
        let mut step = |inflater: &mut Inflater, input: Option<&mut &[u8]>| {
            out.clear();
            let progress = match input {
                Some(input) => inflater.feed(input, &mut out, room)?,
                None => inflater.finish(&mut out, room)?,
            };
            assert!(out.len() <= room);
            whole.extend_from_slice(&out);
            Ok(progress)
        };
        while step(inflater, Some(&mut input))? == Progress::Full {}
        assert!(input.is_empty());
        while step(inflater, None)? == Progress::Full {}
        Ok(whole)
    }

    /// The examples of RFC 7692, 7.2.3.
    #[test]
    fn examples_of_the_rfc() {
        for room in [1, 2, 5, 100] {
            let mut inflater = Inflater::new(&Agreement::default());
            let one_block = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
            let shared_window = [0xf2, 0x00, 0x11, 0x00, 0x00];
            let stored = [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00];
            let final_block = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
            let two_blocks = [0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
            for input in [
                &one_block[..],
                &shared_window,
                &stored,
                &final_block,
                &one_block,
                &two_blocks,
                &final_block[..7],
            ] {
                assert_eq!(inflate(&mut inflater, input, room).unwrap(), b"Hello", "{input:x?}, {room}");
            }
            assert_eq!(inflate(&mut inflater, &one_block, room).unwrap(), b"Hello", "behind a final block");
            assert_eq!(inflate(&mut inflater, &[0x00], room).unwrap(), b"", "the empty message");
        }
    }

    #[test]
    fn without_takeover_nothing_is_shared() {
        let agreement = Agreement { server_takeover: false, ..Agreement::default() };
        let mut inflater = Inflater::new(&agreement);
        let one_block = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(inflate(&mut inflater, &one_block, 100).unwrap(), b"Hello");
        assert!(inflate(&mut inflater, &[0xf2, 0x00, 0x11, 0x00, 0x00], 100).is_err());
        inflater.rest();
        assert!(inflater.stream.is_none());
    }

    /// However it is cut into rooms, the tail is fed once: a payload that ends within a block stays incomplete.
    #[test]
    fn rooms_make_no_difference() {
        for input in [&[][..], &[0x00, 0x04, 0x00, 0xfb, 0xff], &[0x00, 0x04, 0x00, 0xfb, 0xff, 1, 2]] {
            let both = |room| {
                let mut inflater = Inflater::new(&Agreement::default());
                (inflate(&mut inflater, input, room), inflate(&mut inflater, &[0], room))
            };
            for room in 1..6 {
                assert_eq!(both(room), both(100), "{input:x?}, {room}");
            }
        }
    }

    #[test]
    fn what_is_no_deflate_is_corrupt() {
        for input in [&[0xff; 8][..], &[0x06, 1, 2, 3], &[0x00, 0x05, 0x00, 0x00, 0x00, 1, 2, 3, 4, 5]] {
            let mut inflater = Inflater::new(&Agreement::default());
            assert_eq!(inflate(&mut inflater, input, 100), Err(Corrupt), "{input:x?}");
        }
    }

    #[test]
    fn every_window_goes_both_ways() {
        let text: Vec<u8> = (0..200_000_u32).map(|n| (n.wrapping_mul(n) >> 9) as u8 & 15).collect();
        for bits in 8..=15 {
            for takeover in [true, false] {
                let agreement = Agreement {
                    client_takeover: takeover,
                    server_takeover: takeover,
                    client_window_bits: bits,
                    server_window_bits: bits,
                };
                let Some(mut deflater) = Deflater::new(&agreement) else {
                    assert_eq!(bits, 8);
                    continue;
                };
                let mut inflater = Inflater::new(&agreement);
                for part in [&text[..], &text[..100], b"", &text[5000..]] {
                    let mut packed = Vec::new();
                    deflater.add(part, true, &mut packed);
                    assert_eq!(inflate(&mut inflater, &packed, 4096).unwrap(), part);
                }
            }
        }
    }
}
