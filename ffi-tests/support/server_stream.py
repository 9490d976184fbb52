"""A TCP connection, with TLS or without, that ends in exactly the way it is told to."""

import errno
import fcntl
import socket
import ssl
import struct
import termios

from server_loop import READ, WRITE

CHUNK = 256 * 1024
# Above this much that the peer has not taken, nothing more is read from it.
HIGH_WATER = 64 * 1024 * 1024
# How long a connection that has sent its FIN waits for the peer's.
LINGER_SECONDS = 60
# How long a reset waits for the peer's system to have what was sent before.
RESET_SECONDS = 0.3


class Stream:
    """The owner's methods: on_secured(), on_data(bytes), on_eof(), on_tls_close(), on_alert(text), on_reset(),
    on_end(). The last one comes once, when the socket has been closed."""

    def __init__(self, loop, sock, owner, context=None):
        self._loop = loop
        self._sock = sock
        self._owner = owner
        self._out = bytearray()
        self._events = 0
        self.reading = True
        self._discarding = False
        self._eof = False
        self._fin = False
        self._flushed = []  # what to do once everything has been handed to the system
        self.closed = False
        self.name = None  # the server name that the client asked for
        self._tls = None
        self._secured = context is None
        self._tls_ended = False
        sock.setblocking(False)
        if context is not None:
            self._incoming = ssl.MemoryBIO()
            self._outgoing = ssl.MemoryBIO()
            self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
            self._tls.stream = self
        self._watch()

    # --- in

    def pause(self):
        self.reading = False
        self._watch()

    def resume(self):
        self.reading = True
        self._watch()
        if self._tls and not self.closed:
            self._loop.soon(self._decrypt)

    def discard(self):
        """From now on what the peer sends is read and dropped."""
        self._discarding = True
        self.resume()

    def version(self):
        return self._tls.version() if self._tls else None

    def cipher(self):
        return self._tls.cipher()[0]

    def _ready(self, events):
        if events & WRITE and not self.closed:
            self._flush()
        if events & READ and not self.closed and self.reading:
            self._read()

    def _read(self):
        try:
            data = self._sock.recv(CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._lost()
            return
        if not data:
            self._eof = True
            self._watch()
            self._owner.on_eof()
        elif self._tls is None:
            self._deliver(data)
        else:
            self._incoming.write(data)
            self._decrypt()

    def _deliver(self, data):
        if not self._discarding:
            self._owner.on_data(data)

    def _decrypt(self):
        try:
            if not self._secured:
                self._tls.do_handshake()
                self._secured = True
                self._owner.on_secured()
            while self.reading and not self.closed:
                data = self._tls.read(CHUNK)
                if not data:
                    if not self._tls_ended:
                        self._tls_ended = True
                        self._owner.on_tls_close()
                    break
                self._deliver(data)
        except (ssl.SSLWantReadError, ssl.SSLSyscallError):
            pass
        except ssl.SSLError as error:
            if not self.closed and not self._discarding:
                self._discarding = True
                self._owner.on_alert(error.reason or "")
        if not self.closed:
            self._take_encrypted()

    # --- out

    def write(self, data):
        if self.closed or self._fin:
            return
        if self._tls is None:
            self._out += data
            self._flush()
            return
        try:
            for start in range(0, len(data), CHUNK):
                self._tls.write(data[start : start + CHUNK])
        except ssl.SSLError:
            pass  # after close_notify
        self._take_encrypted()

    def write_under(self, data):
        """Past TLS."""
        if not self.closed and not self._fin:
            self._out += data
            self._flush()

    def _take_encrypted(self):
        if self._outgoing.pending and not self._fin:
            self._out += self._outgoing.read()
        self._flush()

    def _flush(self):
        try:
            while self._out:
                with memoryview(self._out) as whole, whole[:CHUNK] as part:
                    sent = self._sock.send(part)
                del self._out[:sent]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            self._lost()
            return
        self._watch()
        while self._flushed and not self._out and not self.closed:
            self._flushed.pop(0)()

    def _once_flushed(self, call):
        self._flushed.append(call)
        self._flush()

    # --- ends

    def send_close_notify(self):
        if self._tls is None or self.closed:
            return
        try:
            self._tls.unwrap()
        except (ssl.SSLError, ValueError):
            pass  # it waits for the peer's
        self._take_encrypted()

    def send_fin(self):
        """Half-close, after what was written; without close_notify."""
        self._once_flushed(self._send_fin)

    def _send_fin(self):
        self._fin = True
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._lost()

    def finish(self):
        """FIN after what was written, then nothing but the wait for the peer's FIN."""
        self.discard()
        self.send_fin()
        self._once_flushed(self._wait_for_fin)

    def _wait_for_fin(self):
        if self._eof:
            self._close()
        else:
            self._loop.later(LINGER_SECONDS, self._close)

    def close(self):
        """Closes the socket after what was written. A peer that sends on gets a reset."""
        self._once_flushed(self._close_empty)

    def _close_empty(self):
        # Closing a socket with unread bytes would send a reset in place of the FIN.
        try:
            while self._sock.recv(CHUNK):
                pass
        except OSError:
            pass
        self._close()

    def reset(self, patient):
        """RST, once the peer's system has all that was written; not patient: after a moment all the same."""
        if not patient:
            self._loop.later(RESET_SECONDS, self._reset)
        self._reset_once_sent()

    def _reset_once_sent(self):
        if self.closed:
            return
        if self._out or self._unacknowledged():
            self._loop.later(0.001, self._reset_once_sent)
        else:
            self._reset()

    def _unacknowledged(self):
        try:
            return struct.unpack("i", fcntl.ioctl(self._sock, termios.TIOCOUTQ, bytes(4)))[0]
        except OSError:
            return 0

    def _reset(self):
        if not self.closed:
            try:
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            except OSError as error:
                if error.errno != errno.EINVAL:  # the peer has reset it already
                    raise
            self._close()

    def _lost(self):
        if not self.closed:
            self._owner.on_reset()
            self._close()

    def _close(self):
        if self.closed:
            return
        self.closed = True
        self._loop.watch(self._sock, self._events, 0, self._ready)
        self._out.clear()
        self._sock.close()
        self._owner.on_end()

    def _watch(self):
        if self.closed:
            return
        events = 0
        if self.reading and not self._eof and len(self._out) <= HIGH_WATER:
            events |= READ
        if self._out:
            events |= WRITE
        self._loop.watch(self._sock, self._events, events, self._ready)
        self._events = events
