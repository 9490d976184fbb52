# Python 2.7, as the suite.
"""The fuzzing server of the Autobahn test suite, on a free port of 127.0.0.1.

fuzzing_server.py OUT CASE... [--without CASE...]   serves these cases, such as `1.1.1` or `12.*`; reports go to OUT
fuzzing_server.py --check                           tells whether the suite is there

Prints the port. Ends when its standard input does.
"""

from __future__ import print_function

import sys

import twisted.internet

# The suite imports it; only ws is served here, and TLS's packages are not there.
twisted.internet.ssl = None

from autobahntestsuite import fuzzing  # before the reactor: it chooses which
from autobahn.websocket.utf8validator import Utf8Validator
from twisted.internet import protocol, reactor, stdio
from twisted.python import log

CASES = 517


class Standby(protocol.Protocol):
    def connectionLost(self, reason=protocol.connectionDone):
        if reactor.running:
            reactor.stop()


def serve(out, cases, without):
    answers = sys.stdout
    # Whatever the suite prints is for the log.
    sys.stdout = sys.stderr
    log.startLogging(sys.stderr, setStdout=False)
    spec = {"url": "ws://127.0.0.1:1", "outdir": out, "cases": cases, "exclude-cases": without}
    factory = fuzzing.FuzzingServerFactory(dict(spec, **{"exclude-agent-cases": {}}))
    port = reactor.listenTCP(0, factory, interface="127.0.0.1").getHost().port
    # Compared with the Host header.
    factory.externalPort = port
    stdio.StandardIO(Standby())
    print(port, file=answers)
    answers.flush()
    reactor.run()


def check():
    assert len(fuzzing.Cases) == CASES, len(fuzzing.Cases)
    assert Utf8Validator.__module__.startswith("wsaccel"), Utf8Validator.__module__


def main(arguments):
    if arguments == ["--check"]:
        check()
        return
    at = arguments.index("--without") if "--without" in arguments else len(arguments)
    if at < 2:
        sys.exit(__doc__)
    serve(arguments[0], arguments[1:at], arguments[at + 1:])


if __name__ == "__main__":
    main(sys.argv[1:])
