//! Carries frames of an open connection: reads, answers, flushes, watches the deadlines, and parts.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BufMut;
use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedReadHalf;

use super::after::After;
use super::end::End;
use super::error::{Cause, Fault};
use super::establish::tls_fault;
use super::event::{Closed, Initiator, Payload};
use super::liveness::Liveness;
use super::socket::{Half, Orders, Socket, count};
use super::state::Phase;
use crate::protocol::message::{self, Incoming, MessageReader, Violation};
use crate::protocol::{close, frame};
use crate::runtime::clock::{self, Moment};
use crate::runtime::threads;

/// Reads in one turn, before other sockets of the thread get theirs.
const READS_PER_TURN: usize = 16;
/// One read.
const READ: usize = 64 * 1024;
/// How long the peer may take to end the connection after the closing handshake (RFC 6455, 7.1.1).
const PARTING: Duration = Duration::from_secs(2);

pub struct Driver {
    pub(super) socket: Arc<Socket>,
    pub(super) read: OwnedReadHalf,
    pub(super) reader: MessageReader,
    pub(super) is_tls: bool,
    /// Read, and not yet taken because the host had as much as may wait.
    pub(super) backlog: Vec<u8>,
    pub(super) live: Liveness,
    pub(super) timer: Option<(Moment, Pin<Box<tokio::time::Sleep>>)>,
    /// The peer's close frame came, with what it said.
    pub(super) peer_close: Option<Option<(u16, String)>>,
    /// Until when the answer to it must be out.
    pub(super) answer_due: Option<Moment>,
    /// Writing failed; what the peer has sent before is still read.
    pub(super) write_fault: Option<Fault>,
    pub(super) blocked: bool,
    /// The socket has ended: until when the connection is kept for the peer.
    pub(super) parting: Option<Moment>,
}

/// What a read gave.
enum Got {
    Nothing,
    Bytes,
    End(Fault),
}

impl Driver {
    pub fn new(socket: Arc<Socket>, read: OwnedReadHalf, early: Vec<u8>) -> Driver {
        let settings = &socket.app.settings;
        let live = Liveness::new(
            settings.ping_interval,
            settings.pong_timeout,
            settings.idle_timeout,
            Moment::now(),
        );
        let reader = MessageReader::new(settings.message_limit);
        let mut backlog = early;
        let is_tls = match &mut socket.half.lock().link {
            // A fault in here shows again at the next read.
            Some(link) => link.take_plain(&mut backlog).is_ok() && link.is_tls(),
            None => false,
        };
        Driver {
            socket,
            read,
            reader,
            is_tls,
            backlog,
            live,
            timer: None,
            peer_close: None,
            answer_due: None,
            write_fault: None,
            blocked: false,
            parting: None,
        }
    }

    /// One turn. Ready when the connection is gone.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..READS_PER_TURN {
            self.obey();
            if self.parting.is_some() {
                return self.part(cx);
            }
            let received = self.receive(cx);
            let flushed = self.transmit(cx);
            self.check_deadlines(cx);
            if !received && !flushed && self.rest(cx) {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Does what others ordered.
    fn obey(&mut self) {
        let socket = Arc::clone(&self.socket);
        let mut after = After::new(&socket.app);
        let mut half = socket.half.lock();
        half.armed = false;
        half.news = false;
        let orders = std::mem::take(&mut half.orders);
        if orders.any() && half.phase != Phase::Ended {
            self.follow(&orders, &mut half, &mut after);
        }
        if half.phase == Phase::Ended && self.parting.is_none() {
            self.parting = Some(Moment::now().plus(PARTING));
            if let Some(link) = &mut half.link
                && link.finish_writing().is_err()
            {
                half.link = None;
            }
        }
    }

    fn follow(&mut self, orders: &Orders, half: &mut Half, after: &mut After<'_>) {
        #[cfg(feature = "test-hooks")]
        if orders.panic {
            panic!("asked for by a test");
        }
        if orders.interrupt {
            if half.phase == Phase::Open {
                half.queue_close(close::GOING_AWAY, "");
            }
            self.socket.finish(half, End::Policy(Cause::Interrupted), after);
            return;
        }
        if orders.probe && half.phase == Phase::Open {
            self.live.probe(Moment::now());
            self.ping(half);
        }
    }

    pub(super) fn ping(&self, half: &mut Half) {
        // Without a link the connection is ending anyway.
        if half.frame(frame::PING, b"").is_ok() {
            count(&self.socket.counters.pings_sent, 1);
        }
    }

    /// Reads once and delivers; whether there was anything.
    fn receive(&mut self, cx: &mut Context<'_>) -> bool {
        if self.socket.is_stalled(cx.waker()) {
            self.live.reading(false, Moment::now());
            return false;
        }
        if self.live.is_watching() {
            self.live.reading(true, Moment::now());
        }
        if !self.backlog.is_empty() {
            let backlog = std::mem::take(&mut self.backlog);
            self.take(&backlog);
            return true;
        }
        if self.peer_close.is_some() {
            // Nothing of the peer counts behind its close frame.
            return false;
        }
        let got = if self.is_tls { self.read_tls(cx) } else { self.read_plain(cx) };
        match got {
            Got::Nothing => match self.write_fault.take() {
                Some(fault) => self.broken(fault),
                None => return false,
            },
            Got::Bytes => self.live.heard(),
            Got::End(fault) => self.broken(fault),
        }
        true
    }

    fn read_plain(&mut self, cx: &mut Context<'_>) -> Got {
        if let Some((body, room)) = self.reader.body_target() {
            // A large message is read where it will stay.
            let mut target = body.limit(room);
            let polled = pin!(self.read.read_buf(&mut target)).poll(cx);
            return match polled {
                Poll::Pending => Got::Nothing,
                Poll::Ready(Ok(0)) => Got::End(Fault::reset(None)),
                Poll::Ready(Err(error)) => Got::End(Fault::reset(Some(&error))),
                Poll::Ready(Ok(length)) => {
                    count(&self.socket.counters.wire_bytes_received, length as u64);
                    match self.reader.body_filled(length) {
                        Ok(()) => self.take(&[]),
                        Err(violation) => self.violated(violation),
                    }
                    Got::Bytes
                }
            };
        }
        threads::with_read_buffer(|buffer| match self.read_some(cx, buffer) {
            Got::Bytes => {
                self.take(buffer);
                Got::Bytes
            }
            other => other,
        })
    }

    fn read_tls(&mut self, cx: &mut Context<'_>) -> Got {
        threads::with_read_buffer(|buffer| {
            match self.read_some(cx, buffer) {
                Got::Bytes => {}
                other => return other,
            }
            let mut plain = Vec::with_capacity(buffer.len());
            let decrypted = match &mut self.socket.half.lock().link {
                Some(link) => link.decrypt(buffer, &mut plain),
                None => return Got::End(Fault::reset(None)),
            };
            self.take(&plain);
            match decrypted {
                Ok(false) => Got::Bytes,
                Ok(true) if self.peer_close.is_some() => Got::Bytes,
                Ok(true) => Got::End(Fault::reset(None)),
                Err(error) => Got::End(tls_fault(&error, 0)),
            }
        })
    }

    fn read_some(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<u8>) -> Got {
        let mut target = buffer.limit(READ);
        match pin!(self.read.read_buf(&mut target)).poll(cx) {
            Poll::Pending => Got::Nothing,
            Poll::Ready(Ok(0)) => Got::End(Fault::reset(None)),
            Poll::Ready(Err(error)) => Got::End(Fault::reset(Some(&error))),
            Poll::Ready(Ok(length)) => {
                count(&self.socket.counters.wire_bytes_received, length as u64);
                Got::Bytes
            }
        }
    }

    /// Takes messages out of what was read, as long as the host may have more.
    fn take(&mut self, bytes: &[u8]) {
        let mut input = bytes;
        loop {
            match self.reader.next(&mut input) {
                Ok(None) => return,
                Ok(Some(Incoming::Text(payload))) => {
                    Self::deliver(&self.socket, &mut self.live, true, payload)
                }
                Ok(Some(Incoming::Binary(payload))) => {
                    Self::deliver(&self.socket, &mut self.live, false, payload);
                }
                Ok(Some(Incoming::Ping(payload))) => self.answer(frame::PONG, &payload),
                Ok(Some(Incoming::Pong(_))) => count(&self.socket.counters.pongs_received, 1),
                Ok(Some(Incoming::Close(said))) => {
                    self.peer_closes(said);
                    return;
                }
                Err(violation) => {
                    self.violated(violation);
                    return;
                }
            }
            if self.socket.is_full() {
                self.backlog = input.to_vec();
                return;
            }
        }
    }

    fn deliver(socket: &Arc<Socket>, live: &mut Liveness, text: bool, payload: message::Payload<'_>) {
        let payload = match payload {
            message::Payload::Borrowed(bytes) => Payload::Borrowed(bytes),
            message::Payload::Owned(bytes) => Payload::Owned(bytes),
        };
        count(&socket.counters.messages_received, 1);
        count(&socket.counters.payload_bytes_received, payload.len() as u64);
        if socket.app.settings.idle_timeout.is_some() {
            live.message(Moment::now());
        }
        socket.app.deliver_message(socket, text, payload);
    }

    fn answer(&self, opcode: u8, payload: &[u8]) {
        let mut half = self.socket.half.lock();
        // Behind our close frame nothing is sent any more.
        if half.phase == Phase::Open && half.frame(opcode, payload).is_err() {
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
        self.peer_close = Some(said);
    }

    fn violated(&mut self, violation: Violation) {
        let (cause, detail) = match violation {
            Violation::Protocol(detail) => (Cause::ProtocolError, detail),
            Violation::Utf8 => (Cause::BadUtf8, "not UTF-8"),
            Violation::TooBig => (Cause::TooBig, "message over the limit"),
        };
        let socket = Arc::clone(&self.socket);
        let mut after = After::new(&socket.app);
        let mut half = socket.half.lock();
        if half.phase == Phase::Open {
            half.queue_close(violation.close_code(), "");
        }
        socket.finish(&mut half, End::Broken(Fault::with_detail(cause, detail)), &mut after);
    }

    fn broken(&mut self, fault: Fault) {
        let socket = Arc::clone(&self.socket);
        let mut after = After::new(&socket.app);
        let mut half = socket.half.lock();
        half.link = None;
        let end = match self.peer_close.take() {
            Some(said) => End::Closed(closed(said, &half, Some(&fault))),
            None => End::Broken(fault),
        };
        socket.finish(&mut half, end, &mut after);
    }

    /// Flushes, and tells what that brought; whether something is new.
    pub(super) fn transmit(&mut self, cx: &mut Context<'_>) -> bool {
        let socket = Arc::clone(&self.socket);
        let mut after = After::new(&socket.app);
        let mut half = socket.half.lock();
        if half.phase == Phase::Ended {
            return true;
        }
        let polled = match &mut half.link {
            Some(link) if self.write_fault.is_none() => link.poll_flush(cx),
            _ => Poll::Pending,
        };
        self.blocked = polled.is_pending();
        if let Poll::Ready(Err(error)) = polled {
            self.write_fault = Some(Fault::reset(Some(&error)));
            if self.peer_close.is_some() || self.socket.is_full() {
                drop(half);
                drop(after);
                let fault = self.write_fault.take().unwrap_or_default();
                self.broken(fault);
            }
            return true;
        }
        socket.settle(&mut half, &mut after);
        if let Some(at) = half.last_sent.take() {
            self.live.message(at);
        }
        if self.peer_close.is_some() && !half.has_outbound() {
            let said = self.peer_close.take().flatten();
            let end = End::Closed(closed(said, &half, None));
            socket.finish(&mut half, end, &mut after);
            return true;
        }
        false
    }

    /// Whether there is nothing to do until somebody wakes the task.
    fn rest(&mut self, cx: &mut Context<'_>) -> bool {
        let mut half = self.socket.half.lock();
        if half.news || half.phase == Phase::Ended || half.has_outbound() && !self.blocked {
            return false;
        }
        if half.waker.as_ref().is_none_or(|waker| !waker.will_wake(cx.waker())) {
            half.waker = Some(cx.waker().clone());
        }
        half.armed = true;
        true
    }

    /// The socket has ended: gets the last frames out, and leaves the end of the connection to the peer.
    fn part(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(until) = self.parting else { return Poll::Ready(()) };
        let mut half = self.socket.half.lock();
        let Some(link) = &mut half.link else { return Poll::Ready(()) };
        match link.poll_flush(cx) {
            Poll::Ready(Ok(())) if !self.socket.is_released() => {}
            Poll::Pending => {}
            Poll::Ready(_) => {
                half.link = None;
                return Poll::Ready(());
            }
        }
        drop(half);
        for _ in 0..READS_PER_TURN {
            match threads::with_read_buffer(|buffer| self.read_some(cx, buffer)) {
                Got::Bytes => {}
                Got::Nothing => return self.part_until(until, cx),
                Got::End(_) => {
                    self.socket.half.lock().link = None;
                    return Poll::Ready(());
                }
            }
        }
        cx.waker().wake_by_ref();
        self.part_until(until, cx)
    }

    fn part_until(&mut self, until: Moment, cx: &mut Context<'_>) -> Poll<()> {
        if self.timer.as_ref().is_none_or(|(moment, _)| *moment != until) {
            self.timer = Some((until, Box::pin(clock::timer(until))));
        }
        if let Some((_, timer)) = &mut self.timer
            && timer.as_mut().poll(cx).is_pending()
        {
            let mut half = self.socket.half.lock();
            half.waker = Some(cx.waker().clone());
            half.armed = true;
            if half.news {
                // Released meanwhile: the connection is not kept for the peer any more.
                cx.waker().wake_by_ref();
            }
            return Poll::Pending;
        }
        self.socket.half.lock().link = None;
        Poll::Ready(())
    }
}

/// `close` after the peer's close frame; `fault` if our answer did not get out.
pub(super) fn closed(said: Option<(u16, String)>, half: &Half, fault: Option<&Fault>) -> Closed {
    let (code, reason) = said.unwrap_or((close::NO_STATUS, String::new()));
    let initiator = half.close.as_ref().map_or(Initiator::Peer, |close| close.initiator);
    Closed {
        code,
        reason: reason.into(),
        was_clean: fault.is_none(),
        initiator,
        cause: fault.map_or(Cause::None, |fault| fault.cause),
        os_error: fault.map_or(0, |fault| fault.os_error),
    }
}
