"""Reads include/taro_socket.h: its functions, structs, typedefs and constants, each with its comment.

Not a C parser: it knows the few shapes that the generated header has, and fails on any other.
"""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEADER = ROOT / "include" / "taro_socket.h"


class Unreadable(Exception):
    """Something in the header that this reader does not know."""


@dataclass
class Declared:
    name: str
    comment: str
    line: int


@dataclass
class Param:
    type: str
    name: str


@dataclass
class Function(Declared):
    returns: str = ""
    params: list = field(default_factory=list)


@dataclass
class Struct(Declared):
    fields: list = field(default_factory=list)  # of (Param, comment)


@dataclass
class Typedef(Declared):
    text: str = ""


@dataclass
class Header:
    functions: list = field(default_factory=list)
    structs: list = field(default_factory=list)
    typedefs: list = field(default_factory=list)
    macros: list = field(default_factory=list)
    includes: list = field(default_factory=list)
    others: list = field(default_factory=list)


COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
DIRECTIVE = re.compile(r"#[ \t]*(\w+)((?:[^\n\\]|\\.|\\\n)*)")
STRUCT = re.compile(r"typedef\s+struct\s+(\w+)\s*\{(.*?)\}\s*(\w+)\s*;", re.S)
STATEMENT = re.compile(r"[^;{}]*;", re.S)
FUNCTION = re.compile(r"(?P<returns>[\w\s]+?[\s*]+)(?P<name>\w+)\s*\((?P<params>[^()]*)\)\s*;\Z", re.S)
EXTERN = re.compile(r'extern\s+"C"\s*\{')


def clean(comment):
    """The words of a comment, without its stars; lines kept."""
    if comment.startswith("//"):
        return comment[2:].strip()
    lines = comment[2:-2].lstrip("*").splitlines()
    return "\n".join(re.sub(r"^\s*\*? ?", "", line).rstrip() for line in lines).strip()


def param(text, where):
    match = re.fullmatch(r"(?P<type>.*?[\s*])(?P<name>\w+)(?P<array>\[\d*\])?", text.strip(), re.S)
    if not match:
        raise Unreadable(f"{where}: `{text.strip()}`")
    return Param(" ".join(match["type"].split()) + (match["array"] or ""), match["name"])


def params(text, where):
    text = text.strip()
    return [] if text in ("", "void") else [param(part, where) for part in text.split(",")]


def parse(text):
    header = Header()
    at, comment = 0, ""
    while True:
        at += len(text[at:]) - len(text[at:].lstrip())
        if at >= len(text):
            return header
        line = text.count("\n", 0, at) + 1
        rest = text[at:]
        if match := COMMENT.match(rest):
            comment = clean(match[0])
            at += match.end()
            continue
        if match := DIRECTIVE.match(rest):
            word, tail = match[1], match[2].strip()
            at += match.end()
            if word == "include":
                header.includes.append((tail.strip('<>"'), line))
            elif word == "define":
                name = re.match(r"\w+", tail)[0]
                value = tail[len(name):].strip()
                header.macros.append((Declared(name, comment, line), value))
                comment = ""
            elif word not in ("if", "ifdef", "ifndef", "else", "elif", "endif", "undef", "pragma", "error"):
                raise Unreadable(f"line {line}: #{word}")
            # `#ifdef __cplusplus` stands between a macro's comment and its two definitions.
            elif word in ("endif",):
                comment = ""
            continue
        if match := EXTERN.match(rest):
            at += match.end()
            comment = ""
            continue
        if rest[0] == "}":
            at += 1
            continue
        if match := STRUCT.match(rest):
            if match[1] != match[3]:
                raise Unreadable(f"line {line}: struct {match[1]} and typedef {match[3]}")
            header.structs.append(Struct(match[3], comment, line, fields(match[2], line)))
        elif match := STATEMENT.match(rest):
            declare(header, match[0], comment, line)
        else:
            raise Unreadable(f"line {line}: `{rest.splitlines()[0]}`")
        comment = ""
        at += match.end()


def declare(header, statement, comment, line):
    if statement.lstrip().startswith("typedef"):
        # The name of a function pointer type stands in the middle.
        match = re.search(r"\(\s*\*\s*(\w+)\s*\)", statement) or re.search(r"(\w+)\s*;\Z", statement)
        if re.search(r"\b(enum|union)\b", statement):
            header.others.append(Declared(" ".join(statement.split()), comment, line))
        header.typedefs.append(Typedef(match[1], comment, line, statement))
    elif match := FUNCTION.match(statement.lstrip()):
        name = match["name"]
        listed = params(match["params"], f"line {line}: {name}")
        returns = " ".join(match["returns"].split())
        header.functions.append(Function(name, comment, line, returns, listed))
    else:
        header.others.append(Declared(" ".join(statement.split()), comment, line))


def fields(body, line):
    found, at, comment = [], 0, ""
    while at < len(body):
        rest = body[at:]
        if rest[0].isspace():
            at += 1
        elif match := COMMENT.match(rest):
            comment = clean(match[0])
            at += match.end()
        elif match := STATEMENT.match(rest):
            found.append((param(match[0][:-1], f"line {line}"), comment))
            comment = ""
            at += match.end()
        else:
            raise Unreadable(f"line {line}: struct field `{rest.strip()}`")
    return found


def load(path=HEADER):
    return parse(Path(path).read_text(encoding="utf-8"))


if __name__ == "__main__":
    # The sorted function names, for checks in shell.
    print("\n".join(sorted(function.name for function in load(*sys.argv[1:2]).functions)))
