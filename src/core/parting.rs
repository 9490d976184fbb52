//! The socket has ended: its task gets the last frames out, and leaves the end of the connection to the peer
//! (RFC 6455, 7.1.1), for a short while.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::driver::{Driver, READS_PER_TURN};
use super::inbound::Got;
use super::socket::Half;
use crate::runtime::clock::Moment;
use crate::runtime::timers::Timer;

/// How long the peer may take to end the connection after the closing handshake.
const PARTING: Duration = Duration::from_secs(2);

impl Half {
    /// TLS says goodbye behind all that was sent.
    fn finish_writing(&mut self) {
        if let Some(link) = &mut self.link
            && link.finish_writing().is_err()
        {
            self.link = None;
        }
    }
}

impl Driver {
    pub(super) fn start_parting(&mut self, half: &mut Half) {
        self.parting = Some(Moment::now().plus(PARTING));
        if !half.has_waiting() {
            half.finish_writing();
        }
    }

    pub(super) fn part(&mut self, until: Moment, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<()> {
        let mut half = self.socket.half.lock();
        half.news = false;
        let more = half.has_waiting();
        if more {
            if half.compress_slice().is_err() {
                half.link = None;
            }
            if !half.has_waiting() {
                half.finish_writing();
            }
        }
        let Some(link) = &mut half.link else { return Poll::Ready(()) };
        match link.poll_flush(cx) {
            // The rest of what was accepted before a release.
            Poll::Ready(Ok(())) if more => cx.waker().wake_by_ref(),
            Poll::Ready(Ok(())) if !self.socket.is_released() => {}
            Poll::Pending => {}
            Poll::Ready(_) => {
                half.link = None;
                return Poll::Ready(());
            }
        }
        drop(half);
        for _ in 0..READS_PER_TURN {
            match self.read_some(cx, buffer) {
                Got::Bytes(_) => {}
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
        let timer = match &mut self.timer {
            Some(timer) if timer.at() == until => timer,
            timer => timer.insert(Timer::new(until)),
        };
        let mut half = self.socket.half.lock();
        if Pin::new(timer).poll(cx).is_pending() {
            half.waker = Some(cx.waker().clone());
            self.socket.set_asleep(true);
            if half.news {
                // Released meanwhile: the connection is not kept for the peer any more.
                cx.waker().wake_by_ref();
            }
            return Poll::Pending;
        }
        half.link = None;
        Poll::Ready(())
    }
}
