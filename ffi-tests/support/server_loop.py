"""One thread for all sockets: calls back when one is ready, and at points in time."""

import collections
import heapq
import itertools
import selectors
import sys
import time

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE


class Timer:
    def __init__(self, call):
        self.call = call

    def cancel(self):
        self.call = None


class Loop:
    def __init__(self):
        self._selector = selectors.DefaultSelector()
        self._timers = []
        self._numbers = itertools.count()
        self._soon = collections.deque()

    def watch(self, sock, old, new, call):
        """From the events `old` to the events `new`, either of them may be 0."""
        if old == new:
            return
        if not old:
            self._selector.register(sock, new, call)
        elif not new:
            self._selector.unregister(sock)
        else:
            self._selector.modify(sock, new, call)

    def soon(self, call):
        """After all that is ready now: one turn later."""
        self._soon.append(call)

    def later(self, seconds, call):
        timer = Timer(call)
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._numbers), timer))
        return timer

    def run(self):
        while True:
            self._turn()

    def _turn(self):
        for key, events in self._selector.select(self._patience()):
            guarded(key.data, events)
        for _ in range(len(self._soon)):
            guarded(self._soon.popleft())
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)[2]
            if timer.call:
                guarded(timer.call)

    def _patience(self):
        if self._soon:
            return 0
        while self._timers and not self._timers[0][2].call:
            heapq.heappop(self._timers)
        return max(0, self._timers[0][0] - time.monotonic()) if self._timers else None


def guarded(call, *arguments):
    """A mistake in the handling of one connection must not end the others."""
    try:
        call(*arguments)
    except Exception as error:  # pylint: disable=broad-except
        print("server.py: %s: %r" % (getattr(call, "__qualname__", call), error), file=sys.stderr, flush=True)
