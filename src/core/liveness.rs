//! When a connection counts as dead: pings, the deadline for their answer, the idle timeout. Pure.
//!
//! Deadlines stand still while the library itself has stopped reading: then silence is not the peer's.

use std::time::Duration;

use crate::runtime::clock::Moment;

/// Answer time after "network changed" if the app set none.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

pub struct Liveness {
    ping_interval: Option<Duration>,
    pong_timeout: Duration,
    idle_timeout: Option<Duration>,
    next_ping: Option<Moment>,
    pong_due: Option<Moment>,
    last_message: Moment,
    stalled_since: Option<Moment>,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    Nothing,
    Ping,
    PongTimeout,
    Idle,
}

impl Liveness {
    pub fn new(
        ping_interval: Option<Duration>,
        pong_timeout: Option<Duration>,
        idle_timeout: Option<Duration>,
        now: Moment,
    ) -> Liveness {
        Liveness {
            ping_interval,
            pong_timeout: pong_timeout.or(ping_interval).unwrap_or(PROBE_TIMEOUT),
            idle_timeout,
            next_ping: ping_interval.map(|interval| now.plus(interval)),
            pong_due: None,
            last_message: now,
            stalled_since: None,
        }
    }

    /// Whether it has to be told of bytes and messages at all: without deadlines that costs nothing.
    pub fn is_watching(&self) -> bool {
        self.pong_due.is_some() || self.idle_timeout.is_some() || self.stalled_since.is_some()
    }

    /// Anything came from the peer.
    pub fn heard(&mut self) {
        self.pong_due = None;
    }

    /// A message came or went.
    pub fn message(&mut self, at: Moment) {
        self.last_message = self.last_message.max(at);
    }

    /// The network changed: a ping goes out now, and is to be answered.
    pub fn probe(&mut self, now: Moment) {
        self.rebase_stall(now);
        let due = now.plus(self.pong_timeout);
        self.pong_due = Some(self.pong_due.map_or(due, |earlier| earlier.min(due)));
    }

    /// The library reads, or has stopped reading.
    pub fn reading(&mut self, reads: bool, now: Moment) {
        match (reads, self.stalled_since) {
            (false, None) => self.stalled_since = Some(now),
            (true, Some(since)) => {
                let pause = now.since(since);
                self.stalled_since = None;
                self.pong_due = self.pong_due.map(|due| due.plus(pause));
                self.last_message = self.last_message.plus(pause);
            }
            _ => {}
        }
    }

    /// What is due now; a due ping counts as sent.
    pub fn due(&mut self, now: Moment) -> Due {
        if self.stalled_since.is_none() {
            if self.pong_due.is_some_and(|due| due <= now) {
                return Due::PongTimeout;
            }
            if self.idle_end().is_some_and(|end| end <= now) {
                return Due::Idle;
            }
        }
        if self.next_ping.is_some_and(|next| next <= now) {
            self.next_ping = self.ping_interval.map(|interval| now.plus(interval));
            self.rebase_stall(now);
            let due = now.plus(self.pong_timeout);
            self.pong_due.get_or_insert(due);
            return Due::Ping;
        }
        Due::Nothing
    }

    /// Before a deadline is armed while nothing is read: those that are there get the time so far, the new one does
    /// not.
    fn rebase_stall(&mut self, now: Moment) {
        if let Some(since) = &mut self.stalled_since {
            let pause = now.since(*since);
            *since = now;
            self.pong_due = self.pong_due.map(|due| due.plus(pause));
            self.last_message = self.last_message.plus(pause);
        }
    }

    fn idle_end(&self) -> Option<Moment> {
        self.idle_timeout.map(|timeout| self.last_message.plus(timeout))
    }

    /// When something will be due next.
    pub fn next(&self) -> Option<Moment> {
        // A far moment in place of none: compilers compare what is not there otherwise, and memcheck sees it.
        let or_never = |moment: Option<Moment>| moment.unwrap_or(Moment::NEVER);
        let mut next = or_never(self.next_ping);
        if self.stalled_since.is_none() {
            next = next.min(or_never(self.pong_due)).min(or_never(self.idle_end()));
        }
        (next != Moment::NEVER).then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn seconds(from: Moment, count: u32) -> Moment {
        from.plus(SECOND * count)
    }

    #[test]
    fn a_ping_without_answer_times_out() {
        let start = Moment::now();
        let mut live = Liveness::new(Some(SECOND * 10), Some(SECOND * 3), None, start);
        assert_eq!(live.due(seconds(start, 9)), Due::Nothing);
        assert_eq!(live.due(seconds(start, 10)), Due::Ping);
        assert_eq!(live.next(), Some(seconds(start, 13)));
        assert_eq!(live.due(seconds(start, 12)), Due::Nothing);
        assert_eq!(live.due(seconds(start, 13)), Due::PongTimeout);
    }

    #[test]
    fn any_bytes_answer_a_ping() {
        let start = Moment::now();
        let mut live = Liveness::new(Some(SECOND * 10), Some(SECOND * 3), None, start);
        assert_eq!(live.due(seconds(start, 10)), Due::Ping);
        live.heard();
        assert_eq!(live.due(seconds(start, 15)), Due::Nothing);
        assert_eq!(live.due(seconds(start, 20)), Due::Ping);
    }

    #[test]
    fn idle_counts_messages_only() {
        let start = Moment::now();
        let mut live = Liveness::new(None, None, Some(SECOND * 5), start);
        live.heard();
        assert_eq!(live.due(seconds(start, 4)), Due::Nothing);
        live.message(seconds(start, 4));
        assert_eq!(live.due(seconds(start, 8)), Due::Nothing);
        assert_eq!(live.due(seconds(start, 9)), Due::Idle);
    }

    #[test]
    fn deadlines_stand_still_while_nothing_is_read() {
        let start = Moment::now();
        let mut live = Liveness::new(None, Some(SECOND * 3), Some(SECOND * 5), start);
        live.probe(start);
        live.reading(false, seconds(start, 1));
        assert_eq!(live.next(), None);
        assert_eq!(live.due(seconds(start, 100)), Due::Nothing);
        live.reading(true, seconds(start, 100));
        assert_eq!(live.due(seconds(start, 101)), Due::Nothing);
        assert_eq!(live.due(seconds(start, 102)), Due::PongTimeout);
    }
}
