//! Messages out of the bytes of a server: frames judged, fragments joined, text checked.

use super::close;
use super::deflate::Inflater;
use super::frame::{self, BINARY, CLOSE, CONTINUATION, Head, MAX_CONTROL_BYTES, PING, PONG, RSV1, TEXT};

mod compressed;
mod incoming;

pub use incoming::{Control, Incoming, Payload, Violation};

use compressed::STEP_BYTES;

/// Allocated for a message before more of it has come, at most; beyond it twice what has come.
const AHEAD_BYTES: usize = 64 * 1024;

/// From this much missing payload on, a read straight into the message beats a copy.
const DIRECT_BYTES: usize = 4 * 1024;

/// Longest head of a frame that is not masked.
const HEAD_BYTES: usize = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Between messages, nothing held.
    Idle,
    /// Within a head, or between the fragments of a message.
    Head,
    /// Within the payload of a data frame.
    Body,
    /// Behind the last payload of a compressed message, of which not all is inflated.
    Inflating,
    /// Within the payload of a control frame.
    Control,
    /// After a close frame or a violation: whatever comes is nobody's.
    Ended,
}

/// Joins a byte stream into messages. Fed slices, keeps what is not yet whole.
#[derive(Debug)]
pub struct MessageReader {
    stage: Stage,
    /// Opcode of the message that `body` collects; `CONTINUATION` stands for none.
    message: u8,
    /// Whether the data frame being read is the message's last.
    fin: bool,
    head_len: u8,
    head: [u8; HEAD_BYTES],
    /// Payload bytes of the frame being read that have not come.
    missing: usize,
    limit: usize,
    body: Vec<u8>,
    /// Up to here `body` is UTF-8; what follows is at most the start of one character.
    checked: usize,
    /// Where compression was agreed on.
    inflater: Option<Box<Inflater>>,
    /// The message that `body` collects came compressed.
    compressed: bool,
    /// A step of inflation is done, and there is more to do with what is here.
    paused: bool,
    /// A control frame that came in parts, boxed because that is rare.
    control: Option<Box<(u8, Control)>>,
}

impl MessageReader {
    /// Refuses messages of more than `limit_bytes`, inflated or not.
    pub fn new(limit_bytes: usize, inflater: Option<Inflater>) -> Self {
        Self {
            stage: Stage::Idle,
            message: CONTINUATION,
            fin: false,
            head_len: 0,
            head: [0; HEAD_BYTES],
            missing: 0,
            limit: limit_bytes,
            body: Vec::new(),
            checked: 0,
            inflater: inflater.map(Box::new),
            compressed: false,
            paused: false,
            control: None,
        }
    }

    /// Takes one message, or all there is, from the front of `input`. `None` says that the input is
    /// used up, unless the reader `is_paused`: then it wants to be asked again, with what is left. After a close frame and after a violation the rest is swallowed.
    #[inline]
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Incoming<'a>>, Violation> {
        // A whole small message, which nearly all are. Bits: final, none reserved, text or binary.
        if self.stage == Stage::Idle
            && let [first @ (0x81 | 0x82), length @ 0..=125, rest @ ..] = *input
            && let Some((payload, rest)) = rest.split_at_checked(usize::from(*length))
            && payload.len() <= self.limit
        {
            *input = rest;
            return match whole(*first & 15, payload) {
                Ok(incoming) => Ok(Some(incoming)),
                Err(violation) => Err(self.end(violation)),
            };
        }
        if self.stage == Stage::Idle && input.is_empty() {
            return Ok(None);
        }
        self.advance(input).map_err(|violation| self.end(violation))
    }

    /// The collected message, to be read into, while much of its payload is missing: append at most
    /// as many bytes as said, for which there is room, and tell `body_filled`.
    pub fn body_target(&mut self) -> Option<(&mut Vec<u8>, usize)> {
        if self.stage != Stage::Body || self.missing < DIRECT_BYTES || self.compressed {
            return None;
        }
        if self.body.capacity() - self.body.len() < DIRECT_BYTES {
            // Without memory there is no target, and `next` says why.
            self.reserve(0).ok()?;
        }
        let room = self.missing.min(self.body.capacity() - self.body.len());
        Some((&mut self.body, room))
    }

    /// It has stopped for others' sake in the middle of what is here already.
    #[inline]
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Nothing comes for a while: memory that is not needed between messages is given back.
    pub fn rest(&mut self) {
        if self.message == CONTINUATION
            && let Some(inflater) = &mut self.inflater
        {
            inflater.rest();
        }
    }

    /// `n` bytes have been appended to the target. A message that is whole now is what `next` gives,
    /// on empty input too.
    pub fn body_filled(&mut self, n: usize) -> Result<(), Violation> {
        debug_assert!(n <= self.missing);
        self.missing = self.missing.saturating_sub(n);
        self.check_text().map_err(|violation| self.end(violation))
    }

    #[inline(never)]
    fn advance<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Incoming<'a>>, Violation> {
        self.paused = false;
        loop {
            match self.stage {
                Stage::Idle | Stage::Head => {
                    let Some(head) = self.take_head(input)? else { return Ok(None) };
                    if let Some(incoming) = self.start(head, input)? {
                        return Ok(Some(incoming));
                    }
                }
                Stage::Body => {
                    if self.compressed {
                        self.inflate_body(input)?;
                    } else {
                        self.take_body(input)?;
                    }
                    if self.missing > 0 || self.paused {
                        return Ok(None);
                    }
                    self.stage = Stage::Head;
                    if self.fin && self.compressed {
                        self.stage = Stage::Inflating;
                    } else if self.fin {
                        return self.finish().map(Some);
                    }
                }
                Stage::Inflating => {
                    self.inflate_end()?;
                    if self.paused {
                        return Ok(None);
                    }
                    return self.finish().map(Some);
                }
                Stage::Control => {
                    let part = take(input, self.missing);
                    self.missing -= part.len();
                    let Some(held) = &mut self.control else { return Ok(None) };
                    held.1.push(part);
                    if self.missing > 0 {
                        return Ok(None);
                    }
                    let (opcode, control) = **held;
                    self.control = None;
                    return self.control_frame(opcode, control).map(Some);
                }
                Stage::Ended => {
                    *input = &[];
                    return Ok(None);
                }
            }
        }
    }

    fn take_head(&mut self, input: &mut &[u8]) -> Result<Option<Head>, Violation> {
        if self.head_len == 0 {
            self.check_start(input)?;
            if let Some(head) = frame::parse_head(input)? {
                *input = &input[head.size..];
                return Ok(Some(head));
            }
        }
        // Byte by byte, so that nothing of the payload is taken; at most nine times in a frame.
        while let [first, rest @ ..] = *input {
            *input = rest;
            self.stage = Stage::Head;
            self.head[usize::from(self.head_len)] = *first;
            self.head_len += 1;
            let held = &self.head[..usize::from(self.head_len)];
            self.check_start(held)?;
            if let Some(head) = frame::parse_head(held)? {
                self.head_len = 0;
                return Ok(Some(head));
            }
        }
        Ok(None)
    }

    /// Judges the first two bytes of a head as soon as they are there, before any length.
    fn check_start(&self, head: &[u8]) -> Result<(), Violation> {
        let [first, second, ..] = *head else { return Ok(()) };
        let within = self.message != CONTINUATION;
        let fault = match first & 15 {
            _ if second & 0x80 != 0 => "masked frame from a server",
            TEXT | BINARY if first & 0x70 == RSV1 && !within && self.inflater.is_some() => return Ok(()),
            _ if first & 0x70 != 0 => "reserved bit set",
            CONTINUATION if !within => "continuation of no message",
            TEXT | BINARY if within => "new message within a message",
            CONTINUATION | TEXT | BINARY => return Ok(()),
            CLOSE | PING | PONG if first & 0x80 == 0 => "fragmented control frame",
            CLOSE | PING | PONG if usize::from(second) > MAX_CONTROL_BYTES => "control frame too long",
            CLOSE | PING | PONG => return Ok(()),
            _ => "unknown opcode",
        };
        Err(Violation::Protocol(fault))
    }

    /// Begins the payload of a judged head. Gives what is whole in the input already.
    fn start<'a>(&mut self, head: Head, input: &mut &'a [u8]) -> Result<Option<Incoming<'a>>, Violation> {
        let is_control = head.opcode >= CLOSE;
        let most = if is_control {
            MAX_CONTROL_BYTES
        } else if head.rsv != 0 || head.opcode == CONTINUATION && self.compressed {
            // Its size is known when it is inflated; but nothing that fits takes twice the bytes compressed.
            self.limit.saturating_mul(2).saturating_add(STEP_BYTES)
        } else {
            self.limit.saturating_sub(self.body.len())
        };
        let length = match usize::try_from(head.length) {
            Ok(length) if length <= most => length,
            _ => return Err(Violation::TooBig),
        };
        if is_control {
            let mut control = Control::EMPTY;
            control.push(take(input, length));
            self.missing = length - control.len();
            if self.missing == 0 {
                return self.control_frame(head.opcode, control).map(Some);
            }
            self.control = Some(Box::new((head.opcode, control)));
            self.stage = Stage::Control;
            return Ok(None);
        }
        if head.opcode != CONTINUATION {
            self.compressed = head.rsv != 0;
            if head.fin
                && !self.compressed
                && let Some((payload, rest)) = input.split_at_checked(length)
            {
                *input = rest;
                self.stage = Stage::Idle;
                return whole(head.opcode, payload).map(Some);
            }
            self.message = head.opcode;
        }
        self.fin = head.fin;
        self.missing = length;
        self.stage = Stage::Body;
        Ok(None)
    }

    fn take_body(&mut self, input: &mut &[u8]) -> Result<(), Violation> {
        let part = take(input, self.missing);
        if part.is_empty() {
            return Ok(());
        }
        self.reserve(part.len())?;
        self.body.extend_from_slice(part);
        self.missing -= part.len();
        self.check_text()
    }

    /// Makes room for `come` bytes that are here, and with them for some that are not: for all that
    /// are known to follow, as far as the bound on memory ahead of the peer goes.
    fn reserve(&mut self, come: usize) -> Result<(), Violation> {
        let here = self.body.len() + come;
        let known = self.body.len() + self.missing;
        if come > 0 && self.body.capacity() >= here {
            return Ok(());
        }
        // Doubling for fragments to come; the last frame's end is the message's own size.
        let wanted = if self.fin { known } else { known.max(2 * here) };
        let capacity = wanted.min(AHEAD_BYTES.max(2 * here)).max(here);
        let more = capacity - self.body.len();
        self.body.try_reserve_exact(more).map_err(|_| Violation::TooBig)
    }

    /// Checks what is new of a text, so that bad bytes fail before the message's end.
    fn check_text(&mut self) -> Result<(), Violation> {
        if self.message == TEXT {
            match simdutf8::compat::from_utf8(&self.body[self.checked..]) {
                Ok(text) => self.checked += text.len(),
                Err(error) if error.error_len().is_none() => self.checked += error.valid_up_to(),
                Err(_) => return Err(Violation::Utf8),
            }
        }
        Ok(())
    }

    fn finish<'a>(&mut self) -> Result<Incoming<'a>, Violation> {
        if self.message == TEXT && self.checked != self.body.len() {
            return Err(Violation::Utf8);
        }
        let body = Payload::Owned(std::mem::take(&mut self.body));
        let incoming = if self.message == TEXT { Incoming::Text(body) } else { Incoming::Binary(body) };
        self.message = CONTINUATION;
        self.compressed = false;
        self.checked = 0;
        self.stage = Stage::Idle;
        Ok(incoming)
    }

    fn control_frame<'a>(&mut self, opcode: u8, control: Control) -> Result<Incoming<'a>, Violation> {
        self.stage = if self.message == CONTINUATION { Stage::Idle } else { Stage::Head };
        Ok(match opcode {
            PING => Incoming::Ping(control),
            PONG => Incoming::Pong(control),
            _ => {
                let said = close::parse(&control)?;
                self.stop();
                Incoming::Close(said)
            }
        })
    }

    #[cold]
    fn end(&mut self, violation: Violation) -> Violation {
        self.stop();
        violation
    }

    fn stop(&mut self) {
        self.stage = Stage::Ended;
        self.body = Vec::new();
        self.inflater = None;
        self.paused = false;
        self.control = None;
    }
}

/// A message in one frame, whole in the input.
#[inline]
fn whole(opcode: u8, payload: &[u8]) -> Result<Incoming<'_>, Violation> {
    if opcode != TEXT {
        return Ok(Incoming::Binary(Payload::Borrowed(payload)));
    }
    match simdutf8::basic::from_utf8(payload) {
        Ok(_) => Ok(Incoming::Text(Payload::Borrowed(payload))),
        Err(_) => Err(Violation::Utf8),
    }
}

/// Takes at most `most` bytes from the front of `input`.
fn take<'a>(input: &mut &'a [u8], most: usize) -> &'a [u8] {
    let (part, rest) = input.split_at(most.min(input.len()));
    *input = rest;
    part
}

#[cfg(test)]
mod tests;
