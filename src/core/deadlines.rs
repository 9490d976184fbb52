//! What ends or pings an open connection when its time has come.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::Context;

use super::after::After;
use super::driver::Driver;
use super::error::{Cause, Fault};
use super::liveness::Due;
use super::socket::Half;
use super::state::Phase;
use crate::protocol::close;
use crate::runtime::clock::Moment;
use crate::runtime::timers::Timer;

/// Wakes the task once the thread has asked the network for what is new, which a plain wake-up may put off for many
/// turns.
pub(super) fn after_the_network(cx: &mut Context<'_>) {
    let _pending = pin!(tokio::task::yield_now()).poll(cx);
}

impl Driver {
    fn next_deadline(&self, half: &Half) -> Option<Moment> {
        let close = half.close.as_ref().map(|close| close.deadline);
        [close, self.answer_due, self.live.next()].into_iter().flatten().min()
    }

    /// Does what is due, and has the task woken for the next.
    pub(super) fn check_deadlines(&mut self, cx: &mut Context<'_>, half: &mut Half, after: &mut After<'_>) {
        while half.phase != Phase::Ended {
            let Some(next) = self.next_deadline(half) else {
                self.timer = None;
                return;
            };
            let now = Moment::now();
            if next <= now {
                if self.live.next() == Some(next) && !self.overdue {
                    // The thread may have been busy elsewhere, and what was waited for lies in the socket.
                    self.overdue = true;
                    after_the_network(cx);
                    return;
                }
                self.overdue = false;
                self.act(now, half, after);
                continue;
            }
            self.overdue = false;
            // An earlier one may stay: a deadline that each message puts off shall not cost a new timer each time.
            let timer = match &mut self.timer {
                Some(timer) if timer.at() <= next => timer,
                timer => timer.insert(Timer::new(next)),
            };
            if Pin::new(timer).poll(cx).is_pending() {
                return;
            }
            // The next one is for the rest.
            self.timer = None;
        }
    }

    fn act(&mut self, now: Moment, half: &mut Half, after: &mut After<'_>) {
        let close = half.close.as_ref().is_some_and(|close| close.deadline <= now);
        if close || self.answer_due.is_some_and(|due| due <= now) {
            self.end_for(Fault::of(Cause::Timeout), false, half, after);
            return;
        }
        match self.live.due(now) {
            // What is sent here is flushed in the next turn: `serve` sees it before it sleeps.
            Due::Ping if half.phase == Phase::Open => self.ping(half),
            Due::Nothing | Due::Ping => {}
            Due::PongTimeout => {
                self.end_for(Fault::of(Cause::PongTimeout), false, half, after);
            }
            Due::Idle => {
                if half.phase == Phase::Open {
                    half.queue_close(close::GOING_AWAY, "");
                }
                self.end_for(Fault::of(Cause::Idle), true, half, after);
            }
        }
    }
}
