//! One alarm of the operating system for all timers of an I/O thread.
#![allow(unsafe_code)]

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub use of_the_runtime::Alarm;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub use with_descriptor::Alarm;

/// A timer descriptor, which counts while the device sleeps and rings when it wakes up. The runtime's own timers do
/// not, and look at the clock twice for each wait of the thread, whether any of them runs or not.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod with_descriptor {
    use std::fs::File;
    use std::io::{self, Read};
    use std::os::fd::{AsRawFd, FromRawFd};
    use std::time::Duration;

    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    pub struct Alarm(AsyncFd<File>);

    impl Alarm {
        /// What the system says of it.
        #[cfg(test)]
        pub fn said(&self) -> String {
            std::fs::read_to_string(format!("/proc/self/fdinfo/{}", self.0.as_raw_fd())).unwrap()
        }

        #[cfg(test)]
        pub fn is_set(&self) -> bool {
            !self.said().lines().any(|line| line == "it_value: (0, 0)")
        }

        /// On the thread that will wait for it.
        pub fn new() -> io::Result<Alarm> {
            let flags = libc::TFD_NONBLOCK | libc::TFD_CLOEXEC;
            // SAFETY: no pointers.
            let descriptor = unsafe { libc::timerfd_create(libc::CLOCK_BOOTTIME, flags) };
            if descriptor < 0 {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: it is new, and nobody else's.
            let file = unsafe { File::from_raw_fd(descriptor) };
            // SAFETY: an open descriptor, which the file keeps, as the alarm keeps the file.
            let file = unsafe { AsyncFd::register_with_interest(file, Interest::READABLE) }?;
            Ok(Alarm(file))
        }

        /// Has it ring once, in place of what was set before; None: not at all.
        pub fn set(&self, after: Option<Duration>) {
            // All zero would mean not at all.
            let after = after.map_or(Duration::ZERO, |after| after.max(Duration::from_nanos(1)));
            let value = libc::timespec {
                tv_sec: libc::time_t::try_from(after.as_secs()).unwrap_or(libc::time_t::MAX),
                // Below a thousand million, which every c_long can hold.
                tv_nsec: after.subsec_nanos() as _,
            };
            let never = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            let spec = libc::itimerspec { it_interval: never, it_value: value };
            // SAFETY: the descriptor is a timer's, `spec` lives on this stack, and the old value is not asked for. It
            // cannot fail with these.
            unsafe { libc::timerfd_settime(self.0.as_raw_fd(), 0, &spec, std::ptr::null_mut()) };
        }

        /// Waits until it rings.
        pub async fn rings(&self) -> io::Result<()> {
            loop {
                let mut guard = self.0.readable().await?;
                match guard.try_io(|file| file.get_ref().read(&mut [0; 8])) {
                    Ok(outcome) => return outcome.map(|_times| ()),
                    // Set anew meanwhile.
                    Err(_would_block) => {}
                }
            }
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod of_the_runtime {
    use std::future::{Future, poll_fn};
    use std::io;
    use std::pin::Pin;
    use std::task::{Poll, Waker};
    use std::time::Duration;

    use parking_lot::Mutex;
    use tokio::time::Sleep;

    #[derive(Default)]
    struct State {
        sleep: Option<Pin<Box<Sleep>>>,
        waiter: Option<Waker>,
    }

    pub struct Alarm(Mutex<State>);

    impl Alarm {
        #[cfg(test)]
        pub fn is_set(&self) -> bool {
            self.0.lock().sleep.is_some()
        }

        /// On the thread that will wait for it.
        pub fn new() -> io::Result<Alarm> {
            Ok(Alarm(Mutex::default()))
        }

        /// Has it ring once, in place of what was set before; None: not at all.
        pub fn set(&self, after: Option<Duration>) {
            let waiter = {
                let mut state = self.0.lock();
                state.sleep = after.map(|after| Box::pin(tokio::time::sleep(after)));
                state.waiter.take()
            };
            if let Some(waiter) = waiter {
                waiter.wake();
            }
        }

        /// Waits until it rings.
        pub async fn rings(&self) -> io::Result<()> {
            poll_fn(|cx| {
                let mut state = self.0.lock();
                if let Some(sleep) = &mut state.sleep
                    && sleep.as_mut().poll(cx).is_ready()
                {
                    state.sleep = None;
                    return Poll::Ready(Ok(()));
                }
                state.waiter = Some(cx.waker().clone());
                Poll::Pending
            })
            .await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::threads;
    use std::time::Duration;

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(1000);

    #[test]
    fn it_rings_once_for_each_time_that_it_is_set() {
        threads::test(async || {
            let alarm = Alarm::new().unwrap();
            for _ in 0..3 {
                alarm.set(Some(SHORT));
                alarm.rings().await.unwrap();
            }
            alarm.set(Some(Duration::ZERO));
            alarm.rings().await.unwrap();
        });
    }

    #[test]
    fn what_is_set_last_counts() {
        threads::test(async || {
            let alarm = Alarm::new().unwrap();
            alarm.set(Some(LONG));
            alarm.set(Some(SHORT));
            alarm.rings().await.unwrap();
            let started = std::time::Instant::now();
            alarm.set(Some(Duration::ZERO));
            alarm.set(Some(SHORT));
            alarm.rings().await.unwrap();
            assert!(started.elapsed() >= SHORT);
        });
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn it_counts_while_the_device_sleeps() {
        threads::test(async || {
            let boot_time = format!("clockid: {}", libc::CLOCK_BOOTTIME);
            let said = Alarm::new().unwrap().said();
            assert!(said.lines().any(|line| line == boot_time), "{said}");
        });
    }
}
