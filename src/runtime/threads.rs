//! The I/O threads: few, named, one current-thread runtime each. An app stays on one of them.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use once_cell::sync::Lazy;
use parking_lot::{Condvar, Mutex};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Notify;

use super::signals::Blocked;
use super::{log, timers};

/// Called with a thread's name.
pub type Hook = Arc<dyn Fn(&str) + Send + Sync>;

#[derive(Clone, Default)]
pub struct Hooks {
    pub start: Option<Hook>,
    pub stop: Option<Hook>,
}

/// Size of a read: several messages of 64 KiB at once, most of which are delivered from where they lie. Of its memory
/// only what reads have filled is ever touched.
pub const READ_BUFFER: usize = 256 * 1024;

/// Room for what a read decrypts to: with it comes what is left of a record of TLS that came in part before.
const PLAIN_BUFFER: usize = READ_BUFFER + 20 * 1024;

/// Where it begins, as far as a cache line goes. A kernel copies to the start of a line up to twice as fast as to 16
/// bytes behind it, which is where large blocks of glibc begin.
const LINE: usize = 64;

#[derive(Default)]
struct Slot {
    count: usize,
    hooks: Hooks,
    threads: Vec<Running>,
    next: usize,
}

struct Running {
    thread: IoThread,
    join: Option<JoinHandle<()>>,
}

struct Inner {
    number: u64,
    handle: Handle,
    stop: Notify,
    ended: Mutex<bool>,
    changed: Condvar,
}

/// One I/O thread.
#[derive(Clone)]
pub struct IoThread(Arc<Inner>);

static SLOT: Lazy<Mutex<Slot>> = Lazy::new(Mutex::default);

thread_local! {
    /// Number of the I/O thread that this is, 0 if it is none.
    static CURRENT: Cell<u64> = const { Cell::new(0) };
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static PLAIN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// For the threads that are started from now on.
pub fn configure(count: usize, hooks: Hooks) {
    let mut slot = SLOT.lock();
    slot.count = count;
    slot.hooks = hooks;
}

/// The thread for the next app: a new one until there are as many as configured, then each in turn.
pub fn pick() -> io::Result<IoThread> {
    let mut slot = SLOT.lock();
    if slot.threads.len() < slot.count.max(1) {
        let running = start(slot.threads.len(), slot.hooks.clone())?;
        let thread = running.thread.clone();
        slot.threads.push(running);
        return Ok(thread);
    }
    let next = slot.next % slot.threads.len();
    slot.next = slot.next.wrapping_add(1);
    let running = slot.threads.get(next).ok_or_else(|| io::Error::other("no thread"))?;
    Ok(running.thread.clone())
}

fn start(index: usize, hooks: Hooks) -> io::Result<Running> {
    let name = format!("taro-io-{index}");
    // The runtime is made on its own thread: made here, it would leave marks in the host's thread-locals.
    let place = Arc::new(Starting { made: Mutex::new(None), changed: Condvar::new() });
    let starting = Arc::clone(&place);
    let _blocked = Blocked::enter();
    let join =
        std::thread::Builder::new().name(name.clone()).spawn(move || live(&name, &hooks, &starting))?;
    let mut made = place.made.lock();
    while made.is_none() {
        place.changed.wait(&mut made);
    }
    match made.take() {
        Some(Ok(thread)) => Ok(Running { thread, join: Some(join) }),
        Some(Err(error)) => Err(error),
        None => Err(io::Error::other("no thread")),
    }
}

/// Where a new thread says whether it could start.
struct Starting {
    made: Mutex<Option<io::Result<IoThread>>>,
    changed: Condvar,
}

/// A runtime for the calling thread, with timers.
pub fn runtime() -> io::Result<Runtime> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    {
        let _context = runtime.enter();
        runtime.spawn(timers::start()?);
    }
    Ok(runtime)
}

/// Runs a test on a thread with such a runtime, and fails if it takes too long.
#[cfg(test)]
pub fn test<F: Future>(test: impl FnOnce() -> F + Send + 'static) {
    let (done, waits) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        runtime().unwrap().block_on(test());
        done.send(()).unwrap();
    });
    waits.recv_timeout(std::time::Duration::from_secs(10)).expect("it has passed in time");
}

/// What an I/O thread does.
fn live(name: &str, hooks: &Hooks, starting: &Starting) {
    static NUMBER: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    let (runtime, inner) = match runtime() {
        Ok(runtime) => {
            let inner = Arc::new(Inner {
                number: NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed),
                handle: runtime.handle().clone(),
                stop: Notify::new(),
                ended: Mutex::new(false),
                changed: Condvar::new(),
            });
            *starting.made.lock() = Some(Ok(IoThread(Arc::clone(&inner))));
            (runtime, inner)
        }
        Err(error) => {
            *starting.made.lock() = Some(Err(error));
            starting.changed.notify_one();
            return;
        }
    };
    starting.changed.notify_one();
    CURRENT.set(inner.number);
    call(hooks.start.as_ref(), name);
    // A task that panics is caught in the task; this is for what nobody foresaw.
    if catch_unwind(AssertUnwindSafe(|| runtime.block_on(inner.stop.notified()))).is_err() {
        log::write(log::ERROR, format_args!("an I/O thread panicked"));
    }
    timers::end();
    if catch_unwind(AssertUnwindSafe(|| drop(runtime))).is_err() {
        log::write(log::ERROR, format_args!("the end of an I/O thread panicked"));
    }
    call(hooks.stop.as_ref(), name);
    *inner.ended.lock() = true;
    inner.changed.notify_all();
}

fn call(hook: Option<&Hook>, name: &str) {
    if let Some(hook) = hook
        && catch_unwind(AssertUnwindSafe(|| hook(name))).is_err()
    {
        log::write(log::ERROR, format_args!("a thread hook panicked"));
    }
}

impl IoThread {
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        drop(self.0.handle.spawn(future));
    }

    pub fn is_current(&self) -> bool {
        CURRENT.get() == self.0.number
    }
}

/// Ends the threads; false if one has not ended by the deadline, then the next call goes on waiting. Must not
/// be called on one of them.
pub fn stop_all(deadline: Instant) -> bool {
    let threads: Vec<IoThread> = SLOT.lock().threads.iter().map(|running| running.thread.clone()).collect();
    for thread in &threads {
        thread.0.stop.notify_one();
    }
    for thread in &threads {
        let mut ended = thread.0.ended.lock();
        while !*ended {
            if thread.0.changed.wait_until(&mut ended, deadline).timed_out() && !*ended {
                return false;
            }
        }
    }
    let slot = std::mem::take(&mut *SLOT.lock());
    for running in slot.threads {
        if let Some(join) = running.join {
            // It has run all of its code; this waits until it is really gone. Panics were caught inside.
            let _gone = join.join();
        }
    }
    true
}

/// The calling thread's read buffer, with what was read last still in it. It serves every socket of the thread, as
/// what is read is taken before the next read.
pub fn with_read_buffer<R>(read: impl FnOnce(&mut [u8]) -> R) -> R {
    let mut buffer = BUFFER.try_with(RefCell::take).unwrap_or_default();
    if buffer.is_empty() {
        buffer = vec![0; READ_BUFFER + LINE];
    }
    let start = buffer.as_ptr().align_offset(LINE);
    let result = read(&mut buffer[start..start + READ_BUFFER]);
    // During the thread's end there is no place for it any more; then it is dropped here.
    let _kept = BUFFER.try_with(|place| place.replace(buffer));
    result
}

/// The calling thread's buffer for what a read decrypts to, empty.
pub fn with_plain_buffer<R>(decrypt: impl FnOnce(&mut Vec<u8>) -> R) -> R {
    let mut buffer = PLAIN.try_with(RefCell::take).unwrap_or_default();
    buffer.clear();
    buffer.reserve(PLAIN_BUFFER);
    let result = decrypt(&mut buffer);
    let _kept = PLAIN.try_with(|place| place.replace(buffer));
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_read_buffer_begins_on_a_cache_line_and_stays() {
        let place = |buffer: &mut [u8]| (buffer.as_ptr() as usize, buffer.len());
        let (start, length) = with_read_buffer(place);
        assert_eq!((start % LINE, length), (0, READ_BUFFER));
        assert_eq!(with_read_buffer(place), (start, length));
    }
    #[test]
    fn the_plain_buffer_stays_and_is_empty() {
        let place = |buffer: &mut Vec<u8>| {
            assert!(buffer.is_empty() && buffer.capacity() >= PLAIN_BUFFER);
            buffer.push(1);
            buffer.as_ptr() as usize
        };
        assert_eq!(with_plain_buffer(place), with_plain_buffer(place));
    }
}
