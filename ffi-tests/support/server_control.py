"""The control channel: a line in, a reply out."""

from server_journal import Waiter
from server_stream import Stream


class Control:
    """One connection of it. Commands that it sends ahead wait for their turn, those of others do not."""

    def __init__(self, server, sock):
        self._server = server
        self._journals = server.journals
        self._buffer = b""
        self._waiting = False
        self._stream = Stream(server.loop, sock, self)

    def on_data(self, data):
        self._buffer += data
        self._next()

    def on_eof(self):
        self._stream.close()

    def on_reset(self):
        pass

    def on_end(self):
        pass

    def _next(self):
        while not self._waiting and b"\n" in self._buffer:
            line, self._buffer = self._buffer.split(b"\n", 1)
            try:
                reply = self._command(line.decode().rstrip("\r"))
            except (ValueError, LookupError) as error:
                reply = "error %s" % error
            if reply is not None:
                self._reply(reply)

    def _reply(self, text):
        self._stream.write(text.encode() + b"\n")

    def _command(self, line):
        name, _, rest = line.partition(" ")
        if name not in ("accepted", "live", "log", "wait", "do", "bytes", "hash", "forget", "clock"):
            raise ValueError("unknown command " + name)
        return getattr(self, "_" + name)(rest)

    def _clock(self, _rest):
        return "ok"

    def _accepted(self, _rest):
        return "ok %d" % self._journals.accepted

    def _live(self, rest):
        return "ok %d" % (len(self._journals.of(rest).connections) if rest else self._journals.live)

    def _log(self, rest):
        lines = self._journals.of(rest).lines
        return "\n".join(["ok %d" % len(lines), *lines])

    def _bytes(self, rest):
        return "ok %d" % self._journals.of(rest).bytes

    def _hash(self, rest):
        return "ok " + self._journals.of(rest).hash.hexdigest()

    def _forget(self, rest):
        self._journals.of(rest).forget()
        return "ok"

    def _do(self, rest):
        name, _, actions = rest.partition(" ")
        connections = self._journals.of(name).connections
        if not connections:
            raise ValueError("there is no open connection " + name)
        connections[-1].do(actions)
        return "ok"

    def _wait(self, rest):
        name, count, milliseconds, pattern = rest.split(" ", 3)
        journal = self._journals.of(name)
        self._waiting = True

        def done(reply):
            timer.cancel()
            journal.unwait(waiter)
            self._waiting = False
            self._reply(reply)
            self._server.loop.soon(self._next)

        waiter = Waiter(int(count), pattern, lambda line: done("ok " + line))
        timer = self._server.loop.later(int(milliseconds) / 1000, lambda: done("error timeout"))
        journal.wait(waiter)
