//! The way from the core to the host: one queue of items for each app, two sinks.
//!
//! Direct: the app's I/O thread runs the items at the end of each turn. Host: `dispatch` runs them. Both run
//! one item at a time and hold no lock meanwhile; `running` keeps a release waiting until the item, and all
//! that its drop releases, is over.
//!
//! Locks are taken in this order: a socket's half, then its app's state, then a socket's hold. What must
//! happen without a lock (wakes, notices, drops of what the host owns) is put into an `After`.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::after::After;
use super::app::{App, Ending, State};
use super::error::Status;
use super::event::{Closed, Opened, Payload, ReadyState, Record};
use super::handler::{CallHandler, HostToken};
use super::scope;
use super::socket::Socket;
use crate::runtime::log;

/// What one queued message costs beside its payload.
const MESSAGE_OVERHEAD: usize = 64;
/// A callback that runs for longer is worth a line in the log.
const SLOW_CALLBACK: Duration = Duration::from_millis(100);

/// One delivery.
pub enum Item {
    Connected {
        socket: Arc<Socket>,
        record: Record,
    },
    Result {
        socket: Arc<Socket>,
        handler: Box<dyn CallHandler>,
        record: Record,
    },
    Open {
        socket: Arc<Socket>,
        event: Box<Opened>,
    },
    Message {
        socket: Arc<Socket>,
        text: bool,
        payload: Vec<u8>,
    },
    Error {
        socket: Arc<Socket>,
        record: Box<Record>,
        terminal: bool,
    },
    Close {
        socket: Arc<Socket>,
        event: Box<Closed>,
    },
    Drain {
        socket: Arc<Socket>,
    },
    /// User data whose last callback stands before it in the queue; dropping the item releases it.
    Free {
        socket: Arc<Socket>,
        _token: HostToken,
    },
}

impl Item {
    pub fn is_free(&self) -> bool {
        matches!(self, Item::Free { .. })
    }

    pub fn socket(&self) -> &Arc<Socket> {
        match self {
            Item::Connected { socket, .. }
            | Item::Result { socket, .. }
            | Item::Open { socket, .. }
            | Item::Message { socket, .. }
            | Item::Error { socket, .. }
            | Item::Close { socket, .. }
            | Item::Drain { socket }
            | Item::Free { socket, .. } => socket,
        }
    }

    /// What counts towards the byte limits of queue and pause.
    pub fn bytes(&self) -> usize {
        match self {
            Item::Message { payload, .. } => payload.len() + MESSAGE_OVERHEAD,
            _ => 0,
        }
    }

    /// What a paused socket keeps to itself.
    pub fn is_held_by_pause(&self) -> bool {
        matches!(
            self,
            Item::Open { .. }
                | Item::Message { .. }
                | Item::Error { .. }
                | Item::Close { .. }
                | Item::Free { .. }
        )
    }

    /// What a released socket has no use for; results and user data stay until their turn, to be released.
    pub fn is_event(&self) -> bool {
        !matches!(self, Item::Connected { .. } | Item::Result { .. } | Item::Free { .. })
    }

    pub fn is_open_or_message(&self) -> bool {
        matches!(self, Item::Open { .. } | Item::Message { .. })
    }

    /// The ready state that the host sees from the moment this item runs.
    fn ready_state(&self) -> Option<ReadyState> {
        match self {
            Item::Open { .. } => Some(ReadyState::Open),
            Item::Error { terminal: true, .. } | Item::Close { .. } => Some(ReadyState::Closed),
            _ => None,
        }
    }

    /// Runs it, unless the app or the socket was released meanwhile.
    fn run(self, app: &App) {
        let socket = Arc::clone(self.socket());
        let told = || !app.is_released() && !socket.is_released();
        let id = socket.id();
        match self {
            Item::Connected { record, .. } => {
                if told() {
                    socket.handler().outcome(id, &record);
                }
                if told() {
                    socket.handler().complete(id, &record);
                }
            }
            Item::Result { handler, record, .. } => {
                if told() {
                    handler.outcome(id, &record);
                }
                if told() {
                    handler.complete(id, &record);
                }
            }
            Item::Open { event, .. } if told() => socket.handler().open(id, &event),
            Item::Message { text, payload, .. } if told() => {
                socket.handler().message(id, text, Payload::Owned(payload));
            }
            Item::Error { record, .. } if told() => socket.handler().error(id, &record),
            Item::Close { event, .. } if told() => socket.handler().close(id, &event),
            Item::Drain { .. } if told() => socket.handler().drain(id, socket.buffered_amount()),
            _ => {}
        }
    }
}

impl App {
    /// Queues a delivery, or puts it aside if its socket is paused.
    pub fn post(self: &Arc<App>, item: Item, after: &mut After<'_>) {
        let mut state = self.state.lock();
        self.post_locked(&mut state, item, after);
    }

    pub fn post_locked(self: &Arc<App>, state: &mut State, item: Item, after: &mut After<'_>) {
        if state.ending != Ending::No {
            self.set_aside(state, item, after);
            return;
        }
        let socket = item.socket();
        if item.is_event() && socket.is_released() {
            after.drop_later(item);
            return;
        }
        if item.is_held_by_pause() {
            let mut hold = socket.hold.lock();
            if hold.is_holding() && !(socket.is_released()) {
                hold.bytes += item.bytes();
                socket.held_bytes.store(hold.bytes, Ordering::Relaxed);
                drop(hold);
                let socket = Arc::clone(item.socket());
                socket.hold.lock().items.push_back(item);
                return;
            }
        }
        self.push(state, item, after);
    }

    /// The app ends: whoever finishes its release drops the item, before the app's own user data.
    pub(super) fn set_aside(&self, state: &mut State, item: Item, after: &mut After<'_>) {
        if state.ending == Ending::Done {
            after.drop_later(item);
        } else {
            state.leftovers.push(item);
        }
    }

    pub(super) fn push(self: &Arc<App>, state: &mut State, item: Item, after: &mut After<'_>) {
        let was_empty = state.queue.is_empty();
        state.bytes += item.bytes();
        state.queue.push_back(item);
        self.queue_changed(state, after);
        if self.settings.direct {
            if was_empty && !scope::in_turn_of(self.address()) {
                after.wake(state.pump.take());
            }
        } else if was_empty && !state.dispatching {
            self.notify(state, after);
        }
    }

    fn notify(&self, state: &mut State, after: &mut After<'_>) {
        if self.wants_notices() && after.notify() {
            state.notices += 1;
        }
    }

    /// Runs what waits now; true if something was added meanwhile.
    pub fn pump(self: &Arc<App>) -> bool {
        if !self.wants_attention() {
            // What another thread has just posted, it has woken the pump for.
            return false;
        }
        let mut budget = self.state.lock().queue.len();
        while budget > 0 && self.run_next() {
            budget -= 1;
        }
        !self.state.lock().queue.is_empty()
    }

    /// Takes the first item out of the queue and runs it.
    fn run_next(self: &Arc<App>) -> bool {
        let mut after = After::new(self);
        let mut state = self.state.lock();
        if state.ending != Ending::No {
            return false;
        }
        let Some(item) = state.queue.pop_front() else { return false };
        state.bytes -= item.bytes();
        self.queue_changed(&mut state, &mut after);
        if state.bytes < self.settings.queue_limit {
            after.wake_all(&mut state.stalled);
        }
        if let Some(ready_state) = item.ready_state() {
            item.socket().set_ready_state(ready_state);
            if ready_state == ReadyState::Closed {
                let id = item.socket().id();
                self.open_gates(&mut state, id, None, &mut after);
            }
        }
        state.running = true;
        drop(state);
        let _running = Running(self);
        // Before the callback: who may read again need not wait for its end.
        drop(after);
        let _level = scope::enter_callback();
        let _watch = Watch::start(item.socket().id());
        item.run(self);
        true
    }

    /// Runs up to `max` items (0: all that wait now) on the calling thread; how many are left.
    pub fn dispatch(self: &Arc<App>, max: usize) -> Result<usize, Status> {
        if self.settings.direct {
            return Err(Status::WrongDelivery);
        }
        let mut budget = {
            let mut state = self.state.lock();
            if state.dispatching {
                return Err(Status::Busy);
            }
            state.dispatching = true;
            if max == 0 { state.queue.len() } else { max.min(state.queue.len()) }
        };
        let dispatching = Dispatching { app: self, _scope: scope::Dispatch::enter(self.address()) };
        while budget > 0 && self.run_next() {
            budget -= 1;
        }
        drop(dispatching);
        let mut after = After::new(self);
        let mut state = self.state.lock();
        if state.ending != Ending::No {
            return Ok(0);
        }
        let left = state.queue.len();
        if left > 0 {
            self.notify(&mut state, &mut after);
        }
        Ok(left)
    }

    pub fn is_full(&self) -> bool {
        !self.settings.direct && self.queued_bytes.load(Ordering::Relaxed) >= self.settings.queue_limit
    }

    /// Whether the app's queue is as full as it may get; then the waker is kept until it is not.
    pub fn is_stalled(&self, waker: &Waker) -> bool {
        if !self.is_full() {
            return false;
        }
        let mut state = self.state.lock();
        if state.bytes < self.settings.queue_limit || state.ending != Ending::No {
            return false;
        }
        if !state.stalled.iter().any(|known| known.will_wake(waker)) {
            state.stalled.push(waker.clone());
        }
        true
    }
}

/// An item of the app runs; however it ends, a release hears of it.
struct Running<'a>(&'a Arc<App>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.callback_over();
    }
}

/// A dispatch of the app runs. At its end it writes what its callbacks have sent, and finishes a release that was asked
/// for meanwhile, on this thread.
struct Dispatching<'a> {
    app: &'a Arc<App>,
    _scope: scope::Dispatch,
}

impl Drop for Dispatching<'_> {
    fn drop(&mut self) {
        let mut state = self.app.write_unsent(self.app.state.lock());
        state.dispatching = false;
        self.app.finish_here(state);
    }
}

/// Reports a callback that took long.
pub struct Watch {
    socket: u64,
    start: Option<Instant>,
}

impl Watch {
    #[inline]
    pub fn start(socket: u64) -> Watch {
        Watch { socket, start: log::enabled(log::WARN).then(Instant::now) }
    }
}

impl Watch {
    #[cold]
    fn stop(&self, start: Instant) {
        let took = start.elapsed();
        if took > SLOW_CALLBACK {
            let socket = self.socket;
            log::write(log::WARN, format_args!("a callback of socket {socket} took {} ms", took.as_millis()));
        }
    }
}

impl Drop for Watch {
    #[inline]
    fn drop(&mut self) {
        if let Some(start) = self.start {
            self.stop(start);
        }
    }
}
