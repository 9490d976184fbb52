//! From an accepted connect to an upgraded stream: dial, request, response, and the profile of it all.

use std::io;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::error::{Cause, Fault, Status, TlsFault};
use super::event::{Opened, Profile};
use super::settings::{AppSettings, ConnectPlan};
use crate::protocol::deflate::{self, Agreement};
use crate::protocol::request;
use crate::protocol::response::{ResponseError, ResponseReader};
use crate::protocol::url::Host;
use crate::transport::dial::{self, DialError, DialErrorKind, DialOptions, Dialed, Endpoint, Phases};
use crate::transport::stream::Stream;
use crate::transport::tls::{TlsError, TlsErrorKind};

/// A read of the response; heads are small.
const READ: usize = 4096;

/// An open connection.
pub struct Established {
    pub stream: Stream,
    pub opened: Opened,
    /// What came behind the response: the first frames.
    pub early: Vec<u8>,
    /// What was agreed on of permessage-deflate.
    pub deflate: Option<Agreement>,
}

/// Connects and upgrades.
pub async fn establish(settings: &AppSettings, plan: &ConnectPlan) -> Result<Established, Fault> {
    let epoch = Epoch::now();
    let target = &plan.target;
    let overrides = settings.addresses_of(target);
    let endpoint = match &target.host {
        _ if !overrides.is_empty() => Endpoint::Addresses(overrides),
        Host::Ip(address) => Endpoint::Addresses(vec![(*address, target.port).into()]),
        Host::Name(name) => Endpoint::Name(name.clone(), target.port),
    };
    let options = DialOptions {
        endpoint,
        no_delay: plan.tcp_no_delay,
        interface: plan.interface.clone(),
        tls: target.secure.then(|| (settings.tls.clone(), target.host.text())),
    };
    let Dialed { mut stream, phases, peer } = dial::dial(&options).await.map_err(dial_fault)?;
    let offer = plan.per_message_deflate.then_some(deflate::OFFER);
    let request = request::encode(target, &plan.fields, &plan.protocols, settings.referer.as_deref(), offer)
        .map_err(|error| Fault::with_detail(Cause::Internal, error.to_string()))?;
    stream.write_all(&request.bytes).await.map_err(|error| broken(&error))?;
    stream.flush().await.map_err(|error| broken(&error))?;
    let mut reader = ResponseReader::new(&request.key, plan.protocols.clone(), plan.per_message_deflate);
    let mut buffer = Vec::with_capacity(READ);
    let (response, early) = loop {
        buffer.clear();
        match stream.read_buf(&mut buffer).await {
            Ok(0) => return Err(Fault::reset(None)),
            Ok(_) => {}
            Err(error) => return Err(broken(&error)),
        }
        match reader.feed(&buffer) {
            Ok(Some(done)) => break done,
            Ok(None) => {}
            Err(error) => return Err(response_fault(error)),
        }
    };
    let end = Instant::now();
    if response.protocol.is_empty()
        && !plan.protocols.is_empty()
        && settings.flavour.unanswered_protocol_fails
    {
        return Err(Fault::with_detail(Cause::Upgrade, "the server picked none of the protocols"));
    }
    let opened = Opened {
        http_status: response.status,
        headers: response.headers,
        protocol: response.protocol,
        extensions: response.extensions,
        peer_address: peer.to_string(),
        tls_version: stream.tls_version(),
        tls_cipher: stream.tls_cipher(),
        profile: profile(&epoch, &phases, end),
    };
    Ok(Established { stream, opened, early, deflate: response.deflate })
}

/// The handshake's status for the host.
pub fn status_of(fault: &Fault) -> Status {
    match fault.cause {
        Cause::Timeout => Status::ConnectTimeout,
        Cause::Interrupted => Status::Interrupted,
        _ => Status::ConnectionFailed,
    }
}

/// A moment on both clocks, so that points in time lie on one steady line.
struct Epoch {
    instant: Instant,
    since_1970_us: i64,
}

impl Epoch {
    fn now() -> Epoch {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Epoch { instant: Instant::now(), since_1970_us: i64::try_from(since.as_micros()).unwrap_or(i64::MAX) }
    }

    fn at(&self, instant: Instant) -> i64 {
        self.since_1970_us.saturating_add(micros(self.instant, instant))
    }
}

fn micros(from: Instant, to: Instant) -> i64 {
    i64::try_from(to.saturating_duration_since(from).as_micros()).unwrap_or(i64::MAX)
}

fn profile(epoch: &Epoch, phases: &Phases, end: Instant) -> Profile {
    Profile {
        fetch_start_us: epoch.at(phases.start),
        domain_look_up_start_us: epoch.at(phases.lookup_start),
        domain_look_up_end_us: epoch.at(phases.lookup_end),
        connect_start_us: epoch.at(phases.connect_start),
        connect_end_us: epoch.at(phases.connect_end),
        rtt_us: micros(phases.connect_start, phases.connect_end),
        handshake_cost_us: micros(phases.connect_end, end),
        cost_us: micros(phases.start, end),
    }
}

fn broken(error: &io::Error) -> Fault {
    // During the upgrade the TLS library's errors come inside those of the stream.
    match TlsError::inside(error) {
        Some(tls) => tls_fault(&tls, 0),
        None => Fault::reset(Some(error)),
    }
}

/// What TLS says, in the terms of the core.
pub fn tls_fault(error: &TlsError, os_error: i32) -> Fault {
    let tls = match error.kind {
        TlsErrorKind::Expired => TlsFault::Expired,
        TlsErrorKind::NotYetValid => TlsFault::NotYetValid,
        TlsErrorKind::WrongHost => TlsFault::WrongHost,
        TlsErrorKind::UnknownIssuer => TlsFault::UnknownIssuer,
        TlsErrorKind::Revoked => TlsFault::Revoked,
        TlsErrorKind::BadCertificate => TlsFault::BadCertificate,
        TlsErrorKind::Protocol => TlsFault::Protocol,
    };
    Fault { cause: Cause::Tls, os_error, tls, tls_detail: error.detail.clone(), ..Fault::default() }
}

fn dial_fault(error: DialError) -> Fault {
    let cause = match error.kind {
        DialErrorKind::Resolve => Cause::Resolve,
        DialErrorKind::Connect => Cause::Connect,
        DialErrorKind::Tls => Cause::Tls,
        DialErrorKind::Reset => Cause::Reset,
    };
    match error.tls {
        Some(tls) => tls_fault(&tls, error.os_error),
        None => Fault { cause, os_error: error.os_error, detail: error.detail, ..Fault::default() },
    }
}

fn response_fault(error: ResponseError) -> Fault {
    match error {
        ResponseError::Status(status) => {
            Fault { http_status: i32::from(status), ..Fault::of(Cause::HttpStatus) }
        }
        ResponseError::Upgrade(detail) => {
            Fault { http_status: 101, ..Fault::with_detail(Cause::Upgrade, detail) }
        }
        ResponseError::Malformed(detail) => Fault::with_detail(Cause::Upgrade, detail),
        ResponseError::TooLarge => Fault::with_detail(Cause::Upgrade, "the response's head is too large"),
    }
}
