"""What it was measured on: figures of another machine are other figures."""

import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile

from .measure import Failed, file_system


def first_of(path, key):
    with open(path, encoding="utf-8", errors="replace") as file:
        return next((line.split(":", 1)[1].strip() for line in file if line.startswith(key)), "?")


def version_of(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "not installed"
    return (done.stdout or done.stderr).split("\n", 1)[0].strip()


def distribution():
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "?")
    except OSError:
        return "?"


STALL_S = 0.0005
SPIN = """
import json, os, sys, time
processor, seconds, window_s, stall_s = int(sys.argv[1]), *map(float, sys.argv[2:])
os.sched_setaffinity(0, {processor})
begin = last = time.perf_counter()
still, touched = 0.0, set()
while last < begin + seconds:
    now = time.perf_counter()
    if now - last > stall_s:
        still += now - last
        touched.update(range(int((last - begin) / window_s), int((now - begin) / window_s) + 1))
    last = now
print(json.dumps([still / (last - begin), len(touched) * window_s / (last - begin)]))
"""


def stalls(seconds, window_s):
    """How much of the time a process that only looks at the clock did not run, in pieces of over
    half a millisecond, and in how many of the windows it met one: of one such process for each
    processor, the worst. Whether the machine stood still or ran something else it cannot tell.
    """
    found = []
    with contextlib.ExitStack() as stack:
        spinning = []
        for processor in os.sched_getaffinity(0):
            process = subprocess.Popen([sys.executable, "-c", SPIN, *map(str, (processor, seconds, window_s, STALL_S))],
                                       stdout=subprocess.PIPE, text=True)
            stack.callback(process.wait)
            stack.callback(process.kill)
            spinning.append(process)
        for process in spinning:
            output, _ = process.communicate()
            if process.returncode:
                raise Failed(f"looking at the clock failed: exit code {process.returncode}")
            found.append(json.loads(output))
    return tuple(max(shares) for shares in zip(*found))


def describe():
    memory_kib = int(first_of("/proc/meminfo", "MemTotal").split()[0])
    temporary = tempfile.gettempdir()
    return {
        "processors": f"{os.cpu_count()} x {first_of('/proc/cpuinfo', 'model name')}",
        "memory": f"{memory_kib / 2**20:.0f} GiB",
        "system": f"{distribution()}, Linux {platform.release()}",
        "compiler": version_of("cc", "--version"),
        "grpc++": version_of("pkg-config", "--modversion", "grpc++"),
        "postgresql": version_of("pg_config", "--version"),
        "databases": f"in {temporary} ({file_system(temporary)})",
        "load before": " ".join(f"{load:.1f}" for load in os.getloadavg())
                       + " (over 0.3: others were at work, and figures are of that)",
    }
