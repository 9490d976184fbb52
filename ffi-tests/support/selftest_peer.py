"""A peer of selftest_server.c: says two ports and serves nothing, until its standard input ends."""

import json
import sys

print(json.dumps({"one": 1, "two": 65535}), flush=True)
sys.stdin.read()
