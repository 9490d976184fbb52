//! How calls end, and what lies behind the end of a socket.

/// Outcome of a call, of a result, or of `error`. Up to `Unsupported` the call did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Ok,
    NullPointer,
    BadStructSize,
    BadHandle,
    BadArgument,
    Busy,
    WouldDeadlock,
    TimedOut,
    Forked,
    ShuttingDown,
    WrongDelivery,
    InNotice,
    NoResources,
    #[cfg_attr(unix, allow(dead_code, reason = "systems without pollable descriptors"))]
    Unsupported,
    InvalidUrl,
    UrlNotAllowed,
    TooManySockets,
    Parameter,
    Interrupted,
    ConnectTimeout,
    ConnectionFailed,
    NotConnected,
    InvalidCloseCode,
    InvalidCloseReason,
    Full,
    MessageTooBig,
    Internal,
}

/// Why a connection failed or broke.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cause {
    #[default]
    None,
    Resolve,
    Connect,
    Timeout,
    Tls,
    HttpStatus,
    Upgrade,
    Reset,
    PongTimeout,
    Idle,
    Interrupted,
    ProtocolError,
    BadUtf8,
    TooBig,
    Internal,
    Cancelled,
}

/// What was wrong with TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsFault {
    #[default]
    None,
    Expired,
    NotYetValid,
    WrongHost,
    UnknownIssuer,
    Revoked,
    BadCertificate,
    Protocol,
}

/// What is known about a failure, apart from the status: for the developer, never for the script.
#[derive(Clone, Debug, Default)]
pub struct Fault {
    pub cause: Cause,
    pub http_status: i32,
    pub os_error: i32,
    pub tls: TlsFault,
    pub tls_detail: String,
    pub detail: String,
}

impl Fault {
    pub fn of(cause: Cause) -> Fault {
        Fault { cause, ..Fault::default() }
    }

    pub fn with_detail(cause: Cause, detail: impl Into<String>) -> Fault {
        Fault { cause, detail: detail.into(), ..Fault::default() }
    }

    /// A connection that broke: 0 as system error means end of stream.
    pub fn reset(error: Option<&std::io::Error>) -> Fault {
        Fault {
            cause: Cause::Reset,
            os_error: error.and_then(std::io::Error::raw_os_error).unwrap_or(0),
            detail: error.map(ToString::to_string).unwrap_or_default(),
            ..Fault::default()
        }
    }
}
