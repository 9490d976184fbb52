//! Runs the reader of messages as a connection does, and tells what it said.

use crate::input::Plan;
use crate::protocol::message::{Incoming, MessageReader, Violation};

/// What a stream said, in a form that can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(u16, String)>),
    Broke(Kind),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Protocol,
    Utf8,
    TooBig,
    Deflate,
}

fn kind(violation: Violation) -> Kind {
    match violation {
        Violation::Protocol(_) => Kind::Protocol,
        Violation::Utf8 => Kind::Utf8,
        Violation::TooBig => Kind::TooBig,
        Violation::Deflate => Kind::Deflate,
    }
}

fn said(incoming: Incoming<'_>) -> Said {
    match incoming {
        Incoming::Text(text) => Said::Text(String::from_utf8(text.to_vec()).expect("text is UTF-8")),
        Incoming::Binary(bytes) => Said::Binary(bytes.to_vec()),
        Incoming::Ping(payload) => Said::Ping(payload.to_vec()),
        Incoming::Pong(payload) => Said::Pong(payload.to_vec()),
        Incoming::Close(said) => Said::Close(said),
    }
}

/// Bytes of the longest message.
pub fn longest(said: &[Said]) -> usize {
    let length = |said: &Said| match said {
        Said::Text(text) => text.len(),
        Said::Binary(bytes) => bytes.len(),
        _ => 0,
    };
    said.iter().map(length).max().unwrap_or(0)
}

/// Gives the reader one part. Nothing may follow an end.
pub fn feed(reader: &mut MessageReader, mut part: &[u8], mut take: impl FnMut(Result<Incoming<'_>, Kind>)) {
    loop {
        let before = part.len();
        match reader.next(&mut part) {
            Ok(Some(incoming)) => take(Ok(incoming)),
            Ok(None) if reader.is_paused() => {}
            Ok(None) => break assert!(part.is_empty(), "{} of {before} bytes are left", part.len()),
            Err(violation) => take(Err(kind(violation))),
        }
    }
}

struct Log(Vec<Said>);

impl Log {
    fn feed(&mut self, reader: &mut MessageReader, part: &[u8]) {
        feed(reader, part, |incoming| self.push(incoming.map_or_else(Said::Broke, said)));
    }

    fn push(&mut self, said: Said) {
        let last = self.0.last();
        assert!(!matches!(last, Some(Said::Close(_) | Said::Broke(_))), "{said:?} behind {last:?}");
        self.0.push(said);
    }
}

/// Part by part.
pub fn in_parts(mut reader: MessageReader, mut stream: &[u8], plan: &mut Plan) -> Vec<Said> {
    let mut log = Log(Vec::new());
    while !stream.is_empty() {
        log.feed(&mut reader, plan.part(&mut stream));
    }
    log.0
}

/// Part by part, straight into the message where the reader says so.
pub fn direct(mut reader: MessageReader, mut stream: &[u8], plan: &mut Plan) -> Vec<Said> {
    let mut log = Log(Vec::new());
    while !stream.is_empty() {
        let Some((body, room)) = reader.body_target() else {
            log.feed(&mut reader, plan.part(&mut stream));
            continue;
        };
        assert!(room > 0 && body.capacity() - body.len() >= room);
        let mut target = &stream[..room.min(stream.len())];
        let part = plan.part(&mut target);
        stream = &stream[part.len()..];
        body.extend_from_slice(part);
        if let Err(violation) = reader.body_filled(part.len()) {
            log.push(Said::Broke(kind(violation)));
        }
        log.feed(&mut reader, &[]);
    }
    log.0
}
