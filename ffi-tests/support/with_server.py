#!/usr/bin/env python3
"""Runs a program with an echo server to talk to: `ws-echo` among its arguments becomes the server's URL.

with_server.py PROGRAM [ARGUMENT...]

Returns the program's exit status. The certificates are those of TARO_TEST_CERTS, else made for this run.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SUPPORT = Path(__file__).resolve().parent


def run(argv, certs):
    """The exit status of argv, while a server runs; the server ends with its standard input."""
    command = [sys.executable, str(SUPPORT / "server.py"), certs]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        line = server.stdout.readline()
        if not line:
            print("with_server.py: the server did not start", file=sys.stderr)
            return 1
        url = f"ws://127.0.0.1:{json.loads(line)['ws']}/echo"
        status = subprocess.call([url if argument == "ws-echo" else argument for argument in argv])
        server.stdin.close()
        server.wait(timeout=30)
        # As a shell says it: a signal's number after 128.
        return status if status >= 0 else 128 - status


def main(argv):
    if not argv:
        print(__doc__, file=sys.stderr)
        return 2
    script = str(SUPPORT.parents[1] / "scripts" / "certs.sh")
    with tempfile.TemporaryDirectory() as folder:
        certs = os.environ.get("TARO_TEST_CERTS") or os.path.join(folder, "certs")
        subprocess.check_call([script, certs])
        return run(argv, certs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
