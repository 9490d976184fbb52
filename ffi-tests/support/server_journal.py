"""What the server has seen, by the names of connections, and those who wait for it."""

import hashlib
import re


def escaped(data, limit=None):
    """Text for one line of a log: bytes that are no UTF-8 and control characters become \\xNN."""
    text = data.decode("utf-8", "backslashreplace")
    if limit is not None:
        text = text[:limit]
    if text.isprintable():
        return text
    return "".join("\\x%02x" % ord(char) if ord(char) < 32 or ord(char) == 127 else char for char in text)


class Waiter:
    """Calls `done(line)` at the count-th line that has the pattern, as a regular expression or literally."""

    def __init__(self, count, pattern, done):
        self._left = count
        self._literal = pattern
        self._done = done
        try:
            self._search = re.compile(pattern).search
        except re.error:
            self._search = lambda line: None

    def see(self, line):
        """True if it was the last one."""
        if self._literal in line or self._search(line):
            self._left -= 1
            if self._left <= 0:
                self._done(line)
                return True
        return False


class Journal:
    """All connections of one name."""

    def __init__(self):
        self.lines = []
        self.connections = []  # open ones
        self._waiters = []
        self.forget()

    def forget(self):
        self.lines = []
        self.bytes = 0
        self.hash = hashlib.sha256()

    def add(self, line):
        self.lines.append(line)
        if self._waiters:
            self._waiters = [waiter for waiter in self._waiters if not waiter.see(line)]

    def payload(self, data):
        self.bytes += len(data)
        self.hash.update(data)

    def wait(self, waiter):
        if not any(waiter.see(line) for line in self.lines):
            self._waiters.append(waiter)

    def unwait(self, waiter):
        if waiter in self._waiters:
            self._waiters.remove(waiter)


class Journals:
    def __init__(self):
        self._journals = {}
        self.accepted = 0
        self.live = 0

    def of(self, name):
        return self._journals.setdefault(name, Journal())
