//! A socket's task on its app's I/O thread: connect, then carry frames until the end.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::after::After;
use super::compress::Compression;
use super::delivery::Item;
use super::driver::Driver;
use super::end::End;
use super::error::{Cause, Fault};
use super::establish::{self, Established};
use super::scope::Turn;
use super::settings::ConnectPlan;
use super::socket::Socket;
use super::state::Phase;
use crate::protocol::deflate::{Deflater, Inflater};
use crate::runtime::clock::Moment;
use crate::runtime::log;
use crate::runtime::timers::Timer;
use crate::transport::link;

/// The whole life of a socket. A panic in it ends this socket, and no other.
pub async fn run(socket: Arc<Socket>, plan: Box<ConnectPlan>) {
    // In a box: what it takes to connect is gone when the connection is open.
    let connecting = Box::pin(connect(Arc::clone(&socket), plan));
    if let Some(mut driver) = guarded(&socket, connecting).await.flatten() {
        guarded(&socket, poll_fn(|cx| driver.poll(cx))).await;
    }
    // It keeps the task's memory; an ended socket is a small record.
    socket.half.lock().waker = None;
}

/// Polls inside a turn of the app; what the turn posted is run at its end. None after a panic.
async fn guarded<T>(socket: &Arc<Socket>, mut future: impl Future<Output = T> + Unpin) -> Option<T> {
    poll_fn(|cx| {
        let _turn = Turn::enter(socket.app.address());
        let outcome = match catch_unwind(AssertUnwindSafe(|| Pin::new(&mut future).poll(cx))) {
            Ok(polled) => polled.map(Some),
            Err(_) => {
                panicked(socket);
                Poll::Ready(None)
            }
        };
        run_posted(socket);
        outcome
    })
    .await
}

fn panicked(socket: &Arc<Socket>) {
    log::write(log::ERROR, format_args!("the task of socket {} panicked", socket.id()));
    let mut after = After::new(&socket.app);
    let mut half = socket.half.lock();
    half.link = None;
    let fault = Fault::of(Cause::Internal);
    let end = if half.phase == Phase::Connecting {
        End::NotOpened(super::error::Status::Internal, fault)
    } else {
        End::Broken(fault)
    };
    socket.finish(&mut half, end, &mut after);
}

/// Runs what waits; what that posts again is for the app's pump, so that no socket keeps the thread.
fn run_posted(socket: &Arc<Socket>) {
    let app = &socket.app;
    if app.settings.direct && app.pump() {
        app.wake_pump();
    }
}

type Connecting<'a> = Pin<Box<dyn Future<Output = Result<Established, Fault>> + Send + 'a>>;

/// Connects; the driver of the open connection, or nothing if the socket has ended.
async fn connect(socket: Arc<Socket>, plan: Box<ConnectPlan>) -> Option<Box<Driver>> {
    let deadline = Moment::now().plus(plan.timeout);
    let app = Arc::clone(&socket.app);
    let outcome = {
        // In a box of its own: it is large, and gone when the connection is open.
        let mut connecting: Connecting<'_> = Box::pin(establish::establish(&app.settings, &plan));
        let mut timer = Timer::new(deadline);
        poll_fn(|cx| {
            if let Some(end) = look(&socket, cx) {
                return Poll::Ready(end);
            }
            if let Poll::Ready(outcome) = connecting.as_mut().poll(cx) {
                return Poll::Ready(Some(outcome));
            }
            // Asked whatever has woken the task: the timer itself may stand still while the device sleeps.
            let is_over = Pin::new(&mut timer).poll(cx);
            is_over.map(|()| Some(Err(Fault::of(Cause::Timeout))))
        })
        .await?
    };
    let mut after = After::new(&app);
    let mut half = socket.half.lock();
    if half.phase != Phase::Connecting {
        return None;
    }
    match outcome {
        Ok(established) => {
            let Established { stream, opened, early, deflate } = established;
            let parts = stream.into_parts();
            let fault = parts.fault.as_ref().map(|error| Fault::reset(Some(error)));
            let (read, link) = link::split(parts.tcp, parts.tls);
            half.link = Some(link);
            half.compression = deflate.as_ref().and_then(Deflater::new).map(Compression::new);
            let inflater = deflate.as_ref().map(Inflater::new);
            half.phase = Phase::Open;
            socket.remember(&mut half, &opened);
            app.post(Item::Open { socket: Arc::clone(&socket), event: Box::new(opened) }, &mut after);
            drop(half);
            let mut driver = Driver::new(Arc::clone(&socket), read, early, inflater);
            driver.end_behind_backlog = driver.end_behind_backlog.or(fault);
            // The task keeps room for all that it moves.
            Some(Box::new(driver))
        }
        Err(fault) => {
            let status = establish::status_of(&fault);
            socket.finish(&mut half, End::NotOpened(status, fault), &mut after);
            None
        }
    }
}

/// Looks for orders; Some(None) if the socket has ended, Some(fault) if it shall end.
fn look(socket: &Arc<Socket>, cx: &Context<'_>) -> Option<Option<Result<Established, Fault>>> {
    let mut half = socket.half.lock();
    if half.phase == Phase::Ended {
        return Some(None);
    }
    let orders = std::mem::take(&mut half.orders);
    #[cfg(feature = "test-hooks")]
    if orders.panic {
        drop(half);
        panic!("asked for by a test");
    }
    if orders.interrupt {
        return Some(Some(Err(Fault::of(Cause::Interrupted))));
    }
    half.waker = Some(cx.waker().clone());
    socket.set_asleep(true);
    None
}
