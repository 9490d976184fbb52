//! Host names to addresses.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use crate::runtime::blocking;

/// Asks the system's resolver, on a thread that may block.
pub async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let host = host.to_owned();
    blocking::run(move || (host.as_str(), port).to_socket_addrs().map(Iterator::collect)).await?
}
