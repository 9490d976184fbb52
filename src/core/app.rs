//! An app: the owner of sockets, limits, policy and delivery.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Waker;

use parking_lot::{Condvar, Mutex};

use super::after::After;
use super::delivery::Item;
use super::descriptor::Descriptor;
use super::error::Status;
use super::handler::{AppHandler, HostToken};
use super::settings::AppSettings;
use super::socket::Socket;
use super::{handles, library, pump};
use crate::runtime::clock::Moment;
use crate::runtime::threads::{self, IoThread};

/// How far the release of an app has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    No,
    /// Nothing new starts; what runs is waited for.
    Asked,
    /// One thread runs the release functions.
    Running,
    Done,
}

pub struct App {
    /// 0 for the default app.
    pub id: u64,
    pub settings: AppSettings,
    handler: Box<dyn AppHandler>,
    thread: OnceLock<IoThread>,
    pub(super) state: Mutex<State>,
    /// Signalled when something that a release waits for is over.
    pub(super) changed: Condvar,
    pub(super) descriptor: Descriptor,
    /// Copies of what the state says, for looks without the lock.
    pub(super) queued_bytes: AtomicUsize,
    /// Something stands before the next message of a burst: the queue, or the end.
    attention: AtomicBool,
    released: AtomicBool,
    background: AtomicBool,
}

pub struct State {
    pub queue: VecDeque<Item>,
    pub bytes: usize,
    /// An item runs, on whichever thread.
    pub running: bool,
    pub dispatching: bool,
    /// Wake-up notices that are on their way.
    pub notices: u32,
    /// Calls that have taken user data and not yet posted their result.
    pub calls: u32,
    pub ending: Ending,
    /// A shutdown finishes the release itself, when every app has come to rest.
    pub kept_for_shutdown: bool,
    /// Threads that wait for the end of the release.
    pub releasers: u32,
    /// What is posted after the release was asked for; dropped with the rest.
    pub leftovers: Vec<Item>,
    /// Every socket that was not released, ended or not.
    pub sockets: HashMap<u64, Arc<Socket>>,
    /// Those that count towards the limit, oldest first.
    pub live: Vec<u64>,
    pub global: u64,
    pub background_since: Option<Moment>,
    /// Tasks that do not read because the queue is full.
    pub stalled: Vec<Waker>,
    /// The pump, while it sleeps.
    pub pump: Option<Waker>,
    pub token: Option<HostToken>,
    /// Whether the descriptor is or will be raised; None: it was not asked for.
    pub shown: Option<bool>,
    /// Sockets on which callbacks of the dispatch have sent.
    pub unsent: Vec<Arc<Socket>>,
}

impl State {
    pub fn is_quiet(&self) -> bool {
        !self.running && self.notices == 0 && self.calls == 0
    }

    /// A release was asked for, and nothing stands before its end.
    pub fn may_finish(&self) -> bool {
        self.ending == Ending::Asked && self.is_quiet() && !self.kept_for_shutdown
    }
}

/// Makes an app and its id.
pub fn create(settings: AppSettings, handler: Box<dyn AppHandler>, token: HostToken) -> Result<u64, Status> {
    let mut kept = Some(token);
    let made = library::enter(|apps| {
        let app = handles::insert_app(|id| App::new(id, settings, handler, kept.take()))?;
        apps.push(Arc::clone(&app));
        Ok(app.id)
    });
    if let Some(token) = &mut kept {
        token.disarm();
    }
    made
}

/// The app of an id; 0 is the default app, made if there is none.
pub fn find(id: u64) -> Result<Arc<App>, Status> {
    if id == 0 { library::default_app() } else { handles::app(id) }
}

pub fn set_background(id: u64, background: bool) -> Result<(), Status> {
    find(id)?.set_background(background);
    Ok(())
}

pub fn network_changed(id: u64) -> Result<(), Status> {
    let app = find(id)?;
    app.interrupt_if_due();
    for socket in app.live_now() {
        socket.probe();
    }
    app.look_at_clocks();
    Ok(())
}

pub fn live_sockets(id: u64) -> Result<Vec<u64>, Status> {
    Ok(find(id)?.state.lock().live.clone())
}

pub fn global_socket(id: u64) -> Result<u64, Status> {
    Ok(find(id)?.state.lock().global)
}

pub fn dispatch(id: u64, max: usize) -> Result<usize, Status> {
    if id == 0 {
        // The default app delivers directly: it need not be made to know that.
        return Err(Status::WrongDelivery);
    }
    find(id)?.dispatch(max)
}

pub fn descriptor(id: u64) -> Result<i32, Status> {
    if id == 0 {
        return Err(Status::WrongDelivery);
    }
    let app = find(id)?;
    if app.settings.direct {
        return Err(Status::WrongDelivery);
    }
    let mut state = app.state.lock();
    if state.ending != Ending::No {
        return Err(Status::BadHandle);
    }
    let waits = !state.queue.is_empty();
    let descriptor = app.descriptor.open(waits)?;
    state.shown.get_or_insert(waits);
    Ok(descriptor)
}

impl App {
    pub fn new(
        id: u64,
        settings: AppSettings,
        handler: Box<dyn AppHandler>,
        token: Option<HostToken>,
    ) -> Arc<App> {
        Arc::new(App {
            id,
            settings,
            handler,
            thread: OnceLock::new(),
            state: Mutex::new(State {
                queue: VecDeque::new(),
                bytes: 0,
                running: false,
                dispatching: false,
                notices: 0,
                calls: 0,
                ending: Ending::No,
                kept_for_shutdown: false,
                releasers: 0,
                leftovers: Vec::new(),
                sockets: HashMap::new(),
                live: Vec::new(),
                global: 0,
                background_since: None,
                stalled: Vec::new(),
                pump: None,
                token,
                shown: None,
                unsent: Vec::new(),
            }),
            changed: Condvar::new(),
            descriptor: Descriptor::default(),
            queued_bytes: AtomicUsize::new(0),
            attention: AtomicBool::new(false),
            released: AtomicBool::new(false),
            background: AtomicBool::new(false),
        })
    }

    /// Tells apps apart where the default app's id would not: it is 0 for each one in turn.
    pub fn address(self: &Arc<App>) -> u64 {
        Arc::as_ptr(self) as usize as u64
    }

    pub fn is_released(&self) -> bool {
        self.released.load(Ordering::Acquire)
    }

    pub(super) fn mark_released(&self) {
        self.released.store(true, Ordering::Release);
        self.attention.store(true, Ordering::Release);
    }

    pub(super) fn wants_attention(&self) -> bool {
        self.attention.load(Ordering::Acquire)
    }

    /// The queue has changed: what shows it to others follows.
    pub(super) fn queue_changed(&self, state: &mut State, after: &mut After<'_>) {
        self.queued_bytes.store(state.bytes, Ordering::Relaxed);
        self.attention.store(!state.queue.is_empty() || state.ending != Ending::No, Ordering::Release);
        let waits = !state.queue.is_empty();
        if let Some(shown) = &mut state.shown
            && *shown != waits
        {
            *shown = waits;
            if waits {
                self.descriptor.announce();
                after.raise_descriptor();
            } else {
                self.descriptor.lower();
            }
        }
    }

    pub fn is_in_background(&self) -> bool {
        self.background.load(Ordering::Acquire)
    }

    /// The app's I/O thread; the first call picks it and starts the pump there.
    pub fn thread(self: &Arc<App>) -> Result<&IoThread, Status> {
        if let Some(thread) = self.thread.get() {
            return Ok(thread);
        }
        let thread = threads::pick().map_err(|_| Status::NoResources)?;
        let mut first = false;
        let thread = self.thread.get_or_init(|| {
            first = true;
            thread
        });
        if first {
            thread.spawn(pump::run(Arc::clone(self)));
        }
        Ok(thread)
    }

    pub fn is_on_own_thread(&self) -> bool {
        self.thread.get().is_some_and(IoThread::is_current)
    }

    fn live_now(&self) -> Vec<Arc<Socket>> {
        let state = self.state.lock();
        state.live.iter().filter_map(|id| state.sockets.get(id).cloned()).collect()
    }

    fn set_background(self: &Arc<App>, background: bool) {
        if background {
            let mut after = After::new(self);
            let mut state = self.state.lock();
            if state.background_since.is_none() {
                state.background_since = Some(Moment::now());
                self.background.store(true, Ordering::Release);
                after.wake(state.pump.take());
            }
            return;
        }
        self.interrupt_if_due();
        let mut after = After::new(self);
        let mut state = self.state.lock();
        state.background_since = None;
        self.background.store(false, Ordering::Release);
        after.wake(state.pump.take());
        drop(state);
        self.look_at_clocks();
    }

    /// Some timers stand still while the device sleeps: every task that has not ended compares its deadlines anew.
    fn look_at_clocks(&self) {
        let sockets: Vec<_> = self.state.lock().sockets.values().cloned().collect();
        for socket in sockets.iter().filter(|socket| !socket.is_told_closed()) {
            socket.look_at_clock();
        }
    }

    /// The notice that something waits for dispatch.
    pub(super) fn wake_host(&self) {
        self.handler.wake(self.id);
    }

    pub(super) fn wants_notices(&self) -> bool {
        self.handler.wants_notices()
    }

    /// When the grace of the background is over, if it runs.
    pub fn grace_end(&self) -> Option<Moment> {
        let since = self.state.lock().background_since?;
        Some(since.plus(self.settings.background_grace))
    }

    /// Ends the live sockets if the grace is over; also when no timer has told, as after a device's sleep.
    pub fn interrupt_if_due(&self) -> bool {
        let due = self.grace_end().is_some_and(|end| end <= Moment::now());
        if due {
            for socket in self.live_now() {
                socket.interrupt();
            }
        }
        due
    }

    /// A socket stops counting towards the limit: its close was accepted, or it has ended.
    pub fn free_slot(&self, socket: u64) {
        self.free_slot_locked(&mut self.state.lock(), socket);
    }

    pub fn free_slot_locked(&self, state: &mut State, socket: u64) {
        state.live.retain(|id| *id != socket);
        if state.global == socket {
            state.global = 0;
        }
    }
}
