//! The writing side after the upgrade, and TLS both ways. Its owner keeps it under a lock: it is used by the
//! I/O thread and by threads that send.

use std::io::{self, BufRead, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use rustls::ClientConnection;
use socket2::SockRef;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::tls::{TlsError, TlsErrorKind};

/// What an idle connection may keep of a buffer.
const RESTING_CAPACITY: usize = 1024;
/// An empty buffer that has grown beyond this gives its memory back.
const KEPT_CAPACITY: usize = 64 * 1024;

/// A broken connection raises no SIGPIPE. Where there is no such flag the socket itself was told so.
#[cfg(any(target_os = "linux", target_os = "android"))]
const NO_SIGNAL: libc::c_int = libc::MSG_NOSIGNAL;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const NO_SIGNAL: libc::c_int = 0;

/// Payload of a full record of TLS (RFC 8446, 5.1), and what it may take beside that: 22 bytes, or 29 in TLS 1.2.
const RECORD: usize = 16 * 1024;
const RECORD_OVERHEAD: usize = 32;

pub struct Link {
    socket: OwnedWriteHalf,
    tls: Option<Box<ClientConnection>>,
    /// Bytes for the wire; those before `start` are with the operating system already.
    out: Vec<u8>,
    start: usize,
    /// The operating system takes nothing more, and the task is woken when it does.
    blocked: bool,
    /// TLS: what is to be encrypted.
    scratch: Vec<u8>,
    queued: u64,
    written: u64,
}

/// Parts a connection: the reading half goes to the task.
pub fn split(tcp: TcpStream, tls: Option<Box<ClientConnection>>) -> (OwnedReadHalf, Link) {
    let (read, socket) = tcp.into_split();
    let mut tls = tls;
    if let Some(session) = &mut tls {
        // Everything is taken over into `out` at once; the limit is that of the caller.
        session.set_buffer_limit(None);
    }
    (
        read,
        Link {
            socket,
            tls,
            out: Vec::new(),
            start: 0,
            blocked: false,
            scratch: Vec::new(),
            queued: 0,
            written: 0,
        },
    )
}

impl Link {
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Adds `length` bytes, which `encode` appends: at most as many at a time as it is told, until it says that there
    /// are no more.
    #[inline]
    pub fn append(
        &mut self,
        length: usize,
        mut encode: impl FnMut(&mut Vec<u8>, usize) -> bool,
    ) -> Result<(), TlsError> {
        if self.tls.is_some() {
            return self.append_encrypted(length, encode);
        }
        let before = self.out.len();
        encode(&mut self.out, usize::MAX);
        debug_assert_eq!(self.out.len() - before, length);
        self.queued += length as u64;
        Ok(())
    }

    /// Record by record: what is encrypted next is in the processor's cache, and there is one place for all records.
    #[inline(never)]
    fn append_encrypted(
        &mut self,
        length: usize,
        mut encode: impl FnMut(&mut Vec<u8>, usize) -> bool,
    ) -> Result<(), TlsError> {
        if length > RECORD {
            self.out.reserve(length + length / RECORD * RECORD_OVERHEAD + 2 * RECORD_OVERHEAD);
        }
        loop {
            self.scratch.clear();
            let more = encode(&mut self.scratch, RECORD);
            let Some(session) = &mut self.tls else { return Ok(()) };
            session.writer().write_all(&self.scratch).map_err(|error| TlsError::from_io(&error))?;
            self.collect()?;
            if !more {
                return Ok(());
            }
        }
    }

    /// Takes over what TLS wants to send.
    fn collect(&mut self) -> Result<(), TlsError> {
        if let Some(session) = &mut self.tls {
            let before = self.out.len();
            while session.wants_write() {
                session.write_tls(&mut self.out).map_err(|error| TlsError::from_io(&error))?;
            }
            self.queued += (self.out.len() - before) as u64;
        }
        Ok(())
    }

    /// Wire bytes ever appended.
    pub fn queued(&self) -> u64 {
        self.queued
    }

    /// Wire bytes ever taken by the operating system.
    pub fn written(&self) -> u64 {
        self.written
    }

    pub fn has_outbound(&self) -> bool {
        self.start < self.out.len()
    }

    /// Bytes that the operating system has not taken yet.
    pub fn outbound_len(&self) -> usize {
        self.out.len() - self.start
    }

    /// Writes as much as can be without waiting; true if nothing is left. Past the runtime, which would first look up
    /// whether it has heard that the socket takes more.
    pub fn try_flush(&mut self) -> io::Result<bool> {
        while let Some(rest) = self.out.get(self.start..).filter(|rest| !rest.is_empty()) {
            match SockRef::from(self.socket.as_ref()).send_with_flags(rest, NO_SIGNAL) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => self.took(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    fn took(&mut self, count: usize) {
        self.start += count;
        self.written += count as u64;
        if self.start == self.out.len() {
            self.start = 0;
            self.out.clear();
            if self.out.capacity() > KEPT_CAPACITY {
                self.out = Vec::new();
            }
        } else if self.start >= KEPT_CAPACITY && self.start >= self.out.len() / 2 {
            // A peer that reads slowly: what it has taken must not stay in memory with the rest.
            self.out.drain(..self.start);
            self.start = 0;
        }
    }

    /// Nothing goes out for a while: an idle connection keeps no buffer worth mentioning.
    pub fn rest(&mut self) {
        if self.out.is_empty() && self.out.capacity() > RESTING_CAPACITY {
            self.out = Vec::new();
        }
        if self.scratch.capacity() > RESTING_CAPACITY {
            self.scratch = Vec::new();
        }
    }

    /// Writes; pending until the socket takes more.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The runtime knows whether it would be in vain.
        if !self.blocked && self.try_flush()? {
            return Poll::Ready(Ok(()));
        }
        self.blocked = false;
        while let Some(rest) = self.out.get(self.start..).filter(|rest| !rest.is_empty()) {
            match Pin::new(&mut self.socket).poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => self.took(count),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.blocked = true;
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Whether what is added now goes out without anybody's doing: when the operating system takes more.
    pub fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Decrypts what was read from the socket; true if the peer has ended TLS.
    pub fn decrypt(&mut self, mut bytes: &[u8], plain: &mut Vec<u8>) -> Result<bool, TlsError> {
        let mut ended = false;
        while !bytes.is_empty() {
            let Some(session) = &mut self.tls else { break };
            session.read_tls(&mut bytes).map_err(|error| TlsError::from_io(&error))?;
            let state = session.process_new_packets();
            // Also after an error: an alert for the peer may be waiting.
            self.collect()?;
            // What came before the fault is good.
            self.take_plain(plain)?;
            ended |= state.map_err(|error| TlsError::from_rustls(&error))?.peer_has_closed();
            if ended {
                break;
            }
        }
        Ok(ended)
    }

    /// Takes what came with the end of the upgrade and is decrypted already; true if the peer has ended TLS in it.
    /// A fault behind those bytes is reported here again.
    pub fn take_early(&mut self, plain: &mut Vec<u8>) -> Result<bool, TlsError> {
        let Some(session) = &mut self.tls else { return Ok(false) };
        let state = session.process_new_packets();
        self.collect()?;
        self.take_plain(plain)?;
        Ok(state.map_err(|error| TlsError::from_rustls(&error))?.peer_has_closed())
    }

    fn take_plain(&mut self, plain: &mut Vec<u8>) -> Result<(), TlsError> {
        let Some(session) = &mut self.tls else { return Ok(()) };
        let mut reader = session.reader();
        loop {
            let record = match reader.fill_buf() {
                Ok([]) => return Ok(()),
                Ok(record) => record,
                // Nothing more for now, or ended without notice: what came before is in `plain`.
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::UnexpectedEof) =>
                {
                    return Ok(());
                }
                Err(error) => return Err(TlsError::new(TlsErrorKind::Protocol, error.to_string())),
            };
            let length = record.len();
            plain.extend_from_slice(record);
            reader.consume(length);
        }
    }

    /// TLS says goodbye behind what is queued.
    pub fn finish_writing(&mut self) -> Result<(), TlsError> {
        if let Some(session) = &mut self.tls {
            session.send_close_notify();
        }
        self.collect()
    }
}
