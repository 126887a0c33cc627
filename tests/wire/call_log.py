#!/usr/bin/env python3
"""What usersd's log tells of calls: one line each, as JSON into a pipe and readable on a terminal.

    call_log.py --usersd PROGRAM
"""

import argparse
import json
import os
import pty
import re
import subprocess
import tempfile
import time

import users
import wire
from channel import simple
from harness import Report, Server, equal, true

GET = "users.v1.UsersService/GetUser"
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = ("traceparent", f"00-{TRACE_ID}-00f067aa0ba902b7-01".encode())
BROKEN = ("traceparent", f"00-{TRACE_ID.upper()}-00f067aa0ba902b7-01".encode())
PRINCIPAL = f"uid:{os.geteuid()}"

# A call, and what its line says beside time, level, msg, duration_us and principal.
CALLS = [
    (wire.call(1, users.HEALTH), {"method": users.HEALTH, "status": "OK"}),
    (wire.call(1, GET, metadata=[TRACEPARENT]),
     {"method": GET, "status": "INVALID_ARGUMENT", "reason": "FIELD_INVALID", "trace_id": TRACE_ID}),
    (wire.call(1, GET, metadata=[BROKEN]),
     {"method": GET, "status": "INVALID_ARGUMENT", "reason": "FIELD_INVALID"}),
    (wire.call(1, "no.such/Method"),
     {"method": "no.such/Method", "status": "UNIMPLEMENTED", "reason": "METHOD_NOT_FOUND"}),
]


def make_calls(url):
    pipe = wire.Pipe.connect(url)
    for one, _ in CALLS:
        equal(len(simple(pipe, one).replies), 1)
    pipe.close()


def as_json(usersd):
    with Server([usersd, "serve", "--store", "memory:"]) as server:
        make_calls(server.url)
        server.terminate()
        equal(server.wait(), 0)
        with open(os.path.join(server.folder, "log"), encoding="utf-8") as log:
            lines = [json.loads(line) for line in log]
    lines = [line for line in lines if line["msg"] == "call"]
    equal(len(lines), len(CALLS), "lines")
    for line, (_, said) in zip(lines, CALLS):
        true(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line.pop("time")), "time")
        true(line.pop("duration_us") >= 0, "duration_us")
        equal(line, {"level": "info", "msg": "call", "principal": PRINCIPAL, **said})


def on_a_terminal(usersd):
    ours, theirs = pty.openpty()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        url = f"ipc://{folder}/s.sock"
        command = [usersd, "serve", "--store", "memory:", "--listen", url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, stdin=subprocess.DEVNULL) as server:
            os.close(theirs)
            try:
                equal(server.stdout.readline(), f"listening on {url}\n".encode())
                make_calls(url)
                said = read_until(ours, "METHOD_NOT_FOUND")
            finally:
                server.terminate()
    os.close(ours)
    lines = [line for line in said.splitlines() if GET in line]
    equal(len(lines), 2, said)
    true("{" not in said, "no JSON on a terminal")
    for word in ("INVALID_ARGUMENT", "FIELD_INVALID", PRINCIPAL, TRACE_ID):
        true(word in lines[0], f"{word} in {lines[0]!r}")


def read_until(fd, word, timeout=30):
    said, until = "", time.monotonic() + timeout
    while word not in said:
        true(time.monotonic() < until, said)
        said += os.read(fd, 65536).decode()
    return said


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--usersd", required=True)
    options = parser.parse_args()
    report = Report()
    report.run("each call is one line of JSON: method, status, reason, duration, principal, trace id",
               as_json, options.usersd)
    report.run("and one that people can read, on a terminal", on_a_terminal, options.usersd)
    report.exit()


if __name__ == "__main__":
    main()
