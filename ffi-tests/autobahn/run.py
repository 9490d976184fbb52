#!/usr/bin/env python3
"""Runs the testee against the Autobahn suite's fuzzing server, and compares what came of it.

run.py quick|full SUITE_PYTHON TESTEE OUT

quick leaves compression out (12.* and 13.*), which takes nearly all of the time. The suite's reports, with the frames
of each case, are in OUT. TEST_JOBS: servers at a time, the number of processors by default.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import compare

HERE = Path(__file__).resolve().parent
AGENT = "libtaro_socket"
COMPRESSION = ["12.*", "13.*"]
# Those that send much. A server is one thread: beside these, or each other, the others would be late.
HEAVY = ["9.*", *COMPRESSION]

# What one server serves: name, cases, cases left out, how many at a time.
RULES = ("rules", ["*"], HEAVY, 8)
LIMITS = ("limits", ["9.*"], [], 2)
DEFLATE = [(f"deflate_{group}", [f"{group}.*"], [], 1)
           for group in [*(f"12.{n}" for n in range(1, 6)), *(f"13.{n}" for n in range(1, 8))]]


class Share:
    """One server, and the testee that goes through its cases."""

    def __init__(self, python, testee, out, name, cases, without, at_a_time):
        self.name, self.start, self.testee = name, time.monotonic(), None
        home = Path(out) / name
        home.mkdir(parents=True)
        self.log = open(home / "server.log", "w", encoding="utf-8")
        command = [python, str(HERE / "fuzzing_server.py"), str(home), *cases, "--without", *without]
        # It ends with its standard input, so also when this program is killed.
        pipe = subprocess.PIPE
        self.server = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=self.log, text=True)
        port = self.server.stdout.readline().strip()
        if port:
            self.testee = subprocess.Popen([testee, port, AGENT, str(at_a_time)])
        else:
            print(f"{name}: the server did not start, see {self.log.name}")

    def ended(self):
        return not self.testee or self.testee.poll() is not None

    def end(self):
        """Ends both; tells whether the testee was content."""
        if self.testee and self.testee.poll() is None:
            self.testee.kill()
            self.testee.wait()
        try:
            self.server.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.communicate()
        self.log.close()
        status = self.testee.returncode if self.testee else None
        seconds = time.monotonic() - self.start
        print(f"{self.name}: {seconds:.0f} s" + (f", testee: {status}" if status else ""), flush=True)
        return status == 0


def run(shares, make, jobs):
    """Goes through the shares, some at a time; tells whether all went well."""
    waiting, running, well = list(shares), [], True
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(make(*waiting.pop(0)))
            time.sleep(0.02)
            for share in [share for share in running if share.ended()]:
                running.remove(share)
                well = share.end() and well
    finally:
        for share in running:
            share.end()
    return well


def main(arguments):
    if len(arguments) != 4 or arguments[0] not in ("quick", "full"):
        print(__doc__, file=sys.stderr)
        return 2
    goal, python, testee, out = arguments
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: sys.exit(128 + number))
    jobs = int(os.environ.get("TEST_JOBS") or len(os.sched_getaffinity(0)))
    shutil.rmtree(out, ignore_errors=True)
    # The longest first.
    shares = [LIMITS, RULES] if goal == "quick" else [*DEFLATE, LIMITS, RULES]
    well = run(shares, lambda *share: Share(python, testee, out, *share), jobs)
    as_expected = compare.report(HERE / "expected.txt", out, COMPRESSION if goal == "quick" else ())
    return 0 if well and as_expected else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
