//! The library as a whole: what was set at init, which apps there are, and the shutdown of it all.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::app::App;
use super::error::Status;
use super::handler::{AppHandler, HostToken};
use super::scope;
use super::settings::AppSettings;
use crate::runtime::log;
use crate::runtime::threads::{self, Hook, Hooks};

/// What `taro_init` sets.
pub struct Settings {
    pub io_threads: usize,
    pub log_level: u32,
    pub log: Option<log::Sink>,
    pub thread_start: Option<Hook>,
    pub thread_stop: Option<Hook>,
}

struct Library {
    /// Nothing can be initialised any more: it was, or an app exists.
    started: bool,
    stopping: bool,
    token: Option<HostToken>,
    /// Every app whose release is not finished.
    apps: Vec<Arc<App>>,
    default: Option<Arc<App>>,
}

static LIBRARY: Mutex<Library> =
    Mutex::new(Library { started: false, stopping: false, token: None, apps: Vec::new(), default: None });
static CHANGED: Condvar = Condvar::new();
/// Whether a shutdown has begun and not ended; read by every export.
static SHUTTING_DOWN: AtomicBool = AtomicBool::new(false);

pub fn is_shutting_down() -> bool {
    SHUTTING_DOWN.load(Ordering::Acquire)
}

/// How the default app is made; the C room sets it, as it alone knows its default options.
pub type MakeDefault = fn() -> (AppSettings, Box<dyn AppHandler>);

pub fn init(settings: Settings, mut token: HostToken) -> Result<(), Status> {
    {
        let mut library = LIBRARY.lock();
        if library.started || is_shutting_down() {
            token.disarm();
            return Err(if library.started { Status::Busy } else { Status::ShuttingDown });
        }
        // Under the lock: no connect starts a thread before this.
        log::set(settings.log_level, settings.log);
        let hooks = Hooks { start: settings.thread_start, stop: settings.thread_stop };
        threads::configure(settings.io_threads, hooks);
        library.started = true;
        library.token = Some(token);
    }
    Ok(())
}

/// Adds an app, unless the library is shutting down.
pub fn enter<T>(add: impl FnOnce(&mut Vec<Arc<App>>) -> Result<T, Status>) -> Result<T, Status> {
    let mut library = LIBRARY.lock();
    if is_shutting_down() {
        return Err(Status::ShuttingDown);
    }
    library.started = true;
    add(&mut library.apps)
}

static MAKE_DEFAULT: OnceLock<MakeDefault> = OnceLock::new();

/// Tells how the default app is made; the first one counts.
#[inline]
pub fn set_default_maker(make: MakeDefault) {
    MAKE_DEFAULT.get_or_init(|| make);
}

/// The default app, made on first use.
pub fn default_app() -> Result<Arc<App>, Status> {
    let make = MAKE_DEFAULT.get().ok_or(Status::Internal)?;
    let mut library = LIBRARY.lock();
    if is_shutting_down() {
        return Err(Status::ShuttingDown);
    }
    if let Some(app) = &library.default {
        return Ok(Arc::clone(app));
    }
    let (settings, handler) = make();
    let app = App::new(0, settings, handler, None);
    library.started = true;
    library.apps.push(Arc::clone(&app));
    library.default = Some(Arc::clone(&app));
    Ok(app)
}

/// Takes the default app out, for its release.
pub fn take_default_app() -> Result<Option<Arc<App>>, Status> {
    let mut library = LIBRARY.lock();
    if is_shutting_down() { Err(Status::ShuttingDown) } else { Ok(library.default.take()) }
}

/// The release of an app is finished.
pub fn forget(app: &Arc<App>) {
    LIBRARY.lock().apps.retain(|known| !Arc::ptr_eq(known, app));
}

/// Ends every app, then the threads. Nothing is freed before every callback has ended.
pub fn shutdown(timeout: Duration) -> Result<(), Status> {
    if scope::in_callback() {
        return Err(Status::WouldDeadlock);
    }
    let deadline = Instant::now() + timeout;
    let apps = {
        let mut library = LIBRARY.lock();
        while library.stopping {
            if CHANGED.wait_until(&mut library, deadline).timed_out() && library.stopping {
                return Err(Status::TimedOut);
            }
        }
        SHUTTING_DOWN.store(true, Ordering::Release);
        library.stopping = true;
        library.default = None;
        library.apps.clone()
    };
    let done = stop(&apps, deadline);
    if done {
        let token = LIBRARY.lock().token.take();
        let _level = scope::enter_callback();
        drop(token);
    }
    {
        // Only now another shutdown may begin.
        let mut library = LIBRARY.lock();
        library.stopping = false;
        if done {
            library.started = false;
            SHUTTING_DOWN.store(false, Ordering::Release);
        }
    }
    CHANGED.notify_all();
    if done { Ok(()) } else { Err(Status::TimedOut) }
}

fn stop(apps: &[Arc<App>], deadline: Instant) -> bool {
    for app in apps {
        if app.id != 0 {
            super::handles::remove(app.id);
        }
        app.ask_to_end(true);
    }
    if !apps.iter().all(|app| app.wait_for_quiet(deadline)) {
        return false;
    }
    // Hooks of the host run at the threads' ends: nothing is freed before those.
    if !threads::stop_all(deadline) {
        return false;
    }
    log::set(log::WARN, None);
    if !log::wait_for_quiet(deadline) {
        return false;
    }
    for app in apps {
        app.finish_kept();
    }
    true
}
