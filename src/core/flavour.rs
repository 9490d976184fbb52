//! The six flavours: whose limits, texts, codes and event order an app follows. One table.
//!
//! weapp is WeChat's: limits and errno from its documents (connectSocket, PublicErrno), texts as scripts see
//! them. The others have their limits and behaviour here; their texts and codes are weapp's until they are
//! known as well as those.

use std::borrow::Cow;
use std::time::Duration;

use super::error::{Cause, Fault, Status};
use super::event::{Api, Record};

/// Row of the table.
#[derive(Debug)]
pub struct Flavour {
    pub max_sockets: usize,
    pub connect_timeout: Duration,
    /// A server that picks none of the offered protocols fails the handshake.
    pub unanswered_protocol_fails: bool,
    /// A failed handshake is `error`, then `close` 1006; else `error` alone.
    pub failed_handshake_closes: bool,
    /// A connection that breaks while the host is closing is told with the code and reason that the host
    /// gave; else with 1006.
    pub broken_closing_keeps_code: bool,
    /// Fixed reasons for 1006.
    pub abnormal_reason: &'static str,
    pub interrupted_reason: &'static str,
}

const WEAPP: Flavour = Flavour {
    max_sockets: 5,
    connect_timeout: Duration::from_secs(60),
    unanswered_protocol_fails: false,
    failed_handshake_closes: false,
    broken_closing_keeps_code: true,
    abnormal_reason: "abnormal closure",
    interrupted_reason: "interrupted",
};

static TABLE: [Flavour; 6] = [
    WEAPP,
    // alipay
    Flavour { connect_timeout: Duration::from_secs(30), ..WEAPP },
    // swan
    WEAPP,
    // tt
    Flavour { unanswered_protocol_fails: true, ..WEAPP },
    // h5: WHATWG, "establish a WebSocket connection" and "when the WebSocket connection is closed"
    Flavour {
        unanswered_protocol_fails: true,
        failed_handshake_closes: true,
        broken_closing_keeps_code: false,
        abnormal_reason: "",
        interrupted_reason: "",
        ..WEAPP
    },
    // rn
    WEAPP,
];

impl Flavour {
    /// The row with this number (TARO_FLAVOUR_…).
    pub fn number(number: u32) -> Option<&'static Flavour> {
        TABLE.get(number as usize)
    }

    pub fn weapp() -> &'static Flavour {
        static ROW: Flavour = WEAPP;
        &ROW
    }

    /// The record of an accepted call.
    pub fn accepted(&self, api: Api) -> Record {
        let err_msg = match api {
            Api::Connect => "connectSocket:ok",
            Api::Send => "sendSocketMessage:ok",
            Api::Close => "closeSocket:ok",
        };
        Record {
            status: Status::Ok,
            err_no: 0,
            code: 0,
            err_msg: Cow::Borrowed(err_msg),
            reason_at: err_msg.len(),
            fault: Fault::default(),
        }
    }

    /// The record of a failure. `subject`: what the app itself passed and the text names (URL, field,
    /// number); nothing else may get in there.
    pub fn failed(&self, api: Api, status: Status, subject: &str, fault: Fault) -> Record {
        let (reason, err_no) = reason(status, subject);
        let prefix = format!("{}:fail ", api.name());
        let reason_at = prefix.len();
        Record { status, err_no, code: err_no, err_msg: Cow::Owned(prefix + &reason), reason_at, fault }
    }

    /// The fixed reason of a `close` 1006.
    pub fn close_reason(&self, cause: Cause) -> &'static str {
        if cause == Cause::Interrupted { self.interrupted_reason } else { self.abnormal_reason }
    }
}

/// weapp's text and errno.
fn reason(status: Status, subject: &str) -> (Cow<'static, str>, i32) {
    match status {
        Status::InvalidUrl => (format!("invalid url \"{subject}\"").into(), 600_009),
        Status::UrlNotAllowed => ("url not in domain list".into(), 600_002),
        Status::TooManySockets => {
            (format!("fail reach max websocket connect count {subject}").into(), 600_007)
        }
        Status::Parameter => (format!("parameter error: {subject}").into(), 600_005),
        Status::Interrupted => ("interrupted".into(), 600_003),
        Status::ConnectTimeout => ("timeout".into(), 5),
        Status::ConnectionFailed => ("WebSocket connection failed".into(), 600_000),
        Status::NotConnected => ("WebSocket is not connected".into(), 600_004),
        Status::InvalidCloseCode => {
            ("wcwss invalid code, the code must be either 1000, or between 3000 and 4999".into(), 600_005)
        }
        Status::InvalidCloseReason => ("reason must not exceed 123 UTF-8 bytes".into(), 600_005),
        Status::Full => ("exceed max buffered amount".into(), 600_000),
        Status::MessageTooBig => ("message too big".into(), 600_005),
        _ => ("system error".into(), 600_006),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_is_what_follows_fail() {
        let record = TABLE[0].failed(Api::Send, Status::NotConnected, "", Fault::default());
        assert_eq!(record.err_msg, "sendSocketMessage:fail WebSocket is not connected");
        assert_eq!(record.reason(), "WebSocket is not connected");
        assert_eq!(TABLE[0].accepted(Api::Close).reason(), "");
    }

    #[test]
    fn the_doubled_fail_is_literal() {
        let record = TABLE[0].failed(Api::Connect, Status::TooManySockets, "5", Fault::default());
        assert_eq!(record.err_msg, "connectSocket:fail fail reach max websocket connect count 5");
    }
}
