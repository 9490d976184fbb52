//! What is in the link and not yet with the operating system, and whose result waits for that.

use std::collections::VecDeque;

use super::send::Call;

/// Messages without callbacks share an entry up to this many payload bytes.
const SHARED_ENTRY: usize = 64 * 1024;

/// Frames in the link, up to the one that ends at `end`.
pub struct Pending {
    pub end: u64,
    pub payload: usize,
    /// None: these are pings.
    pub messages: u64,
    pub call: Option<Call>,
}

/// Entries in the order of their frames. The newest has a place of its own, as mostly it is the only one.
#[derive(Default)]
pub struct PendingList {
    older: VecDeque<Pending>,
    newest: Option<Pending>,
}

impl PendingList {
    pub fn is_empty(&self) -> bool {
        self.newest.is_none()
    }

    pub fn has_calls(&self) -> bool {
        self.older.iter().chain(&self.newest).any(|entry| entry.call.is_some())
    }

    /// Adds an entry, or to the newest one if nobody needs to tell the two apart. Takes the call with it.
    pub fn add(&mut self, end: u64, payload: usize, messages: u64, call: &mut Option<Call>) {
        if let (Some(newest), None) = (&mut self.newest, &call)
            && newest.may_hold(payload, messages)
        {
            newest.end = end;
            newest.payload += payload;
            newest.messages += messages;
            return;
        }
        let entry = Pending { end, payload, messages, call: call.take() };
        if let Some(older) = self.newest.replace(entry) {
            self.older.push_back(older);
        }
    }

    /// The oldest entry, if all of its frames are among the bytes that were `written`.
    pub fn take_written(&mut self, written: u64) -> Option<Pending> {
        match self.older.front() {
            None => self.newest.take_if(|newest| newest.end <= written),
            Some(oldest) if oldest.end <= written => self.older.pop_front(),
            Some(_) => None,
        }
    }

    pub fn into_calls(self) -> impl Iterator<Item = Call> {
        self.older.into_iter().chain(self.newest).filter_map(|entry| entry.call)
    }
}

impl Pending {
    /// Whether it can stand for so much more, without a call.
    fn may_hold(&self, payload: usize, messages: u64) -> bool {
        self.call.is_none()
            && (self.messages == 0) == (messages == 0)
            && self.payload + payload <= SHARED_ENTRY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(list: &mut PendingList, written: u64) -> Vec<(u64, usize, u64)> {
        std::iter::from_fn(|| list.take_written(written))
            .map(|entry| (entry.end, entry.payload, entry.messages))
            .collect()
    }

    #[test]
    fn messages_share_an_entry_and_pings_have_theirs() {
        let mut list = PendingList::default();
        for (end, messages) in [(10, 1), (20, 1), (30, 0), (40, 0), (50, 1)] {
            list.add(end, 4, messages, &mut None);
        }
        assert_eq!(taken(&mut list, 19), []);
        assert_eq!(taken(&mut list, 40), [(20, 8, 2), (40, 8, 0)]);
        assert!(!list.is_empty());
        assert_eq!(taken(&mut list, 50), [(50, 4, 1)]);
        assert!(list.is_empty());
    }

    #[test]
    fn an_entry_holds_so_much() {
        let mut list = PendingList::default();
        list.add(10, SHARED_ENTRY, 1, &mut None);
        list.add(11, 1, 1, &mut None);
        assert_eq!(taken(&mut list, 10), [(10, SHARED_ENTRY, 1)]);
        assert_eq!(taken(&mut list, 11), [(11, 1, 1)]);
    }
}
