//! How a socket ends: by its host, its peer, the app's policy, or because the connection broke.
//!
//! Whoever ends it, `finish` is the one place that decides what the host is told, in this order: results of
//! calls that were made before, then `error` and `close` as the flavour says, then the end of the user data.

use std::borrow::Cow;
use std::sync::Arc;

use super::after::After;
use super::delivery::Item;
use super::error::{Cause, Fault, Status};
use super::event::{Api, Closed, Initiator, ReadyState};
use super::handler::CallHandler;
use super::release::CallGuard;
use super::send::Call;
use super::socket::{Half, Socket};
use super::state::{CloseStep, Phase};
use crate::protocol::close::{self, CloseArgument};
use crate::protocol::frame;
use crate::runtime::clock::Moment;
use crate::runtime::log;

/// A close that was accepted: code and reason, and until when it may take.
pub struct HostClose {
    pub code: u16,
    pub reason: String,
    pub deadline: Moment,
    pub initiator: Initiator,
}

/// Why a socket ends.
pub enum End {
    /// The handshake failed.
    NotOpened(Status, Fault),
    /// The connection broke, or the peer broke the rules.
    Broken(Fault),
    /// The app's policy ended an open connection.
    Policy(Cause),
    /// A closing handshake, or a close while connecting.
    Closed(Closed),
}

impl Socket {
    /// The host's close. `probe` runs when the user data has been taken.
    pub fn close(
        self: &Arc<Socket>,
        _guard: CallGuard,
        code: u32,
        reason: &[u8],
        handler: Box<dyn CallHandler>,
        probe: impl FnOnce(),
    ) -> Result<(), Status> {
        let call = Call::new(self, Api::Close, handler);
        probe();
        let mut after = After::new(&self.app);
        let code = if code == 0 { u32::from(close::NORMAL) } else { code };
        let refusal = match close::check(code, reason) {
            Ok((code, reason)) => {
                match self.begin_close(code, reason, Initiator::Host, Some(call), &mut after) {
                    Ok(()) => return Ok(()),
                    Err(Some(call)) => (Status::NotConnected, "", call),
                    Err(None) => return Err(Status::NotConnected),
                }
            }
            Err(CloseArgument::Code) => (Status::InvalidCloseCode, "", call),
            Err(CloseArgument::ReasonLength) => (Status::InvalidCloseReason, "", call),
            Err(CloseArgument::ReasonUtf8) => (Status::Parameter, "reason", call),
        };
        let (status, subject, call) = refusal;
        call.fail(status, subject, Fault::default(), &mut after);
        Err(status)
    }

    /// A new socket takes the place of this one (single-socket mode).
    pub(super) fn make_room(self: &Arc<Socket>) {
        let mut after = After::new(&self.app);
        // Refused only if it closes already.
        let _closing = self.begin_close(close::NORMAL, "", Initiator::Library, None, &mut after);
    }

    fn begin_close(
        self: &Arc<Socket>,
        code: u16,
        reason: &str,
        initiator: Initiator,
        mut call: Option<Call>,
        after: &mut After<'_>,
    ) -> Result<(), Option<Call>> {
        let mut half = self.half.lock();
        // What was told is settled under the app's lock: an `open` that is about to run counts as told.
        let step = {
            let mut state = self.app.state.lock();
            let step = half.phase.on_close(self.told());
            if step != CloseStep::Refuse {
                self.set_ready_state(ReadyState::Closing);
                self.drop_messages_from_now();
                self.app.purge(&mut state, self, false, after);
                self.app.free_slot_locked(&mut state, self.id());
            }
            step
        };
        if step == CloseStep::Refuse {
            return Err(call);
        }
        if let Some(call) = call.take() {
            call.succeed(None, after);
        }
        match step {
            CloseStep::Refuse => {}
            CloseStep::Cancel => {
                half.protocol.clear();
                half.extensions.clear();
                if half.link.is_some() {
                    // It is open, but the host does not know: the peer is told as well as may be.
                    half.queue_close(code, reason);
                }
                let closed = Closed {
                    code,
                    reason: Cow::Owned(reason.to_owned()),
                    was_clean: false,
                    initiator,
                    cause: Cause::Cancelled,
                    os_error: 0,
                };
                self.finish(&mut half, End::Closed(closed), after);
            }
            CloseStep::Handshake => self.start_closing(&mut half, code, reason, initiator),
        }
        after.wake(self.wake_task(&mut half));
        Ok(())
    }

    /// Our close frame goes behind what was accepted before it; from here on there is a deadline.
    fn start_closing(&self, half: &mut Half, code: u16, reason: &str, initiator: Initiator) {
        half.phase = Phase::Closing;
        if !half.keep_close(code, reason) {
            half.queue_close(code, reason);
        }
        half.close = Some(HostClose {
            code,
            reason: reason.to_owned(),
            deadline: Moment::now().plus(self.app.settings.close_timeout),
            initiator,
        });
    }

    /// Nothing is accepted any more; gives out the calls that wait. `abandoned`: what was accepted before still goes
    /// out as far as may be, with a goodbye behind it.
    pub(super) fn stop(&self, half: &mut Half, abandoned: bool) -> Vec<Call> {
        let is_kept = abandoned && half.phase == Phase::Open && half.keep_close(close::GOING_AWAY, "");
        match half.phase {
            Phase::Open if !is_kept => {
                half.queue_close(close::GOING_AWAY, "");
                half.flush_what_goes();
            }
            // The close frame is queued, behind what was accepted before.
            Phase::Closing | Phase::PeerClosing => half.flush_what_goes(),
            _ => {}
        }
        half.phase = Phase::Ended;
        half.buffered = 0;
        half.owes_drain = false;
        let framed = std::mem::take(&mut half.pending).into_calls();
        let mut calls: Vec<Call> = framed.collect();
        if let Some(compression) = &mut half.compression {
            calls.extend(compression.take_calls());
        }
        if !(abandoned && half.has_waiting()) {
            half.compression = None;
        }
        calls
    }

    /// Ends the socket, once.
    pub(super) fn finish(self: &Arc<Socket>, half: &mut Half, end: End, after: &mut After<'_>) {
        if half.phase == Phase::Ended {
            return;
        }
        let flavour = self.app.settings.flavour;
        let end = self.after_accepted_close(half, end);
        half.phase = Phase::Ended;
        for call in self.stop(half, false) {
            call.fail(Status::NotConnected, "", Fault::default(), after);
        }
        self.app.free_slot(self.id());
        self.log_end(&end, after);
        let abnormal = |cause: Cause, os_error: i32, initiator: Initiator| Closed {
            code: close::ABNORMAL,
            reason: Cow::Borrowed(flavour.close_reason(cause)),
            was_clean: false,
            initiator,
            cause,
            os_error,
        };
        match end {
            End::NotOpened(status, fault) => {
                let terminal = !self.app.settings.failed_handshake_closes;
                let closed = abnormal(fault.cause, fault.os_error, Initiator::None);
                self.post_error(status, fault, terminal, after);
                if !terminal {
                    self.post_close(closed, after);
                }
            }
            End::Broken(fault) => {
                let initiator = match fault.cause {
                    Cause::ProtocolError | Cause::BadUtf8 | Cause::TooBig | Cause::Internal => {
                        Initiator::Library
                    }
                    _ => Initiator::None,
                };
                let closed = abnormal(fault.cause, fault.os_error, initiator);
                self.post_error(Status::ConnectionFailed, fault, false, after);
                self.post_close(closed, after);
            }
            End::Policy(cause) => self.post_close(abnormal(cause, 0, Initiator::Library), after),
            End::Closed(closed) => self.post_close(closed, after),
        }
        if let Some(token) = half.token.take() {
            self.app.post(Item::Free { socket: Arc::clone(self), _token: token }, after);
        }
    }

    fn log_end(&self, end: &End, after: &mut After<'_>) {
        let id = self.id();
        match end {
            End::NotOpened(_, fault) => {
                after.log(log::INFO, format_args!("socket {id} failed: {:?} {}", fault.cause, fault.detail));
            }
            End::Broken(fault) => {
                after.log(log::INFO, format_args!("socket {id} broke: {:?} {}", fault.cause, fault.detail));
            }
            End::Policy(cause) => after.log(log::INFO, format_args!("socket {id} was ended: {cause:?}")),
            End::Closed(closed) => {
                let (how, code) = (if closed.was_clean { "closed" } else { "closed uncleanly" }, closed.code);
                after.log(log::INFO, format_args!("socket {id} {how}: {code}"));
            }
        }
    }

    /// After an accepted close a broken connection is no failure: `close` says what became of it.
    fn after_accepted_close(&self, half: &Half, end: End) -> End {
        let (Some(accepted), Phase::Closing) = (&half.close, half.phase) else { return end };
        let (cause, os_error) = match &end {
            End::Closed(_) => return end,
            End::Broken(fault) | End::NotOpened(_, fault) => (fault.cause, fault.os_error),
            End::Policy(cause) => (*cause, 0),
        };
        let keeps = self.app.settings.flavour.broken_closing_keeps_code;
        End::Closed(Closed {
            code: if keeps { accepted.code } else { close::ABNORMAL },
            reason: if keeps { Cow::Owned(accepted.reason.clone()) } else { Cow::Borrowed("") },
            was_clean: false,
            initiator: accepted.initiator,
            cause,
            os_error,
        })
    }

    fn post_error(self: &Arc<Socket>, status: Status, fault: Fault, terminal: bool, after: &mut After<'_>) {
        let record = Box::new(self.app.settings.flavour.failed(Api::Connect, status, "", fault));
        self.app.post(Item::Error { socket: Arc::clone(self), record, terminal }, after);
    }

    fn post_close(self: &Arc<Socket>, closed: Closed, after: &mut After<'_>) {
        self.app.post(Item::Close { socket: Arc::clone(self), event: Box::new(closed) }, after);
    }
}

impl Half {
    /// The peer of an open connection is told that it ends, as far as that goes without waiting: after a
    /// shutdown no task is left to do it.
    fn flush_what_goes(&mut self) {
        if let Some(link) = &mut self.link {
            // What cannot be written now is the task's, if it lives.
            let _written = link.try_flush();
        }
    }

    /// Puts a close frame into the link. If that cannot be, the connection is lost anyway.
    pub fn queue_close(&mut self, code: u16, reason: &str) {
        let payload = close::payload(code, reason);
        if self.frame(frame::CLOSE, &payload).is_err() {
            self.link = None;
        }
    }
}
