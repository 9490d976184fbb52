//! What every export goes through: no panic gets out, nothing runs in a notice, in a forked child, or during
//! a shutdown.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::hooks;
use super::status::{self, TARO_STATUS_INTERNAL, taro_status};
use crate::core::error::Status;
use crate::core::{fork, library, log, scope};

/// An export that answers with a status.
pub fn call(name: &'static str, body: impl FnOnce() -> Result<(), Status>) -> taro_status {
    taking_call(name, |probe| {
        probe();
        body()
    })
}

/// An export that takes user data: `body` gets a probe to call when it has, at which a test may have it
/// panic.
pub fn taking_call(name: &'static str, body: impl FnOnce(&dyn Fn()) -> Result<(), Status>) -> taro_status {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        if scope::in_notice() {
            return Err(Status::InNotice);
        }
        if fork::is_forked_child() {
            return Err(Status::Forked);
        }
        fork::arm();
        if library::is_shutting_down() && !runs_during_shutdown(name) {
            return Err(Status::ShuttingDown);
        }
        library::set_default_maker(super::app_options::default_app);
        body(&|| hooks::fire(name))
    }));
    match outcome {
        Ok(Ok(())) => status::code(Status::Ok),
        Ok(Err(status)) => status::code(status),
        Err(_) => {
            log::write(log::ERROR, format_args!("a panic inside {name}"));
            TARO_STATUS_INTERNAL
        }
    }
}

/// Messages outlive a shutdown, so they do not wait for its end.
fn runs_during_shutdown(name: &str) -> bool {
    matches!(name, "taro_shutdown" | "taro_message_retain" | "taro_message_release")
}

/// An export without a status, for any place and time.
pub fn anywhere<T>(name: &'static str, fallback: T, body: impl FnOnce() -> T) -> T {
    let run = || {
        hooks::fire(name);
        body()
    };
    catch_unwind(AssertUnwindSafe(run)).unwrap_or(fallback)
}
