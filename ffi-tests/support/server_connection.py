"""One accepted connection: the opening handshake, then frames, as the request's query says."""

import collections
import struct

import server_actions
import server_deflate
import server_frames as frames
import server_http
from server_frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT
from server_journal import escaped
from server_stream import Stream


class Connection:
    """Serves ws and wss; the other listeners' kinds are subclasses."""

    def __init__(self, server, listener, sock):
        self.server = server
        self.journals = server.journals
        self.journal = None
        self._early = []  # lines of before the request, which says under which name they belong
        self._name(listener.name)
        self.state = "head"
        self._head = bytearray()
        self._options = None
        self.journals.accepted += 1
        self.journals.live += 1
        self.log("accept " + listener.name)
        self.stream = Stream(server.loop, sock, self, listener.context)
        self.begin()

    def begin(self):
        """What a kind of listener does at once."""

    # --- the log

    def _name(self, name):
        if self.journal:
            self.journal.connections.remove(self)
            for line in self._early:
                self.journal.lines.remove(line)
        self.journal = self.journals.of(name)
        self.journal.connections.append(self)
        for line in self._early:
            self.journal.add(line)
        self._early = None if self._early else []

    def log(self, line):
        if self._early is not None:
            self._early.append(line)
        self.journal.add(line)

    # --- what the stream tells

    def on_secured(self):
        self.log("tls %s %s" % (self.stream.version(), self.stream.name or "-"))
        self.log("cipher " + self.stream.cipher())

    def on_alert(self, reason):
        self.log(("tlsalert " + reason).strip())
        self.stream.close()

    def on_tls_close(self):
        self.log("tlsclose")

    def on_eof(self):
        self.log("eof")
        self.stream.close()

    def on_reset(self):
        self.log("reset")

    def on_end(self):
        self.state = "ended"
        self.journals.live -= 1
        self.journal.connections.remove(self)
        self.log("end")

    def on_data(self, data):
        if self.state == "head":
            self._head += data
            self._look_for_head()
        elif self.state == "open":
            self._read_frames(data)

    # --- the opening handshake

    def _look_for_head(self):
        end = self._head.find(b"\r\n\r\n")
        if end >= 0:
            rest = bytes(self._head[end + 4 :])
            self._answer(server_http.Request(bytes(self._head[:end])))
            if rest:
                self.on_data(rest)
        elif len(self._head) > server_http.LARGEST_HEAD:
            self._refuse(400, "too large")

    def _answer(self, request):
        self._name(request.query.text("id", "anon"))
        self.log("request " + escaped(request.line))
        for line in request.lines:
            self.log("header " + escaped(line))
        try:
            self._options = Options(request)
            answer, opens = server_http.response(request)
        except (ValueError, KeyError) as error:
            self._refuse(400, "query: %s" % error)
            return
        stall = self._options.stall
        if stall == "request":
            self.state = "stalled"
        elif stall == "half":
            self.state = "stalled"
            self.stream.write(answer[: len(answer) // 2])
        elif opens and self._options.checked and request.fault():
            self._refuse(400, request.fault())
        else:
            self._open(answer, opens)

    def _refuse(self, status, why):
        self.log("bad " + why)
        self.state = "stalled"
        self.stream.write(server_http.refusal(status))
        self.stream.finish()

    def _open(self, answer, opens):
        options = self._options
        self.state = "open" if opens else "stalled"
        self._reader = frames.FrameReader()
        self._out = bytearray()
        self._sent = self._got = 0
        self._queue = collections.deque(options.actions)  # actions that are still to come
        self._parts = []  # of a fragmented message
        self._is_packed = False
        self._kind = None
        self._messages = self._awaited = 0
        self._close_sent = self._closing = self._cutting = False
        if opens:
            self.log("open")
        if options.behaviour == "deaf":
            self.stream.pause()
        if options.drip:
            self._drip(answer, opens)
            return
        self._put(answer)
        if options.split:
            self._push()
            self.server.loop.soon(lambda: self._go_on(opens))
        else:
            self._go_on(opens)

    def _drip(self, answer, opens):
        if self.state == "ended":
            return
        self._put(answer[:1])
        self._push()
        if len(answer) > 1:
            self.server.loop.soon(lambda: self._drip(answer[1:], opens))
        else:
            self._go_on(opens)

    def _go_on(self, opens):
        self._run_queue()
        if not opens and self._options.closes:
            self.stream.finish()

    # --- out

    def _put(self, data):
        self._out += data

    def _push(self):
        """Hands over what was put, up to the cut."""
        data, self._out = self._out, bytearray()
        cut = self._options.cut
        if self._cutting or self.state == "ended":
            return
        if cut is not None and self._sent + len(data) >= cut:
            self.stream.write(data[: cut - self._sent])
            self._end_here()
        elif data:
            self._sent += len(data)
            self.stream.write(data)

    def _end_here(self):
        self._cutting = True
        if self._options.cutmode == "rst":
            self.stream.reset(patient=True)
        else:
            self.stream.finish()

    # --- actions

    def do(self, text):
        """Actions from outside: at once, whatever those of the query wait for."""
        if self._options is None or self.state not in ("open", "stalled") or self._options.stall:
            raise ValueError("the connection is not open")
        actions = server_actions.parse(text)
        self._options.check(actions)
        for action in actions:
            self._perform(action)
        self._push()

    def _run_queue(self):
        while self._queue and self.state != "ended":
            if self._queue[0].name == "later":
                if self._messages <= self._awaited:
                    break
                self._awaited += 1
            self._perform(self._queue.popleft())
        self._push()

    def _perform(self, action):
        if action.wire is not None:
            self._put(action.wire)
        elif action.pack:
            self._put(action.pack(self._options.deflate))
        elif action.name != "later":
            self._push()
            getattr(self, "_do_" + action.name)(*action.values)
        if action.name == "close":
            self._close_sent = True
        self.log("sent " + escaped(action.text.encode(), 200))

    def _do_fin(self):
        self.stream.send_fin()

    def _do_drop(self):
        self.stream.close()

    def _do_rst(self):
        self.stream.reset(patient=False)

    def _do_stop(self):
        self.stream.pause()

    def _do_read(self):
        self.stream.resume()
        self.server.loop.soon(lambda: self._read_frames(b""))

    def _do_under(self, value):
        self.stream.write_under(bytes.fromhex(value))

    def _do_tlsclose(self):
        self.stream.send_close_notify()

    # --- in

    def _read_frames(self, data):
        if self.state != "open":
            return
        limit = self._options.readcut
        if limit is not None:
            data = data[: limit - self._got]
        self._got += len(data)
        self._reader.feed(data)
        while self.state == "open" and self.stream.reading:
            frame = self._reader.next()
            if frame is None:
                break
            self._on_frame(frame)
        if self.state == "open":
            self._run_queue()
            if limit is not None and self._got >= limit and not self._cutting:
                self._end_here()

    def _on_frame(self, frame):
        self.log(frame.describe())
        fault = self._fault(frame)
        if fault:
            self.log("violation " + fault)
        if frame.opcode in (TEXT, BINARY, CONTINUATION):
            self._on_part(frame)
        elif frame.opcode == PING:
            self._on_ping(frame.payload)
        elif frame.opcode == PONG:
            self.log(("pong " + frame.payload.hex()).strip())
        elif frame.opcode == CLOSE:
            self._on_close(frame.payload)

    def _fault(self, frame):
        """Which rule of RFC 6455 the client breaks, empty if none."""
        if self._closing:
            return "frame after close"
        if frame.key is None:
            return "not masked"
        if frame.rsv and not self._begins_packed(frame):
            return "reserved bits"
        if not frame.minimal:
            return "length is not minimal"
        if frame.opcode >= CLOSE and (not frame.fin or frame.length > 125):
            return "control frame is long or fragmented"
        if frame.opcode not in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG):
            return "opcode"
        if frame.opcode < CLOSE and (frame.opcode == CONTINUATION) != (self._kind is not None):
            return "continuation"
        return ""

    def _begins_packed(self, frame):
        agreed = self._options.deflate is not None and frame.rsv == server_deflate.RSV1
        return agreed and frame.opcode in (TEXT, BINARY) and self._kind is None

    def _on_part(self, frame):
        if frame.opcode != CONTINUATION or self._kind is None:
            self._is_packed = self._begins_packed(frame)
            self._kind = frame.opcode or BINARY
        self._parts.append(frame.payload)
        if frame.fin:
            payload, kind = b"".join(self._parts), self._kind
            self._parts, self._kind = [], None
            if self._is_packed:
                payload = self._options.deflate.unpack(payload)
            if payload is None:
                self.log("violation not DEFLATE")
            else:
                self._on_message(kind, payload)

    def _on_message(self, kind, payload):
        self._messages += 1
        self.journal.payload(payload)
        if kind == TEXT:
            # 200 characters are at most 800 bytes; a character cut at the end is beyond them.
            self.log(("text %d %s" % (len(payload), escaped(payload[:1000], 200))).rstrip(" "))
            self._check_text(payload)
        else:
            self.log(("binary %d %s" % (len(payload), payload[:32].hex())).strip())
        if self._options.behaviour == "echo":
            self._put(self._options.deflate.message(kind, payload) if self._options.packs
                      else frames.frame(kind, payload))
            if len(self._out) > frames.CHUNK:
                self._push()

    def _check_text(self, payload):
        try:
            payload.decode()
        except UnicodeDecodeError:
            self.log("violation text is not UTF-8")

    def _on_ping(self, payload):
        self.log(("ping " + payload.hex()).strip())
        if self._options.onping != "ignore":
            self._put(frames.frame(PONG, payload))

    def _on_close(self, payload):
        self._closing = True
        if len(payload) >= 2:
            code = struct.unpack(">H", payload[:2])[0]
            self.log(("close %d %s" % (code, escaped(payload[2:]))).strip())
        else:
            self.log("close")
            if payload:
                self.log("violation close of one byte")
        self._answer_close(payload)

    def _answer_close(self, payload):
        mode = self._options.onclose
        if mode == "ignore":
            return
        if mode == "drop":
            self._push()
            self.stream.close()
        elif mode == "rst":
            self._push()
            self.stream.reset(patient=False)
        else:
            if not self._close_sent:
                self._close_sent = True
                self._put(self._options.close_answer(payload))
            self._push()
            if not self._options.linger and not self._cutting:
                self.stream.send_close_notify()
                self.stream.finish()


class Options:
    """The query, read."""

    def __init__(self, request):
        query = request.query
        self.behaviour = request.behaviour
        if self.behaviour not in ("echo", "sink", "deaf"):
            raise ValueError("path")
        self.stall = query.raw("stall")
        self.cut = query.number("cut")
        self.cutmode = query.raw("cutmode") or "fin"
        self.readcut = query.number("readcut")
        self.drip = query.raw("drip") == "1"
        self.split = query.raw("split") == "1"
        self.linger = query.raw("linger") == "1"
        self.onping = query.raw("onping") or "pong"
        self.onclose = query.raw("onclose") or "echo"
        self.actions = server_actions.parse(query.raw("act") or "")
        self.deflate = server_deflate.agreed(query.text("extension", ""))
        self.packs = query.raw("pack") == "1"
        self.check(self.actions)
        # A raw answer, and whatever follows it, is the test's own affair; so is how it ends.
        self.closes = self.checked = query.raw("raw") is None
        for value, allowed in (
            (self.stall, (None, "request", "half")),
            (self.cutmode, ("fin", "rst")),
            (self.onping, ("pong", "ignore")),
        ):
            if value not in allowed:
                raise ValueError(value)
        self.close_answer(b"")

    def check(self, actions):
        if not self.deflate and (self.packs or any(action.pack for action in actions)):
            raise ValueError("no compression was answered")

    def close_answer(self, payload):
        if self.onclose == "bare":
            return frames.frame(CLOSE)
        if self.onclose in ("echo", "ignore", "drop", "rst"):
            return frames.frame(CLOSE, payload)
        return server_actions.close_frame(self.onclose)
