//! A socket: what the host's threads and the socket's task share.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::task::Waker;

use parking_lot::Mutex;

use super::after::After;
use super::app::App;
use super::compress::Compression;
use super::delivery::Item;
use super::end::HostClose;
use super::error::Status;
use super::event::{Opened, ReadyState};
use super::handler::{HostToken, SocketHandler};
use super::pending::PendingList;
use super::release::CallGuard;
use super::state::Phase;
use super::{handles, scope};
use crate::runtime::clock::{Moment, Tick};
use crate::runtime::log;
use crate::transport::link::Link;

/// The host has given its id back.
const RELEASED: u8 = 1;
/// From an accepted close on, inbound messages are read and dropped.
const DROPS_MESSAGES: u8 = 2;
/// It is paused, or waits for the end of another one.
const HOLDING: u8 = 4;

pub struct Socket {
    /// 0 until the connect is accepted, and for ever if it is refused.
    id: AtomicU64,
    /// Which of an app's sockets is the newest; ids do not tell.
    serial: u64,
    pub(super) app: Arc<App>,
    handler: Box<dyn SocketHandler>,
    /// As delivered; changed under the app's lock.
    ready_state: AtomicU8,
    /// RELEASED, DROPS_MESSAGES, HOLDING: what keeps a message from being delivered at once.
    marks: AtomicU8,
    /// The task sleeps and must be woken for what is new.
    asleep: AtomicBool,
    pub(super) half: Mutex<Half>,
    pub(super) hold: Mutex<Hold>,
    pub(super) held_bytes: AtomicUsize,
    pub(super) counters: Counters,
}

/// The sending half, and all that decides about the socket's end.
pub struct Half {
    pub phase: Phase,
    pub link: Option<Link>,
    /// Where permessage-deflate was agreed on.
    pub compression: Option<Box<Compression>>,
    pub pending: PendingList,
    /// Payload bytes of `pending`.
    pub buffered: usize,
    /// A send was refused as full: `drain` is due when half of the limit is free.
    pub owes_drain: bool,
    /// The dispatch that is under way writes what is in the link.
    pub unsent: bool,
    /// When a caller's thread last wrote, or would have.
    pub last_inline: Tick,
    /// Last message out, for the idle timeout.
    pub last_sent: Option<Moment>,
    pub close: Option<HostClose>,
    pub orders: Orders,
    pub waker: Option<Waker>,
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

/// Events that wait for the host, or for another socket's end.
#[derive(Default)]
pub struct Hold {
    pub paused: bool,
    /// The socket whose end must be told first.
    pub gate: Option<u64>,
    pub items: VecDeque<Item>,
    pub bytes: usize,
    /// The task, while it does not read because as much waits here as may.
    pub stalled: Option<Waker>,
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
///
/// Each counter has one writer at a time: the socket's task, or who holds the sending half. So it need not be
/// an atomic addition.
#[inline]
pub fn count(counter: &AtomicU64, by: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(by), Ordering::Relaxed);
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
            marks: AtomicU8::new(if start_paused { HOLDING } else { 0 }),
            asleep: AtomicBool::new(false),
            half: Mutex::new(Half {
                phase: Phase::Connecting,
                link: None,
                compression: None,
                pending: PendingList::default(),
                buffered: 0,
                owes_drain: false,
                unsent: false,
                last_inline: Tick::default(),
                last_sent: None,
                close: None,
                orders: Orders::default(),
                waker: None,
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
        self.marks.load(Ordering::Acquire) & RELEASED != 0
    }

    pub fn drops_messages(&self) -> bool {
        self.marks.load(Ordering::Acquire) & DROPS_MESSAGES != 0
    }

    pub(super) fn drop_messages_from_now(&self) {
        self.marks.fetch_or(DROPS_MESSAGES, Ordering::AcqRel);
    }

    pub(super) fn has_marks(&self) -> bool {
        self.marks.load(Ordering::Acquire) != 0
    }

    /// The hold has changed, which its lock's owner tells.
    pub(super) fn hold_changed(&self, hold: &Hold) {
        if hold.is_holding() {
            self.marks.fetch_or(HOLDING, Ordering::AcqRel);
        } else {
            self.marks.fetch_and(!HOLDING, Ordering::AcqRel);
        }
    }

    fn mark_released(&self) {
        self.marks.fetch_or(RELEASED | DROPS_MESSAGES, Ordering::AcqRel);
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
        if self.is_released() {
            // Nobody could resume it any more.
            return Err(Status::BadHandle);
        }
        let was_paused = self.set_paused(true);
        if !was_paused {
            app.hold_back(&mut state, self, &mut after);
        }
        Ok(())
    }

    /// Whatever it was created with, it does not keep events back.
    pub(super) fn never_holds(&self) {
        self.set_paused(false);
    }

    fn set_paused(&self, paused: bool) -> bool {
        let mut hold = self.hold.lock();
        let before = std::mem::replace(&mut hold.paused, paused);
        self.hold_changed(&hold);
        before
    }

    pub fn resume(&self) -> Result<(), Status> {
        let app = &self.app;
        let mut after = After::new(app);
        let mut half = self.half.lock();
        let mut state = app.state.lock();
        self.set_paused(false);
        app.unhold(&mut state, self, &mut after);
        // The task may have stopped reading for what was held.
        after.wake(self.wake_task(&mut half));
        Ok(())
    }

    /// Whether the task must not read: what it read waits already, as much as may. Then the waker is kept until that
    /// is over.
    pub fn is_stalled(&self, waker: &Waker) -> bool {
        if self.drops_messages() {
            return false;
        }
        let limit = self.app.settings.pause_limit;
        if self.held_bytes.load(Ordering::Relaxed) >= limit {
            let mut hold = self.hold.lock();
            if hold.bytes >= limit && !self.drops_messages() {
                hold.stalled = Some(waker.clone());
                return true;
            }
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

    /// The clock may have jumped ahead.
    pub fn look_at_clock(&self) {
        self.order(|_| {});
    }

    pub fn probe(&self) {
        self.order(|orders| orders.probe = true);
    }

    #[cfg(feature = "test-hooks")]
    pub fn panic_in_task(&self) {
        self.order(|orders| orders.panic = true);
    }

    /// The waker of a task that sleeps; one that runs looks again before it sleeps.
    pub(super) fn wake_task(&self, half: &mut Half) -> Option<Waker> {
        half.news = true;
        // A look first: in a burst somebody has woken it already, and a swap costs as much as a lock.
        let is_first = self.asleep.load(Ordering::Acquire) && self.asleep.swap(false, Ordering::AcqRel);
        if is_first { half.waker.clone() } else { None }
    }

    /// Told by the task: under the sending half's lock before it sleeps, without it when it runs again.
    pub(super) fn set_asleep(&self, asleep: bool) {
        self.asleep.store(asleep, Ordering::Release);
    }

    fn order(&self, change: impl FnOnce(&mut Orders)) {
        let mut after = After::new(&self.app);
        let mut half = self.half.lock();
        change(&mut half.orders);
        after.wake(self.wake_task(&mut half));
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
        if half.phase != Phase::Ended {
            after.log(log::INFO, format_args!("socket {} was released", self.id()));
        }
        let calls = self.stop(&mut half, true);
        let token = half.token.take();
        after.wake(self.wake_task(&mut half));
        let mut state = app.state.lock();
        self.mark_released();
        app.purge(&mut state, self, true, &mut after);
        app.free_slot_locked(&mut state, self.id());
        let gate = {
            let mut hold = self.hold.lock();
            hold.paused = false;
            let gate = hold.gate.take();
            self.hold_changed(&hold);
            gate
        };
        // Who waits for this one's end waits for what this one waited for.
        app.open_gates(&mut state, self.id(), gate, &mut after);
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
            self.mark_released();
            let calls = self.stop(&mut half, true);
            after.wake(self.wake_task(&mut half));
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
