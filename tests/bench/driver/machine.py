"""What it was measured on: figures of another machine are other figures."""

import os
import platform
import subprocess
import tempfile

from .measure import file_system


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
