//! A connected stream during the upgrade: plain, or TLS.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use rustls::{ClientConnection, ProtocolVersion};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::no_signal::NoSignal;

pub enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<NoSignal>>),
}

/// What a stream was made of.
pub struct Parts {
    pub tcp: TcpStream,
    pub tls: Option<Box<ClientConnection>>,
    /// What ended the connection behind the bytes that came during the upgrade.
    pub fault: Option<io::Error>,
}

impl Stream {
    fn session(&self) -> Option<&ClientConnection> {
        match self {
            Stream::Plain(_) => None,
            Stream::Tls(tls) => Some(tls.get_ref().1),
        }
    }

    pub fn tls_version(&self) -> &'static str {
        match self.session().and_then(|session| session.protocol_version()) {
            Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
            Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
            _ => "",
        }
    }

    /// IANA's name; the TLS library writes TLS13_ where IANA has TLS_.
    pub fn tls_cipher(&self) -> &'static str {
        let Some(suite) = self.session().and_then(|session| session.negotiated_cipher_suite()) else {
            return "";
        };
        match suite.suite().as_str() {
            Some("TLS13_AES_128_GCM_SHA256") => "TLS_AES_128_GCM_SHA256",
            Some("TLS13_AES_256_GCM_SHA384") => "TLS_AES_256_GCM_SHA384",
            Some("TLS13_CHACHA20_POLY1305_SHA256") => "TLS_CHACHA20_POLY1305_SHA256",
            Some(name) => name,
            None => "",
        }
    }

    pub fn into_parts(self) -> Parts {
        match self {
            Stream::Plain(tcp) => Parts { tcp, tls: None, fault: None },
            Stream::Tls(tls) => {
                let (stream, session) = tls.into_inner();
                Parts { tcp: stream.tcp, tls: Some(Box::new(session)), fault: stream.fault }
            }
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Stream::Tls(tls) => Pin::new(tls).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Stream::Tls(tls) => Pin::new(tls).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Stream::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Stream::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}
