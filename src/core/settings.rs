//! What a host asked for, validated: the options of an app and of a connect.

use std::net::SocketAddr;
use std::time::Duration;

use super::error::Status;
use super::flavour::Flavour;
use crate::protocol::request::{self, Field};
use crate::protocol::url::{self, Target};
use crate::transport::tls::{self, ClientTls};

/// Options of an app, with defaults filled in.
pub struct AppSettings {
    pub flavour: &'static Flavour,
    pub direct: bool,
    pub single_socket: bool,
    pub forbid_ws: bool,
    pub max_sockets: usize,
    pub connect_timeout: Duration,
    /// None: every host.
    pub allow_list: Option<Vec<Allowed>>,
    pub referer: Option<String>,
    pub overrides: Vec<Override>,
    pub tls: ClientTls,
    pub send_limit: usize,
    pub message_limit: usize,
    pub queue_limit: usize,
    pub pause_limit: usize,
    pub ping_interval: Option<Duration>,
    pub pong_timeout: Option<Duration>,
    pub idle_timeout: Option<Duration>,
    /// A failed handshake is `error`, then `close` 1006; else `error` alone.
    pub failed_handshake_closes: bool,
    pub background_grace: Duration,
    pub close_timeout: Duration,
}

/// An entry of the allow-list.
pub struct Allowed {
    secure: Option<bool>,
    host: String,
    port: Option<u16>,
}

impl Allowed {
    /// `host`, `host:port`, or either of them behind `ws://` or `wss://`.
    pub fn parse(entry: &str) -> Result<Allowed, Status> {
        let (secure, rest) = match (entry.strip_prefix("wss://"), entry.strip_prefix("ws://")) {
            (Some(rest), _) => (Some(true), rest),
            (_, Some(rest)) => (Some(false), rest),
            _ => (None, entry),
        };
        let target = parse_authority(rest)?;
        Ok(Allowed { secure, host: target.host.text(), port: explicit_port(rest) })
    }

    fn permits(&self, target: &Target) -> bool {
        self.secure.is_none_or(|secure| secure == target.secure)
            && self.port.is_none_or(|port| port == target.port)
            && self.host == target.host.text()
    }
}

/// `host:port` of a URL that is reached at another address.
pub struct Override {
    host: String,
    port: u16,
    to: SocketAddr,
}

impl Override {
    pub fn parse(from: &str, to: &str) -> Result<Override, Status> {
        let port = explicit_port(from).ok_or(Status::BadArgument)?;
        let target = parse_authority(from)?;
        let to = to.parse().map_err(|_| Status::BadArgument)?;
        Ok(Override { host: target.host.text(), port, to })
    }
}

/// The value of the Referer header.
pub fn referer(value: &[u8]) -> Result<Option<String>, Status> {
    request::check_field(b"Referer", value).map_err(|_| Status::BadArgument)?;
    let text = std::str::from_utf8(value).map_err(|_| Status::BadArgument)?;
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// Whom to trust: the system's roots and those in these PEM texts, of which empty ones do not count.
pub fn trust(pem_texts: &[&[u8]], insecure: bool) -> Result<ClientTls, Status> {
    let mut roots = Vec::new();
    for pem in pem_texts.iter().filter(|pem| !pem.is_empty()) {
        roots.extend(tls::parse_roots(pem).map_err(|_| Status::BadArgument)?);
    }
    Ok(ClientTls::new(roots, insecure))
}

/// The system's roots alone.
pub fn system_trust() -> ClientTls {
    ClientTls::new(Vec::new(), false)
}

/// A host with or without port, through the same parser as URLs, so that both compare equal.
fn parse_authority(authority: &str) -> Result<Target, Status> {
    if authority.is_empty() || authority.contains(['/', '?', '#', '@', '\\']) {
        return Err(Status::BadArgument);
    }
    url::parse(&format!("ws://{authority}/")).map_err(|_| Status::BadArgument)
}

/// The port that is written down; the URL parser drops default ones.
fn explicit_port(authority: &str) -> Option<u16> {
    let (host, port) = authority.rsplit_once(':')?;
    let inside_brackets = host.contains('[') && !host.contains(']');
    if inside_brackets { None } else { port.parse().ok() }
}

impl AppSettings {
    pub fn permits(&self, target: &Target) -> bool {
        self.allow_list.as_ref().is_none_or(|list| list.iter().any(|entry| entry.permits(target)))
    }

    /// Where to connect to instead of what the URL says; empty for there.
    pub fn addresses_of(&self, target: &Target) -> Vec<SocketAddr> {
        let host = target.host.text();
        let entries = self.overrides.iter().filter(|entry| entry.port == target.port && entry.host == host);
        entries.map(|entry| entry.to).collect()
    }
}

/// What a connect asks for, as the host passed it.
pub struct ConnectRequest<'a> {
    pub url: &'a [u8],
    pub headers: Vec<(&'a [u8], &'a [u8])>,
    pub protocols: Vec<&'a [u8]>,
    pub timeout_ms: i32,
    pub tcp_no_delay: bool,
    pub per_message_deflate: bool,
    pub start_paused: bool,
    pub interface: &'a [u8],
}

/// A connect whose arguments are right.
pub struct ConnectPlan {
    pub target: Target,
    pub fields: Vec<Field>,
    pub protocols: Vec<String>,
    pub timeout: Duration,
    pub tcp_no_delay: bool,
    pub per_message_deflate: bool,
    pub interface: Option<String>,
}

/// Why a connect was refused: the status, and what its text names.
pub type Refusal = (Status, String);

/// Longest name of a network interface (Linux: IFNAMSIZ less its NUL).
const INTERFACE_NAME_LIMIT: usize = 15;

impl ConnectRequest<'_> {
    /// Checks the arguments against the rules of the protocol and of the app.
    pub fn check(&self, settings: &AppSettings) -> Result<ConnectPlan, Refusal> {
        let text = String::from_utf8_lossy(self.url);
        let invalid = || (Status::InvalidUrl, text.clone().into_owned());
        let url = std::str::from_utf8(self.url).map_err(|_| invalid())?;
        let target = url::parse(url).map_err(|_| invalid())?;
        if settings.forbid_ws && !target.secure {
            return Err(invalid());
        }
        if !settings.permits(&target) {
            return Err((Status::UrlNotAllowed, String::new()));
        }
        let parameter = |field: &str| (Status::Parameter, field.to_owned());
        let mut fields = Vec::with_capacity(self.headers.len());
        for (name, value) in &self.headers {
            request::check_field(name, value).map_err(|_| parameter("header"))?;
            let name = std::str::from_utf8(name).map_err(|_| parameter("header"))?;
            if !request::is_reserved(name) {
                fields.push(Field { name: name.to_owned(), value: value.to_vec() });
            }
        }
        request::check_protocols(self.protocols.iter().copied()).map_err(|_| parameter("protocols"))?;
        let protocols: Result<Vec<_>, _> =
            self.protocols.iter().map(|name| std::str::from_utf8(name).map(str::to_owned)).collect();
        let protocols = protocols.map_err(|_| parameter("protocols"))?;
        let interface = match std::str::from_utf8(self.interface) {
            Ok("") => None,
            Ok(name) if name.len() <= INTERFACE_NAME_LIMIT && !name.contains(['\0', '/']) => {
                Some(name.to_owned())
            }
            _ => return Err(parameter("interface")),
        };
        let timeout = match u64::try_from(self.timeout_ms) {
            Ok(ms) if ms > 0 => Duration::from_millis(ms),
            _ => settings.connect_timeout,
        };
        Ok(ConnectPlan {
            target,
            fields,
            protocols,
            timeout,
            tcp_no_delay: self.tcp_no_delay,
            per_message_deflate: self.per_message_deflate,
            interface,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(entry: &str, url: &str) -> bool {
        Allowed::parse(entry).unwrap().permits(&url::parse(url).unwrap())
    }

    #[test]
    fn allow_list_entries() {
        assert!(permits("example.org", "wss://EXAMPLE.org:8443/x"));
        assert!(!permits("example.org", "wss://a.example.org/"));
        assert!(permits("example.org:443", "wss://example.org/"));
        assert!(!permits("example.org:443", "ws://example.org/"));
        assert!(permits("wss://example.org", "wss://example.org/"));
        assert!(!permits("wss://example.org", "ws://example.org/"));
        assert!(permits("[::1]:80", "ws://[0:0:0:0:0:0:0:1]/"));
        assert!(Allowed::parse("a/b").is_err());
        assert!(Allowed::parse("").is_err());
    }

    #[test]
    fn an_override_names_its_port() {
        assert!(Override::parse("example.org", "127.0.0.1:1").is_err());
        assert!(Override::parse("example.org:80", "localhost:1").is_err());
        let entry = Override::parse("Example.org:80", "127.0.0.1:1").unwrap();
        assert_eq!((entry.host.as_str(), entry.port), ("example.org", 80));
    }
}
