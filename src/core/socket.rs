//! A socket: what the host's threads and the socket's task share.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::task::Waker;
use std::time::Instant;

use parking_lot::Mutex;

use super::after::After;
use super::app::App;
use super::delivery::Item;
use super::end::HostClose;
use super::error::Status;
use super::event::{Opened, ReadyState};
use super::handler::{HostToken, SocketHandler};
use super::release::CallGuard;
use super::send::Pending;
use super::state::Phase;
use super::{handles, scope};
use crate::runtime::clock::Moment;
use crate::transport::link::Link;

pub struct Socket {
    /// 0 until the connect is accepted, and for ever if it is refused.
    id: AtomicU64,
    /// Which of an app's sockets is the newest; ids do not tell.
    serial: u64,
    pub(super) app: Arc<App>,
    handler: Box<dyn SocketHandler>,
    /// As delivered; changed under the app's lock.
    ready_state: AtomicU8,
    released: AtomicBool,
    /// From an accepted close on, inbound messages are read and dropped.
    drops_messages: AtomicBool,
    pub(super) half: Mutex<Half>,
    pub(super) hold: Mutex<Hold>,
    pub(super) held_bytes: AtomicUsize,
    pub(super) counters: Counters,
}

/// The sending half, and all that decides about the socket's end.
pub struct Half {
    pub phase: Phase,
    pub link: Option<Link>,
    /// What is in the link and not yet with the operating system, oldest first.
    pub pending: VecDeque<Pending>,
    /// Payload bytes of `pending`.
    pub buffered: usize,
    /// A send was refused as full: `drain` is due when half of the limit is free.
    pub owes_drain: bool,
    pub last_inline: Option<Instant>,
    /// Last message out, for the idle timeout.
    pub last_sent: Option<Moment>,
    pub close: Option<HostClose>,
    pub orders: Orders,
    pub waker: Option<Waker>,
    /// The task sleeps and must be woken for what is new.
    pub armed: bool,
    /// Something is new since the task began its turn.
    pub news: bool,
    /// The host's user data; it leaves with the terminal event.
    pub token: Option<HostToken>,
    pub protocol: String,
    pub extensions: String,
}

/// What others want of the task.
#[derive(Default)]
pub struct Orders {
    pub interrupt: bool,
    pub probe: bool,
    #[cfg(feature = "test-hooks")]
    pub panic: bool,
}

impl Orders {
    pub fn any(&self) -> bool {
        #[cfg(feature = "test-hooks")]
        if self.panic {
            return true;
        }
        self.interrupt || self.probe
    }
}

/// Events that wait for the host, or for another socket's end.
#[derive(Default)]
pub struct Hold {
    pub paused: bool,
    /// The socket whose end must be told first.
    pub gate: Option<u64>,
    pub items: VecDeque<Item>,
    pub bytes: usize,
}

impl Hold {
    pub fn is_holding(&self) -> bool {
        self.paused || self.gate.is_some()
    }
}

#[derive(Default)]
pub struct Counters {
    pub messages_sent: AtomicU64,
    pub messages_received: AtomicU64,
    pub payload_bytes_sent: AtomicU64,
    pub payload_bytes_received: AtomicU64,
    pub wire_bytes_sent: AtomicU64,
    pub wire_bytes_received: AtomicU64,
    pub pings_sent: AtomicU64,
    pub pongs_received: AtomicU64,
}

/// Adds to a counter; nothing is ordered by it.
pub fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

pub fn find(id: u64) -> Result<Arc<Socket>, Status> {
    handles::socket(id)
}

/// The socket for a call that will take user data.
pub fn enter(id: u64) -> Result<(Arc<Socket>, CallGuard), Status> {
    let socket = handles::socket(id)?;
    let guard = CallGuard::enter(&socket.app)?;
    Ok((socket, guard))
}

/// Ends an id; a live socket ends silently. Never waits.
pub fn release(id: u64) -> Result<(), Status> {
    let socket = handles::socket(id)?;
    if !handles::remove(id) {
        return Err(Status::BadHandle);
    }
    socket.release();
    Ok(())
}

impl Socket {
    pub fn new(
        app: Arc<App>,
        handler: Box<dyn SocketHandler>,
        token: HostToken,
        start_paused: bool,
    ) -> Arc<Socket> {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        Arc::new(Socket {
            id: AtomicU64::new(0),
            serial: SERIAL.fetch_add(1, Ordering::Relaxed),
            app,
            handler,
            ready_state: AtomicU8::new(ReadyState::Connecting as u8),
            released: AtomicBool::new(false),
            drops_messages: AtomicBool::new(false),
            half: Mutex::new(Half {
                phase: Phase::Connecting,
                link: None,
                pending: VecDeque::new(),
                buffered: 0,
                owes_drain: false,
                last_inline: None,
                last_sent: None,
                close: None,
                orders: Orders::default(),
                waker: None,
                armed: false,
                news: false,
                token: Some(token),
                protocol: String::new(),
                extensions: String::new(),
            }),
            hold: Mutex::new(Hold { paused: start_paused, ..Hold::default() }),
            held_bytes: AtomicUsize::new(0),
            counters: Counters::default(),
        })
    }

    pub fn id(&self) -> u64 {
        self.id.load(Ordering::Relaxed)
    }

    pub(super) fn set_id(&self, id: u64) {
        self.id.store(id, Ordering::Relaxed);
    }

    pub(super) fn serial(&self) -> u64 {
        self.serial
    }

    /// Its end was delivered.
    pub(super) fn is_told_closed(&self) -> bool {
        self.told() == ReadyState::Closed
    }

    pub fn handler(&self) -> &dyn SocketHandler {
        &*self.handler
    }

    pub fn is_released(&self) -> bool {
        self.released.load(Ordering::Acquire)
    }

    pub fn drops_messages(&self) -> bool {
        self.drops_messages.load(Ordering::Acquire)
    }

    pub(super) fn drop_messages_from_now(&self) {
        self.drops_messages.store(true, Ordering::Release);
    }

    pub(super) fn told(&self) -> ReadyState {
        match self.ready_state.load(Ordering::Acquire) {
            0 => ReadyState::Connecting,
            1 => ReadyState::Open,
            2 => ReadyState::Closing,
            _ => ReadyState::Closed,
        }
    }

    pub(super) fn set_ready_state(&self, state: ReadyState) {
        self.ready_state.store(state as u8, Ordering::Release);
    }

    /// The ready state as a number (WHATWG).
    pub fn ready_state(&self) -> u32 {
        u32::from(self.ready_state.load(Ordering::Acquire))
    }

    pub fn buffered_amount(&self) -> u64 {
        self.half.lock().buffered as u64
    }

    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The chosen subprotocol, once `open` was delivered.
    pub fn protocol(&self) -> String {
        if self.told() == ReadyState::Connecting { String::new() } else { self.half.lock().protocol.clone() }
    }

    pub fn extensions(&self) -> String {
        if self.told() == ReadyState::Connecting {
            String::new()
        } else {
            self.half.lock().extensions.clone()
        }
    }

    pub fn pause(&self) -> Result<(), Status> {
        let app = &self.app;
        let mut after = After::new(app);
        let mut state = app.state.lock();
        let was_paused = std::mem::replace(&mut self.hold.lock().paused, true);
        if !was_paused {
            app.hold_back(&mut state, self, &mut after);
        }
        Ok(())
    }

    pub fn resume(&self) -> Result<(), Status> {
        let app = &self.app;
        let mut after = After::new(app);
        let mut half = self.half.lock();
        let mut state = app.state.lock();
        self.hold.lock().paused = false;
        app.unhold(&mut state, self, &mut after);
        // The task may have stopped reading for what was held.
        after.wake(half.wake());
        Ok(())
    }

    /// Whether the task must not read: what it read waits already, as much as may.
    pub fn is_stalled(&self, waker: &Waker) -> bool {
        if self.drops_messages() {
            return false;
        }
        if self.held_bytes.load(Ordering::Relaxed) >= self.app.settings.pause_limit {
            return true;
        }
        self.app.is_stalled(waker)
    }

    /// Whether as much waits as may: what was read beyond that is kept by the task.
    pub fn is_full(&self) -> bool {
        !self.drops_messages()
            && (self.held_bytes.load(Ordering::Relaxed) >= self.app.settings.pause_limit
                || self.app.is_full())
    }

    pub fn interrupt(&self) {
        self.order(|orders| orders.interrupt = true);
    }

    pub fn probe(&self) {
        self.order(|orders| orders.probe = true);
    }

    #[cfg(feature = "test-hooks")]
    pub fn panic_in_task(&self) {
        self.order(|orders| orders.panic = true);
    }

    fn order(&self, change: impl FnOnce(&mut Orders)) {
        let mut after = After::new(&self.app);
        let mut half = self.half.lock();
        change(&mut half.orders);
        after.wake(half.wake());
    }

    /// What the host is told when it is open, before it is told.
    pub(super) fn remember(&self, half: &mut Half, event: &Opened) {
        half.protocol.clone_from(&event.protocol);
        half.extensions.clone_from(&event.extensions);
    }

    /// Ends it silently: its events are dropped, its calls get no results, its user data is released in the
    /// order of delivery.
    fn release(self: &Arc<Socket>) {
        let app = &self.app;
        let mut after = After::new(app);
        let mut half = self.half.lock();
        let calls = self.stop(&mut half);
        let token = half.token.take();
        after.wake(half.wake());
        let mut state = app.state.lock();
        self.released.store(true, Ordering::Release);
        self.drop_messages_from_now();
        app.purge(&mut state, self, true, &mut after);
        app.free_slot_locked(&mut state, self.id());
        app.open_gates(&mut state, self.id(), &mut after);
        {
            let mut hold = self.hold.lock();
            hold.paused = false;
            hold.gate = None;
        }
        // What a hold still keeps is user data: let it go.
        app.unhold(&mut state, self, &mut after);
        for call in calls {
            if let Some(item) = call.into_silent() {
                app.post_locked(&mut state, item, &mut after);
            }
        }
        if let Some(token) = token {
            app.post_locked(&mut state, Item::Free { socket: Arc::clone(self), _token: token }, &mut after);
        }
        if state.ending == super::app::Ending::No {
            state.sockets.remove(&self.id());
        }
    }

    /// The app ends: gives out what belongs to the socket, in the order in which it is to be dropped.
    pub(super) fn detach(self: &Arc<Socket>) -> Vec<HostToken> {
        let _level = scope::enter_callback();
        let mut after = After::new(&self.app);
        let (calls, token) = {
            let mut half = self.half.lock();
            self.released.store(true, Ordering::Release);
            self.drop_messages_from_now();
            let calls = self.stop(&mut half);
            after.wake(half.wake());
            (calls, half.token.take())
        };
        for call in calls {
            drop(call.into_silent());
        }
        let held = std::mem::take(&mut self.hold.lock().items);
        let mut tokens = Vec::new();
        for item in held {
            if let Item::Free { _token, .. } = item {
                tokens.push(_token);
            }
        }
        tokens.extend(token);
        tokens
    }
}

impl Half {
    /// The waker of a task that sleeps; one that runs looks again before it sleeps.
    pub fn wake(&mut self) -> Option<Waker> {
        self.news = true;
        if std::mem::take(&mut self.armed) { self.waker.clone() } else { None }
    }
}
