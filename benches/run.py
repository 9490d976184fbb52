"""Measures every client in every scenario, and prints one Markdown table; README.md says what the figures are.

    bench.sh [--quick] [--only REGEX] [--scenarios REGEX] [--rounds N] [--seconds S] [--no-counts] [--library FILE]
    bench.sh --check [--scenarios REGEX] [--library FILE]
    bench.sh --set-bounds [--library FILE]
"""
import argparse
import json
import re
import sys

import bounds
import clients
import counting
import harness
import measure
import plot
import report
import scenarios


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short runs, three rounds, no 10,000 connections")
    parser.add_argument("--only", default="", metavar="REGEX", help="clients by program name or label")
    parser.add_argument("--scenarios", default="", metavar="REGEX", help="scenarios by key")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="of each run")
    parser.add_argument("--no-counts", action="store_true", help="neither instructions nor system calls")
    parser.add_argument("--counts-only", action="store_true", help="nothing but these")
    parser.add_argument("--library", default=harness.LIBRARY, help="the build to measure")
    parser.add_argument("--check", action="store_true", help="compare counts of the library with bounds.json")
    parser.add_argument("--set-bounds", action="store_true", help="write bounds.json anew")
    return parser.parse_args()


def count_all(chosen, measured, library, runs):
    counted = {}
    for scenario in chosen:
        measure.say(f"counting: {scenario.key}")
        for client in measured:
            try:
                result = counting.count(client, scenario, library, runs)
            except harness.Failed as failure:
                measure.say(f"  {failure}")
                continue
            if result:
                counted[client.name, scenario.key] = result
    return counted


def write(name, content):
    (harness.HOME / name).write_text(content)
    measure.say(f"written: {harness.HOME / name}")


def measure_all(args, library, wanted):
    measured = [client for client in clients.ALL if re.search(args.only, f"{client.name} {client.label}")]
    chosen = [scenario for scenario in scenarios.ALL if wanted(scenario) and (scenario.quick or not args.quick)]
    measurement = measure.Measurement(measured, [] if args.counts_only else chosen, library)
    if not args.counts_only:
        measurement.run_rounds(args.rounds or (3 if args.quick else 5), args.seconds or (0.1 if args.quick else 0.5))
    counted = {}
    if not args.no_counts:
        chosen = [scenario for scenario in chosen if scenario.counts]
        counted = count_all(chosen, measured, library, 1 if args.quick else 2)
    rows = report.rows(measurement, counted)
    text = f"{report.table(measured, rows)}\n\n{report.machine()}\n"
    text += "".join(f"\nFailed: {failure}\n" for failure in measurement.failed.values())
    print(text)
    write("report.md", text)
    figures = plot.draw(rows, measured, clients.OURS, report.machine())
    if figures:
        write("report.svg", figures)
    runs = {f"{client} {key}": runs for (client, key), runs in measurement.runs.items()}
    runs |= {f"{client} {key} counted": both for (client, key), both in counted.items()}
    write("report.json", json.dumps(runs, indent=1))
    return 1 if measurement.failed else 0


def main():
    args = arguments()

    def wanted(scenario):
        return re.search(args.scenarios, scenario.key)

    try:
        library = harness.Library(args.library)
        if args.set_bounds:
            bounds.write(library)
            return 0
        if args.check:
            over = bounds.check(library, wanted)
            for line in over:
                print(f"error: {line}", file=sys.stderr)
            return 1 if over else 0
        return measure_all(args, library, wanted)
    except harness.Failed as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1


sys.exit(main())
