#!/usr/bin/env python3
"""A full client written from docs/wire.md alone, against real servers.

    peer.py [--usersd PROGRAM] [--echo-server PROGRAM] [--only WORDS]

Starts the servers itself, each on an address of its own. Prints a line
`ok N - sentence` a scenario; the last line is `N passed, N failed`.
"""

import argparse
import functools
import os
import signal
import tempfile
import time

import peer_life  # noqa: F401  pylint: disable=unused-import
import peer_limits  # noqa: F401  pylint: disable=unused-import
import peer_mailbox  # noqa: F401  pylint: disable=unused-import
import peer_sealed  # noqa: F401  pylint: disable=unused-import
import peer_simple  # noqa: F401  pylint: disable=unused-import
import scenarios
import sealed
import wire_doc
from harness import Report, Server, equal


class KnownServer(Server):
    """A server, and what the page says of it."""

    def __init__(self, kind, command, transport):
        self.keys = self.folder_of_keys = None
        if transport == "sealed":
            self.folder_of_keys = tempfile.TemporaryDirectory(prefix="pipit-keys-")
            self.keys = sealed.Keys(self.folder_of_keys.name)
            command = [*command, *self.keys.flags()]
        elif kind == "usersd":
            command = [*command, "--insecure-plaintext"]
        super().__init__(command, "ipc" if transport == "ipc" else "tcp://127.0.0.1:0")
        self.kind = kind
        self.limits = wire_doc.limits()
        self.constants = wire_doc.constants()

    def _start(self, url):
        super()._start(self.tcp_url if url.startswith("sealed") else url)
        self.tcp_url = self.url
        if self.keys:
            self.url = self.keys.url(self.url, self.keys.secrets["alice"])

    def reload(self, names):
        """Has usersd know the keys of @names alone, soon."""
        self.keys.authorize(names)
        self.process.send_signal(signal.SIGHUP)

    def log_line(self, part, timeout=20):
        """Waits for a line of its log that holds @part."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as log:
                for line in log:
                    if part in line and line.endswith("\n"):
                        return line
            time.sleep(0.01)
        raise AssertionError(f"no line with {part} in the log")

    def close(self):
        super().close()
        if self.folder_of_keys:
            self.folder_of_keys.cleanup()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--usersd")
    parser.add_argument("--echo-server")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    programs = {"echo": [options.echo_server]}
    if options.usersd:
        programs["usersd"] = [options.usersd, "serve", "--store", "memory:"]
    if not options.echo_server:
        del programs["echo"]

    report = Report()
    shared = {}

    def server_for(kind, transport, flags, own):
        key = (kind, transport, flags)
        if own:
            return KnownServer(kind, [*programs[kind], *flags], transport)
        if key not in shared:
            shared[key] = KnownServer(kind, [*programs[kind], *flags], transport)
        return shared[key]

    def run(function, kind, transport, flags, own):
        server = server_for(kind, transport, flags, own)
        try:
            return function(server)
        finally:
            if own:
                server.close()

    for sentence, function, kinds, transports, flags, own in scenarios.ALL:
        for kind in (kind for kind in kinds if kind in programs):
            for transport in transports:
                title = f"{sentence} ({kind}, {transport})"
                if options.only in title:
                    report.run(title, functools.partial(run, function, kind, transport, flags, own))

    for (kind, transport, flags), server in shared.items():
        title = " ".join(["after all that,", kind, transport, *flags, "stops with 0"])
        report.run(title, lambda server=server: equal(server.stop(), 0, "the exit code"))
    report.exit()


if __name__ == "__main__":
    main()
