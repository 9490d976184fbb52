//! From a name or an address to a connected stream, each phase measured.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use rustls::pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

use super::no_signal::NoSignal;
use super::stream::Stream;
use super::tls::{ClientTls, TlsError, TlsErrorKind};
use super::{race, resolve};

pub enum Endpoint {
    Name(String, u16),
    Addresses(Vec<SocketAddr>),
}

pub struct DialOptions {
    pub endpoint: Endpoint,
    pub no_delay: bool,
    /// Network interface to connect through.
    pub interface: Option<String>,
    /// TLS, and the name or address that the certificate must be for.
    pub tls: Option<(ClientTls, String)>,
}

/// When each phase was; equal to `start` where there was none.
#[derive(Clone, Copy)]
pub struct Phases {
    pub start: Instant,
    pub lookup_start: Instant,
    pub lookup_end: Instant,
    pub connect_start: Instant,
    /// TLS included.
    pub connect_end: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialErrorKind {
    Resolve,
    Connect,
    Tls,
    /// The connection ended within the TLS handshake.
    Reset,
}

#[derive(Debug)]
pub struct DialError {
    pub kind: DialErrorKind,
    pub os_error: i32,
    pub tls: Option<TlsError>,
    pub detail: String,
}

impl DialError {
    fn io(kind: DialErrorKind, error: &io::Error) -> DialError {
        DialError { kind, os_error: error.raw_os_error().unwrap_or(0), tls: None, detail: error.to_string() }
    }

    /// TLS's own word, or that of the connection below it.
    fn handshake(error: &io::Error) -> DialError {
        match TlsError::inside(error) {
            Some(tls) => DialError::tls(tls, 0),
            None => DialError::io(DialErrorKind::Reset, error),
        }
    }

    fn tls(error: TlsError, os_error: i32) -> DialError {
        DialError { kind: DialErrorKind::Tls, os_error, detail: error.detail.clone(), tls: Some(error) }
    }
}

/// A connection.
pub struct Dialed {
    pub stream: Stream,
    pub phases: Phases,
    pub peer: SocketAddr,
}

/// Connects, with TLS if asked for.
pub async fn dial(options: &DialOptions) -> Result<Dialed, DialError> {
    let start = Instant::now();
    let mut phases =
        Phases { start, lookup_start: start, lookup_end: start, connect_start: start, connect_end: start };
    // Before anything goes out: the trust store may have to be read from disk.
    let tls = match &options.tls {
        Some((tls, name)) => {
            let config = tls.config().await.map_err(|error| DialError::tls(error, 0))?;
            let name = ServerName::try_from(name.clone()).map_err(|error| {
                DialError::tls(TlsError::new(TlsErrorKind::WrongHost, error.to_string()), 0)
            })?;
            Some((TlsConnector::from(config), name))
        }
        None => None,
    };
    let addresses = match &options.endpoint {
        Endpoint::Addresses(addresses) => addresses.clone(),
        Endpoint::Name(host, port) => {
            phases.lookup_start = Instant::now();
            let found = resolve::resolve(host, *port).await;
            phases.lookup_end = Instant::now();
            found.map_err(|error| DialError::io(DialErrorKind::Resolve, &error))?
        }
    };
    let won = race::first(&addresses, |address| connect(address, options)).await;
    let (tcp, peer, began) = won.map_err(|error| DialError::io(DialErrorKind::Connect, &error))?;
    // Of the connection that there is; what was lost on others before is not its time.
    phases.connect_start = began;
    let stream = match tls {
        None => Stream::Plain(tcp),
        Some((connector, name)) => {
            let secured = connector
                .connect(name, NoSignal::new(tcp))
                .await
                .map_err(|error| DialError::handshake(&error))?;
            Stream::Tls(Box::new(secured))
        }
    };
    phases.connect_end = Instant::now();
    Ok(Dialed { stream, phases, peer })
}

/// The connection, to where, and when it was begun.
async fn connect(address: SocketAddr, options: &DialOptions) -> io::Result<(TcpStream, SocketAddr, Instant)> {
    let began = Instant::now();
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(interface) = &options.interface {
        bind_to(&socket, interface)?;
    }
    if options.no_delay {
        socket.set_nodelay(true)?;
    }
    Ok((socket.connect(address).await?, address, began))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn bind_to(socket: &TcpSocket, interface: &str) -> io::Result<()> {
    socket.bind_device(Some(interface.as_bytes()))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn bind_to(_socket: &TcpSocket, _interface: &str) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "binding to an interface is not supported here"))
}
