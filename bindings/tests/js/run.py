#!/usr/bin/env python3
"""Runs JavaScript tests in the mini host, beside the server of the library's tests.

run.py MINI_HOST ENGINE [--flavour NAME] [--plain] [--expect CODE] SCRIPT...

harness.js runs before each script, see there; --plain: it does not. The scripts get, as host.args[0], JSON with the port of each listener of
the server, `slow` (deadlines count that many times) and `command`: the URL of a WebSocket. What a script sends there
goes to the server's control port, line by line, and the reply comes back; `signal NAME [NAME]` signals the mini host,
with the second one when this WebSocket has ended.
Two scripts run as two apps of one host. The exit code is the mini host's; 0 if it was CODE.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent


class Commands:
    """The scripts' way to the server's control port: scripts have WebSockets only."""

    def __init__(self, port):
        # Here, so that a Python without the package says what is missing before anything runs.
        from websockets.exceptions import ConnectionClosed
        from websockets.sync.server import serve

        self._closed = ConnectionClosed
        self._port = port
        self._server = serve(self._serve, "127.0.0.1", 0)
        self.host = None
        self.url = "ws://127.0.0.1:%d/" % self._server.socket.getsockname()[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _serve(self, connection):
        with socket.create_connection(("127.0.0.1", self._port)) as control, control.makefile("rw") as stream:
            signals = []
            try:
                for line in connection:
                    if line.startswith("signal "):
                        signals = [getattr(signal, name) for name in line.split()[1:]]
                        connection.send("ok")
                        self.host.send_signal(signals.pop(0))
                    else:
                        connection.send(self._reply(stream, line))
            except self._closed:
                pass  # without a close frame: interrupted
            for number in signals:
                self.host.send_signal(number)

    def _reply(self, stream, line):
        stream.write(line + "\n")
        stream.flush()
        reply = stream.readline().rstrip("\n")
        if line.startswith("log ") and reply.startswith("ok "):
            lines = [stream.readline().rstrip("\n") for _ in range(int(reply[3:]))]
            return "\n".join([reply, *lines])
        return reply

    def close(self):
        self._server.shutdown()


def run(options, certs):
    server = subprocess.Popen(
        [sys.executable, str(ROOT / "ffi-tests/support/server.py"), certs],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        ports = json.loads(server.stdout.readline())
        commands = Commands(ports["control"])
        facts = {"ports": ports, "command": commands.url, "slow": int(os.environ.get("TARO_TEST_SLOW", "1"))}
        command = [*os.environ.get("TARO_TEST_LAUNCH", "").split(), options.host, "--engine", options.engine,
                   "--flavour", options.flavour, "--ca", os.path.join(certs, "ca.pem"),
                   *([] if options.plain else ["--preload", str(HERE / "harness.js")]), *options.script, "--",
                   json.dumps(facts)]
        commands.host = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        status = commands.host.wait()
        commands.close()
    finally:
        server.stdin.close()
        server.wait(timeout=30)
    if status == 77:
        return 77
    if status != options.expect:
        print("run.py: the mini host ended with %d, not %d" % (status, options.expect))
        return 1
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("engine")
    parser.add_argument("--flavour", default="weapp")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--expect", type=int, default=0)
    parser.add_argument("script", nargs="+")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        certs = os.environ.get("TARO_TEST_CERTS") or os.path.join(folder, "certs")
        subprocess.check_call([str(ROOT / "scripts/certs.sh"), certs])
        return run(options, certs)


if __name__ == "__main__":
    sys.exit(main())
