//! A clock that also counts while the device sleeps: grace and deadlines are measured on it.
//!
//! Where timers (`timers`) stand still during sleep, whoever waits looks at this clock again when it is woken.
#![allow(unsafe_code)]

use std::time::Duration;

/// A point in time, in nanoseconds since the system started.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Moment(u64);

impl Moment {
    /// Later than any that comes.
    pub const NEVER: Moment = Moment(u64::MAX);

    pub fn now() -> Moment {
        Moment(read().saturating_add(skewed()))
    }

    pub fn plus(self, by: Duration) -> Moment {
        Moment(self.0.saturating_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)))
    }

    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// A point in time for short pauses, in nanoseconds: cheaper to read than an `Instant`, and it may stand still
/// while the device sleeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tick(u64);

impl Tick {
    #[inline]
    pub fn now() -> Tick {
        #[cfg(unix)]
        return Tick(read_clock(libc::CLOCK_MONOTONIC));
        #[cfg(not(unix))]
        return Tick(read());
    }

    /// Nanoseconds since an earlier one.
    #[inline]
    pub fn since(self, earlier: Tick) -> u64 {
        self.0.wrapping_sub(earlier.0)
    }
}

#[cfg(unix)]
fn read() -> u64 {
    // On Darwin the monotonic one counts sleep; elsewhere there is none that does.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    use libc::CLOCK_BOOTTIME as CLOCK;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    use libc::CLOCK_MONOTONIC as CLOCK;
    read_clock(CLOCK)
}

#[cfg(unix)]
#[inline]
fn read_clock(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: clock_gettime writes one timespec, which lives on this stack.
    unsafe { libc::clock_gettime(clock, &mut time) };
    (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64)
}

#[cfg(not(unix))]
fn read() -> u64 {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    u64::try_from(START.get_or_init(std::time::Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(feature = "test-hooks")]
static SKEW: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

/// Moves the clock ahead, as a device's sleep would.
#[cfg(feature = "test-hooks")]
pub fn skew(by: Duration) {
    let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
    SKEW.fetch_add(nanos, std::sync::atomic::Ordering::Relaxed);
}

#[cfg(feature = "test-hooks")]
fn skewed() -> u64 {
    SKEW.load(std::sync::atomic::Ordering::Relaxed)
}

#[cfg(not(feature = "test-hooks"))]
fn skewed() -> u64 {
    0
}
