#!/usr/bin/env python3
"""Checks what code of a shared library runs when it is loaded: the C runtime's, and what std keeps the program's
arguments with.

constructors.py LIBRARY
"""

import re
import subprocess
import sys

EXPECTED = [r"frame_dummy", r"std::sys::args::.*::ARGV_INIT_ARRAY(::.*)?"]


def lines(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def constructors(library):
    """The addresses in .init_array, as the loader will find them there."""
    sections = "\n".join(lines("readelf", "-SW", library))
    if re.search(r" \.(ctors|preinit_array) ", sections):
        sys.exit(f"{library} has constructors of another kind than .init_array")
    found = re.search(r" \.init_array +INIT_ARRAY +(\w+) +\w+ +(\w+)", sections)
    if not found:
        return []
    start, size = (int(number, 16) for number in found.groups())
    addresses = []
    for line in lines("readelf", "-rW", library):
        relocation = re.match(r"([0-9a-f]+) +\w+ +R_\w+_RELATIVE +([0-9a-f]+)$", line)
        if relocation and start <= int(relocation[1], 16) < start + size:
            addresses.append(int(relocation[2], 16))
    pointer = 8 if "ELF64" in "\n".join(lines("readelf", "-h", library)) else 4
    if len(addresses) != size // pointer:
        sys.exit(f"{library}: {len(addresses)} of {size // pointer} constructors can be named")
    return addresses


def main():
    library = sys.argv[1]
    names = {}
    for line in lines("nm", "-C", library):
        symbol = re.match(r"([0-9a-f]+) \w (.+)", line)
        if symbol:
            names.setdefault(int(symbol[1], 16), symbol[2])
    present = [names.get(address, hex(address)) for address in constructors(library)]
    others = [name for name in present if not any(re.fullmatch(known, name) for known in EXPECTED)]
    if others or not present:
        sys.exit(f"{library} runs when it is loaded: {', '.join(others) or 'nothing that is known'}")
    print(f"constructors: {', '.join(sorted(present))}")


main()
