//! Sending through permessage-deflate (RFC 7692). Messages up to a slice are compressed by who sends them; larger
//! ones are kept, and the task compresses them slice by slice into fragments: neither the caller nor the other
//! sockets of the thread wait for a whole one.

use std::collections::VecDeque;

use super::error::Status;
use super::send::Call;
use super::socket::Half;
use crate::protocol::deflate::Deflater;
use crate::protocol::frame::{self, Pieces};
use crate::protocol::mask;

/// Below this a message goes as it is: it would hardly shrink, and not be worth the time.
const THRESHOLD: usize = 128;
/// Compressed at once, at most: some tenth of a millisecond.
const SLICE: usize = 16 * 1024;
/// With so much on its way there is no hurry to compress more.
const AHEAD: usize = 64 * 1024;

pub struct Compression {
    deflater: Deflater,
    scratch: Vec<u8>,
    /// Messages that the task has to frame, oldest first; the first may be on its way in part.
    waiting: VecDeque<Waiting>,
    /// Code and reason of the close frame that belongs behind them.
    close: Option<(u16, String)>,
}

struct Waiting {
    opcode: u8,
    data: Vec<u8>,
    /// So much of it is in the link.
    done: usize,
    call: Option<Call>,
}

/// Where a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// Into the link, as one frame; its call is the sender's to remember.
    Framed,
    /// It waits for the task, with its call.
    Kept,
}

impl Compression {
    pub fn new(deflater: Deflater) -> Box<Compression> {
        Box::new(Compression { deflater, scratch: Vec::new(), waiting: VecDeque::new(), close: None })
    }

    pub fn take_calls(&mut self) -> impl Iterator<Item = Call> {
        self.waiting.iter_mut().filter_map(|waiting| waiting.call.take())
    }

    fn compress(&mut self, part: &[u8], last: bool) {
        self.scratch.clear();
        self.deflater.add(part, last, &mut self.scratch);
    }
}

impl Half {
    /// Whether there is something that the task has to compress or to frame.
    pub fn has_waiting(&self) -> bool {
        self.compression.as_ref().is_some_and(|compression| !compression.waiting.is_empty())
    }

    /// Puts a message into the link, or keeps it for the task.
    #[inline]
    pub fn put(&mut self, opcode: u8, data: &[u8], call: &mut Option<Call>) -> Result<Put, Status> {
        if self.compression.is_some()
            && let Some(put) = self.put_compressed(opcode, data, call)?
        {
            return Ok(put);
        }
        self.frame(opcode, data)?;
        Ok(Put::Framed)
    }

    /// None: it goes as it is.
    #[cold]
    fn put_compressed(
        &mut self,
        opcode: u8,
        data: &[u8],
        call: &mut Option<Call>,
    ) -> Result<Option<Put>, Status> {
        let Some(compression) = &mut self.compression else { return Ok(None) };
        if !compression.waiting.is_empty() || data.len() > SLICE {
            let waiting = Waiting { opcode, data: data.to_vec(), done: 0, call: call.take() };
            compression.waiting.push_back(waiting);
            return Ok(Some(Put::Kept));
        }
        if data.len() < THRESHOLD {
            return Ok(None);
        }
        compression.compress(data, true);
        self.compressed_frame(true, opcode | frame::RSV1)?;
        Ok(Some(Put::Framed))
    }

    /// One slice of what waits; whether anything was done.
    pub fn compress_slice(&mut self) -> Result<bool, Status> {
        let outbound = self.outbound_len();
        let Some(compression) = &mut self.compression else { return Ok(false) };
        let Some(first) = compression.waiting.front_mut() else { return Ok(false) };
        if outbound > AHEAD {
            return Ok(false);
        }
        let opcode = if first.done == 0 { first.opcode } else { frame::CONTINUATION };
        if first.done == 0 && first.data.len() < THRESHOLD {
            let data = std::mem::take(&mut first.data);
            self.frame(opcode, &data)?;
            self.first_is_framed(data.len());
        } else {
            let end = first.data.len().min(first.done + SLICE);
            let last = end == first.data.len();
            let rsv = if first.done == 0 { frame::RSV1 } else { 0 };
            compression.scratch.clear();
            compression.deflater.add(&first.data[first.done..end], last, &mut compression.scratch);
            first.done = end;
            self.compressed_frame(last, opcode | rsv)?;
            if last {
                self.first_is_framed(end);
            }
        }
        if !self.has_waiting() {
            self.send_kept_close();
        }
        Ok(true)
    }

    /// The first of those that wait is in the link. Until then its call stays where `stop` finds it.
    fn first_is_framed(&mut self, payload: usize) {
        let waiting = self.compression.as_mut().and_then(|compression| compression.waiting.pop_front());
        if let Some(waiting) = waiting {
            self.remember_pending(payload, 1, &mut { waiting.call });
        }
    }

    /// Keeps the host's close frame if messages that were accepted before it wait; else false.
    pub fn keep_close(&mut self, code: u16, reason: &str) -> bool {
        match &mut self.compression {
            Some(compression) if !compression.waiting.is_empty() => {
                compression.close = Some((code, reason.to_owned()));
                true
            }
            _ => false,
        }
    }

    /// The close frame goes now, whatever waits before it.
    pub fn send_kept_close(&mut self) {
        let kept = self.compression.as_mut().and_then(|compression| compression.close.take());
        if let Some((code, reason)) = kept {
            self.queue_close(code, &reason);
        }
    }

    /// Nothing is on its way: memory that is not needed between messages is given back.
    pub fn rest(&mut self) {
        if let Some(link) = &mut self.link {
            link.rest();
        }
        if let Some(compression) = &mut self.compression
            && compression.waiting.is_empty()
        {
            compression.deflater.rest();
            if compression.scratch.capacity() > SLICE {
                compression.scratch = Vec::new();
            }
        }
    }

    /// Frames what is in the scratch buffer.
    fn compressed_frame(&mut self, last: bool, opcode: u8) -> Result<(), Status> {
        let key = mask::next_key().map_err(|_| Status::Internal)?;
        let (Some(compression), Some(link)) = (&self.compression, &mut self.link) else {
            return Err(Status::NotConnected);
        };
        let mut frame = Pieces::new(last, opcode, &compression.scratch, key);
        link.append(frame.len(), |out, most| frame.append(out, most)).map_err(|_| Status::Internal)
    }
}
