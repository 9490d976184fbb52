//! The socket has ended: its task gets the last frames out, and leaves the end of the connection to the peer
//! (RFC 6455, 7.1.1), for a short while.

use std::future::Future;
use std::task::{Context, Poll};
use std::time::Duration;

use super::driver::{Driver, READS_PER_TURN};
use super::inbound::Got;
use super::socket::Half;
use crate::runtime::clock::{self, Moment};
use crate::runtime::threads;

/// How long the peer may take to end the connection after the closing handshake.
const PARTING: Duration = Duration::from_secs(2);

impl Driver {
    pub(super) fn start_parting(&mut self, half: &mut Half) {
        self.parting = Some(Moment::now().plus(PARTING));
        if let Some(link) = &mut half.link
            && link.finish_writing().is_err()
        {
            half.link = None;
        }
    }

    pub(super) fn part(&mut self, until: Moment, cx: &mut Context<'_>) -> Poll<()> {
        let mut half = self.socket.half.lock();
        half.news = false;
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
        if self.timer.as_ref().is_none_or(|(moment, _)| *moment != until) {
            self.timer = Some((until, Box::pin(clock::timer(until))));
        }
        let mut half = self.socket.half.lock();
        if let Some((_, timer)) = &mut self.timer
            && timer.as_mut().poll(cx).is_pending()
        {
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
