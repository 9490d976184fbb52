//! What callbacks of a dispatch have sent: it gathers until they are over, and the dispatching thread writes it. To
//! wake the I/O thread for it would cost as much as all the rest.

use std::sync::Arc;

use parking_lot::MutexGuard;

use super::after::After;
use super::app::{App, State};
use super::scope;
use super::socket::{Half, Socket};
use super::state::Phase;
use crate::transport::link::Link;

/// When so much has gathered, the I/O thread begins to send it meanwhile.
const GATHERED: usize = 64 * 1024;

impl Socket {
    /// Whether what was put into the link is written at the end of the dispatch that this thread is in.
    #[inline]
    pub(super) fn leaves_to_dispatch(self: &Arc<Socket>, half: &mut Half) -> bool {
        !self.app.settings.direct && self.gathers(half)
    }

    fn gathers(self: &Arc<Socket>, half: &mut Half) -> bool {
        let gathers = scope::in_dispatch_of(self.app.address())
            && !half.has_waiting()
            && half.outbound_len() <= GATHERED;
        if gathers && !half.unsent {
            half.unsent = true;
            self.app.state.lock().unsent.push(Arc::clone(self));
        }
        gathers
    }

    fn write_unsent(self: &Arc<Socket>) {
        let mut after = After::new(&self.app);
        let mut half = self.half.lock();
        half.unsent = false;
        // What has ended, or waits for the system, is the task's, which knows.
        if half.phase == Phase::Ended || half.link.as_ref().is_none_or(Link::is_blocked) {
            return;
        }
        // Under the app's lock, answers cannot be posted before the results.
        let mut state = half.pending.has_calls().then(|| self.app.state.lock());
        if half.has_waiting() || !half.write_here() {
            after.wake(self.wake_task(&mut half));
        }
        self.settle(&mut half, state.as_deref_mut(), &mut after);
    }
}

impl App {
    /// At the end of a dispatch, whose results wait for the next one.
    pub(super) fn write_unsent<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        while !state.unsent.is_empty() {
            let unsent = std::mem::take(&mut state.unsent);
            drop(state);
            unsent.iter().for_each(Socket::write_unsent);
            state = self.state.lock();
        }
        state
    }
}
