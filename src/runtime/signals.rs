//! Threads of the library block all signals: a host's handlers run on the host's threads.
#![allow(unsafe_code)]

/// Blocks all signals on this thread while it lives. A thread inherits the mask of the one that starts it,
/// so this is held around the start: the new thread never has a moment with signals open.
pub struct Blocked {
    #[cfg(unix)]
    before: libc::sigset_t,
}

#[cfg(unix)]
impl Blocked {
    pub fn enter() -> Blocked {
        // SAFETY: sigset_t is plain data, for which all zeroes are a value; sigfillset then fills it, and
        // pthread_sigmask reads the first and writes the second set, both of which live on this stack.
        unsafe {
            let mut all: libc::sigset_t = std::mem::zeroed();
            let mut before: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
            Blocked { before }
        }
    }
}

#[cfg(unix)]
impl Drop for Blocked {
    fn drop(&mut self) {
        // SAFETY: `before` is the mask that pthread_sigmask gave out on entering; the type is not sent to
        // another thread, as it lives in one stack frame.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &self.before, std::ptr::null_mut());
        }
    }
}

#[cfg(not(unix))]
impl Blocked {
    pub fn enter() -> Blocked {
        Blocked {}
    }
}
