#!/usr/bin/env python3
"""Peers that hang up in the middle of their own traffic cost the server nothing.

    hangup.py --usersd USERSD | --echo-server ECHO_SERVER [--rounds N]

Each peer sends a burst of frames, reads nothing and closes. The answers then
fail while frames of the same pipe are still being read, and nng 1.5 waits for
ever in the one thread that frees pipes if a pipe is closed between the head and
the body of a message: from then on no descriptor is given back, and the server
cannot end. So: the descriptors are as many as before, an honest client is
served, and SIGTERM ends the server.
"""

import argparse
import itertools
import os
import sys
import time

import echo
import wire
from channel import simple
from harness import Report, Server, equal, true

SLACK = 4  # the pipes of our own last calls
HEALTH = "grpc.health.v1.Health/Check"
FRAMES = 200  # a burst: the server still reads it when its peer has gone
LARGE = 60000  # bytes of an answer: a few fill the buffers, so that a write waits for the peer
SIZES = itertools.cycle((10, LARGE, 3000, LARGE, 10, 10))


def burst(server, large):
    pipe = wire.Pipe.connect(server.url)
    pipe.socket.settimeout(0.2)  # a server that waits for us reads no more: then we are done
    try:
        for _ in range(FRAMES):
            one = wire.call(1, HEALTH)
            if large:
                one = wire.call(1, echo.ECHO, echo.echo(data=b"x" * next(SIZES)))
            pipe.send(wire.request_frame(calls=[one]))
    except (wire.Closed, TimeoutError):
        pass
    pipe.close()


def descriptors(server):
    return len(os.listdir(f"/proc/{server.pid}/fd"))


def hang_up(server, rounds, large):
    call_health(server)
    before = descriptors(server) + SLACK
    for _ in range(rounds):
        burst(server, large)
    settle(server, before)


def call_health(server):
    pipe = wire.Pipe.connect(server.url)
    try:
        equal(len(simple(pipe, wire.call(1, HEALTH)).replies), 1)
    finally:
        pipe.close()


def settle(server, most, timeout=30):
    """Waits until no more than @most descriptors are open: closing them is nng's, and takes a moment."""
    until = time.monotonic() + timeout
    while descriptors(server) > most:
        true(time.monotonic() < until, f"{descriptors(server)} descriptors are open, {most} before")
        # Each look is a call, so this waits for the server, not for a time.
        call_health(server)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--usersd")
    parser.add_argument("--echo-server")
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    if options.usersd:
        command = [options.usersd, "serve", "--store", "memory:", "--log-level", "warning"]
    else:
        command = [options.echo_server]
    report = Report()
    for transport in ("ipc", "tcp"):
        extra = ["--insecure-plaintext"] if transport == "tcp" and options.usersd else []
        url = "ipc" if transport == "ipc" else "tcp://127.0.0.1:0"
        with Server(command + extra, url) as server:
            for large in (False,) if options.usersd else (False, True):
                what = "with large answers unread " if large else ""
                report.run(f"{options.rounds} peers that hang up {what}cost no descriptor ({transport})",
                           hang_up, server, options.rounds, large)
            report.run(f"and the server ends when it is told to ({transport})",
                       lambda: equal(server.stop(), 0))
    report.exit()


if __name__ == "__main__":
    sys.exit(main())
