"""Instructions and system calls of one message: what the machine's other work does not change.

sched_yield does not count: how often one thread sees a lock that another one holds is the machine's matter.
"""
import os
import tempfile

import certificates
import harness


def count(client, scenario, library, runs, instructions=True, system_calls=True):
    """Both for each message, by name; None if the client has no such scenario. `runs`: as many of each."""
    pair, options = None, scenario.options
    if scenario.tls:
        pair, authority = certificates.paths()
        options = (*options, f"ca={authority}")
    environment = library.environment()
    counted = {}
    with harness.Server(tls=pair) as server, tempfile.TemporaryDirectory(prefix="bench-count-") as home:
        def run_instructions(messages):
            return harness.callgrind(client.name, scenario.program, server.url, scenario.size, messages, *options,
                                     out=os.path.join(home, "callgrind"), environment=environment)

        def run_system_calls(messages):
            calls = harness.system_calls(client.name, scenario.program, server.url, scenario.size, messages, *options,
                                         environment=environment)
            return None if calls is None else sum(calls.values()) - calls.get("sched_yield", 0)

        if instructions:
            counted["instructions"] = difference(run_instructions, runs, scenario.counts)
        if system_calls:
            counted["system_calls"] = difference(run_system_calls, runs, scenario.counts)
    return None if None in counted.values() else counted


def difference(run, runs, counts):
    """What a message more costs: start and end are in both runs, and cancel.

    Noise only ever adds, such as a read that found half of a message, so the least of several runs counts.
    """
    least = []
    for messages in counts:
        totals = [run(messages)]
        if totals[0] is None:
            return None
        totals += [run(messages) for _ in range(runs - 1)]
        least.append(min(totals))
    return (least[1] - least[0]) / (counts[1] - counts[0])
