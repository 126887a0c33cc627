"""One measurement: a server process, a load on it, what came out."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

CALLS_KEPT = 0.98  # of the arrivals of an open load: the rest is chance, they are drawn
RATE_STEP = 1.5    # of the search, until it has a rate on either side
RATE_CLOSE = 1.1   # two rates this near are one


class Failed(Exception):
    """A program did not do what it was started for."""


def fail(message):
    sys.exit(f"tools/bench: {message}")


@contextlib.contextmanager
def folder():
    path = tempfile.mkdtemp(prefix="pipit-bench-")
    try:
        yield pathlib.Path(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)


class Server:
    """A process that prints `listening on URL`; ends with the with-block."""

    def __init__(self, command, log=None):
        self.log = open(log, "wb") if log else subprocess.DEVNULL
        started = time.monotonic()
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE,
                                        stderr=self.log, text=True)
        line = self.process.stdout.readline()
        self.start_s = time.monotonic() - started
        if not line.startswith("listening on "):
            self.__exit__()
            raise Failed(f"{' '.join(str(word) for word in command)} did not start: {line!r}")
        self.url = line.removeprefix("listening on ").strip()
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        if self.log is not subprocess.DEVNULL:
            self.log.close()

    def memory_kib(self, field):
        return memory_kib(self.pid, field)


def memory_kib(pid, field):
    """Pss or Rss of a process."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field + ":"))


@contextlib.contextmanager
def serving(command, transport="ipc"):
    """`command URL`, with a socket in a folder of its own, or on a free port of loopback."""
    with folder() as path:
        url = f"ipc://{path}/s" if transport == "ipc" else "tcp://127.0.0.1:0"
        with Server([*command, url], log=path / "log") as server:
            yield server


def start_load(program, load, server_url, server_pid=None, **flags):
    command = [str(program), load, "--url", server_url]
    if server_pid:
        command += ["--server-pid", str(server_pid)]
    for name, value in flags.items():
        if value is True:
            command.append("--" + name)
        elif value is not None:
            command += ["--" + name, str(value)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish_load(process):
    output, errors = process.communicate(timeout=600)
    if not output.startswith("{"):
        raise Failed(f"{' '.join(process.args)}: {errors.strip() or 'no figures'}")
    return json.loads(output)


def run_load(program, load, server, **flags):
    """The figures of one load: as the program prints them, and what follows from them."""
    return derive([finish_load(start_load(program, load, server.url, server.pid, **flags))])


def derive(results):
    """Figures of one or several processes that loaded one server at the same time."""
    n_calls = sum(result["calls"] for result in results)
    middle = sorted(results, key=lambda result: result["p50_us"])[len(results) // 2]
    figures = dict(middle)
    figures.update(
        rate=n_calls / middle["seconds"],
        client_us=sum(r["client_cpu_s"] for r in results) * 1e6 / max(n_calls, 1),
        server_us=middle["server_cpu_s"] * 1e6 / max(n_calls, 1),
        p99_us=max(result["p99_us"] for result in results),
        failed=sum(result["failed"] for result in results),
        dropped=sum(result["dropped"] for result in results))
    return figures


def run_processes(program, server, n, seconds, **flags):
    """@n client processes at the same time, each with one blocking call in flight."""
    at = time.monotonic() + 0.5 + 0.1 * n
    processes = [start_load(program, "blocking", server.url, server.pid, n=1, seconds=seconds, at=at,
                            **flags) for _ in range(n)]
    return derive([finish_load(process) for process in processes])


def keeps_up(figures, rate, p99_us):
    return (figures["failed"] == 0 and figures["dropped"] == 0 and figures["p99_us"] < p99_us and
            figures["rate"] >= rate * CALLS_KEPT)


def waiting_max(rate):
    """Calls that an open load lets wait: past that it is overloaded, and need not be drained long."""
    return max(2000, int(rate * 0.02))


def highest_rate(run, guess, p99_us, close=RATE_CLOSE, tries=2):
    """The highest rate at which run(rate) keeps its p99: by steps, then by halving.

    A rate that fails has a second try: a machine with other work on it has moments.
    """
    best = None

    def holds(rate):
        nonlocal best
        for _ in range(tries):
            figures = run(rate)
            if keeps_up(figures, rate, p99_us):
                best = figures
                return True
        return False

    low, high = 0.0, 0.0
    rate = guess
    while not low or not high:
        if holds(rate):
            low = rate
            rate *= RATE_STEP
        else:
            high = rate
            rate /= RATE_STEP
        if rate < 100:
            return dict(figures_of_none(), rate=0.0)
        if low and high:
            break
    while high / low > close:
        rate = (low * high) ** 0.5
        if holds(rate):
            low = rate
        else:
            high = rate
    return dict(best, rate=low)


def figures_of_none():
    return {"p50_us": 0.0, "p99_us": 0.0, "client_us": 0.0, "server_us": 0.0, "failed": 0,
            "dropped": 0}


def file_system(path):
    """The type of the file system that @path is on: fsync is free on tmpfs."""
    best, kind = "", "?"
    with open("/proc/mounts", encoding="utf-8") as file:
        for line in file:
            _, mount, this, *_ = line.split()
            if os.path.commonpath([mount, os.path.realpath(path)]) == mount and len(mount) >= len(best):
                best, kind = mount, this
    return kind
