"""The two sides: Taro's H5 in Chromium, and a mini host; and the server that both talk to."""

import http.server
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import wire

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".json": "application/json"}


class Failed(Exception):
    """One side did not come to its end."""


class Server:
    """ffi-tests/support/server.py, one for each side, so that both use the same names."""

    def __init__(self, certs):
        command = [sys.executable, str(ROOT / "ffi-tests" / "support" / "server.py"), str(certs)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ports = json.loads(self._process.stdout.readline())
        self._control = socket.create_connection(("127.0.0.1", self.ports["control"]), timeout=30)
        self._replies = self._control.makefile("r", encoding="utf-8", newline="\n")

    def command(self, text):
        """The reply, without its `ok`."""
        self._control.sendall(text.encode() + b"\n")
        reply = self._replies.readline().rstrip("\n")
        if not reply.startswith("ok"):
            raise Failed(f"the server answered `{reply}` to `{text}`")
        return reply[3:]

    def log(self, name):
        return [self._replies.readline().rstrip("\n") for _ in range(int(self.command("log " + name)))]

    def ended(self, name):
        """Waits until the server has read all of the connections of that name. They have a client no more."""
        opened = sum(line.startswith("request ") for line in self.log(name))
        if opened:
            self.command(f"wait {name} {opened} 20000 ^end$")

    def wire(self, name, ports):
        self.ended(name)
        return wire.steps(self.log(name), ports)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._control.close()
        self._process.stdin.close()
        self._process.wait(timeout=30)


class Pages(http.server.ThreadingHTTPServer):
    """Serves the page, and takes what it has traced."""

    daemon_threads = True

    def __init__(self, bundle, plan):
        super().__init__(("127.0.0.1", 0), Request)
        self.files = {"/": HERE / "top.html", "/frame.html": HERE / "frame.html", "/page.js": bundle}
        self.plan = json.dumps(plan).encode()
        self.traced = queue.Queue()

    def handle_error(self, _request, _address):
        """Chromium is ended in the middle of whatever it does."""


class Request(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path == "/plan.json":
            self._answer(200, self.server.plan, ".json")
        elif path in self.server.files:
            file = self.server.files[path]
            self._answer(200, file.read_bytes(), file.suffix)
        else:
            self._answer(404, b"", ".html")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, b"", ".html")
        self.server.traced.put(body.decode())

    def _answer(self, status, body, suffix):
        self.send_response(status)
        self.send_header("Content-Type", TYPES[suffix])
        self.send_header("Content-Length", str(len(body)))
        # Compiled once, not for each frame.
        self.send_header("Cache-Control", "max-age=600")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def end(process):
    """Ends a process and what it has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait(timeout=30)


FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    # No proxy of the machine's, and no names looked up outside of it.
    "--no-proxy-server",
    "--host-resolver-rules=MAP *.invalid ~NOTFOUND",
]


def browser(chromium, bundle, names, server, work, deadline):
    """Lines of the trace of all scenarios, played in Chromium."""
    plan = {"names": names, "ports": server.ports, "deadline_ms": 15000}
    with Pages(bundle, plan) as pages, tempfile.TemporaryDirectory(dir=work, ignore_cleanup_errors=True) as profile:
        page_port = pages.server_address[1]
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        with open(work / "chromium.log", "w") as log:
            process = subprocess.Popen(
                [chromium, *FLAGS, f"--user-data-dir={profile}", f"http://127.0.0.1:{page_port}/"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                text = pages.traced.get(timeout=deadline)
            except queue.Empty:
                raise Failed(f"Chromium told nothing within {deadline} s, see {log.name}") from None
            finally:
                end(process)
                pages.shutdown()
    return text.split("\n"), page_port


def mini_app(command, name, folder, server, work, deadline):
    """Lines of the trace of one scenario, played as an app of a mini host, which ends when nothing is left to do."""
    plan = json.dumps({"name": name, "ports": server.ports})
    process = subprocess.Popen(
        [*command, "--flavour", "h5", str(folder), "--", plan],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=deadline)
    except subprocess.TimeoutExpired:
        end(process)
        out, err = process.communicate()
        out += "trace " + trouble(name, "did not end") + "\n"
    with open(work / "mini_host.log", "a") as log:
        log.write(f"== {name}: {process.returncode}\n{out}{err}")
    lines = [line.split("trace ", 1)[1] for line in out.split("\n") if "trace {" in line]
    if process.returncode not in (0, -signal.SIGKILL):
        lines.append(trouble(name, f"the host ended with {process.returncode}"))
    return lines


def trouble(name, what):
    return json.dumps({"scenario": name, "lane": "script", "step": what, "fields": {}})


def steps(lines, names, unwired, server, page_port=0):
    """{scenario: {lane: [(step, fields)]}} of a side: what its script saw, and what the server saw of it."""
    ports = wire.Ports({**server.ports, "page": page_port})
    found = {name: {} for name in names}
    for line in lines:
        step = json.loads(line)
        fields = {key: ports.hide(value) for key, value in step["fields"].items()}
        found[step["scenario"]].setdefault(step["lane"], []).append((step["step"], fields))
    for name, lanes in found.items():
        for lane in [] if name in unwired else list(lanes):
            seen = server.wire(f"{name}.{lane.replace(' ', '-')}", ports)
            if seen:
                lanes["wire of " + lane] = seen
    return found


def chromium_path():
    return next((path for path in map(shutil.which, ("chromium", "chromium-browser")) if path), None)
