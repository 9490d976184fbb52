"""What the server saw of a connection, as steps like those of a trace."""

import re

# Fields of the request whose value is another one in each run, or on each machine.
VARYING = {
    "sec-websocket-key": "(key)",
    "user-agent": "(user agent)",
    "accept-language": "(languages)",
}
OPCODES = {0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}


class Ports:
    """Takes the numbers of ports out of texts."""

    def __init__(self, ports):
        self._names = {str(port): name for name, port in ports.items() if port}

    def hide(self, text):
        return re.sub(r":(\d{4,5})\b", lambda found: ":" + self._names.get(found[1], found[1]).upper(), text)


def steps(lines, ports):
    """The client's side of a log: request, frames, messages. How TCP ended is left out: it is not the client's
    choice alone."""
    found = []
    for line in lines:
        what, _, rest = line.partition(" ")
        if what in STEPS:
            found += STEPS[what](rest, ports)
    return together(found)


def _request(rest, ports):
    return [("request", {"line": ports.hide(rest)})]


def _header(rest, ports):
    name, _, value = rest.partition(":")
    value = VARYING.get(name.lower(), ports.hide(value.strip()))
    return [("header " + name.lower(), {"name": name, "value": value})]


def _frame(rest, _ports):
    fields = dict(part.split("=", 1) for part in rest.split())
    name = OPCODES.get(int(fields["opcode"]), fields["opcode"])
    # Compressed, its length is the compressor's affair.
    length = fields["len"] if int(fields["rsv"]) == 0 else "(compressed)"
    return [("frame " + name, {"fin": fields["fin"], "rsv": fields["rsv"], "mask": fields["mask"], "length": length})]


def _message(kind):
    def step(rest, _ports):
        length, _, payload = rest.partition(" ")
        return [(kind, {"length": length, "payload": payload})]

    return step


def _plain(kind):
    return lambda rest, _ports: [(kind, {"payload": rest})]


STEPS = {
    "request": _request,
    "header": _header,
    "bad": _plain("bad request"),
    "frame": _frame,
    "violation": _plain("violation"),
    "text": _message("text"),
    "binary": _message("binary"),
    "ping": _plain("ping"),
    "pong": _plain("pong"),
    "close": _plain("close"),
}


def together(found):
    """Frames of one message count as one step: how many there are is the client's affair."""
    out = []
    for name, fields in found:
        if name == "frame continuation" and out and out[-1][0].startswith("frame "):
            first = out[-1][1]
            out[-1] = (
                out[-1][0],
                {"fin": fields["fin"], "rsv": first["rsv"], "mask": first["mask"], "length": "(several frames)"},
            )
        else:
            out.append((name, fields))
    return out
