//! A descriptor that a host polls: readable while the flag is up.
#![cfg_attr(any(target_os = "linux", target_os = "android"), allow(unsafe_code))]

#[cfg(any(target_os = "linux", target_os = "android"))]
pub use counter::Flag;
#[cfg(not(unix))]
pub use nothing::Flag;
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
pub use pair::Flag;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod counter {
    use std::fs::File;
    use std::io::{self, Read, Write};
    use std::os::fd::{AsRawFd, FromRawFd};

    /// A counter of the kernel's, 0 or 1: one descriptor, and cheaper calls than a socket's.
    pub struct Flag(File);

    impl Flag {
        pub fn new() -> io::Result<Flag> {
            // SAFETY: no pointers.
            let descriptor = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) };
            if descriptor < 0 {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: it is new, and nobody else's.
            Ok(Flag(unsafe { File::from_raw_fd(descriptor) }))
        }

        pub fn descriptor(&self) -> i32 {
            self.0.as_raw_fd()
        }

        pub fn raise(&self) -> io::Result<()> {
            (&self.0).write_all(&1_u64.to_ne_bytes())
        }

        pub fn lower(&self) -> io::Result<()> {
            (&self.0).read_exact(&mut [0; 8])
        }
    }
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
mod pair {
    use std::io::{self, Read, Write};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    /// A pair of sockets that holds one byte or none.
    pub struct Flag {
        host: UnixStream,
        library: UnixStream,
    }

    impl Flag {
        pub fn new() -> io::Result<Flag> {
            let (host, library) = UnixStream::pair()?;
            host.set_nonblocking(true)?;
            library.set_nonblocking(true)?;
            Ok(Flag { host, library })
        }

        pub fn descriptor(&self) -> i32 {
            self.host.as_raw_fd()
        }

        pub fn raise(&self) -> io::Result<()> {
            (&self.library).write_all(&[1])
        }

        pub fn lower(&self) -> io::Result<()> {
            (&self.host).read_exact(&mut [0])
        }
    }
}

#[cfg(not(unix))]
mod nothing {
    use std::io;

    /// There is nothing that a loop could poll together with its own descriptors.
    pub struct Flag;

    impl Flag {
        pub fn new() -> io::Result<Flag> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub fn descriptor(&self) -> i32 {
            -1
        }

        pub fn raise(&self) -> io::Result<()> {
            Ok(())
        }

        pub fn lower(&self) -> io::Result<()> {
            Ok(())
        }
    }
}

#[cfg(all(test, unix))]
#[allow(unsafe_code)]
pub mod tests {
    use super::*;

    pub fn poll_now(polled: &mut libc::pollfd) -> i32 {
        // SAFETY: one descriptor, which the caller lends.
        unsafe { libc::poll(polled, 1, 0) }
    }

    #[test]
    fn it_is_lowered_as_often_as_it_is_raised() {
        let flag = Flag::new().unwrap();
        for _ in 0..3 {
            assert!(flag.lower().is_err());
            flag.raise().unwrap();
            flag.lower().unwrap();
        }
    }
}
