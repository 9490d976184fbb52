//! What ends or pings an open connection when its time has come.

use std::future::Future;
use std::sync::Arc;
use std::task::Context;

use super::after::After;
use super::driver::{Driver, closed};
use super::end::End;
use super::error::{Cause, Fault};
use super::liveness::Due;
use super::socket::Half;
use super::state::Phase;
use crate::protocol::close;
use crate::runtime::clock::{self, Moment};

impl Driver {
    fn next_deadline(&self, half: &Half) -> Option<Moment> {
        let close = half.close.as_ref().map(|close| close.deadline);
        [close, self.answer_due, self.live.next()].into_iter().flatten().min()
    }

    pub(super) fn check_deadlines(&mut self, cx: &mut Context<'_>) {
        loop {
            let socket = Arc::clone(&self.socket);
            let mut after = After::new(&socket.app);
            let mut half = socket.half.lock();
            if half.phase == Phase::Ended {
                return;
            }
            let Some(next) = self.next_deadline(&half) else {
                self.timer = None;
                return;
            };
            let now = Moment::now();
            if next > now {
                drop(half);
                if self.timer.as_ref().is_none_or(|(moment, _)| *moment != next) {
                    self.timer = Some((next, Box::pin(clock::timer(next))));
                }
                let Some((_, timer)) = &mut self.timer else { return };
                if timer.as_mut().poll(cx).is_pending() {
                    return;
                }
                // It may be early by its granularity; then the next one is for the rest.
                self.timer = None;
                continue;
            }
            let close = half.close.as_ref().is_some_and(|close| close.deadline <= now);
            if close || self.answer_due.is_some_and(|due| due <= now) {
                let fault = Fault::of(Cause::Timeout);
                let end = match self.peer_close.take() {
                    Some(said) => End::Closed(closed(said, &half, Some(&fault))),
                    None => End::Broken(fault),
                };
                socket.finish(&mut half, end, &mut after);
                return;
            }
            match self.live.due(now) {
                Due::Nothing => {}
                Due::Ping if half.phase == Phase::Open => {
                    self.ping(&mut half);
                    drop(half);
                    drop(after);
                    self.transmit(cx);
                }
                Due::Ping => {}
                Due::PongTimeout => {
                    socket.finish(&mut half, End::Broken(Fault::of(Cause::PongTimeout)), &mut after);
                    return;
                }
                Due::Idle => {
                    if half.phase == Phase::Open {
                        half.queue_close(close::GOING_AWAY, "");
                    }
                    socket.finish(&mut half, End::Policy(Cause::Idle), &mut after);
                    return;
                }
            }
        }
    }
}
