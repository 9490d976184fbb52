#!/usr/bin/env python3
"""What tests in JavaScript cannot see of the mini host: its command line, its keys, folders that are no app.

host.py MINI_HOST ENGINE
"""

import os
import pty
import subprocess
import sys
import tempfile
from pathlib import Path

DEADLINE = 20 * int(os.environ.get("TARO_TEST_SLOW", "1"))
host, engine = sys.argv[1:]
failed = []


def run(*arguments):
    done = subprocess.run([host, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE)
    return done.returncode, done.stdout + done.stderr


def check(what, is_right, seen):
    if not is_right:
        print("FAILED %s: %s" % (what, seen))
        failed.append(what)


def check_run(what, arguments, code, text):
    seen = run(*arguments)
    check(what, seen[0] == code and text in seen[1], seen)


def app(folder, config, script):
    folder.mkdir()
    if config is not None:
        (folder / "app.json").write_text(config)
    if script is not None:
        (folder / "app.js").write_text(script)
    return str(folder)


def command_line(home):
    good = app(home / "good", "{}", "console.log('args', host.args, host.engine)")
    over = ["--engine", engine, good]
    check_run("arguments", [*over, "--", "a", '"\\\n', "--flavour"], 0, 'args ["a", "\\"\\\\\\n", "--flavour"] ' + engine)
    check_run("no arguments", over, 0, "args [] " + engine)
    check_run("a slash at the end", [*over[:2], good + "/"], 0, " good ")
    check_run("two apps", [*over, good], 0, "args")
    check_run("--help", ["--help"], 0, "--resolve")
    check_run("no app", ["--engine", engine], 2, "which app?")
    check_run("an unknown option", [*over, "--nothing"], 2, "there is no option --nothing")
    check_run("no value", [*over, "--ca"], 2, "--ca wants a value")
    check_run("an unknown flavour", [*over, "--flavour", "x"], 2, "there is no flavour x")
    check_run("an unknown engine", ["--engine", "x", good], 77, "built without the engine x")
    check_run("a bad override", [*over, "--resolve", "x"], 2, "--resolve wants")


def folders(home):
    over = ["--engine", engine]
    check_run("no folder", [*over, str(home / "nothing")], 1, "cannot read")
    check_run("no app.json", [*over, app(home / "a", None, "")], 1, "a/app.json")
    check_run("no app.js", [*over, app(home / "b", "{}", None)], 1, "b/app.js")
    check_run("app.json that is no JSON", [*over, app(home / "c", "{", "")], 1, "c/app.json cannot be understood")
    check_run("an empty script", [*over, app(home / "d", "{}", "")], 0, "")
    check_run("a script that is none", [*over, app(home / "e", "{}", "let let")], 1, "SyntaxError")
    touch = app(home / "f", '{ "wsrequestdomain": ["a b"] }', "wx.connectSocket({ url: 'wss://a.test' })")
    check_run("a domain that is none", [*over, touch], 1, "TARO_STATUS_BAD_ARGUMENT")


# A terminal: what is typed there puts the app in the background and back, and ends it.
def keys(home):
    folder = app(home / "keys", "{}", "setTimeout(() => {}, 1e8); console.log('waits')")
    controller, terminal = pty.openpty()
    command = [host, "--engine", engine, folder]
    with subprocess.Popen(command, stdin=terminal, stdout=subprocess.PIPE, text=True) as process:
        for key, expected in ((None, "waits"), ("b", "background"), ("f", "foreground"), ("n", None)):
            if key:
                os.write(controller, (key + "\n").encode())
            line = process.stdout.readline() if expected else ""
            check("key %s" % key, (expected or "") in line, line)
        os.write(controller, b"q\n")
        check("key q", process.wait(timeout=DEADLINE) == 0, process.returncode)
    os.close(controller)
    os.close(terminal)


if run("--engine", engine, "/nothing")[0] == 77:
    sys.exit(77)
with tempfile.TemporaryDirectory() as folder:
    for test in (command_line, folders, keys):
        test(Path(folder))
sys.exit(1 if failed else 0)
