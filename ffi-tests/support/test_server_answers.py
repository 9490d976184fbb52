"""Tests of the misbehaving server: its answers to the upgrade request."""

import socket

import server_frames as frames
from server_case import ACCEPT, TEXT, Case


class Answers(Case):
    def test_plain(self):
        client = self.open(fields=("X-One: 1", "X-One:  two\t"))
        self.assertEqual(client.response, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                         "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n" % ACCEPT)
        log = self.log()
        self.assertEqual(log[:2], ["accept ws", "request GET /echo?id=test_plain& HTTP/1.1"])
        self.assertEqual(log[-3:], ["header X-One: 1", "header X-One:  two\\x09", "open"])

    def test_statuses(self):
        for status, field in ((200, ""), (302, "Location: /elsewhere\r\n"), (403, ""), (503, "")):
            head, body, end = self.answer("status=%d&header=X:%%20y" % status)
            self.assertTrue(head.startswith("HTTP/1.1 %d " % status), head)
            self.assertTrue(head.endswith("\r\n%sContent-Length: 0\r\nX: y\r\n" % field), head)
            self.assertEqual((body, end), (b"", "fin"))

    def test_bad_requests(self):
        for line in ("Upgrade: h2c", "Host: twice"):
            client = self.client().request("/echo?id=bad", line)
            self.assertTrue(client.head().startswith("HTTP/1.1 400 "))
        for query in ("act=nonsense", "onclose=nonsense", "accept=nonsense", "cut=x", "stall=nonsense"):
            self.assertTrue(self.answer(query)[0].startswith("HTTP/1.1 400 "), query)
        self.server.wait("bad", "^bad ", 2)

    def test_fields(self):
        accept = "Sec-WebSocket-Accept: "
        for query, there, missing in (
            ("accept=wrong", accept, ACCEPT),
            ("accept=missing", "Upgrade", accept),
            ("accept=twice", accept + ACCEPT + "\r\n" + accept + ACCEPT + "\r\n", "?"),
            ("upgrade=h2c", "\r\nUpgrade: h2c\r\n", "websocket"),
            ("upgrade=", "Connection", "websocket"),
            ("connection=keep-alive,%20Upgrade", "\r\nConnection: keep-alive, Upgrade\r\n", "?"),
            ("connection=", "Upgrade", "Connection"),
            ("", "\r\nSec-WebSocket-Protocol: one\r\n", "two"),
            ("protocol=x", "\r\nSec-WebSocket-Protocol: x\r\n", "one"),
            ("protocol=", "Upgrade", "Sec-WebSocket-Protocol"),
            ("extension=permessage-deflate;%20a=1", "\r\nSec-WebSocket-Extensions: permessage-deflate; a=1\r\n", "?"),
            ("header=B:2&header=a:%201&header=B:2", "\r\nB:2\r\na: 1\r\nB:2\r\n", "?"),
        ):
            with self.subTest(query):
                response = self.open(query, fields=("Sec-WebSocket-Protocol: one, two",)).response
                self.assertIn(there, response)
                self.assertNotIn(missing, response)

    def test_raw(self):
        raw = "HTTP/1.1%20101%20X%0d%0aA:{accept}%0d%0a%0d%0a"
        client = self.client().request("/echo?id=raw&raw=%s&act=fin" % raw)
        self.assertEqual(client.rest(), (("HTTP/1.1 101 X\r\nA:%s\r\n\r\n" % ACCEPT).encode(), "fin"))
        self.assertEqual(self.client().request("/echo?raw=%00%ffx&act=fin").rest(), (b"\0\xffx", "fin"))
        opened = self.client().open("/echo?raw=" + raw)
        self.assertEqual(opened.send(1, b"a").frame(), (TEXT, b"a"))

    def test_stalls(self):
        client = self.client().request("/echo?id=all&stall=request")
        self.server.wait("all", "^header Sec-WebSocket-Key")
        client.sock.shutdown(socket.SHUT_WR)
        self.assertEqual(client.rest(), (b"", "fin"))
        client = self.client().request("/echo?stall=half")
        self.assertTrue(client.take(40).startswith(b"HTTP/1.1 101 "))
        client.sock.shutdown(socket.SHUT_WR)
        rest, end = client.rest()
        self.assertNotIn(b"\r\n\r\n", rest)
        self.assertEqual(end, "fin")

    def test_drip_and_split(self):
        for query in ("drip=1", "split=1", "drip=1&split=1"):
            client = self.open(query + "&act=text:a;text:b")
            self.assertIn(ACCEPT, client.response)
            self.assertEqual([client.frame(), client.frame()], [(TEXT, b"a"), (TEXT, b"b")])

    def test_first_actions_come_with_the_head(self):
        client = self.client().request("/echo?act=text:a;ping:b")
        self.assertTrue(client.sock.recv(65536).endswith(b"\r\n\r\n\x81\x01a\x89\x01b"))

    def test_cut_is_exact(self):
        whole = self.open("protocol=").response.encode() + b"\r\n" + frames.frame(2, bytes(range(251)))
        for cut in (0, 1, 17, len(whole) - 255, len(whole) - 1, len(whole)):
            for mode in ("fin", "rst"):
                with self.subTest(cut=cut, mode=mode):
                    client = self.client().request("/echo?protocol=&act=fill:251;text:more&cut=%d&cutmode=%s" %
                                                   (cut, mode))
                    self.assertEqual(client.rest(), (whole[:cut], "fin" if mode == "fin" else "reset"))
        dripped = self.client().request("/echo?protocol=&drip=1&cut=50").rest()
        self.assertEqual(dripped, (whole[:50], "fin"))
        large = self.client().request("/echo?act=fill:5000000&cut=4000000&cutmode=rst").rest()
        self.assertEqual((len(large[0]), large[1]), (4000000, "reset"))

    def test_readcut(self):
        for mode, end in (("fin", "fin"), ("rst", "reset")):
            client = self.open("readcut=11&cutmode=" + mode)
            client.send(1, b"abc").send(1, b"defg")
            # The first message takes 9 bytes; of the second one 2 are read.
            self.assertEqual(client.rest(), (b"\x81\x03abc", end))
