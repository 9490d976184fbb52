#!/usr/bin/env python3
"""Compares what the Autobahn cases came to with what they should come to.

compare.py EXPECTED OUT [--without CASES...]   OUT has the suite's reports; CASES such as `12.*` were left out
compare.py --write EXPECTED OUT                writes EXPECTED anew
compare.py --self-test                         proves that each rule can fail

EXPECTED has lines such as `1.1.1-8 OK/OK`: cases, what became of the messages, and of the close. However it reads,
nothing passes but OK, and INFORMATIONAL where the suite judges nothing.
"""

import fnmatch
import json
import re
import sys
from collections import Counter
from pathlib import Path

GOOD = {"OK", "INFORMATIONAL"}
HEAD = "# What each case comes to: messages/close. Written by compare.py --write, and read with care.\n"


def order(case):
    return [int(part) for part in case.split(".")]


def parse(text):
    """{case: result} of an expected file."""
    results = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        match = re.fullmatch(r"((?:\d+\.)+)(\d+)(?:-(\d+))? ([A-Z -]+/[A-Z -]+)", line)
        if not match:
            raise ValueError(f"line {number}: `{line}`")
        group, first, last, result = match.groups()
        for at in range(int(first), int(last or first) + 1):
            if results.setdefault(f"{group}{at}", result) != result:
                raise ValueError(f"line {number}: {group}{at} has two results")
    return results


def spans(results):
    """[(cases, result)]: neighbours with the same result are one, such as `1.1.1-8`."""
    rows = []
    for case in sorted(results, key=order):
        group, _, at = case.rpartition(".")
        if rows and rows[-1][0] == group and rows[-1][2] == int(at) - 1 and rows[-1][3] == results[case]:
            rows[-1][2] = int(at)
        else:
            rows.append([group, int(at), int(at), results[case]])
    return [(f"{group}.{at}" + (f"-{last}" if last > at else ""), result) for group, at, last, result in rows]


def render(results):
    """The text of an expected file."""
    return HEAD + "".join(f"{cases} {result}\n" for cases, result in spans(results))


def read(out):
    """{case: result} and {case: its page} out of the suite's reports below a folder."""
    results, reports = {}, {}
    for index in sorted(Path(out).rglob("index.json")):
        for cases in json.loads(index.read_text(encoding="utf-8")).values():
            for case, said in cases.items():
                results[case] = f"{said['behavior']}/{said['behaviorClose']}"
                reports[case] = index.parent / said["reportfile"].replace(".json", ".html")
    return results, reports


def judge(expected, results, without=()):
    """What is wrong, as {case: complaint}."""
    wanted = {
        case: result for case, result in expected.items()
        if not any(fnmatch.fnmatchcase(case, pattern) for pattern in without)
    }
    wrong = {}
    for case in sorted(wanted.keys() | results.keys(), key=order):
        want, got = wanted.get(case), results.get(case)
        if got is None:
            wrong[case] = f"expected {want}, was not run"
        elif want is None:
            wrong[case] = f"expected nothing, got {got}"
        elif got != want:
            wrong[case] = f"expected {want}, got {got}"
        elif not set(got.split("/")) <= GOOD:
            wrong[case] = f"{got} is never right"
    return wrong


def report(expected_file, out, without=()):
    """Prints what is wrong, or that nothing is; tells which."""
    results, reports = read(out)
    try:
        wrong = judge(parse(Path(expected_file).read_text(encoding="utf-8")), results, without)
    except ValueError as error:
        print(f"{expected_file}: {error}")
        return False
    for cases, complaint in spans(wrong):
        print(f"{cases}: {complaint}")
    for folder in sorted({reports[case].parent for case in wrong if case in reports}):
        print(f"see {folder / 'index.html'}")
    if not results:
        print(f"there are no results below {out}")
    counts = ", ".join(f"{count} {result}" for result, count in Counter(results.values()).most_common())
    print(f"autobahn: {len(results)} cases ({counts}); {f'{len(wrong)} wrong' if wrong else 'all as expected'}")
    return bool(results) and not wrong


def self_test():
    good = parse("# c\n1.1.1-3 OK/OK\n2.10 OK/OK\n7.1.6 INFORMATIONAL/INFORMATIONAL\n12.1.1-2 OK/OK\n")
    assert len(good) == 7 and good["1.1.2"] == good["2.10"] == good["12.1.2"] == "OK/OK"
    assert render(good).split("\n")[1:] == [
        "1.1.1-3 OK/OK", "2.10 OK/OK", "7.1.6 INFORMATIONAL/INFORMATIONAL", "12.1.1-2 OK/OK", ""]
    odd = {**good, "1.1.2": "FAILED/WRONG CODE", "9.2.9": "NON-STRICT/FAILED BY CLIENT", "9.2.11": "OK/UNCLEAN"}
    assert parse(render(odd)) == odd
    for text in ("1.1.1", "1.1.1 OK", "x OK/OK", "1.1.1-2 OK/OK\n1.1.2 OK/UNCLEAN"):
        try:
            parse(text)
        except ValueError:
            continue
        raise AssertionError(f"`{text}` is taken")

    quick = {case: result for case, result in good.items() if not case.startswith("12.")}
    assert judge(good, good) == {} and judge(good, quick, ["12.*"]) == {}
    assert list(judge(good, quick)) == ["12.1.1", "12.1.2"]
    assert list(judge(quick, good)) == ["12.1.1", "12.1.2"]
    # `1*` would be more than group 1, and group 1 is not group 12.
    assert list(judge(good, {}, ["1.*"])) == ["2.10", "7.1.6", "12.1.1", "12.1.2"]
    for result in ("NON-STRICT/OK", "FAILED/OK", "UNIMPLEMENTED/OK", "OK/UNCLEAN", "OK/WRONG CODE"):
        bad = {**good, "2.10": result}
        assert list(judge(good, bad)) == ["2.10"], result
        assert list(judge(bad, bad)) == ["2.10"], result
        assert list(judge(bad, good)) == ["2.10"], result


def main(arguments):
    if arguments == ["--self-test"]:
        self_test()
        return 0
    write = arguments[:1] == ["--write"]
    expected, out, *more = arguments[write:] if len(arguments) - write >= 2 else (None, None, None)
    if more[:1] not in ([], ["--without"]) or write and more:
        print(__doc__, file=sys.stderr)
        return 2
    if write:
        Path(expected).write_text(render(read(out)[0]), encoding="utf-8")
        return 0
    return 0 if report(expected, out, more[1:]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
