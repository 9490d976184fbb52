#!/usr/bin/env python3
"""Checks that what README.md shows is true: its programs compile, its commands run, its tables know every option.

readme.py LIB_DIR [NATIVE_LIBS]   LIB_DIR has the library; NATIVE_LIBS is what rustc says that the static one needs

Every `c` block is compiled alone. A comment before a block says what more is done with it:
`<!-- run: ws-echo -->` links and runs it with the URL of an echo server, `<!-- check -->` runs a `sh` block,
`<!-- native-libs -->` compares a block with NATIVE_LIBS.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
import taro_header

ROOT = taro_header.ROOT
BLOCK = re.compile(r"^(?:<!-- (?P<mark>[^>]*) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S)
FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I", str(ROOT / "include")]
# What every struct of options has, told in the text and not in each table.
COMMON = {"struct_size", "reserved", "user_data", "release", "success", "fail", "complete"}


def run(what, command, **more):
    done = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=120, **more)
    if done.returncode != 0:
        sys.exit(f"README.md, {what}: exit status {done.returncode}\n{done.stdout}")


def compile_block(what, text, mark, lib_dir, home):
    source = home / f"block{len(list(home.iterdir()))}.c"
    source.write_text(text, encoding="utf-8")
    cc = os.environ.get("CC", "cc")
    if mark != "run: ws-echo":
        run(what, [cc, *FLAGS, "-c", str(source), "-o", f"{source}.o"])
        return
    loaded = home / "libtaro_socket.so.1"
    if not loaded.exists():
        loaded.symlink_to(lib_dir / "libtaro_socket.so")
    run(what, [cc, *FLAGS, str(source), str(loaded), f"-Wl,-rpath,{home}", "-o", f"{source}.out"])
    launcher = ROOT / "ffi-tests" / "support" / "with_server.py"
    run(what, [sys.executable, str(launcher), f"{source}.out", "ws-echo"])


def check_blocks(readme, lib_dir, native, home):
    count = 0
    for block in BLOCK.finditer(readme):
        mark, language, text = block["mark"], block["language"], block["text"]
        what = f"block of line {readme[:block.start()].count(chr(10)) + 1}"
        if language == "c":
            compile_block(what, text, mark, lib_dir, home)
        elif language == "sh" and mark == "check":
            environment = {**os.environ, "LIB_DIR": str(lib_dir), "CC": os.environ.get("CC", "cc")}
            run(what, ["sh", "-e", "-c", text], env=environment)
        elif mark == "native-libs":
            if native is not None and text.split() != native.split():
                sys.exit(f"README.md, {what}: the static library needs {native}")
        elif mark:
            sys.exit(f"README.md, {what}: nobody knows what to do with `{mark}`")
        count += 1
    return count


def check_commands(readme):
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    for target in re.findall(r"\bmake (\w+) +#", readme):
        if target not in targets:
            sys.exit(f"README.md: the Makefile has no {target}")


def check_tables(readme):
    header = taro_header.load()
    named = set(re.findall(r"`(\w+)`", readme))
    for struct in header.structs:
        if struct.name not in ("taro_connect_options", "taro_app_options"):
            continue
        fields = {param.name for param, _ in struct.fields}
        fields -= COMMON | {f"{name}_len" for name in fields}
        if missing := fields - named:
            sys.exit(f"README.md: no word of {struct.name}'s {', '.join(sorted(missing))}")
    known = {macro.name for macro, _ in header.macros} | {function.name for function in header.functions}
    known |= {item.name for item in header.structs + header.typedefs}
    statuses = {f"TARO_STATUS_{name}" for name in re.findall(r"^\| `([A-Z_]+)` \|", readme, re.M)}
    for name in statuses | {name for name in named if name.lower().startswith("taro_")}:
        if name not in known:
            sys.exit(f"README.md: the header has no {name}")


def main(lib_dir, native=None):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    check_commands(readme)
    check_tables(readme)
    with tempfile.TemporaryDirectory() as home:
        count = check_blocks(readme, Path(lib_dir).resolve(), native, Path(home))
    print(f"README.md: {count} blocks hold")


if __name__ == "__main__":
    main(*sys.argv[1:])
