//! Inbound payloads in the host's hands: lent for a callback, kept if the host retains them.
//!
//! While a message's callback runs, its payload lies in one of a few places (one for each thread that runs
//! callbacks, so that nobody waits); a retain moves it from there to the kept ones, from any thread. What is
//! kept belongs to the process, not to a socket or an app.
//!
//! A place is its lender's from `taken` to the end of the callback. Its payload is whose who changes `id` from the
//! message's: the lender, to end it, or one retain, to keep it; a retain does all of that under the list's lock,
//! which the lender then waits for.

use std::cell::{Cell, UnsafeCell};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;

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

/// Where the payload of a running callback lies.
struct Place {
    /// A callback uses the place, whether its payload is still here or was retained.
    taken: AtomicBool,
    /// The message that is here; `NOBODY`, or `RETAINED` once it was, until its callback returns.
    id: AtomicU64,
    data: AtomicPtr<u8>,
    length: AtomicUsize,
    /// The buffer that `data` lies in, if it is not the reader's.
    owned: UnsafeCell<Option<Vec<u8>>>,
    /// The serial that was given out last, and where the block of them ends that this place gives out; the
    /// lender's alone.
    serial: AtomicU64,
    serials_end: AtomicU64,
}

// SAFETY: all but `owned` is atomic. `owned` is touched by the lender before it publishes an id, and then by the one
// who has changed `id` from it.
unsafe impl Sync for Place {}

const NOBODY: u64 = 0;
const RETAINED: u64 = u64::MAX;

/// Callbacks that run at a time without an allocation: one for each I/O thread and each thread that dispatches.
const PLACES: usize = 64;
/// Ids that a place takes from the common counter at a time.
const ID_BLOCK: u64 = 1 << 16;

static LENDING: [Place; PLACES] = [const { Place::new() }; PLACES];
/// Beyond those; they are used again, and never freed.
static MORE: Mutex<Vec<&'static Place>> = Mutex::new(Vec::new());
static KEPT: Mutex<BTreeMap<u64, Kept>> = Mutex::new(BTreeMap::new());
static NEXT_BLOCK: AtomicU64 = AtomicU64::new(1);
/// What an empty payload points to.
static EMPTY: [u8; ALIGNMENT] = [0; ALIGNMENT];

thread_local! {
    /// The place that sockets try first whose callbacks run on this thread; without a destructor, as callbacks run while threads end.
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

/// All places but the thread's own.
fn other_places(own: usize) -> impl Iterator<Item = &'static Place> {
    let (before, from) = LENDING.split_at(own);
    from.iter().skip(1).chain(before).chain(std::iter::once_with(|| MORE.lock().clone()).flatten())
}

/// Which place a socket's last message lay in: the next one comes on the same thread as a rule, and finds it free.
pub struct LastPlace(AtomicUsize);

impl LastPlace {
    pub const fn new() -> LastPlace {
        LastPlace(AtomicUsize::new(PLACES))
    }

    /// A place that is the caller's until it gives `taken` back.
    #[inline]
    fn take_place(&self) -> &'static Place {
        match LENDING.get(self.0.load(Ordering::Relaxed)) {
            Some(place) if place.take() => place,
            _ => self.take_another(),
        }
    }

    /// It is the first message, or a callback runs inside another one's dispatch, or there are very many threads.
    #[cold]
    fn take_another(&self) -> &'static Place {
        let own = favourite();
        self.0.store(own, Ordering::Relaxed);
        let free = LENDING.get(own).into_iter().chain(other_places(own)).find(|place| place.take());
        if let Some(place) = free {
            return place;
        }
        let place: &'static Place = Box::leak(Box::new(Place::new()));
        place.taken.store(true, Ordering::Relaxed);
        MORE.lock().push(place);
        place
    }
}

impl Place {
    const fn new() -> Place {
        Place {
            taken: AtomicBool::new(false),
            id: AtomicU64::new(NOBODY),
            data: AtomicPtr::new(std::ptr::null_mut()),
            length: AtomicUsize::new(0),
            owned: UnsafeCell::new(None),
            serial: AtomicU64::new(0),
            serials_end: AtomicU64::new(0),
        }
    }

    #[inline]
    fn take(&self) -> bool {
        !self.taken.swap(true, Ordering::Acquire)
    }

    #[inline]
    fn next_id(&self) -> u64 {
        let mut serial = self.serial.load(Ordering::Relaxed) + 1;
        if serial >= self.serials_end.load(Ordering::Relaxed) {
            serial = NEXT_BLOCK.fetch_add(1, Ordering::Relaxed) * ID_BLOCK;
            self.serials_end.store(serial + ID_BLOCK, Ordering::Relaxed);
        }
        self.serial.store(serial, Ordering::Relaxed);
        handles::message_id(serial)
    }
}

/// Lends a payload to the host for the length of `callback`.
#[inline]
pub fn lend(payload: Payload<'_>, last: &LastPlace, callback: impl FnOnce(u64, *const u8, usize)) {
    let length = payload.len();
    let place = last.take_place();
    let id = place.next_id();
    let (data, is_owned) = match payload {
        Payload::Borrowed(bytes) => (bytes.as_ptr(), false),
        Payload::Owned(bytes) => {
            let data = bytes.as_ptr();
            // SAFETY: the place is ours, and no id is published: nobody else touches it.
            unsafe { *place.owned.get() = Some(bytes) };
            (data, true)
        }
    };
    let data = if length == 0 { EMPTY.as_ptr() } else { data };
    place.data.store(data.cast_mut(), Ordering::Relaxed);
    place.length.store(length, Ordering::Relaxed);
    // Publishes all of the above to a retain on another thread.
    place.id.store(id, Ordering::Release);
    callback(id, data, length);
    if place.id.compare_exchange(id, NOBODY, Ordering::AcqRel, Ordering::Acquire).is_err() {
        callback_over(id);
        place.id.store(NOBODY, Ordering::Relaxed);
    } else if is_owned {
        // SAFETY: we have changed the id, so nobody else has; the vector was ours before the callback.
        drop(unsafe { (*place.owned.get()).take() });
    }
    place.taken.store(false, Ordering::Release);
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

/// A payload whose callback runs, for the one retain that keeps it.
struct Lent {
    owned: Option<Vec<u8>>,
    data: *const u8,
    length: usize,
}

/// Takes it from its place; under the list's lock.
fn take_lent(id: u64) -> Option<Lent> {
    let own = favourite();
    LENDING.get(own).into_iter().chain(other_places(own)).find_map(|place| {
        place.id.compare_exchange(id, RETAINED, Ordering::AcqRel, Ordering::Relaxed).ok()?;
        Some(Lent {
            // SAFETY: we have changed the id, so the lender does not touch it before the end of its callback, and
            // then waits for the list's lock, which our caller holds.
            owned: unsafe { (*place.owned.get()).take() },
            data: place.data.load(Ordering::Relaxed),
            length: place.length.load(Ordering::Relaxed),
        })
    })
}

/// Keeps a payload; where it is, and its length.
pub fn retain(id: u64) -> Result<(*mut u8, usize), Status> {
    if !handles::is_message_id(id) {
        // A forged one must not match a place's own marks.
        return Err(Status::BadHandle);
    }
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
