//! A TCP stream for the TLS handshake that raises no SIGPIPE.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// TLS writes several buffers at once, an alert behind another record for one, and no second time. `writev` takes no
/// MSG_NOSIGNAL, while the standard library writes a single buffer with it. So this stream joins them: the bytes of a
/// handshake are few.
pub struct NoSignal {
    pub tcp: TcpStream,
    /// What a read has failed with: the system tells it once, and TLS may not pass it on.
    pub fault: Option<io::Error>,
}

impl NoSignal {
    pub fn new(tcp: TcpStream) -> NoSignal {
        NoSignal { tcp, fault: None }
    }
}

impl AsyncRead for NoSignal {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.tcp).poll_read(cx, buffer);
        if let Poll::Ready(Err(error)) = &polled
            && let Some(code) = error.raw_os_error()
        {
            self.fault = Some(io::Error::from_raw_os_error(code));
        }
        polled
    }
}

impl AsyncWrite for NoSignal {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let joined: Vec<u8> = buffers.iter().flat_map(|buffer| buffer.iter().copied()).collect();
        self.poll_write(cx, &joined)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
