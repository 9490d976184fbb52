//! The pollable descriptor of an app of host delivery: readable exactly while something waits.

use std::io;

use super::error::Status;
use crate::runtime::flag::Flag;

pub struct Descriptor {
    flag: Flag,
    shown: bool,
}

impl Descriptor {
    pub fn new() -> Result<Descriptor, Status> {
        let flag = Flag::new().map_err(|error| match error.kind() {
            io::ErrorKind::Unsupported => Status::Unsupported,
            _ => Status::NoResources,
        })?;
        Ok(Descriptor { flag, shown: false })
    }

    pub fn number(&self) -> i32 {
        self.flag.descriptor()
    }

    pub fn show(&mut self, waits: bool) {
        if waits == self.shown {
            return;
        }
        let done = if waits { self.flag.raise() } else { self.flag.lower() };
        // It fails only if the host read from the descriptor or closed it, and then nobody polls it.
        if done.is_ok() {
            self.shown = waits;
        }
    }
}
