"""Actions: what a test has a connection do."""

from urllib.parse import unquote_to_bytes

import server_frames as frames
from server_frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT


class Action:
    """`name:value`, of which the value is percent-encoded. `wire`: the bytes that it puts on the wire; `pack`: makes
    them of the connection's compression; both None if it does something else, with `values`."""

    def __init__(self, text):
        self.text = text
        self.name, _, value = text.partition(":")
        self.wire = self.pack = None
        self.values = []
        if self.name in WIRE:
            self.wire = WIRE[self.name](value)
        elif self.name in PACKED:
            self.pack = PACKED[self.name](value)
        elif self.name == "under":
            bytes.fromhex(value)
            self.values = [value]
        elif self.name in OTHER and not value:
            pass
        else:
            raise ValueError("unknown action " + text)


def parse(text):
    """Actions separated by `;`. A ValueError says what is wrong with them."""
    return [Action(part.strip()) for part in text.split(";") if part.strip()]


OTHER = ("fin", "drop", "rst", "stop", "read", "later", "tlsclose")


def pattern(length):
    """Byte i is i mod 251."""
    return (bytes(range(251)) * (length // 251 + 1))[:length]


def _burst(value):
    count, length = (int(part) for part in value.split(":"))
    return frames.frame(BINARY, pattern(length)) * count


def _numbers(value):
    return b"".join(frames.frame(TEXT, b"%d" % number) for number in range(int(value)))


def _fragments(value):
    parts = [unquote_to_bytes(part) for part in value.split("|")]
    out = []
    for index, part in enumerate(parts):
        if index:
            out.append(frames.frame(PING, b"between"))
        out.append(frames.frame(CONTINUATION if index else TEXT, part, fin=index == len(parts) - 1))
    return b"".join(out)


def _packed(value):
    length = int(value)
    return lambda deflate: deflate.zeros(length)


def _packed_text(value):
    return lambda deflate: deflate.message(TEXT, unquote_to_bytes(value))


def _packed_fragments(value):
    return lambda deflate: deflate.message(TEXT, *(unquote_to_bytes(part) for part in value.split("|")))


def _head(value):
    opcode, length = (int(part, 0) for part in value.split(":"))
    return frames.head(opcode, length)


def close_frame(value):
    """Of `CODE:REASON`, where the reason may be left out; empty if the value is."""
    if not value:
        return frames.frame(CLOSE)
    code, _, reason = value.partition(":")
    return frames.frame(CLOSE, frames.close_payload(int(code), unquote_to_bytes(reason)))


WIRE = {
    "text": lambda value: frames.frame(TEXT, unquote_to_bytes(value)),
    "bin": lambda value: frames.frame(BINARY, bytes.fromhex(value)),
    "fill": lambda value: frames.frame(BINARY, pattern(int(value))),
    "filltext": lambda value: frames.frame(TEXT, b"a" * int(value)),
    "burst": _burst,
    "numbers": _numbers,
    "frag": _fragments,
    "frame": bytes.fromhex,
    "head": _head,
    "masked": lambda value: frames.masked_frame(TEXT, unquote_to_bytes(value)),
    "badutf8": lambda value: frames.frame(TEXT, b"\xff\xfe"),
    "ping": lambda value: frames.frame(PING, unquote_to_bytes(value)),
    "pong": lambda value: frames.frame(PONG, unquote_to_bytes(value)),
    "close": close_frame,
}

PACKED = {
    "packed": _packed,
    "packedtext": _packed_text,
    "packedfrag": _packed_fragments,
}
