"""Tests of the misbehaving server: open connections, and the actions."""

import hashlib
import os
import socket
import ssl
import unittest

import server_frames as frames
from server_case import BINARY, CLOSE, PING, PONG, SECONDS, TEXT, Case


class Masking(unittest.TestCase):
    def test_masking_agrees_with_the_rfc(self):
        key = b"\x37\xfa\x21\x3d"
        self.assertEqual(frames.masked(b"Hello", key), b"\x7f\x9f\x4d\x51\x58")
        for length in (0, 1, 3, 4, 5, frames.CHUNK - 1, frames.CHUNK, frames.CHUNK + 1, 3 * frames.CHUNK + 2):
            data = os.urandom(length)
            slow = bytes(byte ^ key[index % 4] for index, byte in enumerate(data))
            self.assertEqual(frames.masked(data, key), slow)


class Behaviours(Case):
    def test_echo(self):
        client = self.open()
        for length in (0, 1, 125, 126, 65535, 65536, 300000):
            data = os.urandom(length)
            self.assertEqual(client.send(2, data).frame(), (BINARY, data))
        self.assertEqual(client.send(1, "grün\0".encode()).frame(), (TEXT, "grün\0".encode()))
        client.send(1, b"a", fin=False).send(9, b"ping").send(0, b"b", fin=False).send(0, b"c")
        self.assertEqual([client.frame(), client.frame()], [(PONG, b"ping"), (TEXT, b"abc")])
        self.assertEqual(client.send(8, b"\x03\xe8bye").rest(), (b"\x88\x05\x03\xe8bye", "fin"))
        client.close()
        self.wait("^end$")
        self.assertIn("text 6 grün\\x00", self.log())
        self.assertIn("frame fin=0 rsv=0 opcode=1 mask=1 key=01820384 len=1", self.log())
        self.assertEqual(self.log()[-3:], ["close 1000 bye", "eof", "end"])

    def test_sink(self):
        client = self.open(path="/sink")
        client.send(1, b"x" * 1000).send(2, b"\x01\xff").send(9, b"p").send(10, b"q")
        self.assertEqual(client.frame(), (PONG, b"p"))
        self.assertEqual(client.send(8).rest(), (b"\x88\x00", "fin"))
        for line in ("text 1000 " + "x" * 200, "binary 2 01ff", "ping 70", "pong 71", "close"):
            self.assertIn(line, self.log())
        digest = hashlib.sha256(b"x" * 1000 + b"\x01\xff").hexdigest()
        self.assertEqual(self.server.command("hash " + self.name), "ok " + digest)
        self.assertEqual(self.server.command("bytes " + self.name), "ok 1002")

    def test_deaf(self):
        for listener, most in (("ws", None), ("ws_small", 256 * 1024)):
            client = self.open(path="/deaf", listener=listener)
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32 * 1024)
            client.send(1, b"a")
            client.sock.setblocking(False)
            sent = 0
            with self.assertRaises(BlockingIOError):
                while True:
                    sent += client.sock.send(frames.masked_frame(2, bytes(65536)))
            self.assertTrue(most is None or sent < most, sent)
            self.assertFalse([line for line in self.log() if line.startswith(("frame", "text"))])
            self.assertEqual(self.server.command("do %s read" % self.name), "ok")
            self.wait("^text 1 a$")
            client.close()
            self.wait("^end$")
            self.server.command("forget " + self.name)

    def test_violations(self):
        client = self.open(path="/sink")
        client.sock.sendall(b"\x81\x01a")
        client.send(0x41, b"a").send(1, b"\xff").send(3, b"").send(0, b"a").send(9, b"x" * 126).send(9, fin=False)
        client.sock.sendall(b"\x82\xfe\x00\x01\0\0\0\0a")
        client.send(8, b"x").send(1, b"late")
        self.wait("^violation frame after close")
        faults = [line[10:] for line in self.log() if line.startswith("violation ")]
        self.assertEqual(faults, ["not masked", "reserved bits", "text is not UTF-8", "opcode", "continuation",
                                  "control frame is long or fragmented", "control frame is long or fragmented",
                                  "length is not minimal", "close of one byte", "frame after close"])

    def test_onclose(self):
        for mode, rest in (
            ("echo", (b"\x88\x03\x03\xe8a", "fin")),
            ("drop", (b"", "fin")),
            ("rst", (b"", "reset")),
            ("bare", (b"\x88\x00", "fin")),
            ("4000:a%20b", (b"\x88\x05\x0f\xa0a b", "fin")),
            ("1001", (b"\x88\x02\x03\xe9", "fin")),
        ):
            with self.subTest(mode):
                self.assertEqual(self.open("onclose=" + mode).send(8, b"\x03\xe8a").rest(), rest)
        client = self.open("onclose=ignore").send(8).send(9, b"a")
        self.assertEqual(client.frame(), (PONG, b"a"))
        client = self.open("linger=1").send(8).send(9, b"a")
        self.assertEqual([client.frame(), client.frame()], [(CLOSE, b""), (PONG, b"a")])

    def test_onping(self):
        client = self.open("onping=ignore").send(9, b"a").send(1, b"b")
        self.assertEqual(client.frame(), (TEXT, b"b"))
        self.assertIn("ping 61", self.log())

    def test_client_breaks_off(self):
        for listener, sent in (("ws", b""), ("ws", b"GET / HT"), ("wss", b""), ("wss", b"\x16\x03\x01\x02"),
                               ("wss", b"GET / HTTP/1.1\r\n\r\n"), ("control", b"wait a 1 20000 b\n"),
                               ("control", b"\xff\xfe\nlog"), ("ws", b"\r\n\r\n"), ("ws", b"\0" * 2000000)):
            for reset in (False, True):
                client = self.client(listener)
                try:
                    client.sock.sendall(sent)
                except ConnectionError:
                    pass
                if reset:
                    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                client.close()
        client = self.open("act=burst:100:100000")
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
        self.wait("^reset$")
        self.wait("^end$")
        self.assertEqual(self.server.command("clock"), "ok")


class Actions(Case):
    def test_frames(self):
        for action, wire in (
            ("text:a%20b", b"\x81\x03a b"),
            ("bin:00ff", b"\x82\x02\x00\xff"),
            ("fill:253", frames.head(2, 253) + bytes(range(251)) + b"\0\1"),
            ("filltext:70000", frames.head(1, 70000) + b"a" * 70000),
            ("burst:3:2", b"\x82\x02\x00\x01" * 3),
            ("numbers:11", b"".join(b"\x81\x01%d" % i for i in range(10)) + b"\x81\x0210"),
            ("frag:a|b|c", b"\x01\x01a\x89\x07between\x00\x01b\x89\x07between\x80\x01c"),
            ("frame:8105", b"\x81\x05"),
            ("head:2:1099511627776", b"\x82\x7f\0\0\1\0\0\0\0\0"),
            ("head:9:200", b"\x89\x7e\0\xc8"),
            ("masked:a", b"\x81\x81\x11\x22\x33\x44p"),
            ("badutf8", b"\x81\x02\xff\xfe"),
            ("ping:a", b"\x89\x01a"),
            ("pong:a", b"\x8a\x01a"),
            ("close:4001:go%3Bon:x", b"\x88\x09\x0f\xa1go;on:x"),
            ("close:1000", b"\x88\x02\x03\xe8"),
            ("close", b"\x88\x00"),
        ):
            with self.subTest(action):
                self.assertEqual(self.open("act=%s;fin" % action).rest(), (wire, "fin"))
                client = self.open("")
                self.assertEqual(self.server.command("do %s %s;fin" % (self.name, action)), "ok")
                self.assertEqual(client.rest(), (wire, "fin"))
                self.wait("sent " + action, 2)

    def test_ends(self):
        client = self.open("act=text:a;fin")
        self.assertEqual(client.rest(), (b"\x81\x01a", "fin"))
        client.send(1, b"still read")
        self.wait("^text 10 still read$")
        self.assertEqual(self.open("act=fill:3000000;drop").rest(), (frames.head(2, 3000000) +
                         (bytes(range(251)) * 11953)[:3000000], "fin"))
        self.assertEqual(self.open("act=text:a;rst").rest(), (b"\x81\x01a", "reset"))

    def test_reset_does_not_wait_for_a_client_that_does_not_read(self):
        client = self.open("act=burst:200:100000;rst")
        self.wait("^end$")
        self.assertEqual(client.rest()[1], "reset")

    def test_stop_and_read(self):
        client = self.open("act=stop").send(1, b"a").send(9, b"b")
        for action in ("ping:now", "read"):
            self.assertEqual(self.server.command("do %s %s" % (self.name, action)), "ok")
        self.assertEqual([client.frame() for _ in range(3)], [(PING, b"now"), (TEXT, b"a"), (PONG, b"b")])

    def test_later(self):
        client = self.open("act=text:one;later;text:two;later;text:three", path="/sink")
        self.assertEqual(client.frame(), (TEXT, b"one"))
        client.send(9, b"no message").send(2, b"first")
        self.assertEqual([client.frame(), client.frame()], [(PONG, b"no message"), (TEXT, b"two")])
        self.assertEqual(client.send(2, b"second").frame(), (TEXT, b"three"))

    def test_close_by_the_server(self):
        client = self.open("act=close:1001:away")
        self.assertEqual(client.frame(), (CLOSE, b"\x03\xe9away"))
        self.assertEqual(client.send(8, b"\x03\xe9").rest(), (b"", "fin"))

    def test_tls_ends(self):
        for query, end in (("act=text:a;fin", "truncated"), ("act=text:a;tlsclose;fin", "fin"),
                           ("act=text:a;tlsclose", "fin"), ("act=text:a;drop", "truncated"),
                           ("protocol=&act=text:ab&cut=132", "truncated")):
            for most in (None, ssl.TLSVersion.TLSv1_2):
                with self.subTest(query, most=most):
                    client = self.client("wss").secure(most=most).open("/echo?id=%s&%s" % (self.name, query))
                    data, ended = client.rest()
                    self.assertEqual((data[2:], ended), (b"a", end))
        client = self.client("wss").secure().open("/echo?act=text:a;rst&id=reset")
        self.assertEqual(client.frame(), (TEXT, b"a"))
        self.server.wait("reset", "^end$")
        with self.assertRaises(ConnectionResetError):
            os.read(client.sock.fileno(), 1)
        client = self.client("wss").secure().open("/echo?id=garbled&act=text:a;under:1503030002022a")
        self.assertEqual(client.frame(), (TEXT, b"a"))
        with self.assertRaises(ssl.SSLError):
            client.frame()
        self.server.wait("garbled", "^tlsalert")
        client = self.client("wss").secure().open("/echo?id=proper")
        self.assertEqual(client.send(8).rest(), (b"\x88\x00", "fin"))
