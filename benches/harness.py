"""Servers, clients and counters: what run.py and profile_run.py measure with."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

BENCHES = pathlib.Path(__file__).resolve().parent
ROOT = BENCHES.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
HOME = TARGET / "bench"
LIBRARY = TARGET / "release" / "libtaro_socket.so"
NO_SUCH_SCENARIO = 3


class Failed(Exception):
    """A program did not do what it was started for."""


class Server:
    """The server of server.c on one processor; `tls` is a pair of files, certificate and key."""

    def __init__(self, cpu=None, tls=None):
        command = pinned(cpu) + [str(HOME / "server")] + (["--tls", *map(str, tls)] if tls else [])
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        said = self.process.stdout.readline().split()
        if len(said) != 2:
            raise Failed("the server did not start")
        self.url = f"{'wss' if tls else 'ws'}://127.0.0.1:{said[1]}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def pinned(cpu):
    return [] if cpu is None else ["taskset", "-c", str(cpu)]


class Library:
    """The library to measure, in a folder of its own under the name that clients load: whole, and stripped."""

    def __init__(self, path=LIBRARY):
        if not pathlib.Path(path).is_file():
            raise Failed(f"there is no {path}: cargo build --release --locked")
        self.home = tempfile.TemporaryDirectory(prefix="bench-library-")
        for folder, strip in (("whole", False), ("stripped", True)):
            copy = pathlib.Path(self.home.name, folder, "libtaro_socket.so.1")
            copy.parent.mkdir()
            shutil.copyfile(path, copy)
            if strip:
                subprocess.run(["strip", "--strip-unneeded", str(copy)], check=True)

    def folder(self, stripped=True):
        return os.path.join(self.home.name, "stripped" if stripped else "whole")

    def environment(self, stripped=True):
        return {**os.environ, "LD_LIBRARY_PATH": self.folder(stripped)}


def client(name, scenario, url, size, count, *options, cpu=None, wrap=(), environment=None, timeout=120):
    """One run: its figures by name, or None if the client has no such scenario.

    `wrap` stands before the program: what counts or starts it.
    """
    command = [*pinned(cpu), *wrap, str(HOME / name), scenario, url, str(size), str(count), *options]
    try:
        ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
                             env=environment)
    except subprocess.TimeoutExpired:
        raise Failed(f"{name} {scenario}: no end within {timeout} s") from None
    if ran.returncode == NO_SUCH_SCENARIO:
        return None
    if ran.returncode != 0:
        raise Failed(f"{name} {scenario}: {ran.stderr.strip()[-300:] or f'exit {ran.returncode}'}")
    return {name: float(value) for name, value in (line.split() for line in ran.stdout.splitlines())}


def callgrind(name, scenario, url, size, count, *options, out, environment=None):
    """Instructions of one whole run, user space only; `out` receives callgrind's file. None: no such scenario."""
    # Fair: else one thread may keep the others from running for as long as it likes.
    environment = dict(os.environ if environment is None else environment)
    # callgrind counts each byte of `rep movsb` as an instruction, and which sizes are copied with that depends on
    # the processor. Without it copies count as the vector loops that they are everywhere else.
    environment.setdefault("GLIBC_TUNABLES", "glibc.cpu.x86_rep_movsb_threshold=1099511627776")
    wrap = ["valgrind", "-q", "--tool=callgrind", "--fair-sched=try", f"--callgrind-out-file={out}"]
    ran = client(name, scenario, url, size, count, *options, wrap=wrap, environment=environment, timeout=300)
    if ran is None:
        return None
    with open(out) as lines:
        totals = [line for line in lines if line.startswith("totals:")]
    return int(totals[-1].split()[1])


def system_calls(name, scenario, url, size, count, *options, environment=None):
    """System calls of one whole run by name. None: no such scenario."""
    with tempfile.NamedTemporaryFile("r", prefix="bench-strace-") as out:
        wrap = ["strace", "-f", "-qq", "-c", "-U", "calls,name", "-o", out.name]
        if client(name, scenario, url, size, count, *options, wrap=wrap, environment=environment) is None:
            return None
        counted = re.findall(r"^\s*(\d+)\s+(\w+)$", out.read(), re.MULTILINE)
    return {name: int(calls) for calls, name in counted if name != "total"}
