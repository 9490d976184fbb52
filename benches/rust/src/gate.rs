//! How a thread of the host waits for replies.

use std::sync::{Condvar, Mutex};

#[derive(Default)]
pub struct Gate {
    count: Mutex<usize>,
    changed: Condvar,
}

impl Gate {
    pub fn add(&self) {
        *self.count.lock().unwrap() += 1;
        self.changed.notify_one();
    }

    pub fn wait(&self, count: usize) {
        let seen = self.count.lock().unwrap();
        drop(self.changed.wait_while(seen, |seen| *seen < count).unwrap());
    }

    /// Waits until the count is more than that; what it is then.
    pub fn wait_beyond(&self, count: usize) -> usize {
        let seen = self.count.lock().unwrap();
        *self.changed.wait_while(seen, |seen| *seen <= count).unwrap()
    }
}

/// A descriptor in the poll loop of the host.
pub struct Bell(i32);

impl Bell {
    pub fn new() -> Bell {
        // SAFETY: eventfd takes numbers.
        Bell(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })
    }

    pub fn ring(&self) {
        let one = 1u64;
        // SAFETY: eight bytes are there to be read.
        unsafe { libc::write(self.0, (&raw const one).cast(), 8) };
    }

    pub fn wait(&self) {
        let mut watched = libc::pollfd { fd: self.0, events: libc::POLLIN, revents: 0 };
        let mut seen = 0u64;
        // SAFETY: both outlive the calls; eight bytes are there to be written.
        unsafe {
            libc::poll(&mut watched, 1, -1);
            libc::read(self.0, (&raw mut seen).cast(), 8);
        }
    }
}
