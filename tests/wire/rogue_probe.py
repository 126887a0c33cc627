"""The C client as a program that obeys, and how scenarios run it against a script."""

import subprocess
import threading

import wire_doc
from harness import equal, true
from rogue import Rogue

LATE_MS = 3000  # how far past its deadline a loaded machine may end a call
ALL = []
PROGRAM = []


class Probe:
    """The client program; .end() gives the fields of a call's end."""

    def __init__(self, url):
        self.process = subprocess.Popen(
            [PROGRAM[0], url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.ends, self.times, self.timeouts = {}, {}, {}
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            name, *words = line.split()
            with self.changed:
                if name in self.ends:
                    words = ["ENDED", "TWICE"]
                self.ends[name] = " ".join(words[:-1])
                self.times[name] = words[-1]
                self.changed.notify_all()
        with self.changed:
            self.ends[None] = "exit"
            self.changed.notify_all()

    def start(self, name, timeout_ms=10000, wait=False):
        self.timeouts[name] = timeout_ms
        self.process.stdin.write(f"{'wait' if wait else 'start'} {name} {timeout_ms} {name}\n")

    def cancel(self, name):
        self.process.stdin.write(f"cancel {name} 0\n")

    def end(self, name):
        """How the call ended: STATUS RAN ORIGIN REASON TEXT. It has to be in time."""
        with self.changed:
            while name not in self.ends and None not in self.ends:
                self.changed.wait()
            true(name in self.ends, "the client is alive")
        true(int(self.times[name]) <= self.timeouts[name] + LATE_MS, f"{name} took {self.times[name]} ms")
        return self.ends[name]

    def call(self, name, timeout_ms=10000, wait=False):
        self.start(name, timeout_ms, wait)
        return self.end(name)

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.reader.join()
        self.process.stdout.close()
        equal(self.process.returncode, 0, "the exit code of the client")
        equal(self.ends.get("freed"), "", "the client freed its channel")
        equal(int(self.times["freed"]), len(self.timeouts), "every call ended once")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.close()
        else:
            self.process.kill()
            self.process.wait()


def scenario(sentence):
    def add(function):
        ALL.append((sentence, function))
        return function

    return add


def good(frame):
    """What an honest server does with quick calls: held polls are all that waits.

    A client that was connected before comes back with a poll that is to be held for a
    moment only (send.c, HELLO_HOLD_MS), and sends no call before that is answered.
    """
    if frame.calls or frame.awaits:
        frame.answer_calls()
    elif frame.cancels or frame.request.get("hold_ms") == 1:
        frame.answer()
    else:
        frame.rogue.hold(frame)


def run(script, steps, on_accept=None):
    """@steps(probe, rogue) against a server that does @script."""
    with Rogue(script, on_accept) as rogue:
        with Probe(rogue.url) as probe:
            steps(probe, rogue)
        if rogue.failure:
            raise rogue.failure
        true(len(rogue.client_ids) <= 1, "one client_id a channel")
        true(all(len(client_id) == 16 for client_id in rogue.client_ids), "of 16 bytes")


def fine(name):
    return f"OK - - - {name}"


def said(code_name, name="reason"):
    """The end that docs/wire.md gives for a reason of the client: STATUS and REASON."""
    return wire_doc.table(12, "code", "ran")[code_name][name]


def expect(probe, name, status, ran, reason, origin=None):
    got = probe.end(name).split()
    equal((got[0], got[1], got[3]), (status, ran, reason), name)
    if origin:
        equal(got[2], origin, name)
