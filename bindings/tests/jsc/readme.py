"""The README of the binding, followed to the letter: `readme.py ROOT LIB_DIR FOLDER`.

Its program and app are built in FOLDER with its two ways of building, and run against an echo server.
"""

import os
import re
import subprocess
import sys
from pathlib import Path


def block(text, language):
    """The one block of that language."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(found) == 1, f"{len(found)} blocks of {language}"
    return found[0]


def main(root, lib_dir, folder):
    text = (root / "bindings/jsc/README.md").read_text()
    folder.mkdir(parents=True, exist_ok=True)
    for name, language in ("host.c", "c"), ("app.js", "js"), ("CMakeLists.txt", "cmake"):
        (folder / name).write_text(block(text, language))
    environment = {**os.environ, "TARO": str(root)}
    by_hand = block(text, "sh").replace("$TARO/target/release", str(lib_dir))
    builds = [
        (["sh", "-ec", by_hand], folder / "host"),
        (["sh", "-ec", f'cmake -S . -B cmake -DTARO_LIB_DIR="{lib_dir}" && cmake --build cmake'], folder / "cmake/host"),
    ]
    for command, host in builds:
        host.unlink(missing_ok=True)
        subprocess.run(command, cwd=folder, env=environment, check=True)
        run = [sys.executable, str(root / "ffi-tests/support/with_server.py"), str(host),
               str(root / "bindings/js/taro_socket.js"), "app.js", "ws-echo"]
        output = subprocess.run(run, cwd=folder, check=True, stdout=subprocess.PIPE, text=True, timeout=60).stdout
        assert output == "hello\n", output
        print("ok", host.relative_to(folder))


if __name__ == "__main__":
    main(*(Path(argument).resolve() for argument in sys.argv[1:]))
