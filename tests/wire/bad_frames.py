#!/usr/bin/env python3
"""Sends every row of "Bad frames" in docs/wire.md, and wants the answer that the row tells.

    bad_frames.py [--usersd PROGRAM] [--echo-server PROGRAM]

While a bad frame is with the server an honest client calls on another pipe,
and is answered each time. All rows are sent again and again; then the server
has no more memory than before.
"""

import argparse
import functools
import os
import re
import time

import users
import wire
import wire_doc
from channel import simple
from harness import Report, Server, equal, true
from wire import Pipe, call

WARM_UP_ROUNDS = 20  # until the server's pools are as full as they get
MEASURED_ROUNDS = 3
MEMORY_PERCENT = 5
HONEST_S = 5  # the most that a call of the honest client takes; it is told how long one took
SANITIZED_HONEST_S = 20
CALM_S = 2  # how long the least is looked for
SANITIZED_PERCENT = 100  # a sanitizer's allocator gives little back
CLIENT_ID = b"\0client_id of C\0"


class Honest:
    """The client beside: one call at a time, each answered at once, as a busy machine may take it."""

    def __init__(self, server):
        self.pipe = Pipe.connect(server.url)
        self.timeout = SANITIZED_HONEST_S if server.is_sanitized() else HONEST_S
        self.longest = 0

    def call(self):
        since = time.monotonic()
        reply = simple(self.pipe, call(1, users.HEALTH), timeout=self.timeout).replies[1]
        equal(str(reply), "OK", "the honest client")
        self.longest = max(self.longest, time.monotonic() - since)


def shown(frame):
    """A server's frame as the page writes answers."""
    try:
        response = wire.read_response(frame)
    except wire.Rejected as reject:
        detail = f" detail={reject.detail}" if reject.detail else ""
        return f"reject {reject.name}{detail}"
    replies = [f"{call_id}={reply}" for call_id, reply in sorted(response.replies.items())]
    return " ".join(["ok", *replies])


def answer_of(pipe, request_id):
    try:
        return shown(pipe.recv(request_id))
    except wire.Closed:
        return "closed"


def send(pipe, body):
    try:
        return pipe.send(body)
    except wire.Closed:
        return None


class Rows:
    """The rows that a server is sent, with what it must answer."""

    def __init__(self, server, columns, limit):
        self.server, self.limit = server, limit
        self.rows, self.bodies = {}, {}
        for column in columns:
            self.rows.update(wire_doc.table(13, "recipe", column))

    def body(self, row):
        recipe = row["recipe"]
        if recipe not in self.bodies:
            self.bodies[recipe] = wire_doc.Recipe(self.limit, CLIENT_ID).body(recipe)
        return self.bodies[recipe].replace(CLIENT_ID, os.urandom(16), 1)

    def want(self, row):
        answer = next(text for column, text in row.items() if column.startswith("answer"))
        return re.sub(r"LIMIT", str(self.limit), answer)

    def one(self, row, honest):
        """One row on a pipe of its own; the honest client calls while it is under way."""
        pipe = Pipe.connect(self.server.url)
        try:
            request_id = send(pipe, self.body(row))
            honest.call()
            equal(answer_of(pipe, request_id), self.want(row), row["recipe"])
        finally:
            pipe.close()

    def all_at_once(self, honest):
        """Every row that leaves the pipe open, on one pipe, without waiting between them."""
        pipe = Pipe.connect(self.server.url)
        sent = []
        for row in self.rows.values():
            if self.want(row) != "closed":
                sent.append((row, send(pipe, self.body(row))))
                while len(sent) > 32:
                    equal_row(pipe, *sent.pop(0), self)
                honest.call()
        for row, request_id in sent:
            equal_row(pipe, row, request_id, self)
        pipe.close()

    def cut_short(self, honest):
        """Every row again, each on a pipe that is closed before the answer."""
        for row in self.rows.values():
            pipe = Pipe.connect(self.server.url)
            send(pipe, self.body(row))
            pipe.close()
        honest.call()

    def round(self, honest):
        for row in self.rows.values():
            self.one(row, honest)
        self.all_at_once(honest)
        self.cut_short(honest)


def equal_row(pipe, row, request_id, rows):
    equal(answer_of(pipe, request_id), rows.want(row), row["recipe"])


def least_memory(server):
    """What it is when nothing is under way: what was cut short may still be in work when its round is over."""
    until = time.monotonic() + CALM_S
    least = server.memory_kb()
    while time.monotonic() < until:
        least = tuple(min(pair) for pair in zip(least, server.memory_kb()))
        time.sleep(0.01)
    return least


def memory_stays(rows, honest):
    for _ in range(WARM_UP_ROUNDS):
        rows.round(honest)
    before = least_memory(rows.server)
    for _ in range(MEASURED_ROUNDS):
        rows.round(honest)
    after = least_memory(rows.server)
    print(f"# anonymous memory, RSS in kB: {before} before {MEASURED_ROUNDS} rounds, {after} after them")
    percent = SANITIZED_PERCENT if rows.server.is_sanitized() else MEMORY_PERCENT
    for was, now in zip(before, after):
        true(now <= was * (100 + percent) / 100, f"memory grew from {before} to {after}")


def run(report, kind, command, columns, limit):
    with Server(command) as server:
        rows = Rows(server, columns, limit)
        honest = Honest(server)
        for name, row in rows.rows.items():
            report.run(f"{name}: {rows.want(row)} ({kind})", rows.one, row, honest)
        report.run(f"all rows at once on one pipe ({kind})", rows.all_at_once, honest)
        report.run(f"all rows on pipes that close ({kind})", rows.cut_short, honest)
        report.run(f"memory is the same after three more rounds ({kind})", memory_stays, rows, honest)
        print(f"# the longest call of the honest client took {honest.longest * 1000:.0f} ms")
        report.run(f"the server stops with 0 ({kind})", lambda: equal(server.stop(), 0))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--usersd")
    parser.add_argument("--echo-server")
    options = parser.parse_args()

    report = Report()
    limit = wire_doc.limits()["frame_bytes"]
    if options.usersd:
        command = [options.usersd, "serve", "--store", "memory:"]
        run(report, "usersd", command, ("answer", "answer of users"), limit)
    if options.echo_server:
        command = [options.echo_server, "--frame-bytes-max", str(4 * limit)]
        run(report, "echo, 4 MiB", command, ("answer", "answer of 4 MiB"), 4 * limit)
    report.exit()


if __name__ == "__main__":
    main()
