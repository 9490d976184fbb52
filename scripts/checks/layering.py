#!/usr/bin/env python3
"""Checks the walls between the rooms of src/: who may name whom, where unsafe code may stand, size of files.

layering.py [ROOT]        checks the tree at ROOT, the repository by default
layering.py --self-test   proves on a made-up tree that each rule can fail

Rooms: ffi → core → protocol, transport, runtime; transport → runtime. Nothing points back. lib.rs may say
`// unsafe-allowed: src/<room>/<file>.rs` for a file outside ffi.
"""

import re
import sys
import tempfile
from pathlib import Path

MAY_NAME = {
    "ffi": {"ffi", "core"},
    "core": {"core", "protocol", "transport", "runtime"},
    "transport": {"transport", "runtime"},
    "protocol": {"protocol"},
    "runtime": {"runtime"},
}
TUNGSTENITE_FILE = "src/protocol/tungstenite.rs"
MAX_LINES = 450


def blank(text, keep_comments=False):
    """The source with literals, and comments unless kept, replaced by spaces of the same length."""
    out, at = [], 0
    token = re.compile(
        r'(?P<comment>//[^\n]*)|(?P<block>/\*)|(?P<raw>[bc]?r(?P<marks>#*)")|(?P<string>[bc]?"(?:[^"\\]|\\.)*")'
        r"|(?P<char>b?'(?:[^'\\\n]|\\(?:x..|u\{[^}]*\}|.))')",
        re.S,
    )
    while match := token.search(text, at):
        out.append(text[at:match.start()])
        end = match.end()
        if match["block"]:
            depth = 1
            while depth and (mark := re.compile(r"/\*|\*/").search(text, end)):
                depth += 1 if mark[0] == "/*" else -1
                end = mark.end()
        elif match["raw"]:
            close = text.find('"' + match["marks"], end)
            end = len(text) if close < 0 else close + 1 + len(match["marks"])
        piece = text[match.start():end]
        comment = match["comment"] or match["block"]
        out.append(piece if comment and keep_comments else re.sub(r"[^\n]", " ", piece))
        at = end
    return "".join(out) + text[at:]


def without_tests(code):
    """The code with items behind #[cfg(test)] blanked: tests may unwrap, and name what they like."""
    while match := re.search(r"#\[cfg\(test\)\]", code):
        start, end = code.find("{", match.end()), code.find(";", match.end())
        if start < 0 or 0 <= end < start:
            stop = end + 1 if end >= 0 else len(code)
        else:
            depth, stop = 0, start
            while stop < len(code):
                depth += {"{": 1, "}": -1}.get(code[stop], 0)
                stop += 1
                if depth == 0:
                    break
        code = code[:match.start()] + re.sub(r"[^\n]", " ", code[match.start():stop]) + code[stop:]
    return code


def use_paths(code):
    """Each `use` path, groups opened up, with its offset."""
    for match in re.finditer(r"\buse\s+([^;]+);", code):
        for path in open_groups(re.sub(r"\s+", " ", match[1])):
            yield path, match.start()


def open_groups(path):
    match = re.search(r"\{", path)
    if not match:
        return [path.strip()]
    head, depth, parts, part = path[:match.start()], 0, [], ""
    for char in path[match.start():]:
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "{" and depth == 1 or char == "}" and depth == 0:
            continue
        if char == "," and depth == 1:
            parts.append(part)
            part = ""
        else:
            part += char
    return [opened for part in [*parts, part] if part.strip() for opened in open_groups(head.strip() + part.strip())]


def rooms_named(relative, code):
    """The rooms that a file's paths lead to, with the offset of each path."""
    # Modules of this file: src/a/b/c.rs and src/a/b/c/mod.rs are both a::b::c.
    here = list(relative.with_suffix("").parts[1:])
    if here[-1] in ("mod", "lib"):
        here.pop()
    found = [(path, at, True) for path, at in use_paths(code)]
    outside = re.sub(r"\buse\s+[^;]+;", lambda match: re.sub(r"[^\n]", " ", match[0]), code)
    path = re.compile(r"\b(?:crate|super)(?:\s*::\s*\w+)+")
    found += [(match[0], match.start(), False) for match in path.finditer(outside)]
    for path, at, _ in found:
        parts = [part.strip() for part in path.split("::")]
        if parts[0] == "crate":
            parts = parts[1:]
        elif parts[0] == "super":
            ups = len(parts) - len(list(drop_supers(parts)))
            if ups < len(here):
                continue
            parts = list(drop_supers(parts))
        else:
            continue
        yield (parts[0].split(" ")[0] if parts else "*"), at


def drop_supers(parts):
    dropping = True
    for part in parts:
        dropping = dropping and part == "super"
        if not dropping:
            yield part


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def check(root):
    root = Path(root)
    errors = []
    files = sorted((root / "src").rglob("*.rs"))
    lib = root / "src" / "lib.rs"
    lib_text = lib.read_text(encoding="utf-8") if lib.exists() else ""
    allowed = set(re.findall(r"^//\s*unsafe-allowed:\s*(\S+)", lib_text, flags=re.M))
    for name in sorted(allowed):
        if not (root / name).exists():
            errors.append(f"src/lib.rs: unsafe-allowed names {name}, which does not exist")
    once_cell = []
    for file in files:
        relative = file.relative_to(root)
        text = file.read_text(encoding="utf-8")
        if "once_cell" in check_file(relative, text, allowed, errors):
            once_cell.append(str(relative))
    if len(once_cell) > 1:
        errors.append(f"once_cell stands in more than one file: {', '.join(once_cell)}")
    if not files:
        errors.append("src: no Rust file")
    return errors


def check_file(relative, text, allowed, errors):
    name, room = str(relative), relative.parts[1] if len(relative.parts) > 2 else None
    whole = blank(text)
    code = without_tests(whole)

    def say(at, what):
        errors.append(f"{name}:{line_of(text, at)}: {what}")

    if room is None:
        if name != "src/lib.rs":
            say(0, "stands in no room")
        for match in re.finditer(r"\b(fn|struct|enum|trait|impl|static|const|unsafe)\b", code):
            say(match.start(), f"`{match[1]}`: the crate root holds no code")
    elif room not in MAY_NAME:
        say(0, f"`{room}` is none of the rooms {', '.join(MAY_NAME)}")
    else:
        for target, at in rooms_named(relative, whole):
            if target not in MAY_NAME[room]:
                say(at, f"{room} names {target}; it may name {', '.join(sorted(MAY_NAME[room]))}")

    for match in re.finditer(r"\b(tokio_)?tungstenite\b", code):
        module = re.search(r"(\bmod|super\s*::|protocol\s*::|self\s*::|crate\s*::)\s*$", code[:match.start()])
        if name != TUNGSTENITE_FILE and (match[1] or not (room == "protocol" and module)):
            say(match.start(), f"only {TUNGSTENITE_FILE} names tungstenite")
    once_cell = re.search(r"\bonce_cell\b", code)
    if once_cell and room != "runtime":
        say(once_cell.start(), "only the runtime uses once_cell")

    unsafe_code(name, room, text, whole, allowed, say)
    if room == "ffi":
        for match in re.finditer(r"\.\s*(unwrap|expect)\s*\(|(?<=[\w)\]])\[\s*\d+\s*\]", code):
            say(match.start(), f"`{match[0].strip()}` can panic: ffi answers with a status")
    lines = text.count("\n")
    if lines > MAX_LINES:
        say(len(text) - 1, f"{lines} lines; at most {MAX_LINES}")
    return {"once_cell"} if once_cell and room == "runtime" else set()


def unsafe_code(name, room, text, code, allowed, say):
    may = room == "ffi" or name in allowed
    lines = text.splitlines()
    for match in re.finditer(r"\bunsafe\b", code):
        after = code[match.end():].lstrip()
        # The type of a C callback is no unsafe code; neither is an attribute of an export, inside ffi.
        if re.match(r'(extern\b[^{;=]*?\bfn\s*\()', after):
            continue
        if not may:
            say(match.start(), "unsafe code stands in src/ffi, or in a file that lib.rs lists")
            continue
        if not (after.startswith("{") or after.startswith("impl")):
            continue
        row = line_of(text, match.start()) - 1
        above, step = row, 0
        # Up to the start of the statement, which rustfmt may have broken into a few lines.
        while above > 0 and step < 6:
            above -= 1
            line = lines[above].strip()
            if line.startswith("//"):
                break
            if line.endswith((";", "}")) or not line:
                above = row
                break
            step += 1
        comment = []
        while above >= 0 and lines[above].strip().startswith("//"):
            comment.insert(0, lines[above])
            above -= 1
        if "SAFETY:" not in "\n".join(comment) and "SAFETY:" not in lines[row].partition("//")[2]:
            say(match.start(), "no SAFETY comment above unsafe code")


GOOD = {
    "src/lib.rs": "//! Map.\n// unsafe-allowed: src/transport/option.rs\nmod core;\nmod ffi;\n",
    "src/ffi/mod.rs": "//! Knows C.\nmod ptr;\nuse super::core::socket;\npub type f = unsafe extern \"C\" fn(u32);\n",
    "src/ffi/ptr.rs": (
        "use crate::core::{error::Status, socket};\n"
        "#[unsafe(no_mangle)]\npub extern \"C\" fn taro_a(p: *const u8) -> i32 {\n"
        "    // SAFETY: \"p: not NULL\" (header).\n    let a =\n        unsafe { *p };\n    a.into()\n}\n"
        "// crate::transport in a comment, and .unwrap() in one.\n"
        "#[cfg(test)]\nmod tests {\n    fn t() { x().unwrap(); y[0]; }\n}\n"
    ),
    "src/core/mod.rs": "use crate::protocol::frame;\nuse crate::{runtime, transport::dial};\nfn f() -> &'static str { \"crate::ffi\" }\n",
    "src/protocol/mod.rs": "mod frame;\nmod tungstenite;\nuse super::protocol::frame::F;\n",
    "src/protocol/frame.rs": "use super::tungstenite::accept;\nuse crate::protocol::mask;\n",
    "src/protocol/tungstenite.rs": "use tokio_tungstenite::tungstenite::handshake;\n",
    "src/transport/mod.rs": "use crate::runtime::spawn;\nuse super::runtime;\n",
    "src/transport/option.rs": "fn f() {\n    // SAFETY: the descriptor is open.\n    unsafe { g() }\n}\n",
    "src/runtime/mod.rs": "use once_cell::sync::OnceCell;\nuse tokio::runtime::Runtime;\n",
}

# File, what is put at its end, and a part of what must be said about it.
BROKEN = [
    ("src/core/mod.rs", "use crate::ffi::ptr;\n", "core names ffi"),
    ("src/core/mod.rs", "use crate::{protocol, ffi::ptr};\n", "core names ffi"),
    ("src/core/mod.rs", "use super::ffi;\n", "core names ffi"),
    ("src/core/mod.rs", "fn f() { crate::ffi::ptr::g() }\n", "core names ffi"),
    ("src/core/mod.rs", "#[cfg(test)]\nmod tests { use crate::ffi; }\n", "core names ffi"),
    ("src/ffi/ptr.rs", "use crate::transport::dial;\n", "ffi names transport"),
    ("src/ffi/ptr.rs", "use super::super::runtime;\n", "ffi names runtime"),
    ("src/protocol/frame.rs", "use crate::core::state;\n", "protocol names core"),
    ("src/protocol/frame.rs", "use crate::transport;\n", "protocol names transport"),
    ("src/protocol/frame.rs", "use crate::runtime;\n", "protocol names runtime"),
    ("src/protocol/frame.rs", "use crate::*;\n", "protocol names *"),
    ("src/transport/mod.rs", "use crate::protocol::frame;\n", "transport names protocol"),
    ("src/transport/mod.rs", "use crate::core;\n", "transport names core"),
    ("src/runtime/mod.rs", "use crate::transport;\n", "runtime names transport"),
    ("src/attic/mod.rs", "fn f() {}\n", "none of the rooms"),
    ("src/stray.rs", "\n", "no room"),
    ("src/lib.rs", "fn f() {}\n", "holds no code"),
    ("src/lib.rs", "// unsafe-allowed: src/core/gone.rs\n", "does not exist"),
    ("src/protocol/frame.rs", "use tokio_tungstenite::connect;\n", "names tungstenite"),
    ("src/core/mod.rs", "use tungstenite::Message;\n", "names tungstenite"),
    ("src/core/mod.rs", "use once_cell::sync::Lazy;\n", "only the runtime"),
    ("src/runtime/stop.rs", "use once_cell::sync::Lazy;\n", "more than one file"),
    ("src/core/mod.rs", "fn f() {\n    // SAFETY: no.\n    unsafe { g() }\n}\n", "unsafe code stands in"),
    ("src/core/mod.rs", "#[unsafe(no_mangle)]\nfn f() {}\n", "unsafe code stands in"),
    ("src/ffi/ptr.rs", "fn f() {\n    let a = 1;\n    unsafe { g() }\n}\n", "no SAFETY"),
    ("src/ffi/ptr.rs", "// Fine.\nunsafe impl Send for A {}\n", "no SAFETY"),
    ("src/transport/option.rs", "fn f() { unsafe { g() } }\n", "no SAFETY"),
    ("src/ffi/ptr.rs", "fn f() { g().unwrap(); }\n", "can panic"),
    ("src/ffi/ptr.rs", "fn f() { g().expect(\"a\"); }\n", "can panic"),
    ("src/ffi/ptr.rs", "fn f() { g[0]; }\n", "can panic"),
    ("src/core/mod.rs", "//\n" * MAX_LINES, "lines; at most"),
]


def self_test():
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (file, added, expected) in enumerate([(None, "", None), *BROKEN]):
            root = Path(folder) / str(number)
            tree = dict(GOOD)
            if file:
                tree[file] = tree.get(file, "") + added
            for name, text in tree.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding="utf-8")
            errors = check(root)
            if expected is None and errors:
                failures += [f"good tree: {error}" for error in errors]
            if expected and not any(expected in error for error in errors):
                failures.append(f"{file} + `{added[:60].strip()}`: expected `{expected}`, got {errors}")
            if expected and len(errors) > 1:
                failures.append(f"{file} + `{added[:60].strip()}`: expected one error, got {errors}")
    return failures, len(BROKEN)


def main(args):
    if args == ["--self-test"]:
        failures, count = self_test()
        done = f"layering: {count} broken trees found out"
    else:
        failures = check(args[0] if args else Path(__file__).resolve().parents[2])
        done = "layering: the walls stand"
    print("\n".join(failures) if failures else done)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
