//! One task for each app on its I/O thread: it runs what others posted, and ends the background's grace.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::app::{App, Ending};
use super::scope::Turn;
use crate::runtime::timers::Timer;

/// Runs until the app's release was asked for.
pub async fn run(app: Arc<App>) {
    let mut grace = None;
    poll_fn(|cx| turn(&app, cx, &mut grace)).await;
}

impl App {
    /// Has the pump run what is left of a turn.
    pub fn wake_pump(&self) {
        let pump = self.state.lock().pump.take();
        if let Some(pump) = pump {
            pump.wake();
        }
    }
}

fn turn(app: &Arc<App>, cx: &mut Context<'_>, grace: &mut Option<Timer>) -> Poll<()> {
    let _turn = Turn::enter(app.address());
    let more = app.settings.direct && app.pump();
    {
        let mut state = app.state.lock();
        if state.ending != Ending::No {
            return Poll::Ready(());
        }
        if more || app.settings.direct && !state.queue.is_empty() {
            cx.waker().wake_by_ref();
        } else {
            state.pump = Some(cx.waker().clone());
        }
    }
    // Behind the waker: whoever changes the grace from here on has this turn run again.
    watch_grace(app, cx, grace);
    Poll::Pending
}

fn watch_grace(app: &Arc<App>, cx: &mut Context<'_>, grace: &mut Option<Timer>) {
    loop {
        let end = app.grace_end();
        if grace.as_ref().map(Timer::at) != end {
            *grace = end.map(Timer::new);
        }
        let Some(timer) = grace else { return };
        if Pin::new(timer).poll(cx).is_pending() || app.interrupt_if_due() {
            return;
        }
        *grace = None;
    }
}
