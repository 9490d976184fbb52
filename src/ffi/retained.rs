//! Inbound payloads in the host's hands: lent for a callback, kept if the host retains them.
//!
//! While a message's callback runs, its payload lies in one of a few places (one for each thread that runs
//! callbacks, so that nobody waits); a retain moves it from there to the kept ones, from any thread. What is
//! kept belongs to the process, not to a socket or an app.
//!
//! The list of kept ones is locked before a place.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard};

use crate::core::error::Status;
use crate::core::event::Payload;
use crate::core::handles;

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

// SAFETY: `data` is read under the lock of its place only, and only while the callback runs that keeps it alive.
unsafe impl Send for Lent {}

/// Where the payload of a running callback lies.
struct Place {
    /// The id of `lent`, or of what was lent here last.
    id: u64,
    /// Where the block of ids ends that this place gives out.
    ids_end: u64,
    /// A callback uses the place, whether its payload is still here or was retained.
    taken: bool,
    lent: Option<Lent>,
}

/// Callbacks that run at a time without an allocation: one for each I/O thread and each thread that dispatches.
const PLACES: usize = 64;
/// Ids that a place takes from the common counter at a time.
const ID_BLOCK: u64 = 1 << 16;

static LENDING: [Mutex<Place>; PLACES] = [const { Mutex::new(Place::NEW) }; PLACES];
/// Beyond those; they are used again, and never freed.
static MORE: Mutex<Vec<&'static Mutex<Place>>> = Mutex::new(Vec::new());
static KEPT: Mutex<BTreeMap<u64, Kept>> = Mutex::new(BTreeMap::new());
static NEXT_BLOCK: AtomicU64 = AtomicU64::new(1);
/// What an empty payload points to.
static EMPTY: [u8; ALIGNMENT] = [0; ALIGNMENT];

thread_local! {
    /// The place that this thread tries first; without a destructor, as callbacks run while threads end.
    static FAVOURITE: Cell<usize> = const { Cell::new(usize::MAX) };
}

fn favourite() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    FAVOURITE.with(|place| {
        if place.get() == usize::MAX {
            place.set(THREADS.fetch_add(1, Ordering::Relaxed) % PLACES);
        }
        place.get()
    })
}

/// All places, the thread's own first.
fn places() -> impl Iterator<Item = &'static Mutex<Place>> {
    let (before, from) = LENDING.split_at(favourite());
    from.iter().chain(before).chain(std::iter::once_with(|| MORE.lock().clone()).flatten())
}

fn free_place() -> (&'static Mutex<Place>, MutexGuard<'static, Place>) {
    for place in places() {
        let guard = place.lock();
        if !guard.taken {
            return (place, guard);
        }
    }
    let place: &'static Mutex<Place> = Box::leak(Box::new(Mutex::new(Place::NEW)));
    let guard = place.lock();
    MORE.lock().push(place);
    (place, guard)
}

impl Place {
    const NEW: Place = Place { id: 0, ids_end: 0, taken: false, lent: None };

    fn next_id(&mut self) -> u64 {
        self.id += 1;
        if self.id >= self.ids_end {
            self.id = NEXT_BLOCK.fetch_add(1, Ordering::Relaxed) * ID_BLOCK;
            self.ids_end = self.id + ID_BLOCK;
        }
        handles::message_id(self.id)
    }
}

/// Lends a payload to the host for the length of `callback`.
pub fn lend(payload: Payload<'_>, callback: impl FnOnce(u64, *const u8, usize)) {
    let length = payload.len();
    let (owned, data) = match payload {
        Payload::Borrowed(bytes) => (None, bytes.as_ptr()),
        Payload::Owned(bytes) => {
            let data = bytes.as_ptr();
            (Some(bytes), data)
        }
    };
    let data = if length == 0 { EMPTY.as_ptr() } else { data };
    let (place, mut guard) = free_place();
    let id = guard.next_id();
    guard.taken = true;
    guard.lent = Some(Lent { owned, data, length });
    drop(guard);
    callback(id, data, length);
    let mut guard = place.lock();
    let lent = guard.lent.take();
    guard.taken = false;
    drop(guard);
    if lent.is_none() {
        callback_over(id);
    }
}

/// The callback of a kept payload has returned.
#[cold]
fn callback_over(id: u64) {
    let mut kept = KEPT.lock();
    let Some(entry) = kept.get_mut(&id) else { return };
    entry.lent = false;
    let original = entry.original.take();
    let gone = if entry.released { kept.remove(&id) } else { None };
    drop(kept);
    // Payloads are freed without the lock.
    drop((original, gone));
}

fn take_lent(id: u64) -> Option<Lent> {
    places().find_map(|place| {
        let mut place = place.lock();
        if handles::message_id(place.id) == id { place.lent.take() } else { None }
    })
}

/// Keeps a payload; where it is, and its length.
pub fn retain(id: u64) -> Result<(*mut u8, usize), Status> {
    let mut kept = KEPT.lock();
    if let Some(entry) = kept.get_mut(&id) {
        if entry.released {
            return Err(Status::BadHandle);
        }
        return Ok(entry.place());
    }
    // Under the list's lock: whoever waits for the end of the callback finds it kept.
    let payload = take_lent(id).ok_or(Status::BadHandle)?;
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
        // SAFETY: `data` is valid for `length` bytes as long as its callback runs. It does: the payload was in
        // its place, and the end of the callback waits for the list's lock, which the caller holds.
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
        let mut kept = KEPT.lock();
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
