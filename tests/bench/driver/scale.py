"""scale: what it costs as the work grows: connections, calls in flight, rows; memory and size."""

import contextlib
import pathlib
import re
import shutil
import statistics
import subprocess
import time

from . import machine, measure, users
from .echo import Echo
from .measure import Failed
from .table import ratio

RATE = 50000
IN_FLIGHT = (256, 1024)
WINDOW_S = 0.05  # 2,500 calls at that rate
IDLE_GRPC = "callback"
LIBC = re.compile(r"linux-vdso|ld-linux|libc\.so|libm\.so|libpthread|libdl\.so|librt\.so")
PSS_TARGETS = (("PSS of an idle usersd", 16, 10), ("PSS of usersd with 10,000 calls in flight", 96, 48))


def grpc_variant(connections=1):
    return ("queue", "callback", connections)


def connections(report, programs, options):
    """A round asks over each number of connections, so that a machine that drifts treats them alike."""
    rate = 5000 if options.quick else RATE
    counts = (1, 10) if options.quick else (1, 10, 100, 1000)
    compared = (1, 10) if options.quick else (10, 1000)
    echo = Echo(programs, "ipc")
    report.heading(f"echo over ipc, open loop, {rate:,}/s in all, over so many connections")

    def run(name, n):
        return echo.load(name, "open", grpc_variant(n), rate=rate, connections=n, memory=True,
                         seconds=report.seconds, window=WINDOW_S)
    medians = report.compare_rows({f"{n:,} connection(s)": {name: lambda name=name, n=n: run(name, n)
                                                            for name in echo.names()} for n in counts})
    for title, found in medians.items():
        memory(report, title, found)
    few, many = (medians[f"{n:,} connection(s)"]["pipit"]["rounds"] for n in compared)
    tails(report, rate, compared, few, many)
    if not options.quick:
        report.target(f"{rate:,} echo/s over 1,000 connections: calls that failed",
                      sum(figures["failed"] + figures["dropped"] for figures in many), 0, 0, higher=False, unit=" ")


def tails(report, rate, compared, few, many):
    """p99 over the two numbers of connections: the median of windows, and of whole rounds."""
    few_n, many_n = compared
    for title, key in ((f"{WINDOW_S * 1000:.0f} ms windows", "window_p99_us"), ("whole rounds", "p99_us")):
        medians = [statistics.median(figures[key] for figures in rounds) for rounds in (few, many)]
        report.say(f"  p99 over {few_n:,} and over {many_n:,}, {title}: {medians[0]:,.0f} and {medians[1]:,.0f} us")
        if many_n == 1000:
            report.target(f"{rate:,}/s: p99 over 1,000 connections to 10, {title}",
                          ratio(many, few, key), 3, 2, higher=False)
    still, touched = machine.stalls(2 * report.seconds, WINDOW_S)
    report.say(f"  a process that only looks at the clock did not run {still:.2%} of the time, in pieces of over "
               f"0.5 ms, in {touched:.0%} of the windows: the machine stood still, or others were at work")
    report.rows.append({"row": "connections: stalls of the machine", "contestant": "", "share_of_time": still,
                        "share_of_windows": touched})


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
        databases = {n: stack.enter_context(users.Database(programs, n, f"bench_{n}")) for n in counts}
        buffers = databases[counts[0]].psql("show shared_buffers")
        report.heading(f"GetUser on PostgreSQL (shared_buffers {buffers}), uniform over so many rows")
        medians = report.compare_rows({rows_title(n, in_flight): get_users(report, programs, database, in_flight)
                                       for n, database in databases.items() for in_flight in IN_FLIGHT})
    for in_flight in IN_FLIGHT if options.long else ():
        few, many = (medians[rows_title(n, in_flight)]["pipit"]["rounds"] for n in (counts[0], counts[-1]))
        report.target(f"GetUser over 10^7 rows to 10^4, {in_flight:,} in flight", ratio(many, few, "rate"), 0.7, 0.9)


def rows_title(n, in_flight):
    return f"{n:,} rows, {in_flight:,} in flight"


def get_users(report, programs, database, in_flight):
    found = {"pipit": lambda: users.pipit_on_postgres(programs, database, "get", in_flight, report.seconds)}
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
