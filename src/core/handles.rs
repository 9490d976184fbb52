//! The table of ids: generational, of one kind each, below 2^53.
//!
//! An id is kind (2 bits), generation (31 bits), slot (20 bits). The generation moves at every removal; a
//! slot whose generations are spent is retired. So no id is ever given twice, shutdown included: the table
//! lives as long as the process.

use std::sync::Arc;

use parking_lot::RwLock;

use super::app::App;
use super::error::Status;
use super::socket::Socket;

const SLOT_BITS: u32 = 20;
const GENERATION_BITS: u32 = 31;
const KIND_SHIFT: u32 = SLOT_BITS + GENERATION_BITS;
const LAST_GENERATION: u32 = (1 << GENERATION_BITS) - 1;
const SLOTS: usize = (1 << SLOT_BITS) - 1;

/// What an id names. Kind 0 is never given, so 0 is never an id.
#[derive(Clone)]
pub enum Entry {
    App(Arc<App>),
    Socket(Arc<Socket>),
}

const KIND_APP: u64 = 1;
const KIND_SOCKET: u64 = 2;
/// Messages have ids of a kind of their own, counted outside this table: they are many and short-lived.
pub const KIND_MESSAGE: u64 = 3;

/// An id of `KIND_MESSAGE`.
pub fn message_id(serial: u64) -> u64 {
    KIND_MESSAGE << KIND_SHIFT | serial & ((1 << KIND_SHIFT) - 1)
}

/// Whether it can be one of those.
pub fn is_message_id(id: u64) -> bool {
    id >> KIND_SHIFT == KIND_MESSAGE
}

impl Entry {
    fn kind(&self) -> u64 {
        match self {
            Entry::App(_) => KIND_APP,
            Entry::Socket(_) => KIND_SOCKET,
        }
    }
}

struct Slot<T> {
    generation: u32,
    entry: Option<T>,
}

/// The table proper, apart from what it holds, so that its tests need no sockets.
struct Table<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

impl<T> Table<T> {
    const fn new() -> Table<T> {
        Table { slots: Vec::new(), free: Vec::new() }
    }

    fn insert_with(&mut self, kind: u64, make: impl FnOnce(u64) -> T) -> Option<u64> {
        let slot = match self.free.pop() {
            Some(slot) => slot as usize,
            None if self.slots.len() < SLOTS => {
                self.slots.push(Slot { generation: 0, entry: None });
                self.slots.len() - 1
            }
            None => return None,
        };
        let place = self.slots.get_mut(slot)?;
        let id = kind << KIND_SHIFT | u64::from(place.generation) << SLOT_BITS | slot as u64;
        place.entry = Some(make(id));
        Some(id)
    }

    fn parts(id: u64) -> (usize, u32) {
        let slot = (id & ((1 << SLOT_BITS) - 1)) as usize;
        let generation = (id >> SLOT_BITS) as u32 & LAST_GENERATION;
        (slot, generation)
    }

    fn get(&self, id: u64) -> Option<&T> {
        let (slot, generation) = Self::parts(id);
        self.slots.get(slot).filter(|place| place.generation == generation)?.entry.as_ref()
    }

    fn remove(&mut self, id: u64) -> Option<T> {
        let (slot, generation) = Self::parts(id);
        let place = self.slots.get_mut(slot).filter(|place| place.generation == generation)?;
        let entry = place.entry.take()?;
        if place.generation < LAST_GENERATION {
            place.generation += 1;
            self.free.push(slot as u32);
        }
        Some(entry)
    }
}

static TABLE: RwLock<Table<Entry>> = RwLock::new(Table::new());

fn insert(kind: u64, make: impl FnOnce(u64) -> Entry) -> Result<u64, Status> {
    TABLE.write().insert_with(kind, make).ok_or(Status::NoResources)
}

/// Names an app; `make` gets the id that it will have.
pub fn insert_app(make: impl FnOnce(u64) -> Arc<App>) -> Result<Arc<App>, Status> {
    let mut made = None;
    insert(KIND_APP, |id| Entry::App(made.insert(make(id)).clone()))?;
    made.ok_or(Status::Internal)
}

/// Names a socket.
pub fn insert_socket(socket: Arc<Socket>) -> Result<u64, Status> {
    insert(KIND_SOCKET, |_| Entry::Socket(socket))
}

fn lookup(id: u64, kind: u64) -> Option<Entry> {
    if id >> KIND_SHIFT != kind {
        return None;
    }
    TABLE.read().get(id).filter(|entry| entry.kind() == kind).cloned()
}

pub fn app(id: u64) -> Result<Arc<App>, Status> {
    match lookup(id, KIND_APP) {
        Some(Entry::App(app)) => Ok(app),
        _ => Err(Status::BadHandle),
    }
}

pub fn socket(id: u64) -> Result<Arc<Socket>, Status> {
    match lookup(id, KIND_SOCKET) {
        Some(Entry::Socket(socket)) => Ok(socket),
        _ => Err(Status::BadHandle),
    }
}

/// Ends an id; true for the one caller that ended it.
pub fn remove(id: u64) -> bool {
    // The entry is dropped after the lock: its drop may release user data of the host.
    let entry = TABLE.write().remove(id);
    entry.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn ids_are_below_2_53_and_never_zero() {
        let mut table = Table::new();
        for kind in [KIND_APP, KIND_SOCKET] {
            let id = table.insert_with(kind, |_| ()).unwrap();
            assert!(id > 0 && id < 1 << 53);
        }
        assert!(message_id(u64::MAX) < 1 << 53);
    }

    #[test]
    fn a_removed_id_is_never_found_again() {
        let mut table = Table::new();
        let mut seen = HashSet::new();
        for round in 0..10_000 {
            let id = table.insert_with(KIND_SOCKET, |_| round).unwrap();
            assert!(seen.insert(id));
            assert_eq!(table.get(id), Some(&round));
            assert_eq!(table.remove(id), Some(round));
            assert_eq!(table.get(id), None);
            assert_eq!(table.remove(id), None);
        }
        assert_eq!(table.slots.len(), 1);
    }

    #[test]
    fn a_spent_slot_is_retired() {
        let mut table = Table::new();
        let first = table.insert_with(KIND_APP, |_| 1).unwrap();
        table.remove(first);
        table.slots[0].generation = LAST_GENERATION;
        let last = table.insert_with(KIND_APP, |_| 2).unwrap();
        assert!(last < 1 << 53);
        table.remove(last);
        assert_eq!(table.get(last), None);
        let next = table.insert_with(KIND_APP, |_| 3).unwrap();
        assert_eq!(next & 0xfffff, 1);
    }

    #[test]
    fn a_full_table_refuses() {
        let mut table = Table::new();
        for _ in 0..SLOTS {
            assert!(table.insert_with(KIND_APP, |_| ()).is_some());
        }
        assert_eq!(table.insert_with(KIND_APP, |_| ()), None);
    }

    #[test]
    fn concurrent_use_gives_each_id_once() {
        let table = RwLock::new(Table::new());
        let ids = parking_lot::Mutex::new(HashSet::new());
        let total = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for thread in 0..8u64 {
                let (table, ids, total) = (&table, &ids, &total);
                scope.spawn(move || {
                    let mut mine: Vec<u64> = Vec::new();
                    for round in 0..5_000u64 {
                        let value = thread << 32 | round;
                        let id = table.write().insert_with(KIND_SOCKET, |_| value).unwrap();
                        assert_eq!(table.read().get(id), Some(&value));
                        mine.push(id);
                        if round % 3 != 0 {
                            let gone = mine.swap_remove((round as usize * 7) % mine.len());
                            assert!(table.write().remove(gone).is_some());
                            assert!(table.read().get(gone).is_none());
                        }
                        assert!(ids.lock().insert(id));
                        total.fetch_add(1, Ordering::Relaxed);
                    }
                    for id in mine {
                        assert!(table.write().remove(id).is_some());
                    }
                });
            }
        });
        assert_eq!(ids.lock().len() as u64, total.load(Ordering::Relaxed));
        assert!(table.read().slots.iter().all(|slot| slot.entry.is_none()));
    }
}
