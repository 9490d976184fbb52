//! The pollable descriptor of an app of host delivery: readable exactly while something waits.

use super::error::Status;

#[cfg(unix)]
mod pair {
    use std::io::{Read, Write};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    use super::Status;

    /// A pair of sockets that holds one byte or none.
    pub struct Descriptor {
        host: UnixStream,
        library: UnixStream,
        shown: bool,
    }

    impl Descriptor {
        pub fn new() -> Result<Descriptor, Status> {
            let (host, library) = UnixStream::pair().map_err(|_| Status::NoResources)?;
            host.set_nonblocking(true).map_err(|_| Status::NoResources)?;
            library.set_nonblocking(true).map_err(|_| Status::NoResources)?;
            Ok(Descriptor { host, library, shown: false })
        }

        pub fn number(&self) -> i32 {
            self.host.as_raw_fd()
        }

        pub fn show(&mut self, waits: bool) {
            if waits == self.shown {
                return;
            }
            let done =
                if waits { self.library.write(&[1]).is_ok() } else { self.host.read(&mut [0]).is_ok() };
            // A byte into an empty buffer, or out of a filled one: neither can fail unless the host closed
            // the descriptor, and then nobody polls it.
            if done {
                self.shown = waits;
            }
        }
    }
}

#[cfg(not(unix))]
mod pair {
    use super::Status;

    /// There is nothing that a loop could poll together with its own descriptors.
    pub struct Descriptor;

    impl Descriptor {
        pub fn new() -> Result<Descriptor, Status> {
            Err(Status::Unsupported)
        }

        pub fn number(&self) -> i32 {
            -1
        }

        pub fn show(&mut self, _waits: bool) {}
    }
}

pub use pair::Descriptor;
