//! The scenarios, once for all libraries.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;
use tokio::task::{LocalSet, spawn_local};
use tokio_rustls::TlsConnector;

use crate::Peer;
use crate::gate::{Bell, Gate};
use crate::plan::{Plan, Scenario, fail, own_memory};
use crate::stream;

/// As ../c/common.h has it.
const CONNECTS_UNDER_WAY: usize = 64;
/// As ../c/host.h has it.
const OUTBOX_BYTES: usize = 16 << 20;

pub fn run<P: Peer>() {
    let mut plan = Plan::read();
    let connector = stream::connector(&plan);
    match plan.scenario {
        Scenario::Rtt => here(round_trips::<P>(&mut plan, connector)),
        Scenario::Recv => here(receive_all::<P>(&mut plan, connector)),
        Scenario::First => here(first::<P>(&plan, connector)),
        Scenario::Conns => many::<P>(plan, connector),
        Scenario::Send => send_all::<P>(plan, connector),
        Scenario::Rttx | Scenario::Rtth => across_threads::<P>(plan, connector),
    }
}

fn here<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    runtime.block_on(LocalSet::new().run_until(future))
}

async fn open<P: Peer>(plan: &Plan, connector: Option<&TlsConnector>) -> P {
    let stream = stream::connect(plan, connector).await;
    P::upgrade(stream, plan).await
}

fn expect_size(size: usize) -> impl Fn(&[u8]) + Copy {
    move |data| {
        if data.len() != size {
            fail("a message of another size");
        }
    }
}

async fn round_trips<P: Peer>(plan: &mut Plan, connector: Option<TlsConnector>) {
    let mut peer = open::<P>(plan, connector.as_ref()).await;
    plan.start();
    for trip in 0..plan.warm + plan.count {
        if trip == plan.warm {
            plan.start();
        }
        peer.send(false, plan.payload).await;
        peer.receive(expect_size(plan.size)).await;
        if trip >= plan.warm {
            plan.lap();
        }
    }
    plan.stop();
}

async fn receive_all<P: Peer>(plan: &mut Plan, connector: Option<TlsConnector>) {
    let mut peer = open::<P>(plan, connector.as_ref()).await;
    let wish = plan.wish();
    plan.start();
    peer.send(true, wish).await;
    for _ in 0..plan.count {
        peer.receive(expect_size(plan.size)).await;
    }
    plan.stop();
}

async fn first<P: Peer>(plan: &Plan, connector: Option<TlsConnector>) {
    let mut peer = open::<P>(plan, connector.as_ref()).await;
    peer.send(false, plan.payload).await;
    peer.receive(expect_size(plan.size)).await;
    plan.report_first();
}

/// What a host thread and the loop's thread share.
struct Outbox {
    waiting: AtomicUsize,
    opened: Gate,
    replied: Gate,
    bell: Bell,
    room: Gate,
}

fn outbox() -> Arc<Outbox> {
    Arc::new(Outbox {
        waiting: AtomicUsize::new(0),
        opened: Gate::default(),
        replied: Gate::default(),
        bell: Bell::new(),
        room: Gate::default(),
    })
}

/// A host thread sends and waits for the reply; the connection is a task on another thread.
fn across_threads<P: Peer>(mut plan: Plan, connector: Option<TlsConnector>) {
    let shared = outbox();
    let (sender, mut messages) = mpsc::unbounded_channel::<&'static [u8]>();
    let by_descriptor = plan.scenario == Scenario::Rtth;
    let theirs = Plan::read();
    let loop_shared = Arc::clone(&shared);
    let thread = std::thread::spawn(move || {
        here(async move {
            let mut peer = open::<P>(&theirs, connector.as_ref()).await;
            loop_shared.opened.add();
            loop {
                let message = tokio::select! {
                    message = messages.recv() => message,
                    () = peer.receive(expect_size(theirs.size)) => {
                        if by_descriptor { loop_shared.bell.ring() } else { loop_shared.replied.add() }
                        continue;
                    }
                };
                let Some(data) = message else { return };
                peer.send(false, data).await;
            }
        })
    });
    shared.opened.wait(1);
    plan.start();
    for trip in 0..plan.warm + plan.count {
        if trip == plan.warm {
            plan.start();
        }
        sender.send(plan.payload).expect("loop");
        if by_descriptor {
            shared.bell.wait();
        } else {
            shared.replied.wait(trip + 1);
        }
        if trip >= plan.warm {
            plan.lap();
        }
    }
    plan.stop();
    drop(sender);
    thread.join().expect("loop");
}

/// A host thread sends one message a call, and waits for room when many wait.
fn send_all<P: Peer>(mut plan: Plan, connector: Option<TlsConnector>) {
    let shared = outbox();
    let (sender, mut messages) = mpsc::unbounded_channel::<&'static [u8]>();
    let theirs = Plan::read();
    let most = (OUTBOX_BYTES / plan.size).max(1);
    let loop_shared = Arc::clone(&shared);
    let thread = std::thread::spawn(move || {
        here(async move {
            let mut peer = open::<P>(&theirs, connector.as_ref()).await;
            loop_shared.opened.add();
            while let Some(mut data) = messages.recv().await {
                loop {
                    peer.feed(false, data).await;
                    if loop_shared.waiting.fetch_sub(1, Ordering::SeqCst) == most / 2 + 1 {
                        loop_shared.room.add();
                    }
                    match messages.try_recv() {
                        Ok(next) => data = next,
                        Err(_) => break,
                    }
                }
                peer.flush().await;
            }
            peer.send(true, b"?").await;
            let counted = peer.receive(|data| String::from_utf8_lossy(data).parse().unwrap_or(0)).await;
            if counted != theirs.count {
                fail("the server counted other than was sent");
            }
            loop_shared.replied.add();
        })
    });
    shared.opened.wait(1);
    plan.start();
    // The room gate counts how often the outbox fell below its half.
    let mut falls = 0;
    for _ in 0..plan.count {
        if shared.waiting.fetch_add(1, Ordering::SeqCst) + 1 >= most {
            falls = shared.room.wait_beyond(falls);
        }
        sender.send(plan.payload).expect("loop");
    }
    drop(sender);
    shared.replied.wait(1);
    plan.stop();
    thread.join().expect("loop");
}

fn many<P: Peer>(mut plan: Plan, connector: Option<TlsConnector>) {
    let shared = outbox();
    let (theirs, loop_shared) = (Plan::read(), Arc::clone(&shared));
    std::thread::spawn(move || here(connect_many::<P>(theirs, connector, loop_shared)));
    shared.opened.wait(1);
    let memory_of_first = own_memory();
    plan.start();
    shared.room.add();
    shared.replied.wait(1);
    plan.report_connections(memory_of_first);
    std::process::exit(0);
}

/// Opens all connections, and keeps them.
async fn connect_many<P: Peer>(plan: Plan, connector: Option<TlsConnector>, shared: Arc<Outbox>) {
    let plan = Rc::new(plan);
    let connector = Rc::new(connector);
    let mut peer = open::<P>(&plan, connector.as_ref().as_ref()).await;
    shared.opened.add();
    shared.room.wait(1);
    let asked = Rc::new(Cell::new(1));
    let opened = Rc::new(Cell::new(1));
    for _ in 0..CONNECTS_UNDER_WAY {
        let (plan, connector, asked, opened) =
            (Rc::clone(&plan), Rc::clone(&connector), Rc::clone(&asked), Rc::clone(&opened));
        let shared = Arc::clone(&shared);
        spawn_local(async move {
            while asked.get() < plan.count {
                asked.set(asked.get() + 1);
                let mut peer = open::<P>(&plan, connector.as_ref().as_ref()).await;
                spawn_local(async move { peer.receive(|_| ()).await });
                opened.set(opened.get() + 1);
                if opened.get() == plan.count {
                    shared.replied.add();
                }
            }
        });
    }
    peer.receive(|_| ()).await;
}
