"""Contestants: built, and their packages installed, where they can be."""

import os
import pathlib
import shutil
import subprocess

from .measure import fail

ROOT = pathlib.Path(__file__).resolve().parents[3]
OURS = ["bench/bench-echo-pipit", "bench/bench-echo-nng", "bench/bench-echo-nng-server",
        "bench/bench-users-pipit", "bench/bench-users-sqlite", "fault/fault-server"]
GRPC_PACKAGES = ["g++", "libgrpc++-dev", "protobuf-compiler-grpc"]
PGBENCH_PACKAGES = ["postgresql-contrib"]


class Programs:
    """Where each contestant is; grpc and pgbench are None where they are left out."""

    def __init__(self, build):
        tests = build / "tests"
        self.build = build
        self.echo_pipit = tests / "bench/bench-echo-pipit"
        self.echo_pipit_server = tests / "fault/fault-server"
        self.echo_nng = tests / "bench/bench-echo-nng"
        self.echo_nng_server = tests / "bench/bench-echo-nng-server"
        self.users_pipit = tests / "bench/bench-users-pipit"
        self.users_sqlite = tests / "bench/bench-users-sqlite"
        self.usersd = build / "server/usersd"
        self.pipit = build / "tools/pipit"
        self.echo_grpc = None
        self.echo_grpc_server = None
        self.pgbench = None


def run(command):
    done = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True,
                          check=False)
    if done.returncode:
        fail(f"{' '.join(str(word) for word in command)} failed:\n{done.stdout}{done.stderr}")


def install(packages):
    """True if all of @packages are there, or could be installed."""
    def is_missing(package):
        asked = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", package],
                               capture_output=True, text=True, check=False)
        return asked.stdout != "installed"

    missing = [package for package in packages if is_missing(package)]
    if not missing:
        return True
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    print(f"tools/bench: installing {' '.join(missing)}", flush=True)
    environment = dict(os.environ, RUNLEVEL="1", DEBIAN_FRONTEND="noninteractive")
    for command in (["apt-get", "update", "-q"],
                    ["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing]):
        try:
            done = subprocess.run([*as_root, *command], env=environment, capture_output=True,
                                  check=False)
        except FileNotFoundError:
            return False
        if done.returncode:
            return False
    return True


def build_ours(build):
    if not (build / "build.ninja").exists():
        run(["meson", "setup", build, ROOT])
    else:
        run(["meson", "configure", build, "-Dtests=true"])
    run(["ninja", "-C", build, "server/usersd", "tools/pipit", *[f"tests/{name}" for name in OURS]])


def build_grpc(programs, may_install):
    """A build of its own beside ours: the project itself stays C only."""
    folder = programs.build / "bench-grpc"
    if not may_install and not shutil.which("grpc_cpp_plugin"):
        return
    if may_install and not install(GRPC_PACKAGES):
        return
    if not (folder / "build.ninja").exists():
        run(["meson", "setup", folder, ROOT / "tests/bench/grpc"])
    run(["ninja", "-C", folder])
    programs.echo_grpc = folder / "bench-echo-grpc"
    programs.echo_grpc_server = folder / "bench-echo-grpc-server"


def find_pgbench(programs, may_install):
    """Debian has pgbench in postgresql-contrib, or in the client's or server's own package."""
    def look():
        found = shutil.which("pgbench")
        others = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/pgbench"))
        return found or (str(others[-1]) if others else None)

    programs.pgbench = look()
    if not programs.pgbench and may_install and install(PGBENCH_PACKAGES):
        programs.pgbench = look()


def prepare(names, build, may_build, may_install):
    """Builds and installs what the benchmarks @names need."""
    programs = Programs(pathlib.Path(build).resolve())
    if may_build:
        build_ours(programs.build)
    if {"echo", "scale"} & set(names) and may_build:
        build_grpc(programs, may_install)
    if {"users", "scale"} & set(names):
        find_pgbench(programs, may_install)
    return programs
