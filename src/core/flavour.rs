//! The six flavours: whose limits, texts, codes and event order an app follows. One table.
//!
//! weapp is WeChat's: limits and errno from its documents (connectSocket, PublicErrno), texts as scripts see
//! them. alipay's codes are those of its documents (my.connectSocket, my.onSocketError, my.sendSocketMessage). The
//! others have their limits and behaviour here; their texts, and codes but alipay's, are weapp's until they are
//! known as well as those.

use std::borrow::Cow;
use std::time::Duration;

use super::error::{Cause, Fault, Status};
use super::event::{Api, Record};
use crate::protocol::url::{self, UrlError};

/// Row of the table.
#[derive(Debug)]
pub struct Flavour {
    pub max_sockets: usize,
    pub connect_timeout: Duration,
    /// A server that picks none of the offered protocols fails the handshake.
    pub unanswered_protocol_fails: bool,
    /// A failed handshake is `error`, then `close` 1006; else `error` alone, unless the app wants both.
    pub failed_handshake_closes: bool,
    /// A connection that breaks while the host is closing is told with the code and reason that the host
    /// gave; else with 1006.
    pub broken_closing_keeps_code: bool,
    /// The code beside weapp's errno, where the platform has one of its own.
    own_code: Option<OwnCode>,
    /// The text for a wrong parameter tells what is wrong with it, as Taro's own implementations do; else it has its
    /// name alone.
    parameter_says_why: bool,
    /// Fixed reasons for 1006.
    pub abnormal_reason: &'static str,
    pub interrupted_reason: &'static str,
}

/// From status, what the text names, and cause.
type OwnCode = fn(Status, &str, Cause) -> i32;

const WEAPP: Flavour = Flavour {
    max_sockets: 5,
    connect_timeout: Duration::from_secs(60),
    unanswered_protocol_fails: false,
    failed_handshake_closes: false,
    broken_closing_keeps_code: true,
    own_code: None,
    parameter_says_why: false,
    abnormal_reason: "abnormal closure",
    interrupted_reason: "interrupted",
};

static TABLE: [Flavour; 6] = [
    WEAPP,
    // alipay
    Flavour { connect_timeout: Duration::from_secs(30), own_code: Some(alipay_code), ..WEAPP },
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
        parameter_says_why: true,
        ..WEAPP
    },
    // rn: its WebSocket tells both, as a browser's
    Flavour { failed_handshake_closes: true, parameter_says_why: true, ..WEAPP },
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
    /// number); nothing else may get in there. Of a wrong parameter the name may be followed by a blank and what is
    /// wrong with it.
    pub fn failed(&self, api: Api, status: Status, subject: &str, fault: Fault) -> Record {
        let (mut reason, err_no) = reason(status, subject);
        if status == Status::Parameter {
            reason = match subject.split_once(' ') {
                // All options together are called that.
                Some(("parameter", _)) if self.parameter_says_why => {
                    format!("parameter error: {subject}").into()
                }
                Some(_) if self.parameter_says_why => format!("parameter error: parameter.{subject}").into(),
                Some((name, _)) => format!("parameter error: {name}").into(),
                None => reason,
            };
        }
        let prefix = format!("{}:fail ", api.name());
        let reason_at = prefix.len();
        let code = self.own_code.map_or(err_no, |own_code| own_code(status, subject, fault.cause));
        Record { status, err_no, code, err_msg: Cow::Owned(prefix + &reason), reason_at, fault }
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

/// Alipay's `error`.
fn alipay_code(status: Status, subject: &str, cause: Cause) -> i32 {
    /// "Unknown": what its tables have no number for.
    const UNKNOWN: i32 = 1;
    match status {
        Status::InvalidUrl if subject.is_empty() => 3,
        Status::InvalidUrl => match url::parse(subject) {
            Err(UrlError::Scheme) => 5,
            Err(_) => 4,
            // Nothing is wrong with it: the app forbids ws.
            Ok(_) => 20,
        },
        Status::UrlNotAllowed => 65,
        // "A socket exists already" of its one-socket mode, the only limit that has a number.
        Status::TooManySockets => 3,
        Status::Parameter | Status::InvalidCloseCode | Status::InvalidCloseReason => 2,
        Status::ConnectTimeout => 6,
        Status::NotConnected => 10,
        Status::Full => 12,
        Status::Interrupted => 50,
        Status::ConnectionFailed => match cause {
            Cause::Tls => 7,
            Cause::HttpStatus | Cause::Upgrade => 8,
            Cause::Resolve | Cause::Connect | Cause::Reset | Cause::PongTimeout => 50,
            _ => UNKNOWN,
        },
        _ => UNKNOWN,
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
    fn some_say_what_is_wrong_with_a_parameter() {
        let text = |flavour: usize, subject| {
            TABLE[flavour].failed(Api::Connect, Status::Parameter, subject, Fault::default()).err_msg
        };
        assert_eq!(text(0, "url should be String"), "connectSocket:fail parameter error: url");
        assert_eq!(
            text(4, "url should be String"),
            "connectSocket:fail parameter error: parameter.url should be String"
        );
        assert_eq!(
            text(4, "parameter should be Object"),
            "connectSocket:fail parameter error: parameter should be Object"
        );
        assert_eq!(text(4, "header"), "connectSocket:fail parameter error: header");
    }

    #[test]
    fn alipay_tells_urls_apart() {
        let code = |url| TABLE[1].failed(Api::Connect, Status::InvalidUrl, url, Fault::default()).code;
        assert_eq!(code(""), 3);
        assert_eq!(code("//example.org"), 4);
        assert_eq!(code("ws://example.org/#part"), 4);
        assert_eq!(code("https://example.org"), 5);
        assert_eq!(code("ws://example.org"), 20);
    }

    #[test]
    fn the_doubled_fail_is_literal() {
        let record = TABLE[0].failed(Api::Connect, Status::TooManySockets, "5", Fault::default());
        assert_eq!(record.err_msg, "connectSocket:fail fail reach max websocket connect count 5");
    }
}
