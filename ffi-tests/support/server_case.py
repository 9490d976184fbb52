"""What the tests of the server share: the server as a child, and raw sockets to it."""

import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import unittest

import server_frames as frames

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = 20  # what a test waits for comes at once, or never
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
TEXT, BINARY, CLOSE, PING, PONG = 0x81, 0x82, 0x88, 0x89, 0x8A


class Server:
    def __init__(self, certs):
        self.certs = certs
        command = [sys.executable, os.path.join(HERE, "server.py"), certs]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.ports = json.loads(self.process.stdout.readline())
        self.control = self.new_control()

    def new_control(self):
        sock = socket.create_connection(("127.0.0.1", self.ports["control"]), timeout=SECONDS)
        return sock, sock.makefile("rw", encoding="utf-8", newline="\n")

    def command(self, line, control=None):
        """The reply as it came; of `log` all the lines."""
        _, stream = control or self.control
        stream.write(line + "\n")
        stream.flush()
        reply = stream.readline().rstrip("\n")
        if line.startswith("log ") and reply.startswith("ok "):
            return [stream.readline().rstrip("\n") for _ in range(int(reply[3:]))]
        return reply

    def wait(self, name, pattern, count=1):
        reply = self.command("wait %s %d %d %s" % (name, count, SECONDS * 1000, pattern))
        if not reply.startswith("ok "):
            raise AssertionError("%s: no %s in %s" % (reply, pattern, self.command("log " + name)))
        return reply[3:]

    def stop(self):
        """What it printed after the ports, on both outputs."""
        self.control[1].close()
        self.control[0].close()
        out, errors = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, out + errors


class Client:
    def __init__(self, server, listener="ws", host="127.0.0.1"):
        self.server = server
        self.sock = socket.create_connection((host, server.ports[listener]), timeout=SECONDS)
        self.buffer = b""

    def secure(self, name="localhost", most=None, check=True):
        context = ssl.create_default_context(cafile=os.path.join(self.server.certs, "ca.pem"))
        if not check:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if most:
            context.maximum_version = most
        self.sock = context.wrap_socket(self.sock, server_hostname=name, suppress_ragged_eofs=False)
        return self

    def request(self, path, *fields):
        lines = ["GET %s HTTP/1.1" % path, "Host: localhost", "Upgrade: websocket", "Connection: Upgrade",
                 "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + KEY, *fields, "", ""]
        self.sock.sendall("\r\n".join(lines).encode())
        return self

    def open(self, path, *fields):
        self.request(path, *fields)
        self.response = self.head()
        if not self.response.startswith("HTTP/1.1 101 "):
            raise AssertionError(self.response)
        return self

    def _more(self):
        data = self.sock.recv(65536)
        if not data:
            raise EOFError(self.buffer)
        self.buffer += data

    def head(self):
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return head.decode() + "\r\n"

    def take(self, length):
        while len(self.buffer) < length:
            self._more()
        data, self.buffer = self.buffer[:length], self.buffer[length:]
        return data

    def frame(self):
        """The next one, as (opcode, payload), the opcode with 0x80 for fin."""
        first, length = self.take(2)
        if length & 0x7F >= 126:
            length = int.from_bytes(self.take(2 if length == 126 else 8), "big")
        return first, self.take(length)

    def send(self, opcode, payload=b"", fin=True):
        key = b"\x01\x82\x03\x84"
        data = frames.head(opcode, len(payload), fin, masked=True) + key + frames.masked(payload, key)
        self.sock.sendall(data)
        return self

    def rest(self):
        """What still comes, and how it ends: `fin`, `reset` or `truncated` (TLS without close_notify)."""
        try:
            while True:
                self._more()
        except EOFError:
            end = "fin"
        except ConnectionResetError:
            end = "reset"
        except ssl.SSLEOFError:
            end = "truncated"
        data, self.buffer = self.buffer, b""
        return data, end

    def close(self):
        self.sock.close()


def certificates():
    """Those of the run, or new ones."""
    folder = os.environ.get("TARO_TEST_CERTS")
    if not folder:
        folder = os.path.join(tempfile.mkdtemp(), "certs")
        subprocess.run([os.path.join(HERE, "..", "..", "scripts", "certs.sh"), folder], check=True)
    return folder


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(certificates())

    @classmethod
    def tearDownClass(cls):
        code, printed = cls.server.stop()
        assert (code, printed) == (0, ""), (code, printed)

    def setUp(self):
        self.name = self.id().rsplit(".", 1)[-1]

    def client(self, listener="ws", host="127.0.0.1"):
        client = Client(self.server, listener, host)
        self.addCleanup(client.close)
        return client

    def open(self, query="", path="/echo", listener="ws", fields=()):
        return self.client(listener).open("%s?id=%s&%s" % (path, self.name, query), *fields)

    def answer(self, query):
        """Response head, what follows it, and the end."""
        client = self.client().request("/echo?id=%s&%s" % (self.name, query))
        return (client.head(), *client.rest())

    def log(self):
        return self.server.command("log " + self.name)

    def wait(self, pattern, count=1):
        return self.server.wait(self.name, pattern, count)
