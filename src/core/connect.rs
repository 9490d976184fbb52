//! From a connect call to a socket whose task runs.

use std::sync::Arc;

use super::after::After;
use super::app::{self, App, Ending};
use super::delivery::Item;
use super::error::{Fault, Status};
use super::event::Api;
use super::handler::{HostToken, SocketHandler};
use super::release::CallGuard;
use super::settings::{ConnectPlan, ConnectRequest, Refusal};
use super::socket::Socket;
use super::{handles, task};
use crate::runtime::log;

/// A connect that is no misuse: the app is there, and so is its thread.
pub struct Ready {
    guard: CallGuard,
}

/// Finds the app, and starts its thread: without one not even a refusal could be told.
pub fn prepare(app: u64) -> Result<Ready, Status> {
    let app = app::find(app)?;
    let guard = CallGuard::enter(&app)?;
    app.thread()?;
    Ok(Ready { guard })
}

/// A socket whose connect has no result yet, or what stands for one in another call that is refused. Dropped without
/// a result, as when a panic unwinds, it has failed.
struct Accepting {
    api: Api,
    socket: Option<Arc<Socket>>,
}

impl Accepting {
    fn fail(&mut self, refusal: Refusal) -> Status {
        let (status, subject) = refusal;
        if let Some(socket) = self.socket.take() {
            // It has no id, so nobody could resume it.
            socket.never_holds();
            let app = &socket.app;
            let mut after = After::new(app);
            let record = app.settings.flavour.failed(self.api, status, &subject, Fault::default());
            app.post(Item::Connected { socket: Arc::clone(&socket), record }, &mut after);
            let token = socket.half.lock().token.take();
            if let Some(token) = token {
                app.post(Item::Free { socket: Arc::clone(&socket), _token: token }, &mut after);
            }
        }
        status
    }

    /// The app's release was asked for meanwhile: the call did not happen, the user data stays the host's.
    fn undo(&mut self) -> Status {
        if let Some(socket) = self.socket.take()
            && let Some(token) = &mut socket.half.lock().token
        {
            token.disarm();
        }
        Status::BadHandle
    }
}

impl Drop for Accepting {
    fn drop(&mut self) {
        self.fail((Status::Internal, String::new()));
    }
}

impl Ready {
    /// Takes the user data, checks everything, and starts. `set_id` is called before any callback can run;
    /// `probe` when the user data has been taken.
    pub fn accept(
        self,
        request: &ConnectRequest<'_>,
        handler: Box<dyn SocketHandler>,
        token: HostToken,
        set_id: &mut dyn FnMut(u64),
        probe: impl FnOnce(),
    ) -> Result<(), Status> {
        let app = self.guard.app();
        let socket = Socket::new(Arc::clone(app), handler, token, request.start_paused);
        let mut accepting = Accepting { api: Api::Connect, socket: Some(Arc::clone(&socket)) };
        probe();
        let plan = match check(app, request) {
            Ok(plan) => plan,
            Err(refusal) => return Err(accepting.fail(refusal)),
        };
        let replaced = match admit(app, &socket, set_id) {
            Ok(Admitted::Yes(replaced)) => replaced,
            Ok(Admitted::AppEnds) => return Err(accepting.undo()),
            Err(refusal) => return Err(accepting.fail(refusal)),
        };
        accepting.socket = None;
        log::write(log::INFO, format_args!("socket {} connects to {}", socket.id(), plan.target.authority));
        if let Some(old) = replaced {
            old.make_room();
        }
        app.thread()?.spawn(task::run(socket, Box::new(plan)));
        Ok(())
    }
}

impl Ready {
    /// Takes the user data of a call that the host itself refuses, and tells it so.
    pub fn refuse(
        self,
        api: Api,
        refusal: Refusal,
        handler: Box<dyn SocketHandler>,
        token: HostToken,
        probe: impl FnOnce(),
    ) {
        let socket = Socket::new(Arc::clone(self.guard.app()), handler, token, false);
        let mut accepting = Accepting { api, socket: Some(socket) };
        probe();
        accepting.fail(refusal);
    }
}

fn check(app: &App, request: &ConnectRequest<'_>) -> Result<ConnectPlan, Refusal> {
    let plan = request.check(&app.settings)?;
    if app.is_in_background() { Err((Status::Interrupted, String::new())) } else { Ok(plan) }
}

enum Admitted {
    /// In single-socket mode with the one that has to go for it.
    Yes(Option<Arc<Socket>>),
    AppEnds,
}

/// Gives the socket its id and its place among the live ones, and posts connect's result: nobody sees the one
/// without the other.
fn admit(app: &Arc<App>, socket: &Arc<Socket>, set_id: &mut dyn FnMut(u64)) -> Result<Admitted, Refusal> {
    let settings = &app.settings;
    let mut after = After::new(app);
    let mut state = app.state.lock();
    if state.ending != Ending::No {
        return Ok(Admitted::AppEnds);
    }
    if !settings.single_socket && state.live.len() >= settings.max_sockets {
        return Err((Status::TooManySockets, settings.max_sockets.to_string()));
    }
    // The user data is taken, so this is no misuse any more.
    let internal = |_| (Status::Internal, String::new());
    let id = handles::insert_socket(Arc::clone(socket)).map_err(internal)?;
    socket.set_id(id);
    set_id(id);
    let old = state.sockets.values().filter(|old| settings.single_socket && !old.is_told_closed());
    let old = old.max_by_key(|old| old.serial()).cloned();
    if let Some(old) = &old {
        // The old one's end is told first, whether it is still to come or waits to be told.
        let mut hold = socket.hold.lock();
        hold.gate = Some(old.id());
        socket.hold_changed(&hold);
    }
    state.sockets.insert(id, Arc::clone(socket));
    state.live.push(id);
    // The one that makes room is no live socket any more.
    if state.global == 0 || old.is_some() {
        state.global = id;
    }
    let record = settings.flavour.accepted(Api::Connect);
    app.post_locked(&mut state, Item::Connected { socket: Arc::clone(socket), record }, &mut after);
    Ok(Admitted::Yes(old))
}
