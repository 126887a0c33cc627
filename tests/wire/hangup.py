#!/usr/bin/env python3
"""Peers that hang up in the middle of their own traffic cost the server nothing.

    hangup.py --usersd USERSD | --echo-server ECHO_SERVER [--rounds N]

Some send a burst of frames, read nothing and close: the answers then fail while
frames of the same pipe are still being read. Some close after a part of a large
answer. Some read nothing and send on, until the server closes their pipes. A transport that
waits for what can never come (nng 1.5's one thread that frees pipes did, if a pipe was
closed in the middle of a message) gives no descriptor back from then on, and cannot end.
So: the descriptors are as many as before, an honest client is served, and
SIGTERM ends the server.
"""

import argparse
import concurrent.futures
import functools
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
WHOLE = 900000  # bytes of an answer that is written in several parts
PARTS = itertools.cycle((20000, 100000, 250000, 500000, 800000))
AT_ONCE = 8
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


def read_a_part(server):
    """Asks for a large answer, and leaves in the middle of it."""
    pipe = wire.Pipe.connect(server.url)
    pipe.send(wire.request_frame(calls=[wire.call(1, echo.ECHO, echo.grow(WHOLE))]))
    left = next(PARTS)
    while left > 0 and (octets := pipe.socket.recv(65536)):
        left -= len(octets)
    pipe.close()


def read_nothing(server):
    """Sends on and on, and reads nothing, until the server has had enough."""
    pipe = wire.Pipe.connect(server.url)
    pipe.socket.settimeout(10)
    try:
        pipe.send(wire.request_frame(calls=[wire.call(1, echo.ECHO, echo.grow(WHOLE))]))
        while True:
            pipe.send(wire.request_frame(calls=[wire.call(1, echo.ECHO, echo.echo(data=b"x" * 2000))]))
    except wire.Closed:
        pass
    pipe.close()


def descriptors(server):
    return len(os.listdir(f"/proc/{server.pid}/fd"))


def hang_up(server, rounds, leave):
    call_health(server)
    before = descriptors(server) + SLACK
    with concurrent.futures.ThreadPoolExecutor(max_workers=AT_ONCE) as peers:
        for peer in [peers.submit(leave, server) for _ in range(rounds)]:
            peer.result()
    settle(server, before)


def call_health(server):
    pipe = wire.Pipe.connect(server.url)
    try:
        equal(len(simple(pipe, wire.call(1, HEALTH)).replies), 1)
    finally:
        pipe.close()


def settle(server, most, timeout=30):
    """Waits until no more than @most descriptors are open: closing them takes a moment."""
    until = time.monotonic() + timeout
    while descriptors(server) > most:
        true(time.monotonic() < until, f"{descriptors(server)} descriptors are open, {most} before")
        # Each look is a call, so this waits for the server, not for a time.
        call_health(server)


def ways(options):
    """How many peers do what; usersd has no large answers."""
    yield options.rounds, "hang up", functools.partial(burst, large=False)
    if options.echo_server:
        yield options.rounds, "hang up with large answers unread", functools.partial(burst, large=True)
        yield options.rounds, "hang up in the middle of a large answer", read_a_part
        yield options.rounds // 4, "read nothing and send on", read_nothing


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--usersd")
    parser.add_argument("--echo-server")
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    if options.usersd:
        command = [options.usersd, "serve", "--store", "memory:", "--log-level", "warning"]
    else:
        command = [options.echo_server, "--send-timeout-ms", "100"]
    report = Report()
    for transport in ("ipc", "tcp"):
        extra = ["--insecure-plaintext"] if transport == "tcp" and options.usersd else []
        url = "ipc" if transport == "ipc" else "tcp://127.0.0.1:0"
        with Server(command + extra, url) as server:
            for rounds, what, leave in ways(options):
                report.run(f"{rounds} peers that {what} cost no descriptor ({transport})",
                           hang_up, server, rounds, leave)
            report.run(f"and the server ends when it is told to ({transport})",
                       lambda: equal(server.stop(), 0))
    report.exit()


if __name__ == "__main__":
    sys.exit(main())
