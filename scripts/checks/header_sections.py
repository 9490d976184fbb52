#!/usr/bin/env python3
"""Checks that the header tells a host author all that it must, and holds nothing an ABI must not.

header_sections.py [HEADER]      checks a header, include/taro_socket.h by default
header_sections.py --self-test   proves on made-up headers that each rule can fail
"""

import re
import sys

sys.dont_write_bytecode = True
import taro_header

SECTIONS = ["Ownership", "Threads", "Callbacks", "Returns", "Since"]
FIXED = {"void", "char", "size_t", *(f"{sign}int{bits}_t" for sign in ("", "u") for bits in (8, 16, 32, 64))}
INCLUDES = {"stddef.h", "stdint.h"}
STATUSES = re.compile(r"TARO_STATUS_\w+")


def check(text):
    try:
        header = taro_header.parse(text)
    except taro_header.Unreadable as unreadable:
        return [f"cannot be read: {unreadable}"]
    known = FIXED | {item.name for item in header.structs + header.typedefs}
    macros = {macro.name for macro, _ in header.macros}
    errors = []
    for function in header.functions:
        errors += [f"{function.line}: {function.name}: {error}" for error in of_function(function, known)]
        errors += unknown_names(function, macros)
    for struct in header.structs:
        errors += [f"{struct.line}: {struct.name}: {error}" for error in of_struct(struct, known)]
    for typedef in header.typedefs:
        errors += [f"{typedef.line}: {typedef.name}: {error}" for error in of_typedef(typedef, known)]
    commented = {macro.name for macro, _ in header.macros if macro.comment}
    for macro, value in header.macros:
        # The include guard is the one macro that says nothing.
        if value and macro.name not in commented:
            errors.append(f"{macro.line}: {macro.name}: no comment")
    for include, line in header.includes:
        if include not in INCLUDES:
            errors.append(f"{line}: #include of {include}: only {' and '.join(sorted(INCLUDES))}")
    for other in header.others:
        errors.append(f"{other.line}: `{other.name}` is none of function, struct, typedef and macro")
    if not header.functions:
        errors.append("no function at all")
    return errors


def of_function(function, known):
    comment = function.comment
    if not comment:
        return ["no comment"]
    errors = types([("the return value", function.returns)], known)
    errors += types([(param.name, param.type) for param in function.params], known)

    head = re.split(r"^(?:%s):" % "|".join(SECTIONS), comment, maxsplit=1, flags=re.M)[0]
    first = head.split("\n\n")[0]
    if not re.match(r"[A-Z][^`]", first) or "." not in first:
        errors.append("does not begin with a sentence")
    for param in function.params:
        if not re.search(rf"`{param.name}`:", head):
            errors.append(f"parameter `{param.name}`: is not explained before the sections")
    for named in re.findall(r"`(\w+)`:", head):
        if named not in {param.name for param in function.params}:
            errors.append(f"explains `{named}`:, which is no parameter")

    found = re.findall(r"^(%s):(.*)" % "|".join(SECTIONS), comment, flags=re.M)
    names = [name for name, _ in found]
    for section in SECTIONS:
        if names.count(section) != 1:
            errors.append(f"has `{section}:` {names.count(section)} times instead of once")
    if names != [section for section in SECTIONS if section in names]:
        errors.append(f"sections stand in another order than {', '.join(SECTIONS)}")
    errors += [f"`{name}:` says nothing" for name, says in found if not says.strip()]
    if function.returns == "taro_status" and "TARO_STATUS_OK" not in comment.split("Returns:")[-1]:
        errors.append("`Returns:` does not name TARO_STATUS_OK")
    since = re.search(r"^Since:\s*(.*)", comment, flags=re.M)
    if since and not re.fullmatch(r"\d+\.\d+\.\d+", since[1]):
        errors.append(f"`Since:` is `{since[1]}`, not a version")
    return errors


def unknown_names(function, macros):
    # In backquotes it is a text, which need not be a constant.
    missing = sorted(set(STATUSES.findall(re.sub(r"`[^`]*`", "", function.comment))) - macros)
    return [f"{function.line}: {function.name}: names {name}, which does not exist" for name in missing]


def of_struct(struct, known):
    errors = [] if struct.comment else ["no comment"]
    errors += types([(field.name, field.type) for field, _ in struct.fields], known)
    errors += [f"field {field.name} has no comment" for field, comment in struct.fields if not comment]
    frozen = re.search(r"\bstruct is frozen\b", struct.comment)
    first = struct.fields[0][0] if struct.fields else None
    sized = first and (first.name, first.type) == ("struct_size", "uint32_t")
    if frozen and sized:
        errors.append("is frozen and has a struct_size")
    if not frozen and not sized:
        errors.append("does not begin with `uint32_t struct_size`, and does not say `This struct is frozen`")
    return errors


def of_typedef(typedef, known):
    errors = [] if typedef.comment else ["no comment"]
    inner = re.fullmatch(r"typedef\s+(.*?)\(\s*\*\s*\w+\s*\)\s*\((.*)\)\s*;", typedef.text, re.S)
    if inner:
        listed = taro_header.params(inner[2], typedef.name)
        return errors + types(
            [("the return value", inner[1]), *((param.name, param.type) for param in listed)], known
        )
    plain = re.fullmatch(r"typedef\s+(.*?)\s*\b\w+\s*;", typedef.text, re.S)
    return errors + types([("it", plain[1])], known)


def types(named, known):
    """What is not made of fixed-width integers, size_t, char behind a pointer, and our own types."""
    errors = []
    for name, text in named:
        words = re.findall(r"\w+|\*|\[\d*\]", text)
        base = [word for word in words if word not in ("const", "struct", "*")]
        pointer = "*" in words
        if len(base) != 1 or base[0] not in known or (base[0] == "char" and not pointer):
            errors.append(f"type of {name} is `{text.strip()}`: its size is not fixed")
    return errors


GOOD = """
/** Top. */
#ifndef GUARD
#define GUARD
#include <stddef.h>
#include <stdint.h>
/** A number. */
#define TARO_STATUS_OK 0
/** Outcome. */
typedef int32_t taro_status;
/** Told. */
typedef void (*taro_told_fn)(const char *text, size_t text_len, void *user_data);
/** A pair. This struct is frozen. */
typedef struct taro_pair {
    /** First. */
    uint8_t first;
} taro_pair;
/** Options. */
typedef struct taro_options {
    /** Size. */
    uint32_t struct_size;
    /** The pair. */
    struct taro_pair pair;
} taro_options;
#ifdef __cplusplus
extern "C" {
#endif
/**
 * Does a thing.
 *
 * `options`: how; not NULL. `out`: receives it.
 *
 * Ownership: nothing.
 * Threads: any.
 * Callbacks: none.
 * Returns: TARO_STATUS_OK.
 * Since: 0.1.0
 */
taro_status taro_thing_do(const struct taro_options *options, uint64_t *out);
#ifdef __cplusplus
}
#endif
#endif
"""

# What is put in, what for, and a part of what must be said about it.
BROKEN = [
    (" * Does a thing.\n", " * does\n", "sentence"),
    ("`out`: receives it.", "", "`out`"),
    ("`out`: receives", "`other`: sends. `out`: receives", "no parameter"),
    (" * Ownership: nothing.\n", "", "`Ownership:` 0 times"),
    (" * Threads: any.\n", "", "`Threads:` 0 times"),
    (" * Callbacks: none.\n", "", "`Callbacks:` 0 times"),
    (" * Returns: TARO_STATUS_OK.\n", "", "`Returns:` 0 times"),
    (" * Since: 0.1.0\n", "", "`Since:` 0 times"),
    ("Since: 0.1.0", "Since: ever", "not a version"),
    ("Returns: TARO_STATUS_OK.", "Returns: a number.", "TARO_STATUS_OK"),
    ("Returns: TARO_STATUS_OK.", "Returns: TARO_STATUS_OK; TARO_STATUS_ODD.", "does not exist"),
    ("Threads: any.", "Threads:", "says nothing"),
    (" * Ownership: nothing.\n * Threads: any.\n", " * Threads: any.\n * Ownership: nothing.\n", "order"),
    ("uint64_t *out", "long *out", "not fixed"),
    ("uint64_t *out", "bool out", "not fixed"),
    ("uint64_t *out", "unsigned out", "not fixed"),
    ("    uint8_t first;", "    uint8_t first : 1;", "not fixed"),
    ("    uint8_t first;", "    enum thing first;", "not fixed"),
    ("    uint8_t first;", "    char first;", "not fixed"),
    ("typedef int32_t taro_status;", "typedef int taro_status;", "not fixed"),
    ("const char *text, size_t", "const char *text, time_t", "not fixed"),
    ("typedef int32_t taro_status;", "typedef enum { A } taro_status;", "taro_status"),
    ("    /** The pair. */\n", "", "field pair has no comment"),
    ("/** A number. */\n", "", "TARO_STATUS_OK: no comment"),
    ("/** Options. */\n", "", "taro_options: no comment"),
    ("/** Told. */\n", "", "taro_told_fn: no comment"),
    ("    /** Size. */\n    uint32_t struct_size;\n", "", "struct_size"),
    ("uint32_t struct_size", "uint64_t struct_size", "struct_size"),
    (" This struct is frozen.", "", "struct_size"),
    ("#include <stdint.h>", "#include <stdint.h>\n#include <stdbool.h>", "stdbool.h"),
    ("/** Options. */", "extern int taro_number;\n/** Options. */", "none of"),
]


def self_test():
    failures = [f"good header: {error}" for error in check(GOOD)]
    for old, new, expected in BROKEN:
        if old not in GOOD:
            failures.append(f"`{old}` is not in the good header")
        errors = check(GOOD.replace(old, new, 1))
        if not any(expected in error for error in errors):
            failures.append(f"`{old.strip()}` → `{new.strip()}`: expected `{expected}`, got {errors}")
    return failures, len(BROKEN)


def main(args):
    if args == ["--self-test"]:
        failures, count = self_test()
        done = f"header_sections: {count} broken headers found out"
    else:
        path = args[0] if args else taro_header.HEADER
        failures = [f"{path}:{error}" for error in check(open(path, encoding="utf-8").read())]
        done = "header_sections: complete"
    print("\n".join(failures) if failures else done)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
