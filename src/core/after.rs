//! What must happen without a lock: wakes, notices, drops of what the host owns.
//!
//! An `After` is declared before the locks are taken, filled under them, and acts when it is dropped, which is
//! after they are gone.

use std::sync::Arc;
use std::task::Waker;

use super::app::App;
use super::delivery::Item;
use super::scope;
use crate::runtime::log;

pub struct After<'a> {
    app: &'a Arc<App>,
    notice: bool,
    raises: bool,
    /// One waker is common, more are rare.
    waker: Option<Waker>,
    rest: Option<Box<Rest>>,
}

#[derive(Default)]
struct Rest {
    wakers: Vec<Waker>,
    dropped: Vec<Item>,
    lines: Vec<(u32, String)>,
}

impl<'a> After<'a> {
    #[inline]
    pub fn new(app: &'a Arc<App>) -> After<'a> {
        After { app, notice: false, raises: false, waker: None, rest: None }
    }

    pub fn wake(&mut self, waker: Option<Waker>) {
        let Some(waker) = waker else { return };
        if self.waker.is_none() {
            self.waker = Some(waker);
        } else {
            self.rest.get_or_insert_default().wakers.push(waker);
        }
    }

    pub fn wake_all(&mut self, wakers: &mut Vec<Waker>) {
        if !wakers.is_empty() {
            self.rest.get_or_insert_default().wakers.append(wakers);
        }
    }

    pub fn drop_later(&mut self, item: Item) {
        self.rest.get_or_insert_default().dropped.push(item);
    }

    /// A line for the log, which may be the host's.
    pub fn log(&mut self, level: u32, line: std::fmt::Arguments<'_>) {
        if log::enabled(level) {
            self.rest.get_or_insert_default().lines.push((level, line.to_string()));
        }
    }

    /// Has the app's descriptor raised, which was announced.
    pub fn raise_descriptor(&mut self) {
        self.raises = true;
    }

    /// Has the app's host notified; false if that was asked for already.
    pub fn notify(&mut self) -> bool {
        !std::mem::replace(&mut self.notice, true)
    }

    #[cold]
    fn clear(&mut self, rest: Rest) {
        if !rest.dropped.is_empty() {
            let _level = scope::enter_callback();
            drop(rest.dropped);
        }
        rest.wakers.into_iter().for_each(Waker::wake);
        for (level, line) in rest.lines {
            log::write(level, format_args!("{line}"));
        }
    }

    fn give_notice(&self) {
        {
            let _level = scope::enter_notice();
            self.app.wake_host();
        }
        let mut state = self.app.state.lock();
        state.notices -= 1;
        self.app.leave(state);
    }
}

impl Drop for After<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.raises {
            self.app.descriptor.raise();
        }
        if let Some(rest) = self.rest.take() {
            self.clear(*rest);
        }
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
        if self.notice {
            self.give_notice();
        }
    }
}
