//! The receiving half of a connection: from a read to messages, in the socket's task.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::BufMut;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

use super::after::After;
use super::burst::{Burst, Fate};
use super::driver::Driver;
use super::end::End;
use super::error::{Cause, Fault};
use super::establish::tls_fault;
use super::socket::{Counters, Half, count};
use super::state::Phase;
use crate::protocol::message::{Control, Incoming, Violation};
use crate::protocol::{close, frame};
use crate::runtime::clock::Moment;
use crate::runtime::threads;

/// Behind a message that no read can hold another one is expected.
const LARGE: usize = threads::READ_BUFFER;
/// Then so much is read first: the rest of it goes where it will stay, and one more read costs less than the copy. That
/// rest begins on a cache line, to which a kernel copies fastest, if the block of memory begins 16 bytes behind one, as
/// large ones of glibc do: 10 bytes are the frame's head.
const FIRST_OF_LARGE: usize = 10 + 2 * 1024 - 16;

/// With so much on its way to the peer a pong can wait.
const PONGS_AHEAD: usize = 64 * 1024;

/// What a read gave.
pub(super) enum Got {
    Nothing,
    /// So many.
    Bytes(usize),
    /// In a box, so that what reads usually give fits into registers.
    End(Box<Fault>),
}

impl Driver {
    /// Reads once and delivers; whether there was anything.
    pub(super) fn receive(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> bool {
        if self.socket.is_stalled(cx.waker()) {
            self.live.reading(false, Moment::now());
            return false;
        }
        let has_backlog = self.has_backlog();
        if self.live.is_watching() {
            // What the peer says may lie behind what is still to be taken.
            self.live.reading(!has_backlog, Moment::now());
        }
        if has_backlog {
            let backlog = std::mem::take(&mut self.backlog);
            let from = std::mem::take(&mut self.backlog_from);
            let left = self.take(&backlog[from..]);
            if left > 0 {
                self.backlog_from = backlog.len() - left;
                self.backlog = backlog;
            }
            return true;
        }
        if self.peer_close.is_some() {
            // Nothing of the peer counts behind its close frame.
            return false;
        }
        if let Some(fault) = self.end_behind_backlog.take() {
            self.broken(fault);
            return true;
        }
        let got = if self.is_tls { self.read_tls(cx, buffer) } else { self.read_plain(cx, buffer) };
        match got {
            Got::Nothing => match self.write_fault.take() {
                Some(fault) => self.broken(fault),
                None => return false,
            },
            Got::Bytes(_) => self.live.heard(),
            Got::End(fault) => self.broken(*fault),
        }
        true
    }

    fn read_plain(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Got {
        if let Some((body, room)) = self.reader.body_target() {
            // A large message is read where it will stay.
            let mut target = body.limit(room);
            let polled = pin!(self.read.read_buf(&mut target)).poll(cx);
            let got = got(polled, &self.socket.counters);
            if let Got::Bytes(length) = got {
                match self.reader.body_filled(length) {
                    Ok(()) => self.take_all(&[]),
                    Err(violation) => self.violated(violation),
                }
            }
            return got;
        }
        let most = if self.expects_large { FIRST_OF_LARGE } else { buffer.len() };
        let buffer = &mut buffer[..most];
        let got = self.read_some(cx, buffer);
        if let Got::Bytes(length) = got {
            self.take_all(&buffer[..length]);
        }
        got
    }

    fn read_tls(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Got {
        let length = match self.read_some(cx, buffer) {
            Got::Bytes(length) => length,
            other => return other,
        };
        threads::with_plain_buffer(|plain| self.take_encrypted(&buffer[..length], plain))
    }

    fn take_encrypted(&mut self, bytes: &[u8], plain: &mut Vec<u8>) -> Got {
        let length = bytes.len();
        let decrypted = match &mut self.socket.half.lock().link {
            Some(link) => link.decrypt(bytes, plain),
            None => return Got::End(Box::new(Fault::reset(None))),
        };
        self.take_all(plain);
        let fault = match decrypted {
            Ok(false) => return Got::Bytes(length),
            Ok(true) if self.peer_close.is_some() => return Got::Bytes(length),
            Ok(true) => Fault::reset(None),
            Err(error) => tls_fault(&error, 0),
        };
        if self.has_backlog() {
            self.end_behind_backlog = Some(fault);
            return Got::Bytes(length);
        }
        Got::End(Box::new(fault))
    }

    pub(super) fn read_some(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Got {
        let mut target = ReadBuf::new(buffer);
        let polled = Pin::new(&mut self.read).poll_read(cx, &mut target);
        got(polled.map_ok(|()| target.filled().len()), &self.socket.counters)
    }

    /// Whether there is something to take before the next read.
    fn has_backlog(&self) -> bool {
        !self.backlog.is_empty() || self.reader.is_paused()
    }

    /// Takes messages out of what was read, and keeps the rest.
    fn take_all(&mut self, bytes: &[u8]) {
        let left = self.take(bytes);
        if left > 0 {
            self.backlog = bytes[bytes.len() - left..].to_vec();
        }
    }

    /// Takes messages as long as the host may have more, and others need not wait; how many bytes are left.
    fn take(&mut self, bytes: &[u8]) -> usize {
        let mut input = bytes;
        let socket = Arc::clone(&self.socket);
        // What the callbacks send needs no wake-up: the task looks at it before it sleeps.
        socket.set_asleep(false);
        let mut burst = Burst::new(&socket);
        loop {
            let (text, payload) = match self.reader.next(&mut input) {
                Ok(None) => return input.len(),
                Ok(Some(Incoming::Text(payload))) => (true, payload),
                Ok(Some(Incoming::Binary(payload))) => (false, payload),
                Ok(Some(other)) => {
                    drop(burst);
                    if self.control(other) {
                        return 0;
                    }
                    burst = Burst::new(&socket);
                    continue;
                }
                Err(violation) => {
                    drop(burst);
                    self.violated(violation);
                    return 0;
                }
            };
            self.expects_large = payload.len() >= LARGE;
            if socket.app.settings.idle_timeout.is_some() {
                self.live.message(Moment::now());
            }
            if burst.deliver(text, payload) == Fate::Queued && socket.is_full() {
                return input.len();
            }
        }
    }

    /// A control frame; true if nothing counts behind it.
    fn control(&mut self, incoming: Incoming<'_>) -> bool {
        match incoming {
            Incoming::Text(_) | Incoming::Binary(_) => {}
            Incoming::Ping(ping) => self.answer(ping),
            Incoming::Pong(_) => count(&self.socket.counters.pongs_received, 1),
            Incoming::Close(said) => {
                self.peer_closes(said);
                return true;
            }
        }
        false
    }

    fn answer(&mut self, ping: Control) {
        let socket = Arc::clone(&self.socket);
        self.pong(&mut socket.half.lock(), ping);
    }

    /// Answers a ping, or remembers it if the peer does not read: the newest alone, as may be (RFC 6455, 5.5.3).
    pub(super) fn pong(&mut self, half: &mut Half, ping: Control) {
        // Behind our close frame nothing is sent any more.
        if half.phase != Phase::Open {
            return;
        }
        if half.outbound_len() > PONGS_AHEAD {
            self.unanswered = Some(Box::new(ping));
        } else if half.frame(frame::PONG, &ping).is_err() {
            half.link = None;
        }
    }

    fn peer_closes(&mut self, said: Option<(u16, String)>) {
        let mut half = self.socket.half.lock();
        if half.phase == Phase::Open {
            half.phase = Phase::PeerClosing;
            half.queue_close(said.as_ref().map_or(close::NO_STATUS, |(code, _)| *code), "");
            self.answer_due = Some(Moment::now().plus(self.socket.app.settings.close_timeout));
        }
        half.send_kept_close();
        self.peer_close = Some(said);
    }

    fn violated(&mut self, violation: Violation) {
        let (cause, detail) = match violation {
            Violation::Protocol(detail) => (Cause::ProtocolError, detail),
            Violation::Deflate => (Cause::ProtocolError, "bad compressed data"),
            Violation::Utf8 => (Cause::BadUtf8, "not UTF-8"),
            Violation::TooBig => (Cause::TooBig, "message over the limit"),
        };
        let mut after = After::new(&self.socket.app);
        let mut half = self.socket.half.lock();
        if half.phase == Phase::Open {
            half.queue_close(violation.close_code(), "");
        }
        self.socket.finish(&mut half, End::Broken(Fault::with_detail(cause, detail)), &mut after);
    }

    fn broken(&mut self, fault: Fault) {
        let socket = Arc::clone(&self.socket);
        let mut after = After::new(&socket.app);
        let mut half = socket.half.lock();
        self.end_broken(fault, &mut half, &mut after);
    }
}

fn got(polled: Poll<std::io::Result<usize>>, counters: &Counters) -> Got {
    match polled {
        Poll::Pending => Got::Nothing,
        Poll::Ready(Ok(0)) => Got::End(Box::new(Fault::reset(None))),
        Poll::Ready(Err(error)) => Got::End(Box::new(Fault::reset(Some(&error)))),
        Poll::Ready(Ok(length)) => {
            count(&counters.wire_bytes_received, length as u64);
            Got::Bytes(length)
        }
    }
}
