//! The pollable descriptor of an app of host delivery: readable exactly while something waits.
//!
//! It is lowered under the app's lock, and raised without: who raises it under that lock wakes a thread that wants it
//! next. So a raise is announced under the lock, and done by whoever comes first with none; what lowers it meanwhile
//! takes the announcement back.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;

use super::error::Status;
use crate::runtime::flag::Flag;

#[derive(Default)]
pub struct Descriptor {
    /// Held for reading by who raises it, for as long as that takes.
    flag: RwLock<Option<Flag>>,
    announced: AtomicBool,
}

impl Descriptor {
    /// Opens it, once, raised or not; its number.
    pub fn open(&self, waits: bool) -> Result<i32, Status> {
        let mut place = self.flag.write();
        if let Some(flag) = &*place {
            return Ok(flag.descriptor());
        }
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::Unsupported => Status::Unsupported,
            _ => Status::NoResources,
        };
        let flag = Flag::new().map_err(failed)?;
        if waits {
            flag.raise().map_err(failed)?;
        }
        Ok(place.insert(flag).descriptor())
    }

    pub fn close(&self) {
        *self.flag.write() = None;
    }

    /// `raise` follows.
    pub fn announce(&self) {
        self.announced.store(true, Ordering::Release);
    }

    /// Does what was announced, if nobody else has, and it was not taken back.
    pub fn raise(&self) {
        let place = self.flag.read();
        if self.announced.swap(false, Ordering::AcqRel)
            && let Some(flag) = &*place
        {
            // It fails only if the host closed the descriptor, and then nobody polls it.
            let _raised = flag.raise();
        }
    }

    /// Takes back what was announced, or what was done.
    pub fn lower(&self) {
        if self.announced.swap(false, Ordering::AcqRel) {
            return;
        }
        let is_lowered = self.flag.read().as_ref().is_none_or(|flag| flag.lower().is_ok());
        if !is_lowered && let Some(flag) = &*self.flag.write() {
            // A raise was under way, and is over now. If not, the host has read from the descriptor, and it is low.
            let _lowered = flag.lower();
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn is_up(descriptor: &Descriptor) -> bool {
        let mut polled =
            libc::pollfd { fd: descriptor.open(false).unwrap(), events: libc::POLLIN, revents: 0 };
        crate::runtime::flag::tests::poll_now(&mut polled) == 1
    }

    #[test]
    fn a_raise_is_announced_and_done_or_taken_back() {
        let descriptor = Descriptor::default();
        assert!(!is_up(&descriptor));
        descriptor.announce();
        assert!(!is_up(&descriptor));
        descriptor.raise();
        descriptor.raise();
        assert!(is_up(&descriptor));
        descriptor.lower();
        assert!(!is_up(&descriptor));
        descriptor.announce();
        descriptor.lower();
        descriptor.raise();
        assert!(!is_up(&descriptor));
    }

    /// Whoever of two comes first: low is low when `lower` returns.
    #[test]
    fn what_is_low_stays_low_whoever_raises_meanwhile() {
        let descriptor = Arc::new(Descriptor::default());
        for _ in 0..2_000 {
            descriptor.announce();
            let raiser = Arc::clone(&descriptor);
            let raises = std::thread::spawn(move || raiser.raise());
            descriptor.lower();
            assert!(!is_up(&descriptor));
            raises.join().unwrap();
            assert!(!is_up(&descriptor));
        }
    }
}
