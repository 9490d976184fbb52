//! Inbound payloads in the host's hands: lent for a callback, kept if the host retains them.
//!
//! While a message's callback runs, its payload is in the list of lent ones; a retain moves it from there to
//! the kept ones, from any thread. What is kept belongs to the process, not to a socket or an app.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::core::error::Status;
use crate::core::event::Payload;
use crate::core::handles;

/// What the header promises for retained payloads.
const ALIGNMENT: usize = 16;

/// A payload that the host keeps: `start` is the first aligned byte of `buffer`.
struct Kept {
    buffer: Vec<u8>,
    /// The unaligned one that the callback was given, until it returns.
    original: Option<Vec<u8>>,
    start: usize,
    length: usize,
    /// Its own callback still runs, and the host has released it already.
    released: bool,
    lent: bool,
}

/// A payload whose callback runs and that is not kept.
struct Lent {
    owned: Option<Vec<u8>>,
    data: *const u8,
    length: usize,
}

// SAFETY: `data` is read under the list's lock only, and only while the callback runs that keeps it alive.
unsafe impl Send for Lent {}

struct Messages {
    lent: Vec<(u64, Lent)>,
    kept: BTreeMap<u64, Kept>,
}

static MESSAGES: Mutex<Messages> = Mutex::new(Messages { lent: Vec::new(), kept: BTreeMap::new() });
static SERIAL: AtomicU64 = AtomicU64::new(1);
/// What an empty payload points to.
static EMPTY: [u8; ALIGNMENT] = [0; ALIGNMENT];

/// Lends a payload to the host for the length of `callback`.
pub fn lend(payload: Payload<'_>, callback: impl FnOnce(u64, *const u8, usize)) {
    let id = handles::message_id(SERIAL.fetch_add(1, Ordering::Relaxed));
    let length = payload.len();
    let (owned, data) = match payload {
        Payload::Borrowed(bytes) => (None, bytes.as_ptr()),
        Payload::Owned(bytes) => {
            let data = bytes.as_ptr();
            (Some(bytes), data)
        }
    };
    let data = if length == 0 { EMPTY.as_ptr() } else { data };
    MESSAGES.lock().lent.push((id, Lent { owned, data, length }));
    callback(id, data, length);
    let gone = {
        let mut messages = MESSAGES.lock();
        match messages.lent.iter().rposition(|(lent, _)| *lent == id) {
            Some(at) => (Some(messages.lent.swap_remove(at)), None),
            None => (None, messages.callback_over(id)),
        }
    };
    // The payload is freed without the lock.
    drop(gone);
}

impl Messages {
    fn callback_over(&mut self, id: u64) -> Option<Kept> {
        let entry = self.kept.get_mut(&id)?;
        entry.lent = false;
        entry.original = None;
        if entry.released { self.kept.remove(&id) } else { None }
    }
}

/// Keeps a payload; where it is, and its length.
pub fn retain(id: u64) -> Result<(*mut u8, usize), Status> {
    let mut messages = MESSAGES.lock();
    let Messages { lent, kept } = &mut *messages;
    if let Some(entry) = kept.get_mut(&id) {
        if entry.released {
            return Err(Status::BadHandle);
        }
        return Ok(entry.place());
    }
    let at = lent.iter().rposition(|(known, _)| *known == id).ok_or(Status::BadHandle)?;
    let (_, payload) = lent.swap_remove(at);
    let mut entry = match payload.owned {
        // The callback's pointer stays good: the buffer itself is kept.
        Some(buffer) if !buffer.is_empty() && (buffer.as_ptr() as usize).is_multiple_of(ALIGNMENT) => {
            Kept { length: buffer.len(), buffer, original: None, start: 0, released: false, lent: true }
        }
        original => Kept { original, ..Kept::copy(payload.data, payload.length) },
    };
    let place = entry.place();
    kept.insert(id, entry);
    Ok(place)
}

impl Kept {
    fn copy(data: *const u8, length: usize) -> Kept {
        let mut buffer: Vec<u8> = Vec::with_capacity(length + ALIGNMENT);
        let start = buffer.as_ptr().align_offset(ALIGNMENT);
        buffer.resize(start, 0);
        // SAFETY: `data` is valid for `length` bytes as long as its callback runs, which is now: the entry was
        // in the list of lent ones.
        buffer.extend_from_slice(unsafe { std::slice::from_raw_parts(data, length) });
        // An empty payload has a place of its own too.
        buffer.resize(start + length.max(1), 0);
        Kept { buffer, original: None, start, length, released: false, lent: true }
    }

    fn place(&mut self) -> (*mut u8, usize) {
        let data = self.buffer.get_mut(self.start..).map_or(std::ptr::null_mut(), <[u8]>::as_mut_ptr);
        (data, self.length)
    }
}

/// Gives a kept payload back.
pub fn release(id: u64) -> Result<(), Status> {
    let gone = {
        let mut messages = MESSAGES.lock();
        let kept = &mut messages.kept;
        let entry = kept.get_mut(&id).filter(|entry| !entry.released).ok_or(Status::BadHandle)?;
        if entry.lent {
            entry.released = true;
            None
        } else {
            kept.remove(&id)
        }
    };
    drop(gone);
    Ok(())
}
