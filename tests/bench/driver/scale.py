"""scale: what it costs as the work grows: connections, calls in flight, rows; memory and size."""

import contextlib
import pathlib
import re
import shutil
import subprocess
import time

from . import measure, users
from .echo import Echo
from .measure import Failed
from .table import ratio

RATE = 50000
IDLE_GRPC = "callback"
LIBC = re.compile(r"linux-vdso|ld-linux|libc\.so|libm\.so|libpthread|libdl\.so|librt\.so")
PSS_TARGETS = (("PSS of an idle usersd", 16, 10), ("PSS of usersd with 10,000 calls in flight", 96, 48))


def grpc_variant(connections=1):
    return ("queue", "callback", connections)


def connections(report, programs, options):
    """A round asks over each number of connections, so that a machine that drifts treats them alike."""
    rate = 5000 if options.quick else RATE
    counts = (1, 10) if options.quick else (1, 10, 100, 1000)
    echo = Echo(programs, "ipc")
    report.heading(f"echo over ipc, open loop, {rate:,}/s in all, over so many connections")

    def run(name, n):
        return echo.load(name, "open", grpc_variant(n), rate=rate, connections=n, memory=True,
                         seconds=report.seconds)
    medians = report.compare_rows({f"{n:,} connection(s)": {name: lambda name=name, n=n: run(name, n)
                                                            for name in echo.names()} for n in counts})
    for title, found in medians.items():
        memory(report, title, found)
    if 1000 in counts:
        few, many = (medians[f"{n:,} connection(s)"]["pipit"]["rounds"] for n in (10, 1000))
        report.target(f"{rate:,} echo/s: p99 over 1,000 connections to that over 10",
                      ratio(many, few, "p99_us"), 3, 2, higher=False)
        report.target(f"{rate:,} echo/s over 1,000 connections: calls that failed",
                      sum(figures["failed"] + figures["dropped"] for figures in many), 0, 0, higher=False, unit=" ")


def memory(report, title, medians):
    report.say(f"  {title}: PSS, MiB, client and server: " + "; ".join(
        f"{name} {figures['client_pss_kib'] / 1024:.1f} and {figures['server_pss_kib'] / 1024:.1f}"
        for name, figures in medians.items() if "client_pss_kib" in figures))


def calls_in_flight(report, programs, options):
    report.heading("echo over ipc, closed loop, so many calls in flight")
    for n in (1, 100) if options.quick else (1, 10, 100, 1000, 10000):
        echo = Echo(programs, "ipc")

        def run(name, n=n):
            return echo.load(name, "closed", grpc_variant(), n=n, memory=True, seconds=report.seconds)
        title = f"{n:,} in flight"
        memory(report, title,
               report.compare(title, {name: lambda name=name: run(name) for name in echo.names()}))


def rows(report, programs, options):
    """All tables are there at once, so that a round can ask each of them."""
    counts = [10**3] if options.quick else [10**4, 10**5, 10**6] + [10**7] * options.long
    with contextlib.ExitStack() as stack:
        databases = {f"{n:,} rows": stack.enter_context(users.Database(programs, n, f"bench_{n}"))
                     for n in counts}
        titles = list(databases)
        buffers = databases[titles[0]].psql("show shared_buffers")
        report.heading(f"GetUser on PostgreSQL (shared_buffers {buffers}), 256 in flight, uniform over "
                       "so many rows")
        medians = report.compare_rows({title: get_users(report, programs, database)
                                       for title, database in databases.items()})
    if options.long:
        few, many = (medians[title]["pipit"]["rounds"] for title in (titles[0], titles[-1]))
        report.target("GetUser over 10^7 rows, to that over 10^4", ratio(many, few, "rate"), 0.7, 0.9)


def get_users(report, programs, database):
    found = {"pipit": lambda: users.pipit_on_postgres(programs, database, "get", 256, report.seconds)}
    if programs.pgbench:
        found["pgbench"] = lambda: users.run_pgbench(database, "get", 16, report.seconds)
    return found


def users_memory(report, programs, options):
    """usersd on PostgreSQL, idle and loaded; an idle gRPC server beside it."""
    n = 100 if options.quick else 10000
    shown = []
    with users.Database(programs, 1000) as database, users.usersd(programs, database.url) as server:
        time.sleep(0.5)
        shown.append(server.memory_kib("Pss") / 1024)
        figures = measure.run_load(programs.users_pipit, "closed", server, work="get", n=n, users=1000,
                                   memory=True, seconds=max(report.seconds, 1))
        shown.append(figures["server_pss_kib"] / 1024)
    report.say(f"\nmemory\nusersd on PostgreSQL: PSS {shown[0]:.1f} MiB idle, {shown[1]:.1f} MiB with "
               f"{n:,} calls in flight (failed: {figures['failed']})")
    report.rows.append({"row": "usersd's memory", "contestant": "pipit", "idle_pss_mib": shown[0],
                        "loaded_pss_mib": shown[1], "n": n})
    for value, (what, least, aim) in zip(shown, PSS_TARGETS):
        if not options.quick:
            report.target(what, value, least, aim, higher=False, unit=" MiB")
    if programs.echo_grpc_server:
        with measure.folder() as path, measure.Server(
                [programs.echo_grpc_server, f"ipc://{path}/s", IDLE_GRPC]) as server:
            pss, rss = (server.memory_kib(field) / 1024 for field in ("Pss", "Rss"))
        report.say(f"an idle gRPC server: PSS {pss:.1f} MiB, resident {rss:.1f} MiB")
        report.rows.append({"row": "memory", "contestant": "grpc, idle server", "pss_mib": pss,
                            "rss_mib": rss})


def start_up(report, programs, options):
    """From exec to `listening on`."""
    with measure.folder() as path:
        commands = {"usersd, sqlite": [programs.usersd, "serve", "--store", f"sqlite:{path}/db",
                                       "--listen", f"ipc://{path}/u"],
                    "pipit echo server": [programs.echo_pipit_server, f"ipc://{path}/p"]}
        if programs.echo_grpc_server:
            commands["grpc, idle server"] = [programs.echo_grpc_server, f"ipc://{path}/g", IDLE_GRPC]
        times = {name: [] for name in commands}
        for _ in range(2 if options.quick else 9):
            for name, command in commands.items():
                with measure.Server(command, log=path / "log") as server:
                    times[name].append(server.start_s * 1000)
    report.say("\nstart-up, ms from exec to `listening on` (median)")
    for name, values in times.items():
        median = sorted(values)[len(values) // 2]
        report.say(f"{name:34} {median:8.1f}")
        report.rows.append({"row": "start-up", "contestant": name, "ms": median, "all": values})


# --- sizes -------------------------------------------------------------------------


def closure(path):
    """What @path loads, without libc, the loader and itself: file -> bytes, stripped."""
    done = subprocess.run(["ldd", path], capture_output=True, text=True, check=False)
    found = re.findall(r"=> (/\S+)", done.stdout)
    return {file: stripped_bytes(file) for file in found if not LIBC.search(file)}


def stripped_bytes(path):
    with measure.folder() as folder:
        copy = folder / "copy"
        shutil.copy(path, copy)
        subprocess.run(["strip", "--strip-unneeded", copy], capture_output=True, check=False)
        return copy.stat().st_size


def sizes(report, programs, options):
    if options.no_build:
        return
    packaging = programs.build / "packaging"
    ours = [packaging / f"lib{name}.so" for name in ("pipit", "pipit-server")]
    if not all(library.exists() for library in ours):
        subprocess.run(["ninja", "-C", programs.build, "all"], capture_output=True, check=False)
    if not all(library.exists() for library in ours):
        raise Failed(f"{packaging} has no {' or '.join(library.name for library in ours)}")
    own = sum(stripped_bytes(library.resolve()) for library in ours)
    loaded = {file: size for library in ours for file, size in closure(library).items()
              if not pathlib.Path(file).name.startswith("libpipit")}
    total = own + sum(loaded.values())
    report.say(f"\nsize\nlibpipit and libpipit-server, stripped: {own / 1000:.0f} kB; with the "
               f"{len(loaded)} libraries that they load, without libc: {total / 1e6:.2f} MB")
    for file, size in sorted(loaded.items(), key=lambda item: -item[1]):
        report.say(f"  {pathlib.Path(file).name:34} {size / 1000:10,.0f} kB")
    report.target("our own code, stripped", own / 1000, 500, 300, higher=False, unit=" kB")
    report.target("our own code and all it loads, without libc", total / 1e6, 2.5, 2.2, higher=False,
                  unit=" MB")
    report.rows.append({"row": "size", "contestant": "pipit", "own_bytes": own, "total_bytes": total,
                        "loads": loaded})
    if programs.echo_grpc_server:
        theirs = closure(programs.echo_grpc_server)
        report.say(f"gRPC C++: {len(theirs)} libraries, {sum(theirs.values()) / 1e6:.2f} MB")
        report.rows.append({"row": "size", "contestant": "grpc", "total_bytes": sum(theirs.values()),
                            "n_libraries": len(theirs)})


PARTS = {"connections": connections, "calls in flight": calls_in_flight, "rows": rows,
         "memory": users_memory, "start-up": start_up, "size": sizes}


def run(report, programs, options):
    for name, part in PARTS.items():
        if report.wants(name):
            part(report, programs, options)
