//! Carries frames of an open connection: each turn reads (`inbound`), then serves: does what others ordered,
//! flushes, watches the deadlines (`deadlines`), and sleeps or parts (`parting`).

use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::net::tcp::OwnedReadHalf;

use super::after::After;
use super::deadlines::after_the_network;
use super::end::End;
use super::error::{Cause, Fault};
use super::establish::tls_fault;
use super::event::{Closed, Initiator};
use super::liveness::Liveness;
use super::socket::{Half, Orders, Socket, count};
use super::state::Phase;
use crate::protocol::deflate::Inflater;
use crate::protocol::message::{self, MessageReader};
use crate::protocol::{close, frame};
use crate::runtime::clock::Moment;
use crate::runtime::threads;
use crate::runtime::timers::Timer;
use crate::transport::tls::TlsError;

/// Reads in one turn, before other sockets of the thread get theirs.
pub(super) const READS_PER_TURN: usize = 16;

pub struct Driver {
    pub(super) socket: Arc<Socket>,
    pub(super) read: OwnedReadHalf,
    pub(super) reader: MessageReader,
    pub(super) is_tls: bool,
    /// Read, and not yet taken because the host had as much as may wait.
    pub(super) backlog: Vec<u8>,
    /// Where what is left of it begins.
    pub(super) backlog_from: usize,
    /// The last message was large: what comes next is read so that it can be read where it will stay.
    pub(super) expects_large: bool,
    /// The connection has ended behind what is in the backlog.
    pub(super) end_behind_backlog: Option<Fault>,
    /// The newest ping that could not be answered yet, because the peer does not read.
    pub(super) unanswered: Option<Box<message::Control>>,
    /// A deadline of liveness has passed; it counts if that is so after another look at the network.
    pub(super) overdue: bool,
    pub(super) live: Liveness,
    pub(super) timer: Option<Timer>,
    /// The peer's close frame came, with what it said.
    pub(super) peer_close: Option<Option<(u16, String)>>,
    /// Until when the answer to it must be out.
    pub(super) answer_due: Option<Moment>,
    /// Writing failed; what the peer has sent before is still read.
    pub(super) write_fault: Option<Fault>,
    /// The operating system takes nothing more for now.
    blocked: bool,
    /// The socket has ended: until when the connection is kept for the peer.
    pub(super) parting: Option<Moment>,
}

/// What a turn's second half left.
#[derive(PartialEq, Eq)]
pub(super) enum Left {
    /// Something to do at once.
    Work,
    /// More to compress, which others need not wait for.
    Yield,
    /// Nothing, until somebody wakes the task, which counts as asleep from here on.
    Sleep,
}

impl Driver {
    pub fn new(
        socket: Arc<Socket>,
        read: OwnedReadHalf,
        early: Vec<u8>,
        inflater: Option<Inflater>,
    ) -> Driver {
        let settings = &socket.app.settings;
        let live = Liveness::new(
            settings.ping_interval,
            settings.pong_timeout,
            settings.idle_timeout,
            Moment::now(),
        );
        let reader = MessageReader::new(settings.message_limit, inflater);
        let mut backlog = early;
        let (is_tls, end_behind_backlog) = match &mut socket.half.lock().link {
            Some(link) => (link.is_tls(), early_end(link.take_early(&mut backlog))),
            None => (false, None),
        };
        if !is_tls {
            count(&socket.counters.wire_bytes_received, backlog.len() as u64);
        }
        Driver {
            socket,
            read,
            reader,
            is_tls,
            backlog,
            backlog_from: 0,
            expects_large: false,
            end_behind_backlog,
            unanswered: None,
            overdue: false,
            live,
            timer: None,
            peer_close: None,
            answer_due: None,
            write_fault: None,
            blocked: false,
            parting: None,
        }
    }

    /// One poll of the task. Ready when the connection is gone.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        threads::with_read_buffer(|buffer| self.turns(cx, buffer))
    }

    fn turns(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<()> {
        self.socket.set_asleep(false);
        let mut ready_to_sleep = false;
        for _ in 0..READS_PER_TURN {
            if let Some(until) = self.parting {
                return self.part(until, cx, buffer);
            }
            let received = self.receive(cx, buffer);
            if ready_to_sleep && !received {
                return Poll::Pending;
            }
            match self.serve(cx) {
                Left::Work => ready_to_sleep = false,
                Left::Yield => break,
                Left::Sleep if !received => return Poll::Pending,
                // Only the socket can have more now; to ask it is to be woken by it.
                Left::Sleep => ready_to_sleep = true,
            }
        }
        // Others first, also those of whom the network has news.
        after_the_network(cx);
        Poll::Pending
    }

    /// The second half of a turn. It looks at the sending half once, for all that it has to do there.
    fn serve(&mut self, cx: &mut Context<'_>) -> Left {
        let socket = Arc::clone(&self.socket);
        let mut after = After::new(&socket.app);
        let mut half = socket.half.lock();
        if std::mem::take(&mut half.news) && half.phase != Phase::Ended {
            let orders = std::mem::take(&mut half.orders);
            self.follow(&orders, &mut half, &mut after);
        }
        if half.phase != Phase::Ended {
            self.transmit(&socket, cx, &mut half, &mut after);
        }
        if half.phase != Phase::Ended {
            self.check_deadlines(cx, &mut half, &mut after);
        }
        if half.phase == Phase::Ended {
            self.start_parting(&mut half);
            return Left::Work;
        }
        if half.has_outbound() && !self.blocked {
            return Left::Work;
        }
        if half.has_waiting() && !self.blocked && self.peer_close.is_none() {
            return Left::Yield;
        }
        half.rest();
        self.reader.rest();
        if half.waker.as_ref().is_none_or(|waker| !waker.will_wake(cx.waker())) {
            half.waker = Some(cx.waker().clone());
        }
        self.socket.set_asleep(true);
        Left::Sleep
    }

    /// Does what others ordered.
    fn follow(&mut self, orders: &Orders, half: &mut Half, after: &mut After<'_>) {
        #[cfg(feature = "test-hooks")]
        if orders.panic {
            panic!("asked for by a test");
        }
        if orders.interrupt {
            if half.phase == Phase::Open {
                half.queue_close(close::GOING_AWAY, "");
            }
            self.end_for(Fault::of(Cause::Interrupted), true, half, after);
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

    /// Flushes, and tells what that brought.
    fn transmit(
        &mut self,
        socket: &Arc<Socket>,
        cx: &mut Context<'_>,
        half: &mut Half,
        after: &mut After<'_>,
    ) {
        let may_compress = matches!(half.phase, Phase::Open | Phase::Closing) && self.peer_close.is_none();
        if half.has_waiting() && may_compress && half.compress_slice().is_err() {
            half.link = None;
        }
        let polled = match &mut half.link {
            Some(link) if self.write_fault.is_none() => link.poll_flush(cx),
            _ => Poll::Pending,
        };
        self.blocked = polled.is_pending();
        // What the system has taken before an error counts.
        socket.settle(half, None, after);
        if let Poll::Ready(Err(error)) = polled {
            let fault = Fault::reset(Some(&error));
            if self.peer_close.is_some() || socket.is_full() {
                self.end_broken(fault, half, after);
            } else {
                // What the peer has sent before is read first: the next read that brings nothing ends it.
                self.write_fault = Some(fault);
            }
            return;
        }
        if half.link.is_none() {
            // A frame could not be made or encrypted: what follows would be out of order.
            self.end_broken(Fault::of(Cause::Internal), half, after);
            return;
        }
        if let Some(ping) = self.unanswered.take() {
            self.pong(half, *ping);
        }
        if let Some(at) = half.last_sent.take() {
            self.live.message(at);
        }
        if self.peer_close.is_some() && !half.has_outbound() {
            let said = self.peer_close.take().flatten();
            let end = End::Closed(closed(said, half, None));
            socket.finish(half, end, after);
        }
    }

    /// It shall end, by the app's policy or because the peer seems dead; what the peer's close frame said goes before.
    pub(super) fn end_for(&mut self, fault: Fault, policy: bool, half: &mut Half, after: &mut After<'_>) {
        let end = match self.peer_close.take() {
            Some(said) => End::Closed(closed(said, half, Some(&fault))),
            None if policy => End::Policy(fault.cause),
            None => End::Broken(fault),
        };
        self.socket.finish(half, end, after);
    }

    /// The connection is lost.
    pub(super) fn end_broken(&mut self, fault: Fault, half: &mut Half, after: &mut After<'_>) {
        if let Some(link) = &mut half.link {
            // An alert of TLS may be in it; the connection is lost whether it gets out or not.
            let _written = link.try_flush();
        }
        half.link = None;
        self.end_for(fault, false, half, after);
    }
}

fn early_end(taken: Result<bool, TlsError>) -> Option<Fault> {
    match taken {
        Ok(false) => None,
        Ok(true) => Some(Fault::reset(None)),
        Err(error) => Some(tls_fault(&error, 0)),
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
