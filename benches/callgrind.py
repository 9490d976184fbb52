"""Reads callgrind's files, and tells two runs of the same program apart."""
import collections
import re

POSITION = re.compile(r"[+\-*0-9]")
NAMED = re.compile(r"(c?fn|fl|fi|fe|cfi|cfl|ob|cob)=(?:\((\d+)\))?\s*(.*)")


class Profile:
    """Instructions by function, without and with what it calls, and by line of the sources."""

    def __init__(self, path):
        self.own = collections.Counter()
        self.inclusive = collections.Counter()
        self.lines = collections.Counter()
        self.total = 0
        with open(path) as file:
            self.read(file)

    def read(self, file):
        # Names are written once, with a number that stands for them afterwards; kinds share numbers by letter.
        names = {}
        function = source = callee = None
        line_number = 0
        in_call = False
        for line in file:
            line = line.rstrip("\n")
            named = NAMED.match(line)
            if named:
                kind, number, name = named.groups()
                group = "file" if kind[-2:] in ("fl", "fi", "fe") else "function" if kind.endswith("fn") else "object"
                if number is not None:
                    name = names.setdefault((group, number), name) if name else names[(group, number)]
                if kind == "fn":
                    function = name
                elif kind == "cfn":
                    callee = name
                elif kind in ("fl", "fi", "fe"):
                    source = name
            elif line.startswith("calls="):
                in_call = True
            elif line.startswith("totals:"):
                self.total = int(line.split()[1])
            elif line and POSITION.match(line[0]):
                position, *costs = line.split()
                line_number = moved(line_number, position)
                cost = int(costs[0]) if costs else 0
                if in_call:
                    # A function that calls itself would count its own callees twice.
                    if callee != function:
                        self.inclusive[function] += cost
                    in_call = False
                else:
                    self.own[function] += cost
                    self.inclusive[function] += cost
                    self.lines[(source, line_number)] += cost


def moved(line_number, position):
    if position == "*":
        return line_number
    if position[0] in "+-":
        return line_number + int(position)
    return int(position)


def per_message(less, more, messages):
    """What grew from one counter to the other, for each message, the largest first."""
    grown = {key: (more[key] - less[key]) / messages for key in more}
    return sorted(((cost, key) for key, cost in grown.items() if abs(cost) >= 0.05), reverse=True, key=lambda x: x[0])
