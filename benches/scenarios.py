"""The scenarios: what is run, what is read from a run, and for counting, with which two numbers of messages."""
import dataclasses
from collections.abc import Callable

KIB, MIB = 1 << 10, 1 << 20
LARGE = 64 * KIB
IDLE_S = 3


@dataclasses.dataclass(frozen=True)
class Figure:
    """One number of a run, as the report shows it."""

    heading: str
    unit: str
    read: Callable  # from what a client reported
    digits: int = 0
    more_is_better: bool = False
    plotted: bool = False


@dataclasses.dataclass(frozen=True)
class Scenario:
    key: str
    program: str  # the client's scenario
    size: int = 32
    one_cpu: bool = False  # server and client on one processor
    tls: bool = False
    options: tuple = ()
    figures: tuple = ()
    pilot: int = 0  # messages of the run that tells how many fit into the time
    connections: int = 0  # in place of messages
    quick: bool = True  # part of a quick run
    counts: tuple = ()  # numbers of messages of the two runs whose difference is counted; none: not counted

    @property
    def is_split(self):
        """Whether the network decides in how many pieces a message arrives, which moves the counts."""
        return self.size >= LARGE


def micros(heading, plotted=False):
    return (Figure(heading, "µs", lambda said: said["median_ns"] / 1e3, digits=1, plotted=plotted),)


def thousands(heading, plotted=False):
    return (Figure(heading, "thousand/s", lambda said: 1e6 / said["ns_per_message"], more_is_better=True,
                   plotted=plotted),)


def megabytes(heading, size, plotted=False):
    return (Figure(heading, "MB/s", lambda said: size * 1e3 / said["ns_per_message"], more_is_better=True,
                   plotted=plotted),)


def connections(heading, plotted=False):
    return (
        Figure(f"{heading}: memory of each", "KiB", lambda said: said["bytes_per_connection"] / KIB, digits=1,
               plotted=plotted),
        Figure(f"{heading}: connects", "1/s", lambda said: said["connects_per_s"], more_is_better=True),
        Figure(f"{heading}: processor time of a connect", "µs", lambda said: said["cpu_ns_per_connect"] / 1e3),
        Figure(f"{heading}: wake-ups in {IDLE_S} s of silence", "", lambda said: said["idle_wakes"]),
    )


ALL = (
    Scenario("rtt-32", "rtt", one_cpu=True, pilot=500, counts=(200, 1200),
             figures=micros("round trip 32 B", plotted=True)),
    Scenario("rttx-32", "rttx", one_cpu=True, pilot=500, counts=(200, 1200),
             figures=micros("round trip 32 B, host thread waits", plotted=True)),
    Scenario("rtth-32", "rtth", one_cpu=True, pilot=500, counts=(200, 1200),
             figures=micros("round trip 32 B, host polls", plotted=True)),
    Scenario("rtt-64k", "rtt", LARGE, one_cpu=True, pilot=100, counts=(50, 150),
             figures=micros("round trip 64 KiB", plotted=True)),
    Scenario("send-32", "send", pilot=20000, counts=(2000, 12000), figures=thousands("send 32 B", plotted=True)),
    Scenario("send-64k", "send", LARGE, pilot=200, counts=(100, 600),
             figures=megabytes("send 64 KiB", LARGE, plotted=True)),
    Scenario("recv-32", "recv", pilot=50000, counts=(2000, 22000),
             figures=thousands("receive 32 B", plotted=True)),
    Scenario("recv-1k", "recv", KIB, pilot=10000, figures=megabytes("receive 1 KiB", KIB)),
    Scenario("recv-64k", "recv", LARGE, pilot=200, counts=(50, 150),
             figures=megabytes("receive 64 KiB", LARGE, plotted=True)),
    Scenario("recv-64k-text", "recv", LARGE, options=("kind=text",), pilot=200, counts=(50, 150),
             figures=megabytes("receive 64 KiB of text", LARGE)),
    Scenario("recv-1m", "recv", MIB, pilot=20, figures=megabytes("receive 1 MiB", MIB)),
    Scenario("tls-rtt-32", "rtt", one_cpu=True, tls=True, pilot=500, counts=(200, 1200),
             figures=micros("wss: round trip 32 B", plotted=True)),
    Scenario("tls-send-64k", "send", LARGE, tls=True, pilot=100, counts=(100, 600),
             figures=megabytes("wss: send 64 KiB", LARGE)),
    Scenario("tls-recv-64k", "recv", LARGE, tls=True, pilot=100,
             figures=megabytes("wss: receive 64 KiB", LARGE, plotted=True)),
    Scenario("conns-1k", "conns", connections=1000, figures=connections("1,000 connections", plotted=True)),
    Scenario("conns-10k", "conns", connections=10000, quick=False, figures=connections("10,000 connections")),
    Scenario("tls-conns-1k", "conns", connections=1000, tls=True,
             figures=connections("wss: 1,000 connections", plotted=True)),
    Scenario("start", "first", figures=(
        Figure("start: exec to the first echo", "ms", lambda said: said["start_ns"] / 1e6, digits=2, plotted=True),)),
    Scenario("size", "", figures=(
        Figure("size, stripped, with what it loads beyond libc", "KiB", lambda said: said["bytes"] / KIB,
               plotted=True),)),
)
BY_KEY = {scenario.key: scenario for scenario in ALL}
COUNTED = tuple(scenario for scenario in ALL if scenario.counts)
NAMES = {scenario.key: scenario.figures[0].heading for scenario in COUNTED}
