"""The server of the tests, which can misbehave: `server.py CERTS_DIR`.

It prints one line of JSON, the port of each listener and of `control`, and ends when its standard input ends. It
listens on 127.0.0.1 (ws6: ::1, port 0 where there is no IPv6), always on ports that the system picks.

Listeners: ws, ws6, ws_small (a receive buffer of 8 KiB), wss (TLS 1.2 and 1.3; its certificate is for localhost,
127.0.0.1, ::1, good.test and echo.test), wss12 (TLS 1.2 only), wss_expired, wss_wrong_host (for other.test),
wss_unknown (signed by another CA), wss_notyet; tls_stall (never speaks), tls_garbage (answers bytes that are no
TLS), refuse (connecting is refused), silent (reads, never answers), drop (accepts, sends FIN), reset (resets
at the first bytes).

A connection's path says what it does: /echo answers each message with the same; /sink only logs; /deaf reads
nothing after the upgrade until `do ID read`, then it is a sink. All three answer pings, and a close frame with the
same payload, then close_notify and FIN. The query, of percent-encoded values, changes that:

  id=NAME         name for log, wait and do; `anon` without. What comes before the request, or without one, is
                  logged under the listener's name
  status=403      this answer (with Location for 3xx) and FIN in place of the upgrade
  stall=request   never answers; stall=half: half of the response head, then nothing
  raw=BYTES       the whole response, with {accept} replaced; it counts as open if it begins with HTTP/1.1 101,
                  and nothing is closed after it
  accept=wrong|missing|twice, upgrade=TEXT, connection=TEXT, protocol=TEXT (default: the first one offered),
  extension=TEXT, header=LINE (repeatable): fields of the response; empty: left out
  pack=1          echoes go compressed
  drip=1          the response goes out one byte a write
  act=ACTIONS     actions after the upgrade, separated by `;`, in the same write as the response; split=1: after it
  cut=N           the connection ends once N bytes were sent; readcut=N: once N bytes after the request were read;
                  cutmode=fin (default, TLS without close_notify) or rst
  onclose=echo|ignore|drop|rst|bare|CODE:REASON   its answer to a close frame
  linger=1        no close_notify and no FIN after the closing handshake
  onping=pong|ignore

Actions: text:UTF8, bin:HEX, fill:N (binary, byte i is i mod 251), filltext:N, burst:COUNT:N, numbers:COUNT,
frag:A|B|C (pings between), packed:N (binary, N zero bytes), packedtext:UTF8, packedfrag:A|B|C, frame:HEX,
head:OPCODE:LENGTH, masked:UTF8, badutf8, ping:TEXT, pong:TEXT, close:CODE:REASON, close, fin (half-close; it goes on
reading), drop (closes the socket), rst, stop, read, later (the n-th one waits for the client's n-th message), tlsclose
(close_notify alone), under:HEX (bytes past TLS). fin and drop come after what was sent before, on TLS without
close_notify; rst waits a moment for it to arrive, not for the client to read it.

An extension= that begins with permessage-deflate is acted on: what the client sends compressed is inflated before it
is logged and echoed, and there may be pack=1 and packed... Both sides keep to its parameters; a wrong one counts as
not there.

Log, one event a line: accept LISTENER; tls VERSION SNI (`-` if there was none); cipher NAME (OpenSSL's); request
LINE; header LINE; bad WHY (no proper upgrade request, answered with 400); open; frame fin= rsv= opcode= mask= key=
len=; violation WHY (the client broke RFC 6455 or 7692); text LEN PAYLOAD; binary LEN HEX; ping HEX; pong HEX; close
CODE REASON or close; tlsclose (close_notify); eof; reset; tlsalert NAME; sent ACTION; end. No blanks at the end of a
line where a value is empty.

Control, one command a line, answered with `ok …` or `error …`: accepted; live; live ID; log ID (`ok N`, then N
lines); wait ID COUNT MS PATTERN (`ok LINE`, the COUNT-th that has it); do ID ACTIONS; bytes ID; hash ID; forget
ID; clock. `bytes` and `hash` (SHA-256) are of the payloads of all whole messages, in order.
"""

import errno
import json
import os
import socket
import ssl
import sys
import threading

from server_connection import Connection
from server_control import Control
from server_journal import Journals
from server_loop import READ, Loop

SMALL_BUFFER = 8 * 1024


class Silent(Connection):
    """Never answers; what it reads is not kept."""

    def begin(self):
        self.state = "stalled"


class Garbage(Connection):
    def on_data(self, data):
        if self.state == "head":
            self.state = "stalled"
            self.stream.write(b"this is no TLS, whatever the client may hope for\r\n" * 4)


class Drop(Connection):
    def begin(self):
        self.state = "stalled"
        self.stream.finish()


class Reset(Connection):
    """Not before something came: so connecting has always succeeded by then."""

    def on_data(self, data):
        self.stream.reset(patient=False)


class Listener:
    def __init__(self, server, name, kind=Connection, context=None, sock=None):
        self.name = name
        self.context = context
        self._server = server
        self._kind = kind
        self._sock = sock or bound()
        self.port = self._sock.getsockname()[1]
        self._sock.listen(256)
        self._sock.setblocking(False)
        server.loop.watch(self._sock, 0, READ, self._accept)

    def _accept(self, _events):
        while True:
            try:
                sock, _ = self._sock.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE):
                    raise
                continue  # that client has gone already
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._kind is Control:
                Control(self._server, sock)
            else:
                self._kind(self._server, self, sock)


def bound(family=socket.AF_INET, receive_buffer=None):
    sock = socket.socket(family, socket.SOCK_STREAM)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
    return sock


def bound6():
    try:
        return bound(socket.AF_INET6)
    except OSError:
        return None


def tls(certs, name, most=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if most:
        context.maximum_version = most
    context.load_cert_chain(os.path.join(certs, name + ".pem"), os.path.join(certs, name + ".key"))
    context.set_alpn_protocols(["http/1.1"])

    def remember(tls_object, server_name, _context):
        tls_object.stream.name = server_name

    context.sni_callback = remember
    return context


class Server:
    def __init__(self, certs):
        self.loop = Loop()
        self.journals = Journals()
        self.ports = {}
        self._listen("ws")
        self._listen("ws_small", sock=bound(receive_buffer=SMALL_BUFFER))
        sock = bound6()
        self.ports["ws6"] = 0
        if sock:
            self._listen("ws6", sock=sock)
        self._listen("wss", context=tls(certs, "good"))
        self._listen("wss12", context=tls(certs, "good", ssl.TLSVersion.TLSv1_2))
        for name in ("expired", "wrong_host", "unknown", "notyet"):
            self._listen("wss_" + name, context=tls(certs, name))
        self._listen("tls_stall", Silent)
        self._listen("tls_garbage", Garbage)
        self._listen("silent", Silent)
        self._listen("drop", Drop)
        self._listen("reset", Reset)
        self._listen("control", Control)
        self._refusing = bound()
        self.ports["refuse"] = self._refusing.getsockname()[1]

    def _listen(self, name, kind=Connection, context=None, sock=None):
        self.ports[name] = Listener(self, name, kind, context, sock).port


def end_with_input():
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        pass
    os._exit(0)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: server.py CERTS_DIR")
    server = Server(sys.argv[1])
    print(json.dumps(server.ports), flush=True)
    threading.Thread(target=end_with_input, daemon=True).start()
    try:
        server.loop.run()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
