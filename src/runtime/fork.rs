//! Whether this process was forked from one that had started the library: its locks and threads are not ours.
//!
//! One byte in a page that the kernel wipes in a forked child. Where there is no such page, the process id.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, Ordering};

static PAGE: AtomicPtr<AtomicU8> = AtomicPtr::new(std::ptr::null_mut());
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// Marks this process as the one that uses the library.
pub fn arm() {
    if !PAGE.load(Ordering::Acquire).is_null() || PROCESS.load(Ordering::Acquire) != 0 {
        return;
    }
    match page() {
        Some(page) => {
            page.store(1, Ordering::Release);
            // If two threads come here at once, either page says the same.
            PAGE.store(std::ptr::from_ref(page).cast_mut(), Ordering::Release);
        }
        None => PROCESS.store(std::process::id(), Ordering::Release),
    }
}

pub fn is_forked_child() -> bool {
    let page = PAGE.load(Ordering::Acquire);
    if page.is_null() {
        let process = PROCESS.load(Ordering::Acquire);
        return process != 0 && process != std::process::id();
    }
    // SAFETY: a non-null PAGE is a mapping that `page` made and that is never unmapped.
    unsafe { (*page).load(Ordering::Acquire) == 0 }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn page() -> Option<&'static AtomicU8> {
    const LENGTH: usize = 4096;
    // SAFETY: a fresh anonymous private mapping overlaps nothing. It is kept for ever if madvise takes it, so
    // the reference to its first byte is 'static; atomics have no invalid values.
    unsafe {
        let page = libc::mmap(
            std::ptr::null_mut(),
            LENGTH,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        if page == libc::MAP_FAILED {
            return None;
        }
        if libc::madvise(page, LENGTH, libc::MADV_WIPEONFORK) != 0 {
            libc::munmap(page, LENGTH);
            return None;
        }
        Some(&*page.cast::<AtomicU8>())
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn page() -> Option<&'static AtomicU8> {
    None
}
