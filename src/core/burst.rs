//! The messages of one read on their way to the host. In direct delivery the app is entered once for all of
//! them, and left at the end or when something else wants its turn.

use std::sync::Arc;

use super::after::After;
use super::app::Ending;
use super::delivery::{Item, Watch};
use super::event::Payload;
use super::scope::{self, Level};
use super::socket::{Socket, count};

pub struct Burst<'a> {
    socket: &'a Arc<Socket>,
    /// While it is there a callback of the app counts as running, and a release waits.
    entered: Option<Level>,
}

/// What became of a message.
#[derive(PartialEq, Eq)]
pub enum Fate {
    Delivered,
    /// It waits, or was dropped because nobody is to be told any more.
    Queued,
}

impl<'a> Burst<'a> {
    pub fn new(socket: &'a Arc<Socket>) -> Burst<'a> {
        Burst { socket, entered: None }
    }

    /// Delivers a message: at once and from the reader's buffer if nothing stands before it, else through the
    /// queue.
    #[inline]
    pub fn deliver(&mut self, text: bool, payload: Payload<'_>) -> Fate {
        let counters = &self.socket.counters;
        count(&counters.messages_received, 1);
        count(&counters.payload_bytes_received, payload.len() as u64);
        let undisturbed = !self.socket.app.wants_attention() && !self.socket.has_marks();
        if (undisturbed && self.entered.is_some()) || self.enter() {
            let _watch = Watch::start(self.socket.id());
            self.socket.handler().message(self.socket.id(), text, payload);
            Fate::Delivered
        } else {
            self.put_aside(text, payload);
            Fate::Queued
        }
    }

    /// Whether a message may run now.
    fn enter(&mut self) -> bool {
        self.leave();
        let app = &self.socket.app;
        if !app.settings.direct {
            return false;
        }
        let mut state = app.state.lock();
        if !state.queue.is_empty() {
            drop(state);
            app.pump();
            state = app.state.lock();
        }
        if app.wants_attention() || self.socket.has_marks() {
            return false;
        }
        state.running = true;
        self.entered = Some(scope::enter_callback());
        true
    }

    #[cold]
    fn put_aside(&self, text: bool, payload: Payload<'_>) {
        let socket = self.socket;
        let mut after = After::new(&socket.app);
        let mut state = socket.app.state.lock();
        if state.ending == Ending::No && !socket.is_released() && !socket.drops_messages() {
            let item = Item::Message { socket: Arc::clone(socket), text, payload: payload.into_owned() };
            socket.app.post_locked(&mut state, item, &mut after);
        }
    }

    fn leave(&mut self) {
        if self.entered.take().is_some() {
            self.socket.app.callback_over();
        }
    }
}

impl Drop for Burst<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}
