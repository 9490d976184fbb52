//! Where the current thread is: inside callbacks, inside a notice, inside a turn of an app's I/O.
//!
//! Plain cells without destructors: they are read while threads end, after other thread-locals are gone.

use std::cell::Cell;

thread_local! {
    static CALLBACKS: Cell<u32> = const { Cell::new(0) };
    static NOTICES: Cell<u32> = const { Cell::new(0) };
    static TURN: Cell<u64> = const { Cell::new(0) };
    static DISPATCH: Cell<u64> = const { Cell::new(0) };
}

/// Counts a level for as long as it lives.
pub struct Level(&'static std::thread::LocalKey<Cell<u32>>);

impl Drop for Level {
    fn drop(&mut self) {
        self.0.with(|depth| depth.set(depth.get().saturating_sub(1)));
    }
}

fn enter(key: &'static std::thread::LocalKey<Cell<u32>>) -> Level {
    key.with(|depth| depth.set(depth.get() + 1));
    Level(key)
}

/// Results, events and release functions run inside this.
pub fn enter_callback() -> Level {
    enter(&CALLBACKS)
}

/// Wake-up, log and thread hooks run inside this.
pub fn enter_notice() -> Level {
    enter(&NOTICES)
}

pub fn in_callback() -> bool {
    CALLBACKS.with(Cell::get) > 0
}

pub fn in_notice() -> bool {
    NOTICES.with(Cell::get) > 0
}

/// A turn of an app on its I/O thread: what it posts to itself is run at the turn's end, nobody is woken.
pub struct Turn(u64);

impl Turn {
    pub fn enter(app: u64) -> Turn {
        Turn(TURN.with(|turn| turn.replace(app)))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        TURN.with(|turn| turn.set(self.0));
    }
}

pub fn in_turn_of(app: u64) -> bool {
    TURN.with(Cell::get) == app
}

/// A dispatch of an app: what its callbacks send is written at its end.
pub struct Dispatch(u64);

impl Dispatch {
    pub fn enter(app: u64) -> Dispatch {
        Dispatch(DISPATCH.with(|dispatch| dispatch.replace(app)))
    }
}

impl Drop for Dispatch {
    fn drop(&mut self) {
        DISPATCH.with(|dispatch| dispatch.set(self.0));
    }
}

pub fn in_dispatch_of(app: u64) -> bool {
    DISPATCH.with(Cell::get) == app
}
