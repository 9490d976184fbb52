"""The check: instructions and system calls of ours against bounds.json. Times are never a test."""
import json

import clients
import counting
import harness
import scenarios

FILE = harness.BENCHES / "bounds.json"
# A count that is over its bound is taken again, with more runs: noise only ever adds.
RUNS, RUNS_IN_DOUBT = 2, 4
DIGITS = {"instructions": 0, "system_calls": 2}


def slack(kind, scenario, counted):
    """The bound for what was counted. Another glibc or compiler moves it by a little; more is to be seen."""
    if kind == "instructions":
        return round(counted * (1.08 if scenario.is_split else 1.03) + 5)
    return round(counted * (1.2 if scenario.is_split else 1.02) + 0.1, 2)


def read():
    with open(FILE) as file:
        return json.load(file)


def measure(bounds, library, wanted, in_doubt):
    """(kind, scenario, counted, bound) of all that has a bound."""
    for scenario in scenarios.COUNTED:
        kinds = {kind: bounds[kind][scenario.key] for kind in DIGITS if scenario.key in bounds[kind]}
        if not kinds or not wanted(scenario):
            continue
        wanted_kinds = {kind: kind in kinds for kind in DIGITS}
        counted = counting.count(clients.OURS, scenario, library, RUNS, **wanted_kinds)
        if in_doubt and any(counted[kind] > bound for kind, bound in kinds.items()):
            again = counting.count(clients.OURS, scenario, library, RUNS_IN_DOUBT, **wanted_kinds)
            counted = {kind: min(counted[kind], again[kind]) for kind in kinds}
        for kind, bound in kinds.items():
            yield kind, scenario, counted[kind], bound


def check(library, wanted):
    """Prints what was counted; what is over its bound, in words."""
    over = []
    print("| scenario | what | a message | bound | |\n|---|---|---:|---:|---|")
    for kind, scenario, counted, bound in measure(read(), library, wanted, in_doubt=True):
        digits = DIGITS[kind]
        name, key = kind.replace("_", " "), scenario.key
        verdict = "ok"
        if counted > bound:
            verdict = "OVER"
            over.append(f"{key}: {counted:,.{digits}f} {name} a message, the bound is {bound:,}")
        elif slack(kind, scenario, counted) < bound * 0.9:
            verdict = "ok; the bound could be lower"
        print(f"| {key} | {name} | {counted:,.{digits}f} | {bound:,} | {verdict} |", flush=True)
    return over


def write(library):
    """Measures anew and writes the bounds, with some slack."""
    bounds = read()
    for kind, scenario, counted, _ in measure(bounds, library, lambda _: True, in_doubt=False):
        key = scenario.key
        bounds[kind][key] = slack(kind, scenario, counted)
        print(f"{key}: {kind.replace('_', ' ')} {bounds[kind][key]:,}", flush=True)
    with open(FILE, "w") as file:
        json.dump(bounds, file, indent=2)
        file.write("\n")
