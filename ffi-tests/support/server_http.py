"""The opening handshake: the client's request, and the right or wrong answers to it."""

import base64
import hashlib
from urllib.parse import unquote_to_bytes

LARGEST_HEAD = 1 << 20
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
REASONS = {101: "Switching Protocols", 200: "OK", 301: "Moved Permanently", 302: "Found", 307: "Temporary Redirect",
           400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 426: "Upgrade Required",
           500: "Internal Server Error", 503: "Service Unavailable"}


class Query:
    """`a=1&b=2`: values are percent-decoded where they are asked for, and `+` is a plus."""

    def __init__(self, text):
        self._pairs = [pair.partition("=")[::2] for pair in text.split("&") if pair]

    def raw(self, name):
        """The first value of that name, not decoded; None if there is none."""
        return next((value for key, value in self._pairs if key == name), None)

    def bytes(self, name, default=None):
        value = self.raw(name)
        return default if value is None else unquote_to_bytes(value)

    def text(self, name, default=None):
        value = self.bytes(name)
        return default if value is None else value.decode("utf-8", "backslashreplace")

    def number(self, name):
        value = self.raw(name)
        return None if value is None else int(value)

    def all(self, name):
        return [unquote_to_bytes(value) for key, value in self._pairs if key == name]


class Request:
    def __init__(self, head):
        """`head`: everything up to the empty line, without it."""
        first, *lines = head.split(b"\r\n")
        self.line = first
        self.lines = lines
        self.method, _, rest = first.partition(b" ")
        target, _, self.version = rest.rpartition(b" ")
        path, _, query = target.decode("latin-1").partition("?")
        self.behaviour = path.strip("/").split("/")[0]
        self.query = Query(query)
        self._fields = {}
        for line in lines:
            name, _, value = line.partition(b":")
            self._fields.setdefault(name.lower(), []).append(value.strip(b" \t"))

    def field(self, name):
        """All values of that name, joined with commas; empty if there are none."""
        return b", ".join(self._fields.get(name, []))

    def fault(self):
        """What is wrong with it as an upgrade to WebSocket (RFC 6455, 4.2.1); empty if nothing."""
        if self.method != b"GET" or self.version != b"HTTP/1.1":
            return "request line"
        if len(self._fields.get(b"host", [])) != 1:
            return "Host"
        if self.field(b"upgrade").lower() != b"websocket":
            return "Upgrade"
        if b"upgrade" not in [token.strip().lower() for token in self.field(b"connection").split(b",")]:
            return "Connection"
        if self.field(b"sec-websocket-version") != b"13":
            return "Sec-WebSocket-Version"
        try:
            nonce = base64.b64decode(self.field(b"sec-websocket-key"), validate=True)
        except ValueError:
            nonce = b""
        return "" if len(nonce) == 16 else "Sec-WebSocket-Key"

    def accept(self):
        digest = hashlib.sha1(self.field(b"sec-websocket-key") + GUID).digest()
        return base64.b64encode(digest)

    def first_protocol(self):
        return self.field(b"sec-websocket-protocol").split(b",")[0].strip()


def response(request):
    """The bytes of the answer, and whether it opens the connection."""
    query = request.query
    raw = query.bytes("raw")
    if raw is not None:
        raw = raw.replace(b"{accept}", request.accept())
        return raw, raw.startswith(b"HTTP/1.1 101")
    status = query.number("status")
    if status is not None and status != 101:
        return refusal(status, query.all("header")), False
    lines = [b"HTTP/1.1 101 Switching Protocols"]
    for name, default in (("upgrade", b"websocket"), ("connection", b"Upgrade")):
        value = query.bytes(name, default)
        if value:
            lines.append(name.capitalize().encode() + b": " + value)
    lines += _accept_lines(request, query.text("accept", "right"))
    protocol = query.bytes("protocol", request.first_protocol())
    if protocol:
        lines.append(b"Sec-WebSocket-Protocol: " + protocol)
    extension = query.bytes("extension")
    if extension is not None:
        lines.append(b"Sec-WebSocket-Extensions: " + extension)
    lines += query.all("header")
    return b"\r\n".join(lines) + b"\r\n\r\n", True


def _accept_lines(request, mode):
    values = {
        "right": [request.accept()],
        "wrong": [base64.b64encode(bytes(20))],
        "missing": [],
        "twice": [request.accept(), request.accept()],
    }
    return [b"Sec-WebSocket-Accept: " + value for value in values[mode]]


def refusal(status, more=()):
    lines = [("HTTP/1.1 %d %s" % (status, REASONS.get(status, "Status"))).encode()]
    if 300 <= status < 400:
        lines.append(b"Location: /elsewhere")
    lines.append(b"Content-Length: 0")
    lines += more
    return b"\r\n".join(lines) + b"\r\n\r\n"
