"""Tests of the misbehaving server: compression."""

import os
import zlib

from server_case import BINARY, PING, TEXT, Case
from server_deflate import Deflate

RSV1 = 0x40
HELLO, AGAIN = bytes.fromhex("f248cdc9c90700"), bytes.fromhex("f200110000")
EXTENSION = "extension=permessage-deflate"


def packed(payload, bits=15):
    out = zlib.compressobj(6, zlib.DEFLATED, -bits)
    return (out.compress(payload) + out.flush(zlib.Z_SYNC_FLUSH))[:-4]


class Compression(Case):
    def test_examples_of_the_rfc(self):
        client = self.open(EXTENSION + "&act=packedtext:Hello;packedtext:Hello;packedtext:;packedtext:", path="/sink")
        self.assertEqual([client.frame()[1] for _ in range(4)], [HELLO, AGAIN, b"\0", b"\0"])
        client = self.open(EXTENSION + "&pack=1")
        client.send(TEXT | RSV1, HELLO).send(TEXT | RSV1, AGAIN).send(TEXT | RSV1, b"\0").send(TEXT, b"Hello")
        self.assertEqual([client.frame() for _ in range(3)],
                         [(TEXT | RSV1, data) for data in (HELLO, AGAIN, b"\0")])
        self.assertEqual(client.frame()[0], TEXT | RSV1)
        texts = [line for line in self.log() if line.startswith("text")]
        self.assertEqual(texts, ["text 5 Hello", "text 5 Hello", "text 0", "text 5 Hello"])
        self.assertEqual(self.server.command("bytes " + self.name), "ok 15")

    def test_without_takeover(self):
        client = self.open(EXTENSION + "%3bclient_no_context_takeover%3b%20server_no_context_takeover&pack=1")
        for _ in range(2):
            self.assertEqual(client.send(TEXT | RSV1, HELLO).frame(), (TEXT | RSV1, HELLO))
        client.send(TEXT | RSV1, AGAIN)
        self.wait("^violation not DEFLATE$")

    def test_fragments(self):
        client = self.open(EXTENSION + "&act=packedfrag:one|two|;packed:5000000;packedtext:after", path="/sink")
        got = [client.frame() for _ in range(7)]
        self.assertEqual([first for first, _ in got], [RSV1 | 1, PING, 0, PING, 0x80, RSV1 | BINARY, RSV1 | TEXT])
        inflate = zlib.decompressobj(-15)
        texts = [inflate.decompress(data) for data in (got[0][1] + got[2][1] + got[4][1] + b"\0\0\xff\xff",
                                                       got[5][1] + b"\0\0\xff\xff", got[6][1] + b"\0\0\xff\xff")]
        self.assertEqual(texts, [b"onetwo", bytes(5000000), b"after"])
        self.assertLess(len(got[5][1]), 6000)
        client.send(1 | RSV1, HELLO[:3], fin=False).send(9, b"p").send(0, HELLO[3:])
        self.wait("^text 5 Hello$")

    def test_windows(self):
        far = os.urandom(1500) * 2
        for bits, good in ((9, False), (10, False), (11, True), (15, True)):
            deflate = Deflate("permessage-deflate; server_max_window_bits=%d; client_max_window_bits=%d" % (bits, bits))
            self.assertEqual(deflate.unpack(packed(far)) == far, good)
            again = zlib.decompressobj(-bits)
            self.assertEqual(again.decompress(deflate.message(2, far)[4:] + b"\0\0\xff\xff"), far)
            self.assertEqual(len(deflate.message(2, far)) < 3000, good)

    def test_violations(self):
        client = self.open(EXTENSION, path="/sink")
        client.send(TEXT | RSV1, b"\xff" * 8).send(TEXT | 0x20, b"a").send(9 | RSV1, b"")
        client.send(1, b"a", fin=False).send(0 | RSV1, b"b").send(1 | RSV1, packed(b"\xff"))
        self.wait("^violation text is not UTF-8")
        faults = [line[10:] for line in self.log() if line.startswith("violation ")]
        self.assertEqual(faults, ["not DEFLATE", "reserved bits", "reserved bits", "reserved bits",
                                  "text is not UTF-8"])

    def test_none_was_answered(self):
        for query in ("pack=1", "act=packed:3", "extension=x-unknown&act=packedtext:a"):
            self.assertTrue(self.answer(query)[0].startswith("HTTP/1.1 400 "), query)
        client = self.open()
        self.assertTrue(self.server.command("do %s text:a;packed:3" % self.name).startswith("error "))
        client.send(TEXT | RSV1, b"a")
        self.wait("^violation reserved bits$")
        self.assertEqual(client.frame(), (TEXT, b"a"))

    def test_wrong_parameters(self):
        for wrong in ("client_max_window_bits=7", "server_max_window_bits=x", "server_max_window_bits", "x=1", "=", ""):
            client = self.open(EXTENSION + "%3b%20" + wrong + "&act=packedtext:Hello")
            self.assertEqual(client.frame(), (TEXT | RSV1, HELLO))
