//! RFC 6455 and 7692 once more, slow and plain: from a whole stream to what it says.

use flate2::{Decompress, FlushDecompress, Status};

use crate::drive::{Kind, Said};

const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// How much more than the limit a compressed frame may claim.
const COMPRESSED_SLACK: usize = 64 * 1024;

/// Everything that is said in `stream`; an unfinished frame at its end is looked into as far as it goes.
pub fn read(stream: &[u8], limit: usize, mut inflater: Option<Whole>) -> Vec<Said> {
    let mut said = Vec::new();
    if let Err(kind) = read_into(stream, limit, &mut inflater, &mut said) {
        said.push(Said::Broke(kind));
    }
    said
}

struct Message {
    is_text: bool,
    is_compressed: bool,
    bytes: Vec<u8>,
}

fn read_into(
    mut rest: &[u8],
    limit: usize,
    inflater: &mut Option<Whole>,
    said: &mut Vec<Said>,
) -> Result<(), Kind> {
    let mut within: Option<Message> = None;
    while rest.len() >= 2 {
        let (fin, reserved, opcode) = (rest[0] >= 128, rest[0] / 16 % 8, rest[0] % 16);
        let begins = opcode == 1 || opcode == 2;
        let is_control = (8..=10).contains(&opcode);
        let is_compressed = reserved == 4 && begins && inflater.is_some();
        let is_wrong = rest[1] >= 128
            || reserved != 0 && !is_compressed
            || begins && within.is_some()
            || opcode == 0 && within.is_none()
            || !begins && !is_control && opcode != 0
            || is_control && (!fin || rest[1] > 125);
        if is_wrong {
            return Err(Kind::Protocol);
        }

        let wide = [0, 2, 8][usize::from(rest[1]).saturating_sub(125)];
        if rest.len() < 2 + wide {
            break;
        }
        let mut length = u64::from(rest[1]);
        if wide > 0 {
            length = rest[2..2 + wide].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
            if length < [126, 65_536][wide / 8] || length > u64::MAX / 2 {
                return Err(Kind::Protocol);
            }
        }
        rest = &rest[2 + wide..];
        let here = usize::try_from(length).unwrap_or(usize::MAX).min(rest.len());
        let is_whole = here as u64 == length;
        let payload = &rest[..here];

        if is_control {
            if !is_whole {
                break;
            }
            let close = opcode == 8;
            said.push(match opcode {
                8 => Said::Close(close_payload(payload)?),
                9 => Said::Ping(payload.to_vec()),
                _ => Said::Pong(payload.to_vec()),
            });
            if close {
                break;
            }
        } else {
            let mut message =
                within.take().unwrap_or(Message { is_text: opcode == 1, is_compressed, bytes: Vec::new() });
            let most = if message.is_compressed {
                limit.saturating_mul(2).saturating_add(COMPRESSED_SLACK)
            } else {
                limit - message.bytes.len()
            };
            if length > most as u64 {
                return Err(Kind::TooBig);
            }
            match inflater {
                Some(inflater) if message.is_compressed => {
                    inflater.feed(payload, &mut message.bytes, limit)?;
                    if fin && is_whole {
                        inflater.finish(&mut message.bytes, limit)?;
                    }
                }
                _ => message.bytes.extend_from_slice(payload),
            }
            let is_over = fin && is_whole;
            if message.is_text
                && let Err(error) = std::str::from_utf8(&message.bytes)
                && (is_over || error.error_len().is_some())
            {
                return Err(Kind::Utf8);
            }
            if is_over {
                said.push(match message.is_text {
                    true => Said::Text(String::from_utf8(message.bytes).unwrap()),
                    false => Said::Binary(message.bytes),
                });
            } else if is_whole {
                within = Some(message);
            }
        }
        if !is_whole {
            break;
        }
        rest = &rest[here..];
    }
    Ok(())
}

/// Code and reason of a close frame, by RFC 6455, 5.5.1 and 7.4, and what was registered since.
pub fn close_payload(payload: &[u8]) -> Result<Option<(u16, String)>, Kind> {
    if payload.is_empty() {
        return Ok(None);
    }
    if payload.len() == 1 {
        return Err(Kind::Protocol);
    }
    let code = u16::from(payload[0]) * 256 + u16::from(payload[1]);
    let registered = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014];
    if !registered.contains(&code) && !(3000..5000).contains(&code) {
        return Err(Kind::Protocol);
    }
    match String::from_utf8(payload[2..].to_vec()) {
        Ok(reason) => Ok(Some((code, reason))),
        Err(_) => Err(Kind::Utf8),
    }
}

/// Inflated at once: more than what most messages come to.
const STEP_BYTES: usize = 64 * 1024;

/// Inflates all that it is given in one go.
pub struct Whole {
    stream: Decompress,
    takeover: bool,
    /// The last byte ended a final block.
    ended: bool,
}

impl Whole {
    pub fn new(takeover: bool) -> Self {
        Self { stream: Decompress::new(false), takeover, ended: false }
    }

    pub fn feed(&mut self, mut input: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<(), Kind> {
        let mut room = vec![0; STEP_BYTES.min(limit.saturating_add(1) - out.len())];
        let mut is_full = false;
        while !input.is_empty() || is_full {
            self.ended &= input.is_empty();
            let (taken, made) = (self.stream.total_in(), self.stream.total_out());
            let status = self.stream.decompress(input, &mut room, FlushDecompress::None);
            let status = status.map_err(|_| Kind::Deflate)?;
            let taken = (self.stream.total_in() - taken) as usize;
            let made = (self.stream.total_out() - made) as usize;
            out.extend_from_slice(&room[..made]);
            input = &input[taken..];
            if out.len() > limit {
                return Err(Kind::TooBig);
            }
            is_full = made == room.len();
            if status == Status::StreamEnd {
                self.stream.reset(false);
                self.ended = input.is_empty();
                is_full = false;
            } else if taken == 0 && made == 0 && !input.is_empty() {
                return Err(Kind::Deflate);
            }
        }
        Ok(())
    }

    pub fn finish(&mut self, out: &mut Vec<u8>, limit: usize) -> Result<(), Kind> {
        if !self.ended {
            self.feed(&TAIL, out, limit)?;
        }
        self.ended = false;
        if !self.takeover {
            self.stream.reset(false);
        }
        Ok(())
    }
}
