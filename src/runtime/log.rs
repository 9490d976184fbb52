//! The log: one sink of the host, called without a lock.

use std::fmt::Arguments;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use parking_lot::{Condvar, Mutex, RwLock};

pub const ERROR: u32 = 1;
pub const WARN: u32 = 2;
pub const INFO: u32 = 3;

/// Receives level and line.
pub type Sink = Arc<dyn Fn(u32, &str) + Send + Sync>;

static SINK: RwLock<Option<Sink>> = RwLock::new(None);
/// The most detailed level that is wanted; 0 without a sink.
static LEVEL: AtomicU32 = AtomicU32::new(0);

pub fn set(level: u32, sink: Option<Sink>) {
    LEVEL.store(if sink.is_some() { level } else { 0 }, Ordering::Release);
    let before = std::mem::replace(&mut *SINK.write(), sink);
    drop(before);
}

pub fn enabled(level: u32) -> bool {
    level <= LEVEL.load(Ordering::Acquire)
}

pub fn write(level: u32, text: Arguments<'_>) {
    if !enabled(level) {
        return;
    }
    let _running = Running::start();
    let sink = SINK.read().clone();
    if let Some(sink) = sink {
        sink(level, &text.to_string());
    }
}

/// Lines that are being written.
static RUNNING: Mutex<usize> = Mutex::new(0);
static CHANGED: Condvar = Condvar::new();

struct Running;

impl Running {
    fn start() -> Running {
        *RUNNING.lock() += 1;
        Running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        *RUNNING.lock() -= 1;
        CHANGED.notify_all();
    }
}

/// Waits until no line is being written, on whichever thread; false if the deadline comes first. After `set` none
/// goes to the sink that was there before.
pub fn wait_for_quiet(deadline: Instant) -> bool {
    let mut running = RUNNING.lock();
    while *running > 0 {
        if CHANGED.wait_until(&mut running, deadline).timed_out() {
            return *running == 0;
        }
    }
    true
}
