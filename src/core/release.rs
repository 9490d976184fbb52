//! The end of an app: silent, and every release function exactly once, the app's own last.
//!
//! Asked, then finished. To finish, nothing of the app may be under way: no item, no notice, no call that has
//! taken user data. If something is, the releaser waits for it, or, inside a callback, leaves the finishing
//! to the thread that comes last.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::MutexGuard;

use super::app::{App, Ending, State};
use super::error::Status;
use super::{handles, library, scope};

/// Releases an app; 0 is the default app.
pub fn release(id: u64) -> Result<(), Status> {
    let app = if id == 0 {
        match library::take_default_app()? {
            Some(app) => app,
            None => return Ok(()),
        }
    } else {
        let app = handles::app(id)?;
        if !handles::remove(id) {
            return Err(Status::BadHandle);
        }
        app
    };
    app.ask_to_end(false);
    if !scope::in_callback() {
        app.wait_for_end();
    }
    Ok(())
}

/// A call that is about to take user data: while it lives, the app's release is not finished.
pub struct CallGuard {
    app: Arc<App>,
}

impl CallGuard {
    pub fn enter(app: &Arc<App>) -> Result<CallGuard, Status> {
        let mut state = app.state.lock();
        if state.ending != Ending::No {
            return Err(Status::BadHandle);
        }
        state.calls += 1;
        Ok(CallGuard { app: Arc::clone(app) })
    }

    pub fn app(&self) -> &Arc<App> {
        &self.app
    }
}

impl Drop for CallGuard {
    fn drop(&mut self) {
        let mut state = self.app.state.lock();
        state.calls -= 1;
        self.app.leave(state);
    }
}

impl App {
    /// From here on nothing of the app starts. `kept`: the caller, a shutdown, finishes it later.
    pub fn ask_to_end(self: &Arc<App>, kept: bool) {
        let pump;
        let sockets: Vec<u64>;
        {
            let mut state = self.state.lock();
            if state.ending != Ending::No {
                // Whoever asked first sees to the end of it.
                return;
            }
            state.ending = Ending::Asked;
            state.kept_for_shutdown = kept;
            self.mark_released();
            sockets = state.sockets.keys().copied().collect();
            pump = state.pump.take();
        }
        for socket in sockets {
            handles::remove(socket);
        }
        if let Some(pump) = pump {
            pump.wake();
        }
        self.leave(self.state.lock());
    }

    /// Something of the app is over: finishes the release if it was asked for and nothing is left.
    pub fn leave(self: &Arc<App>, mut state: MutexGuard<'_, State>) {
        if state.ending == Ending::No {
            return;
        }
        // A thread that releases, dispatches, or comes out of a callback waits for this one, to finish it there.
        let finished_elsewhere = state.releasers > 0 || state.dispatching;
        if state.may_finish() && !finished_elsewhere {
            state.ending = Ending::Running;
            drop(state);
            self.finish();
            return;
        }
        self.changed.notify_all();
    }

    /// Waits for the end; finishes it if nobody else does.
    fn wait_for_end(self: &Arc<App>) {
        let mut state = self.state.lock();
        state.releasers += 1;
        while state.ending != Ending::Done {
            if state.may_finish() && !state.dispatching {
                state.ending = Ending::Running;
                drop(state);
                self.finish();
                state = self.state.lock();
            } else {
                self.changed.wait(&mut state);
            }
        }
        state.releasers -= 1;
    }

    /// At the end of a dispatch, or of a callback in direct delivery: finishes a release that was asked for meanwhile,
    /// once the notices and calls that are on their way on other threads have passed.
    pub fn finish_here<'a>(self: &'a Arc<App>, mut state: MutexGuard<'a, State>) {
        if state.ending == Ending::No {
            return;
        }
        while state.ending == Ending::Asked && !state.kept_for_shutdown {
            if state.may_finish() {
                state.ending = Ending::Running;
                drop(state);
                self.finish();
                return;
            }
            state.releasers += 1;
            self.changed.wait(&mut state);
            state.releasers -= 1;
        }
        drop(state);
        self.changed.notify_all();
    }

    /// A callback has returned.
    pub fn callback_over(self: &Arc<App>) {
        let mut state = self.state.lock();
        state.running = false;
        if self.settings.direct { self.finish_here(state) } else { self.leave(state) }
    }

    /// Waits until nothing of the app is under way, or the deadline has come. A release that others asked for is
    /// under way until it is finished.
    pub fn wait_for_quiet(&self, deadline: Instant) -> bool {
        let is_over = |state: &State| match state.ending {
            Ending::Done => true,
            Ending::Asked => state.kept_for_shutdown && state.is_quiet(),
            _ => false,
        };
        let mut state = self.state.lock();
        while !is_over(&state) {
            if self.changed.wait_until(&mut state, deadline).timed_out() {
                return is_over(&state);
            }
        }
        true
    }

    /// Finishes a release that was kept for a shutdown.
    pub fn finish_kept(self: &Arc<App>) {
        {
            let mut state = self.state.lock();
            if state.ending != Ending::Asked || !state.kept_for_shutdown {
                return;
            }
            state.ending = Ending::Running;
        }
        self.finish();
    }

    fn finish(self: &Arc<App>) {
        let _level = scope::enter_callback();
        let (sockets, queue) = {
            let mut state = self.state.lock();
            state.bytes = 0;
            let mut queue = std::mem::take(&mut state.queue);
            queue.extend(std::mem::take(&mut state.leftovers));
            let stalled = std::mem::take(&mut state.stalled);
            state.live.clear();
            state.global = 0;
            state.shown = None;
            let sockets = std::mem::take(&mut state.sockets);
            drop(state);
            self.descriptor.close();
            stalled.into_iter().for_each(std::task::Waker::wake);
            (sockets, queue)
        };
        // First all that belongs to calls, then what belongs to sockets, then to the app.
        let mut tokens = Vec::new();
        for socket in sockets.values() {
            tokens.extend(socket.detach());
        }
        let mut last = Vec::new();
        for item in queue {
            if item.is_free() { last.push(item) } else { drop(item) }
        }
        let leftovers = std::mem::take(&mut self.state.lock().leftovers);
        drop(leftovers);
        drop(last);
        drop(tokens);
        drop(sockets);
        let token = self.state.lock().token.take();
        drop(token);
        library::forget(self);
        self.state.lock().ending = Ending::Done;
        self.changed.notify_all();
    }
}
