//! What waits outside of the order: events of paused sockets, those behind another socket's end, and what is
//! taken back before it was told.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::after::After;
use super::app::{App, Ending, State};
use super::delivery::Item;
use super::socket::Socket;

impl App {
    /// Drops what waits of a socket: all its events, or only open and messages.
    pub fn purge(&self, state: &mut State, socket: &Socket, every_event: bool, after: &mut After<'_>) {
        let goes = |item: &Item| {
            std::ptr::eq(Arc::as_ptr(item.socket()), socket)
                && if every_event { item.is_event() } else { item.is_open_or_message() }
        };
        for item in std::mem::take(&mut state.queue) {
            if goes(&item) {
                state.bytes -= item.bytes();
                after.drop_later(item);
            } else {
                state.queue.push_back(item);
            }
        }
        self.queue_changed(state, after);
        // There is room, and from a close or release on the socket reads whatever waits.
        after.wake_all(&mut state.stalled);
        let mut hold = socket.hold.lock();
        after.wake(hold.stalled.take());
        for item in std::mem::take(&mut hold.items) {
            if goes(&item) {
                hold.bytes -= item.bytes();
                after.drop_later(item);
            } else {
                hold.items.push_back(item);
            }
        }
        socket.held_bytes.store(hold.bytes, Ordering::Relaxed);
    }

    /// Takes what waits of a socket out of the queue, for a pause.
    pub fn hold_back(&self, state: &mut State, socket: &Socket, after: &mut After<'_>) {
        let mut hold = socket.hold.lock();
        for item in std::mem::take(&mut state.queue) {
            if std::ptr::eq(Arc::as_ptr(item.socket()), socket) && item.is_held_by_pause() {
                state.bytes -= item.bytes();
                hold.bytes += item.bytes();
                hold.items.push_back(item);
            } else {
                state.queue.push_back(item);
            }
        }
        socket.held_bytes.store(hold.bytes, Ordering::Relaxed);
        if state.bytes < self.settings.queue_limit {
            after.wake_all(&mut state.stalled);
        }
        self.queue_changed(state, after);
    }

    /// Moves what a socket held back into the queue, if nothing holds it any more.
    pub fn unhold(self: &Arc<App>, state: &mut State, socket: &Socket, after: &mut After<'_>) {
        let items = {
            let mut hold = socket.hold.lock();
            if hold.is_holding() {
                return;
            }
            hold.bytes = 0;
            socket.held_bytes.store(0, Ordering::Relaxed);
            after.wake(hold.stalled.take());
            std::mem::take(&mut hold.items)
        };
        for item in items {
            if state.ending == Ending::No {
                self.push(state, item, after);
            } else {
                self.set_aside(state, item, after);
            }
        }
    }

    /// Lets the socket on that had to wait for the end of `ended` (single-socket mode), or has it wait for the end of
    /// `next`.
    pub fn open_gates(
        self: &Arc<App>,
        state: &mut State,
        ended: u64,
        next: Option<u64>,
        after: &mut After<'_>,
    ) {
        if !self.settings.single_socket {
            return;
        }
        let sockets: Vec<_> = state.sockets.values().cloned().collect();
        for socket in sockets {
            let opened = {
                let mut hold = socket.hold.lock();
                let opened = hold.gate == Some(ended);
                if opened {
                    hold.gate = next;
                    socket.hold_changed(&hold);
                }
                opened
            };
            if opened && next.is_none() {
                self.unhold(state, &socket, after);
            }
        }
    }
}
