//! Threads for what blocks: name resolution, reading the trust store.
//!
//! Few, named, and gone as soon as there is nothing to do. A shutdown does not wait for them: a resolver may
//! hang for a minute, and the library stays mapped.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use super::signals::Blocked;

const MOST_THREADS: usize = 4;

type Work = Box<dyn FnOnce() + Send>;

struct Pool {
    queue: VecDeque<Work>,
    threads: usize,
    started: u64,
}

static POOL: Mutex<Pool> = Mutex::new(Pool { queue: VecDeque::new(), threads: 0, started: 0 });

struct Slot<T> {
    outcome: Option<io::Result<T>>,
    waker: Option<Waker>,
}

/// The outcome to come. Dropped before its turn, the work is not done.
struct Pending<T>(Arc<Mutex<Slot<T>>>);

impl<T> Future for Pending<T> {
    type Output = io::Result<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let mut slot = self.0.lock();
        match slot.outcome.take() {
            Some(outcome) => Poll::Ready(outcome),
            None => {
                slot.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// Runs `work` on a thread that may block.
pub async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    let slot = Arc::new(Mutex::new(Slot { outcome: None, waker: None }));
    let place: Weak<Mutex<Slot<T>>> = Arc::downgrade(&slot);
    submit(Box::new(move || {
        if place.strong_count() == 0 {
            return;
        }
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
            .map_err(|_| io::Error::other("the work panicked"));
        if let Some(slot) = place.upgrade() {
            let waker = {
                let mut slot = slot.lock();
                slot.outcome = Some(outcome);
                slot.waker.take()
            };
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }))?;
    Pending(slot).await
}

fn submit(work: Work) -> io::Result<()> {
    let mut pool = POOL.lock();
    pool.queue.push_back(work);
    if pool.threads == MOST_THREADS {
        return Ok(());
    }
    let _blocked = Blocked::enter();
    let name = format!("taro-work-{}", pool.started % MOST_THREADS as u64);
    match std::thread::Builder::new().name(name).spawn(drain) {
        Ok(_detached) => {
            pool.threads += 1;
            pool.started += 1;
            Ok(())
        }
        // Those that run will come to it.
        Err(_) if pool.threads > 0 => Ok(()),
        Err(error) => {
            pool.queue.pop_back();
            Err(error)
        }
    }
}

fn drain() {
    loop {
        let work = {
            let mut pool = POOL.lock();
            match pool.queue.pop_front() {
                Some(work) => work,
                None => {
                    pool.threads -= 1;
                    return;
                }
            }
        };
        work();
    }
}
