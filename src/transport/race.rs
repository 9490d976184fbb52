//! Happy Eyeballs (RFC 8305): several addresses of one name, tried one after the other without waiting for the end
//! of a silent one; the first that answers wins.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::runtime::clock::Moment;
use crate::runtime::timers::Timer;

/// How long an attempt is alone before the next one starts beside it (RFC 8305, 5: "Connection Attempt Delay").
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// The outcome of the first attempt that succeeds, or of the last one that fails.
pub async fn first<T, F>(addresses: &[SocketAddr], attempt: impl Fn(SocketAddr) -> F) -> io::Result<T>
where
    F: Future<Output = io::Result<T>>,
{
    let addresses = interleaved(addresses);
    if let [only] = addresses[..] {
        return attempt(only).await;
    }
    let mut race = Race {
        waiting: addresses.into_iter(),
        running: Vec::new(),
        delay: Timer::new(Moment::now()),
        last: io::Error::new(io::ErrorKind::NotFound, "the name has no address"),
    };
    poll_fn(|cx| race.poll(cx, &attempt)).await
}

/// The resolver's order, but the families in turn (RFC 8305, 4): a dead one must not come first as a whole.
fn interleaved(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let Some(first) = addresses.first() else { return Vec::new() };
    let (same, other): (Vec<SocketAddr>, Vec<SocketAddr>) =
        addresses.iter().partition(|address| address.is_ipv4() == first.is_ipv4());
    let (mut same, mut other) = (same.into_iter(), other.into_iter());
    let mut mixed = Vec::with_capacity(addresses.len());
    while mixed.len() < addresses.len() {
        mixed.extend(same.next());
        mixed.extend(other.next());
    }
    mixed
}

struct Race<F> {
    waiting: std::vec::IntoIter<SocketAddr>,
    running: Vec<Pin<Box<F>>>,
    /// Until the next attempt starts beside those that run.
    delay: Timer,
    last: io::Error,
}

impl<F> Race<F> {
    fn poll<T>(&mut self, cx: &mut Context<'_>, attempt: &impl Fn(SocketAddr) -> F) -> Poll<io::Result<T>>
    where
        F: Future<Output = io::Result<T>>,
    {
        loop {
            let mut at = 0;
            while let Some(running) = self.running.get_mut(at) {
                match running.as_mut().poll(cx) {
                    Poll::Pending => at += 1,
                    Poll::Ready(Ok(won)) => return Poll::Ready(Ok(won)),
                    Poll::Ready(Err(error)) => {
                        self.last = error;
                        drop(self.running.swap_remove(at));
                        // Nothing to wait for: the next one takes its place.
                        self.delay = Timer::new(Moment::now());
                    }
                }
            }
            if self.waiting.len() == 0 {
                return match self.running.is_empty() {
                    true => Poll::Ready(Err(std::mem::replace(&mut self.last, io::ErrorKind::Other.into()))),
                    false => Poll::Pending,
                };
            }
            if !self.running.is_empty() && Pin::new(&mut self.delay).poll(cx).is_pending() {
                return Poll::Pending;
            }
            if let Some(next) = self.waiting.next() {
                self.running.push(Box::pin(attempt(next)));
                self.delay = Timer::new(Moment::now().plus(ATTEMPT_DELAY));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::threads;
    use std::cell::RefCell;

    fn addresses(list: &[&str]) -> Vec<SocketAddr> {
        list.iter().map(|text| text.parse().unwrap()).collect()
    }

    /// Port 1 refuses, 2 is silent for ever, others answer with themselves.
    async fn answer(address: SocketAddr) -> io::Result<u16> {
        match address.port() {
            1 => Err(io::ErrorKind::ConnectionRefused.into()),
            2 => std::future::pending().await,
            port => Ok(port),
        }
    }

    /// The outcome, and the ports that were tried.
    fn race(list: &[&str]) -> (io::Result<u16>, Vec<u16>) {
        let runtime = threads::runtime().unwrap();
        let tried = RefCell::new(Vec::new());
        let attempt = |address: SocketAddr| {
            tried.borrow_mut().push(address.port());
            answer(address)
        };
        let outcome = runtime.block_on(first(&addresses(list), attempt));
        (outcome, tried.into_inner())
    }

    #[test]
    fn families_take_turns() {
        let mixed = interleaved(&addresses(&["[::1]:1", "[::1]:2", "[::1]:3", "1.1.1.1:4", "1.1.1.1:5"]));
        let ports: Vec<_> = mixed.iter().map(SocketAddr::port).collect();
        assert_eq!(ports, [1, 4, 2, 5, 3]);
        assert!(interleaved(&[]).is_empty());
    }

    #[test]
    fn the_first_that_answers_wins() {
        let (outcome, tried) = race(&["1.1.1.1:7", "1.1.1.1:8"]);
        assert_eq!((outcome.unwrap(), tried), (7, vec![7]));
    }

    #[test]
    fn one_that_refuses_is_followed_at_once() {
        let (outcome, tried) = race(&["1.1.1.1:1", "1.1.1.1:1", "1.1.1.1:9"]);
        assert_eq!((outcome.unwrap(), tried), (9, vec![1, 1, 9]));
    }

    #[test]
    fn one_that_is_silent_holds_nobody_up() {
        let (outcome, tried) = race(&["1.1.1.1:2", "[::1]:9"]);
        assert_eq!((outcome.unwrap(), tried), (9, vec![2, 9]));
    }

    #[test]
    fn when_all_fail_the_last_error_is_told() {
        let (outcome, tried) = race(&["1.1.1.1:1", "[::1]:1"]);
        assert_eq!((outcome.unwrap_err().kind(), tried), (io::ErrorKind::ConnectionRefused, vec![1, 1]));
        assert_eq!(race(&[]).0.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
