#!/usr/bin/env python3
"""Writes the seed corpus: fuzz/corpus/<target>/, a few small files for each target. The same bytes on every run.

A target reads its input front to back, see src/input.rs: choices, plans of parts (a count, then so many sizes),
and the rest.
"""
import shutil
import struct
import zlib
from pathlib import Path

CORPUS = Path(__file__).resolve().parent / "corpus"
WORDS = "häufig 再见 🎉 and more".encode()


def plan(*sizes):
    return bytes([len(sizes), *sizes])


def frame(first, payload=b"", wide=None):
    length = len(payload)
    if length < 126 and wide is None:
        return bytes([first, length]) + payload
    if length < 65536 and wide != 8:
        return bytes([first, 126]) + struct.pack(">H", length) + payload
    return bytes([first, 127]) + struct.pack(">Q", length) + payload


def pattern(length, repeated):
    """As Input::payload reads it."""
    return struct.pack("<H", length) + bytes([len(repeated)]) + repeated


def deflated(*messages, bits=15, takeover=True, level=6):
    packed = []
    coder = zlib.compressobj(level, zlib.DEFLATED, -bits)
    for message in messages:
        if not takeover:
            coder = zlib.compressobj(level, zlib.DEFLATED, -bits)
        packed.append((coder.compress(message) + coder.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff"))
    return packed


def final_block(message):
    coder = zlib.compressobj(6, zlib.DEFLATED, -15)
    return coder.compress(message) + coder.flush()


HELLO = bytes.fromhex("f248cdc9c90700")
SHARED = bytes.fromhex("f200110000")
STORED = bytes.fromhex("000500faff48656c6c6f00")
TWO_BLOCKS = bytes.fromhex("f248050000 00ffffcac9c90700")


def frame_reader():
    raw = [
        frame(0x81, b"a") + frame(0x82) + frame(0x82, b"\xff" * 125) + frame(0x89, b"p") + frame(0x81, WORDS),
        frame(0x01, b"a") + frame(0x89, b"ping") + frame(0x00) + frame(0x8A) + frame(0x80, b"b") + frame(0x82, b"c"),
        frame(0x82, b"7" * 126) + frame(0x81, b"x" * 300) + frame(0x88),
        frame(0x88, b"\x03\xe8bye") + frame(0x81, b"behind"),
        frame(0x01, WORDS[:9]) + frame(0x00, WORDS[9:12]) + frame(0x80, WORDS[12:]),
        frame(0x81, b"ab\xff"),
        frame(0x81, b"a") + frame(0xC1, b"abc"),
        frame(0x82, b"a", wide=2),
        frame(0x82, b"a", wide=8),
        frame(0x82, bytes(300), wide=8),
        frame(0x82, bytes(125), wide=2),
        frame(0x82, bytes(126)) + b"\x82\x7f\0\0\0\0\0\0\xff\xff",
        b"\x82\x7f\x40" + bytes(7),
        b"\x81\x81\1\2\3\4\5",
        frame(0x89, bytes(126)),
    ]
    for index, stream in enumerate(raw):
        yield bytes([(4, 5, 7)[index % 3]]) + plan(*[(), (3,), (1, 0, 200)][index % 3]) + b"\0" + stream
    many = b"\x82" + pattern(8000, b"\xff\1") + b"\x01" + pattern(6000, b"a") + b"\x89" + pattern(4, b"ping")
    many += b"\x00" + pattern(5999, "再".encode()) + b"\x80" + pattern(3, b"end") + b"\x82" + pattern(4097, b"")
    for limit, sizes in ((4, ()), (5, (0xD1, 5)), (3, (250, 0, 0xDF)), (6, (0xD5,)), (7, (0xD4, 1))):
        yield bytes([limit]) + plan(*sizes) + b"\1" + many


def frame_writer():
    small = b"".join(bytes([0xA1]) + b"\x37\xfa\x21\x3d" + bytes([size]) + bytes(range(size)) for size in (0, 1, 5, 70))
    yield small
    for choices in (0x81, 0x02, 0xC1, 0x91):
        for length in (125, 126, 129, 1000, 7282, 8191):
            yield bytes([choices]) + b"\1\2\xff\0" + pattern(length, b"abc") + small


def utf8():
    texts = [
        WORDS,
        "\x7f\x80\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff".encode(),
        b"\xed\xa0\x80",
        b"ok\xf4\x90\x80\x80",
        b"\xc0\xaf",
        b"cut \xe5\x86",
        b"\xf0\x8f\xbf\xbf",
        b"\xf0\x9f\x8e",
        b"a" * 70 + WORDS + b"b" * 60,
    ]
    for index, text in enumerate(texts):
        for lead, fragments, parts in ((0, (1,), (2,)), (index % 8, (3, 0, 5), (0xD4,)), (7, (0xD6,), (0xD0, 7))):
            yield bytes([lead]) + plan(*fragments) + plan(*parts) + text


def close():
    for payload in (
        b"",
        b"\3",
        b"\3\xe8",
        b"\3\xe8bye",
        b"\3\xed",
        b"\3\xf6",
        b"\x0b\xb8" + WORDS,
        b"\x13\x87" + b"r" * 123,
        b"\x0f\xa0" + b"r" * 124,
        b"\x0b\xb8a" + "再".encode() * 60,
        b"\3\xe8\xff",
        b"\x13\x88",
    ):
        yield plan(2, 0, 1) + b"\0" + payload


def negotiation():
    yield from NEGOTIATIONS


NEGOTIATIONS = (
    b"",
    b" , ,",
    b"permessage-deflate",
    b" Permessage-Deflate ,",
    b"permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    b"permessage-deflate;client_max_window_bits=8;server_max_window_bits=15",
    b'permessage-deflate; client_max_window_bits = "10"; server_max_window_bits="9"',
    b"permessage-deflate; server_max_window_bits=9; server_max_window_bits=9",
    b"permessage-deflate, permessage-deflate",
    b"permessage-deflate\npermessage-deflate; client_max_window_bits",
    b",\n permessage-deflate; client_no_context_takeover\n",
    b'permessage-deflate; client_max_window_bits="1,0", x',
    b"x-webkit-deflate-frame",
    b"permessage-deflate; client_no_context_takeover=1; mux",
)


def response():
    fields = b"Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    fields += b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
    heads = [
        (0, b"HTTP/1.1 101 Switching Protocols\r\n" + fields + b"\r\n\x81\5Hello"),
        (0, b"HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTTP/1.1 101 x\r\n" + fields + b"\r\n"),
        (2, b"Sec-WebSocket-Protocol: chat\r\nSet-Cookie: a\r\nset-cookie: b\r\n\r\n\x81\0"),
        (2, b"Sec-WebSocket-Protocol: other\r\n\r\n"),
        (2, b"Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat\r\n\r\n"),
        (2, b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"),
        (2, b"A: b\r\n c\r\n\r\n"),
        (2, b"A : b\r\n\r\n"),
        (2, b"A: b\0c\r\n\r\n"),
        (2, b"A: b\n\r\n"),
        (2, b"A:b\r\n" * 250 + b"\r\n"),
        (2, b"A:b\r\n" * 254 + b"\r\n"),
        (6, b"\xff\xfe\r\n"),
        (6, b"\x10\xff\r\n"),
        (0, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        (0, b"HTTP/1.0 101 x\r\n\r\n"),
        (0, b"HTTP/1.1 099 x\r\n\r\n"),
    ]
    for choices, rest in heads:
        yield bytes([choices]) + plan(7, 0, 90) + rest
    for value in NEGOTIATIONS[2:8]:
        yield b"\3" + plan(0xD1) + b"Sec-WebSocket-Extensions: " + value + b"\r\n\r\n\x82\1a"


def inflate():
    long = [WORDS * 20, bytes(range(256)) * 4, b"", bytes(3000), WORDS * 3]
    runs = [
        (7, [HELLO, SHARED, STORED, HELLO, TWO_BLOCKS, b"\0"]),
        (7, [final_block(b"Hello") + b"\0", HELLO, final_block(b"Hello"), SHARED, HELLO]),
        (7 + 8, [HELLO, HELLO, SHARED]),
        (7 + 8 + 32, [HELLO, STORED, HELLO]),
        (1, deflated(*[message[:200] for message in long], bits=9, level=9)),
        (4 + 8, deflated(*[message[:200] for message in long], bits=12, takeover=False)),
        (7, [b"\xff" * 8, HELLO]),
        (7, [b"\6\1\2\3"]),
        (7, [b"\0\5\0\0\0\1\2\3"]),
        (7, [final_block(b"one") + final_block(b"two") + HELLO]),
    ]
    for choices, payloads in runs:
        for sizes in ((), (1,), (3, 0, 40)):
            packed = b"".join(bytes([len(payload)]) + payload for payload in payloads)
            yield bytes([choices]) + plan(*sizes) + plan(*(sizes and (17, 0xD1))) + packed
    for level in (0, 1, 9):
        payloads = deflated(*[message[:240] for message in long], level=level)
        packed = b"".join(bytes([len(payload)]) + payload for payload in payloads if len(payload) < 256)
        yield b"\7" + plan(50) + plan(200, 1) + packed


def compressed():
    messages = [WORDS * 3, b"\0\xff\0", b"", b"Hello", b"y" * 5000]
    first, binary, empty, hello, long = deflated(*messages)
    cut = len(first) // 2
    stream = frame(0x41, first[:cut]) + frame(0x89, b"between") + frame(0x00) + frame(0x80, first[cut:])
    stream += frame(0xC2, binary) + frame(0x81, b"as it is") + frame(0xC1, empty) + frame(0xC1, hello)
    stream += frame(0xC1, long) + frame(0x88)
    bomb = deflated(bytes(120_000))[0]
    streams = [
        stream,
        frame(0xC2, bomb) + frame(0x82, b"a"),
        frame(0x42, bomb[:50]) + frame(0x80, bomb[50:]),
        frame(0xC1, deflated(b"\xc3\x28 and so on")[0]),
        frame(0xC1, deflated(b"x" * 3000 + b"\xff" + b"y" * 3000)[0]),
        frame(0xC1, b"\xff" * 9),
        frame(0xC9, b"ping"),
        frame(0x41, HELLO) + frame(0xC0),
        frame(0x01, b"a") + frame(0xC0, HELLO),
        frame(0xC1, final_block(b"Hello")) + frame(0xC1, HELLO),
    ]
    for index, stream in enumerate(streams):
        for limit, sizes in ((7, ()), (6, (1,)), (index % 8, (5, 0, 90))):
            yield bytes([limit, 2 | index & 1 | (index % 4) << 2]) + plan(*sizes) + b"\0" + stream
    # The target's own frames: one byte of length.
    for limit in (7, 2):
        yield bytes([limit, 0]) + plan(7) + b"\x41\3" + HELLO[:3] + b"\x80\4" + HELLO[3:] + b"\xc2\5" + SHARED
    yield b"\7\2" + plan(0xD2) + b"\0" + b"\xc2\x7f\x40" + bytes(7)
    yield b"\7\2" + plan(0xD2) + b"\1" + b"\x82" + pattern(6000, b"plain") + b"\x81" + pattern(5000, b"x")


def deflate():
    json = b'{"command":"move","player":"a","x":1,"y":22}'
    for choices in (6, 0, 3, 8, 8 + 16 + 2, 6 + 16):
        for sizes in ((), (1, 0, 200), (0xD3,)):
            messages = pattern(3000, json) + pattern(0, b"") + pattern(1, b"a") + pattern(4000, b"\0\1\2\xff")
            yield bytes([choices]) + plan(*sizes) + messages + pattern(8191, WORDS) + pattern(1000, b"z")
    for choices in range(7):
        # Noise, and the same again, farther back than small windows reach.
        far = [struct.pack("<H", length) + b"\x42ab" for length in (1000, 4000, 601, 7000)]
        yield bytes([choices]) + plan(0xD0) + b"".join(far)
    # As much in all as the target takes.
    yield bytes([6]) + plan() + pattern(8190, json) * 3 + pattern(6, b"a")


def main():
    for target in (frame_reader, frame_writer, utf8, close, negotiation, response, inflate, compressed, deflate):
        folder = CORPUS / target.__name__
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for index, seed in enumerate(target()):
            (folder / f"{index:02}").write_bytes(seed)


if __name__ == "__main__":
    main()
