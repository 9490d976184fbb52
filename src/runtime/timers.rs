//! Timers of an I/O thread, on the clock that also counts while the device sleeps.
//!
//! They share one alarm, which is set for the first of them or earlier: to take one back, or to put it off, costs no
//! system call while others wait.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use super::alarm::Alarm;
use super::clock::Moment;
use super::log;

struct Timers {
    alarm: Alarm,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    /// Those that wait, the first one first, with a number that tells those of one moment apart.
    waiting: BTreeMap<(Moment, u64), Waker>,
    numbers: u64,
    /// When the alarm rings; not later than the first that waits.
    set: Option<Moment>,
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<Timers>>> = const { RefCell::new(None) };
}

/// Gives the calling thread timers, which go off while somebody on it polls the future.
pub fn start() -> io::Result<impl Future<Output = ()> + Send + use<>> {
    let timers = Arc::new(Timers { alarm: Alarm::new()?, queue: Mutex::default() });
    CURRENT.set(Some(Arc::clone(&timers)));
    Ok(async move {
        loop {
            match timers.alarm.rings().await {
                Ok(()) => timers.wake_due(),
                Err(error) => return log::write(log::ERROR, format_args!("timers stopped: {error}")),
            }
        }
    })
}

/// Before the thread's runtime ends: the timers that are left go with their owners, while it still runs.
pub fn end() {
    CURRENT.set(None);
}

impl Timers {
    fn set(&self, queue: &mut Queue, at: Moment) {
        queue.set = Some(at);
        self.alarm.set(Some(at.since(Moment::now())));
    }

    fn add(&self, at: Moment, waker: Waker) -> u64 {
        let mut queue = self.queue.lock();
        queue.numbers += 1;
        let number = queue.numbers;
        queue.waiting.insert((at, number), waker);
        if queue.set.is_none_or(|set| at < set) {
            self.set(&mut queue, at);
        }
        number
    }

    fn renew(&self, at: Moment, number: u64, waker: &Waker) {
        if let Some(known) = self.queue.lock().waiting.get_mut(&(at, number)) {
            known.clone_from(waker);
        }
    }

    fn remove(&self, at: Moment, number: u64) {
        let mut queue = self.queue.lock();
        queue.waiting.remove(&(at, number));
        // Nobody is to be woken for nothing.
        if queue.waiting.is_empty() && queue.set.take().is_some() {
            self.alarm.set(None);
        }
    }

    fn wake_due(&self) {
        let mut due = Vec::new();
        {
            let now = Moment::now();
            let mut queue = self.queue.lock();
            while let Some(first) = queue.waiting.first_entry()
                && first.key().0 <= now
            {
                due.push(first.remove());
            }
            queue.set = None;
            if let Some((&(next, _), _)) = queue.waiting.first_key_value() {
                self.set(&mut queue, next);
            }
        }
        due.into_iter().for_each(Waker::wake);
    }
}

/// Ready from a moment on. To be polled on one I/O thread.
pub struct Timer {
    at: Moment,
    /// Where it waits, and under which number.
    place: Option<(Arc<Timers>, u64)>,
}

impl Timer {
    pub fn new(at: Moment) -> Timer {
        Timer { at, place: None }
    }

    pub fn at(&self) -> Moment {
        self.at
    }

    fn leave(&mut self) {
        if let Some((timers, number)) = self.place.take() {
            timers.remove(self.at, number);
        }
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.at <= Moment::now() {
            self.leave();
            return Poll::Ready(());
        }
        if let Some((timers, number)) = &self.place {
            timers.renew(self.at, *number, cx.waker());
            return Poll::Pending;
        }
        let timers = CURRENT.with_borrow(Option::clone);
        debug_assert!(timers.is_some(), "this thread has no timers");
        if let Some(timers) = timers {
            let number = timers.add(self.at, cx.waker().clone());
            self.place = Some((timers, number));
        }
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::threads;
    use std::future::poll_fn;
    use std::time::Duration;

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(1000);

    /// Of the timers of this thread: how many wait, and for when the alarm is set.
    fn state() -> (usize, Option<Moment>) {
        let timers = CURRENT.with_borrow(Option::clone).unwrap();
        let queue = timers.queue.lock();
        assert_eq!(timers.alarm.is_set(), queue.set.is_some());
        (queue.waiting.len(), queue.set)
    }

    /// Polls each once; none may be ready.
    async fn start(timers: &mut [Timer]) {
        poll_fn(|cx| {
            for timer in &mut *timers {
                assert!(Pin::new(timer).poll(cx).is_pending());
            }
            Poll::Ready(())
        })
        .await;
    }

    #[test]
    fn none_goes_off_early_and_each_does() {
        threads::test(async || {
            let now = Moment::now();
            let mut timers = [3, 1, 2, 2].map(|times| Timer::new(now.plus(SHORT * times)));
            start(&mut timers).await;
            let mut order = Vec::new();
            poll_fn(|cx| {
                for (index, timer) in timers.iter_mut().enumerate() {
                    if !order.contains(&index) && Pin::new(&mut *timer).poll(cx).is_ready() {
                        assert!(timer.at() <= Moment::now());
                        order.push(index);
                    }
                }
                if order.len() == 4 { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            assert_eq!(state(), (0, None));
        });
    }

    #[test]
    fn one_whose_moment_is_past_is_ready_at_once() {
        threads::test(async || {
            Timer::new(Moment::now()).await;
            assert_eq!(state(), (0, None));
        });
    }

    #[test]
    fn one_that_is_polled_by_another_task_wakes_that_one() {
        threads::test(async || {
            let mut timers = [Timer::new(Moment::now().plus(SHORT))];
            start(&mut timers).await;
            let [timer] = timers;
            tokio::spawn(timer).await.unwrap();
        });
    }

    #[test]
    fn the_last_one_taken_back_stops_the_alarm() {
        threads::test(async || {
            let at = Moment::now().plus(LONG);
            let mut timers = [at, at].map(Timer::new);
            start(&mut timers).await;
            assert_eq!(state(), (2, Some(at)));
            let [first, second] = timers;
            drop(first);
            assert_eq!(state(), (1, Some(at)));
            drop(second);
            assert_eq!(state(), (0, None));
        });
    }

    #[test]
    fn the_alarm_is_set_for_the_first_or_earlier() {
        threads::test(async || {
            let moment = |times| Moment::now().plus(LONG * times);
            let mut middle = [Timer::new(moment(2))];
            start(&mut middle).await;
            let mut later = [Timer::new(moment(3))];
            start(&mut later).await;
            assert_eq!(state().1, Some(middle[0].at()));
            let mut sooner = [Timer::new(moment(1))];
            start(&mut sooner).await;
            let set = state().1;
            assert_eq!(set, Some(sooner[0].at()));
            // Left as it is: to put a deadline off costs nothing.
            drop(sooner);
            assert_eq!(state(), (2, set));
        });
    }
}
