"""permessage-deflate (RFC 7692), as far as the server speaks it."""

import zlib

import server_frames as frames
from server_frames import BINARY, CONTINUATION, PING, TEXT

NAME = "permessage-deflate"
RSV1 = 4  # of the three bits
TAIL = b"\0\0\xff\xff"
BLOCK = 1 << 20
PIECE = 4096


def agreed(extension):
    """A connection's Deflate, if the answer begins with permessage-deflate; else None."""
    return Deflate(extension) if extension.startswith(NAME) else None


class Deflate:
    """Both directions of a connection, by the server's own answer: what is wrong in that counts as not there."""

    def __init__(self, extension):
        parameters = {}
        for part in extension.split(",")[0].split(";")[1:]:
            name, _, value = part.partition("=")
            parameters[name.strip()] = value.strip(' "')
        self._bits = {name: _bits(parameters.get(name + "_max_window_bits")) for name in ("client", "server")}
        self._takeover = {name: name + "_no_context_takeover" not in parameters for name in ("client", "server")}
        self._restart()
        self._in = self._inflater()

    def _restart(self):
        # zlib makes no smaller window; but with this one no match is farther away than 250 bytes.
        self._out = zlib.compressobj(6, zlib.DEFLATED, -max(self._bits["server"], 9))

    def _inflater(self):
        return zlib.decompressobj(-self._bits["client"])

    # --- out

    def message(self, opcode, *parts):
        """The frames of a message: one for each part, pings between."""
        out = []
        for index, part in enumerate(parts):
            last = index == len(parts) - 1
            data = self._pack(part, last)
            if index:
                out.append(frames.frame(PING, b"between"))
            out.append(frames.frame(CONTINUATION if index else opcode | RSV1 << 4, data, fin=last))
        return b"".join(out)

    def zeros(self, length):
        """A binary message of so many zero bytes."""
        blocks = b""
        if length > BLOCK:
            # One block that refers to nothing before it, over and over, takes next to no time.
            self._restart()
            block = self._out.compress(bytes(BLOCK)) + self._out.flush(zlib.Z_FULL_FLUSH)
            blocks = block * (length // BLOCK)
            self._restart()
        return frames.frame(BINARY | RSV1 << 4, blocks + self._pack(bytes(length % BLOCK if blocks else length), True))

    def _pack(self, payload, last):
        data = self._out.compress(payload) + self._out.flush(zlib.Z_SYNC_FLUSH)
        if not last:
            return data
        if not self._takeover["server"]:
            self._restart()
        return data[: -len(TAIL)] or b"\0"

    # --- in

    def unpack(self, payload):
        """What a client's message becomes; None if it is no DEFLATE, or reaches beyond the window."""
        if not self._takeover["client"]:
            self._in = self._inflater()
        # The window is enforced between steps only: small ones, where it is small.
        step = BLOCK if self._bits["client"] == 15 else 256
        out = []
        data = payload + TAIL
        try:
            for start in range(0, len(data), PIECE):
                rest = data[start : start + PIECE]
                part = None
                while rest or part is None or len(part) == step:
                    part = self._in.decompress(rest, step)
                    rest = self._in.unconsumed_tail
                    out.append(part)
        except zlib.error:
            self._in = self._inflater()
            return None
        return b"".join(out)


def _bits(value):
    return int(value) if value and value.isdigit() and 8 <= int(value) <= 15 else 15
