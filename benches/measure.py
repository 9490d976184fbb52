"""Times and sizes: every client in turn, round after round, so that what disturbs the machine disturbs all."""
import collections
import contextlib
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

import certificates
import harness
import scenarios

# What every program has anyway.
EVERYWHERE = re.compile(r"(linux-vdso|ld-linux\S*|lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+))\.so")
MOST_MESSAGES = 20_000_000
# A start is short: so many in each round.
STARTS = 5


def say(*words):
    print(*words, file=sys.stderr, flush=True)


class Measurement:
    """Results by client and scenario: what each run reported; and what failed."""

    def __init__(self, clients, chosen, library):
        self.clients = clients
        self.chosen = chosen
        self.library = library
        self.environment = library.environment()
        self.runs = collections.defaultdict(list)
        self.failed = {}
        self.without = set()  # clients that have no such scenario
        self.messages = {}
        processors = sorted(os.sched_getaffinity(0))
        self.client_cpu, self.other_cpu = processors[-1], processors[0]

    def median(self, client, scenario, figure):
        runs = self.runs.get((client.name, scenario.key))
        return statistics.median(figure.read(said) for said in runs) if runs else None

    def run_rounds(self, rounds, seconds):
        timed = [scenario for scenario in self.chosen if scenario.pilot or scenario.program == "first"]
        with contextlib.ExitStack() as stack:
            servers = self.start_servers(stack, timed)
            for number in range(rounds):
                for scenario in timed:
                    say(f"round {number + 1} of {rounds}: {scenario.key}")
                    for client in self.turn(number) * (STARTS if scenario.program == "first" else 1):
                        self.attempt(client, scenario, lambda c, s: self.timed(c, s, servers, seconds))
            for scenario in self.chosen:
                if scenario.connections and self.descriptors_suffice(scenario.connections):
                    say(scenario.key)
                    for client in self.clients:
                        self.attempt(client, scenario, self.connected)
        for scenario in self.chosen:
            if scenario.key == "size":
                for client in self.clients:
                    self.attempt(client, scenario, self.sized)

    def turn(self, number):
        first = number % len(self.clients)
        return self.clients[first:] + self.clients[:first]

    def attempt(self, client, scenario, measure):
        key = (client.name, scenario.key)
        if key in self.failed or key in self.without:
            return
        try:
            said = measure(client, scenario)
        except harness.Failed as failure:
            say(f"  {failure}")
            self.failed[key] = str(failure)
            return
        if said is None:
            self.without.add(key)
        else:
            self.runs[key].append(said)

    def start_servers(self, stack, wanted):
        servers = {}
        for one_cpu, tls in {(scenario.one_cpu, scenario.tls) for scenario in wanted}:
            cpu = self.client_cpu if one_cpu else self.other_cpu
            pair = certificates.paths()[0] if tls else None
            servers[one_cpu, tls] = stack.enter_context(harness.Server(cpu, pair))
        return servers

    def options(self, scenario):
        return (*scenario.options, *([f"ca={certificates.paths()[1]}"] if scenario.tls else []))

    def timed(self, client, scenario, servers, seconds):
        url = servers[scenario.one_cpu, scenario.tls].url
        options = self.options(scenario)
        common = {"cpu": self.client_cpu, "environment": self.environment}
        if scenario.program == "first":
            return harness.client(client.name, "first", url, scenario.size, 1, *options,
                                  wrap=[str(harness.HOME / "start")], **common)
        trips = scenario.program.startswith("rtt")
        key = (client.name, scenario.key)
        if key not in self.messages:
            pilot = harness.client(client.name, scenario.program, url, scenario.size, scenario.pilot, *options,
                                   **common)
            if pilot is None:
                return None
            fitting = int(seconds * 1e9 / pilot["ns_per_message"])
            self.messages[key] = min(max(fitting, 10), MOST_MESSAGES)
        count = self.messages[key]
        if trips:
            options += (f"warm={max(50, count // 10)}", "laps=1")
        return harness.client(client.name, scenario.program, url, scenario.size, count, *options, **common)

    def descriptors_suffice(self, connections):
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if limit != resource.RLIM_INFINITY and limit < connections + 256:
            say(f"{connections} connections: not measured, this system allows {limit} descriptors (ulimit -Hn)")
            return False
        return True

    def connected(self, client, scenario):
        # A server of its own: the last client's connections may still be there.
        pair = certificates.paths()[0] if scenario.tls else None
        with harness.Server(self.other_cpu, pair) as server:
            return harness.client(client.name, "conns", server.url, scenario.size, scenario.connections,
                                  *self.options(scenario), f"idle={scenarios.IDLE_S}", cpu=self.client_cpu,
                                  environment=self.environment, timeout=180)

    def sized(self, client, _):
        program = os.path.realpath(harness.HOME / client.name)
        loaded = subprocess.run(["ldd", program], capture_output=True, text=True, env=self.environment).stdout
        libraries = [match[1] for match in re.finditer(r"=> (/\S+)", loaded)]
        own = [path for path in libraries if not EVERYWHERE.match(os.path.basename(path))]
        return {"bytes": sum(map(stripped_size, [program, *own]))}


def stripped_size(path):
    with tempfile.TemporaryDirectory(prefix="bench-size-") as home:
        copy = shutil.copyfile(os.path.realpath(path), os.path.join(home, "copy"))
        subprocess.run(["strip", "--strip-unneeded", copy], check=True)
        return os.path.getsize(copy)
