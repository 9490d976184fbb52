"""Where a client spends its instructions: callgrind of two runs, the difference for each message.

    profile.sh [--client NAME] [--library FILE] [--counts LESS,MORE] [--top N] [--keep DIR] SCENARIO...
"""
import argparse
import collections
import os
import pathlib
import tempfile

import callgrind
import certificates
import harness
import scenarios


def table(title, rows, top):
    print(f"\n{title}")
    for cost, name in rows[:top]:
        print(f"{cost:12,.1f}  {name}")


def place(key):
    source, line = key
    parts = pathlib.PurePath(source or "???").parts
    return f"{'/'.join(parts[-4:])}:{line}"


def by_file(lines):
    files = collections.Counter()
    for (source, _), cost in lines.items():
        files["/".join(pathlib.PurePath(source or "???").parts[-4:])] += cost
    return files


def profile(scenario, arguments, home, environment):
    counts = tuple(map(int, arguments.counts.split(","))) if arguments.counts else scenario.counts
    tls, options = None, scenario.options
    if scenario.tls:
        pair, authority = certificates.paths()
        tls, options = pair, (*options, f"ca={authority}")
    read = []
    with harness.Server(tls=tls) as server:
        for count in counts:
            out = os.path.join(home, f"{arguments.client}.{scenario.key}.{count}.callgrind")
            harness.callgrind(arguments.client, scenario.program, server.url, scenario.size, count, *options, out=out,
                              environment=environment)
            read.append(callgrind.Profile(out))
    less, more = read
    messages = counts[1] - counts[0]
    print(f"== {arguments.client} {scenario.key}: {(more.total - less.total) / messages:,.1f} instructions a message")
    table("with what it calls", callgrind.per_message(less.inclusive, more.inclusive, messages), arguments.top)
    table("by itself", callgrind.per_message(less.own, more.own, messages), arguments.top)
    rows = [(cost, place(key)) for cost, key in callgrind.per_message(less.lines, more.lines, messages)]
    files = callgrind.per_message(by_file(less.lines), by_file(more.lines), messages)
    table("by file, inlined ones where they were written", files, arguments.top)
    table("by line, inlined ones where they were written", rows, arguments.top)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--client", default="taro")
    parser.add_argument("--library", default=harness.LIBRARY)
    parser.add_argument("--counts", help="numbers of messages of the two runs")
    parser.add_argument("--top", type=int, default=40)
    parser.add_argument("--keep", help="folder for callgrind's files, for callgrind_annotate or kcachegrind")
    parser.add_argument("scenario", nargs="+", choices=scenarios.BY_KEY)
    arguments = parser.parse_args()
    environment = harness.Library(arguments.library)
    with tempfile.TemporaryDirectory(prefix="bench-profile-") as home:
        if arguments.keep:
            os.makedirs(arguments.keep, exist_ok=True)
        for key in arguments.scenario:
            profile(scenarios.BY_KEY[key], arguments, arguments.keep or home, environment.environment(stripped=False))


main()
