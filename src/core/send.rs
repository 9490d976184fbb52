//! Sending: from a call on any thread to the operating system.
//!
//! A message is framed into the link at once. If nothing stands before it, and the last such write was long
//! enough ago, the caller's thread writes it; otherwise the task does, with all that has gathered.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::after::After;
use super::app::State;
use super::compress::Put;
use super::delivery::Item;
use super::error::{Fault, Status};
use super::event::{Api, Record};
use super::handler::CallHandler;
use super::release::CallGuard;
use super::scope;
use super::socket::{Half, Socket, count};
use crate::protocol::frame::{self, Pieces};
use crate::protocol::mask;
use crate::runtime::clock::{Moment, Tick};
use crate::transport::link::Link;

/// Sends that follow each other faster gather into one write of the task: a system call for each small
/// message costs more than waking a thread.
const INLINE_PAUSE_NS: u64 = 5_000;
/// From this size on the copy is what costs, and nothing is gained by gathering.
const NOT_SMALL: usize = 16 * 1024;
/// What frames and TLS may add to the payloads that wait, before that counts as full.
const FRAMES_AHEAD: usize = 64 * 1024;

/// The pending result of one call. Dropping it unresolved resolves it: as an error of the library while a
/// panic unwinds, else as ended.
pub struct Call {
    handler: Option<Box<dyn CallHandler>>,
    socket: Arc<Socket>,
    api: Api,
}

impl Call {
    pub fn new(socket: &Arc<Socket>, api: Api, handler: Box<dyn CallHandler>) -> Call {
        Call { handler: Some(handler), socket: Arc::clone(socket), api }
    }

    /// Posts `success` and `complete`. `state`: the app's, where the caller has its lock.
    pub fn succeed(self, state: Option<&mut State>, after: &mut After<'_>) {
        let record = self.socket.app.settings.flavour.accepted(self.api);
        self.resolve(record, state, after);
    }

    /// Posts `fail` and `complete`.
    pub fn fail(self, status: Status, subject: &str, fault: Fault, after: &mut After<'_>) {
        let record = self.socket.app.settings.flavour.failed(self.api, status, subject, fault);
        self.resolve(record, None, after);
    }

    fn resolve(mut self, record: Record, state: Option<&mut State>, after: &mut After<'_>) {
        let Some(handler) = self.handler.take() else { return };
        let item = Item::Result { socket: Arc::clone(&self.socket), handler, record };
        match state {
            Some(state) => self.socket.app.post_locked(state, item, after),
            None => self.socket.app.post(item, after),
        }
    }

    /// The call of a released socket: nobody is told, but its user data has its place in the order.
    pub fn into_silent(mut self) -> Option<Item> {
        let handler = self.handler.take()?;
        let record = self.socket.app.settings.flavour.accepted(self.api);
        Some(Item::Result { socket: Arc::clone(&self.socket), handler, record })
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let Some(handler) = self.handler.take() else { return };
        let status = if std::thread::panicking() { Status::Internal } else { Status::NotConnected };
        let app = &self.socket.app;
        let record = app.settings.flavour.failed(self.api, status, "", Fault::default());
        let mut after = After::new(app);
        app.post(Item::Result { socket: Arc::clone(&self.socket), handler, record }, &mut after);
    }
}

/// A send that was refused: the status, and what its text names.
type Refused = (Status, &'static str);

impl Socket {
    /// Sends with callbacks. `probe` runs when the user data has been taken.
    pub fn send(
        self: &Arc<Socket>,
        _guard: CallGuard,
        text: bool,
        data: &[u8],
        handler: Box<dyn CallHandler>,
        probe: impl FnOnce(),
    ) -> Result<(), Status> {
        let call = Call::new(self, Api::Send, handler);
        probe();
        let mut after = After::new(&self.app);
        let mut call = call.unless_silent();
        let written = self.write(text, data, &mut call, &mut after);
        if let (Err((status, subject)), Some(call)) = (written, call) {
            call.fail(status, subject, Fault::default(), &mut after);
        }
        written.map_err(|(status, _)| status)
    }

    /// Sends without callbacks.
    pub fn send_quietly(self: &Arc<Socket>, text: bool, data: &[u8]) -> Result<(), Status> {
        let mut after = After::new(&self.app);
        self.write(text, data, &mut None, &mut after).map_err(|(status, _)| status)
    }

    /// Takes the call over if it accepts the message.
    fn write(
        self: &Arc<Socket>,
        text: bool,
        data: &[u8],
        call: &mut Option<Call>,
        after: &mut After<'_>,
    ) -> Result<(), Refused> {
        if self.app.is_in_background() {
            return Err((Status::Interrupted, ""));
        }
        let valid = !text || simdutf8::basic::from_utf8(data).is_ok();
        let limit = self.app.settings.send_limit;
        let mut half = self.half.lock();
        if !half.phase.accepts_messages(self.told()) {
            return Err((Status::NotConnected, ""));
        }
        if !valid {
            return Err((Status::Parameter, "data"));
        }
        if data.len() > limit {
            return Err((Status::MessageTooBig, ""));
        }
        if half.is_full(limit) {
            half.owes_drain = true;
            return Err((Status::Full, ""));
        }
        let opcode = if text { frame::TEXT } else { frame::BINARY };
        let was_idle = half.pending.is_empty() && !half.has_outbound();
        let put = match half.put(opcode, data, call) {
            Ok(put) => put,
            Err(_) => {
                // A part of the frame may be in the link: nothing can follow it, which the task finds.
                half.link = None;
                after.wake(self.wake_task(&mut half));
                return Err((Status::Internal, ""));
            }
        };
        if self.app.settings.idle_timeout.is_some() {
            half.last_sent = Some(Moment::now());
        }
        if was_idle && put == Put::Framed && self.may_write_here(&mut half, data.len()) {
            // Under the app's lock, the answer to it cannot be posted before its result.
            let mut state = call.as_ref().map(|_| self.app.state.lock());
            if half.write_here() {
                self.went_out(&half, data.len(), call, state.as_deref_mut(), after);
                return Ok(());
            }
        }
        half.buffered += data.len();
        if put == Put::Framed {
            half.remember_pending(data.len(), 1, call);
        }
        self.wake_to_flush(&mut half, after);
        Ok(())
    }

    /// Has the task send what was added, unless it will be woken for that anyway, or this thread does it soon.
    #[inline]
    fn wake_to_flush(self: &Arc<Socket>, half: &mut Half, after: &mut After<'_>) {
        let is_seen_to = half.link.as_ref().is_some_and(Link::is_blocked) || self.leaves_to_dispatch(half);
        if !is_seen_to {
            after.wake(self.wake_task(half));
        }
    }

    /// The operating system has taken a message at once, and all before it.
    #[inline]
    fn went_out(
        &self,
        half: &Half,
        payload: usize,
        call: &mut Option<Call>,
        state: Option<&mut State>,
        after: &mut After<'_>,
    ) {
        if let Some(link) = &half.link {
            self.counters.wire_bytes_sent.store(link.written(), Ordering::Relaxed);
        }
        count(&self.counters.messages_sent, 1);
        count(&self.counters.payload_bytes_sent, payload as u64);
        if let Some(call) = call.take() {
            call.succeed(state, after);
        }
    }

    /// Whether this thread writes, or leaves it to the task.
    fn may_write_here(&self, half: &mut Half, length: usize) -> bool {
        if scope::in_callback() || self.app.is_on_own_thread() {
            return false;
        }
        if length >= NOT_SMALL {
            return true;
        }
        let now = Tick::now();
        let rested = now.since(half.last_inline) > INLINE_PAUSE_NS;
        half.last_inline = now;
        rested
    }

    /// Tells the results of what the operating system has taken. `state`: the app's, where the caller has its lock.
    pub(super) fn settle(&self, half: &mut Half, mut state: Option<&mut State>, after: &mut After<'_>) {
        let Some(link) = &half.link else { return };
        let written = link.written();
        self.counters.wire_bytes_sent.store(written, Ordering::Relaxed);
        while let Some(pending) = half.pending.take_written(written) {
            half.buffered -= pending.payload;
            if pending.messages > 0 {
                count(&self.counters.messages_sent, pending.messages);
                count(&self.counters.payload_bytes_sent, pending.payload as u64);
            }
            if let Some(call) = pending.call {
                call.succeed(state.as_deref_mut(), after);
            }
        }
        if half.owes_drain && half.has_room(self.app.settings.send_limit) {
            half.owes_drain = false;
            if let Some(socket) = self.shared() {
                let item = Item::Drain { socket };
                match state {
                    Some(state) => self.app.post_locked(state, item, after),
                    None => self.app.post(item, after),
                }
            }
        }
    }

    pub fn ping(self: &Arc<Socket>, payload: &[u8]) -> Result<(), Status> {
        if self.app.is_in_background() {
            return Err(Status::Interrupted);
        }
        let mut after = After::new(&self.app);
        let mut half = self.half.lock();
        if !half.phase.accepts_messages(self.told()) {
            return Err(Status::NotConnected);
        }
        if half.is_full(self.app.settings.send_limit) {
            return Err(Status::Full);
        }
        half.frame(frame::PING, payload)?;
        half.buffered += payload.len();
        half.remember_pending(payload.len(), 0, &mut None);
        count(&self.counters.pings_sent, 1);
        self.wake_to_flush(&mut half, &mut after);
        Ok(())
    }

    /// This socket as others hold it; None once it was released.
    fn shared(&self) -> Option<Arc<Socket>> {
        super::handles::socket(self.id()).ok()
    }
}

impl Call {
    /// None if nobody would hear of it.
    fn unless_silent(mut self) -> Option<Call> {
        if self.handler.as_ref().is_none_or(|handler| handler.is_silent()) {
            self.handler = None;
            return None;
        }
        Some(self)
    }
}

impl Half {
    /// Payload counts; and frames, as many as may be for small messages, so that those are bounded too.
    fn is_full(&self, limit: usize) -> bool {
        self.buffered >= limit || self.outbound_len() >= limit.saturating_mul(2).saturating_add(FRAMES_AHEAD)
    }

    /// Half of what may wait is free again.
    fn has_room(&self, limit: usize) -> bool {
        self.buffered <= limit / 2 && self.outbound_len() <= limit.saturating_add(FRAMES_AHEAD)
    }

    pub fn outbound_len(&self) -> usize {
        self.link.as_ref().map_or(0, Link::outbound_len)
    }

    pub fn has_outbound(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.has_outbound())
    }

    /// Puts a frame into the link.
    pub fn frame(&mut self, opcode: u8, payload: &[u8]) -> Result<(), Status> {
        let key = mask::next_key().map_err(|_| Status::Internal)?;
        let link = self.link.as_mut().ok_or(Status::NotConnected)?;
        let mut frame = Pieces::new(true, opcode, payload, key);
        link.append(frame.len(), |out, most| frame.append(out, most)).map_err(|_| Status::Internal)
    }

    /// Takes the call with it.
    pub(super) fn remember_pending(&mut self, payload: usize, messages: u64, call: &mut Option<Call>) {
        let Some(link) = &self.link else { return };
        self.pending.add(link.queued(), payload, messages, call);
    }

    /// Writes without waiting; false if something is left, or the connection is broken, which the task finds.
    pub(super) fn write_here(&mut self) -> bool {
        let is_out = self.link.as_mut().is_some_and(|link| matches!(link.try_flush(), Ok(true)));
        // The pause begins here: a write may take longer than the pause is, and what follows it at once is a burst.
        self.last_inline = Tick::now();
        is_out
    }
}
