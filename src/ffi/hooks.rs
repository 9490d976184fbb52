//! Exports for the library's own tests, in builds with the feature `test-hooks` only.

#[cfg(not(feature = "test-hooks"))]
pub fn fire(_name: &'static str) {}

#[cfg(feature = "test-hooks")]
pub use armed::fire;

#[cfg(feature = "test-hooks")]
mod armed {
    use std::ffi::{CStr, c_char};
    use std::time::Duration;

    use parking_lot::Mutex;

    use crate::core::{clock, handles};

    static ARMED: Mutex<Option<String>> = Mutex::new(None);

    /// Panics if a test has asked for it, once.
    pub fn fire(name: &'static str) {
        let mut armed = ARMED.lock();
        if armed.as_deref() == Some(name) {
            *armed = None;
            drop(armed);
            panic!("asked for by a test");
        }
    }

    /// cbindgen:ignore
    #[unsafe(no_mangle)]
    pub extern "C" fn taro_test_panic(function: *const c_char) {
        // SAFETY: tests pass a string literal.
        let name = unsafe { CStr::from_ptr(function) };
        *ARMED.lock() = Some(name.to_string_lossy().into_owned());
    }

    /// cbindgen:ignore
    #[unsafe(no_mangle)]
    pub extern "C" fn taro_test_panic_task(socket: u64) {
        if let Ok(socket) = handles::socket(socket) {
            socket.panic_in_task();
        }
    }

    /// cbindgen:ignore
    #[unsafe(no_mangle)]
    pub extern "C" fn taro_test_skew_clock(milliseconds: u32) {
        clock::skew(Duration::from_millis(milliseconds.into()));
    }
}
