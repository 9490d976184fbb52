"""Frames of RFC 6455, in both directions; also wrong ones."""

import struct

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def head(opcode, length, fin=True, masked=False):
    first = (0x80 if fin else 0) | (opcode & 0x7F)
    mask = 0x80 if masked else 0
    if length < 126:
        return struct.pack(">BB", first, mask | length)
    if length < 0x10000:
        return struct.pack(">BBH", first, mask | 126, length)
    return struct.pack(">BBQ", first, mask | 127, length & 0xFFFFFFFFFFFFFFFF)


def frame(opcode, payload=b"", fin=True):
    return head(opcode, len(payload), fin) + payload


def masked_frame(opcode, payload, key=b"\x11\x22\x33\x44"):
    return head(opcode, len(payload), masked=True) + key + masked(payload, key)


def close_payload(code, reason=b""):
    return struct.pack(">H", code) + reason


def masked(data, key):
    """Both ways the same. One big number is quicker than many small ones."""
    length = len(data)
    if length <= CHUNK:
        return _masked_chunk(data, key, length)
    out = bytearray()
    for start in range(0, length, CHUNK):
        part = data[start : start + CHUNK]
        out += _masked_chunk(part, key, len(part))
    return bytes(out)


CHUNK = 64 * 1024  # divisible by 4


def _masked_chunk(data, key, length):
    pad = (key * (length // 4 + 1))[:length]
    number = int.from_bytes(data, "little") ^ int.from_bytes(pad, "little")
    return number.to_bytes(length, "little")


class Frame:
    __slots__ = ("fin", "rsv", "opcode", "key", "length", "minimal", "payload")

    def describe(self):
        return "frame fin=%d rsv=%d opcode=%d mask=%d key=%s len=%d" % (
            self.fin, self.rsv, self.opcode, self.key is not None, (self.key or b"").hex(), self.length)


class FrameReader:
    """Cuts what was fed into frames; payloads come unmasked."""

    def __init__(self):
        self._buffer = bytearray()
        self._start = 0

    def feed(self, data):
        if self._start:
            del self._buffer[: self._start]
            self._start = 0
        self._buffer += data

    def next(self):
        """The next whole frame, None if there is none yet."""
        buffer, at = self._buffer, self._start
        have = len(buffer) - at
        if have < 2:
            return None
        first, second = buffer[at], buffer[at + 1]
        length, size = second & 0x7F, 2
        if length == 126:
            size = 4
        elif length == 127:
            size = 10
        if have < size:
            return None
        minimal = True
        if size == 4:
            length = struct.unpack_from(">H", buffer, at + 2)[0]
            minimal = length >= 126
        elif size == 10:
            length = struct.unpack_from(">Q", buffer, at + 2)[0]
            minimal = length >= 0x10000
        key_size = 4 if second & 0x80 else 0
        end = at + size + key_size + length
        if len(buffer) < end:
            return None
        result = Frame()
        result.fin, result.rsv, result.opcode = first >> 7, first >> 4 & 7, first & 15
        result.length, result.minimal = length, minimal
        result.key = bytes(buffer[at + size : at + size + 4]) if key_size else None
        payload = bytes(buffer[at + size + key_size : end])
        result.payload = masked(payload, result.key) if key_size and length else payload
        self._start = end
        return result
