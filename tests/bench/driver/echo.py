"""echo: Pipit beside gRPC C++ and plain nng, one small message there and back."""

from . import measure
from .table import best_of

SCOUT_S = 0.4
GRPC_SERVERS = ("callback", "queue")
GRPC_VARIANTS = [(server, client, channels) for server in GRPC_SERVERS
                 for client in ("callback", "queue") for channels in (1, 2, 4)]
GRPC_BLOCKING_VARIANTS = [(server, "callback", channels) for server in GRPC_SERVERS
                          for channels in (1, 2, 4)]
OPEN_GUESS = {"pipit": 100000, "grpc": 15000, "nng": 20000}


class Echo:
    """The three contestants, over one transport."""

    def __init__(self, programs, transport):
        self.programs = programs
        self.transport = transport

    def names(self):
        return ["pipit", "nng"] + (["grpc"] if self.programs.echo_grpc else [])

    def on_server(self, name, variant, run):
        """run(client program, server, flags) on a new server of that contestant."""
        programs = self.programs
        clients = {"pipit": programs.echo_pipit, "nng": programs.echo_nng, "grpc": programs.echo_grpc}
        flags = {}
        if name == "grpc":
            kind, client, channels = variant
            flags = {"variant": client, "connections": channels}
            with measure.folder() as path:
                url = f"ipc://{path}/s" if self.transport == "ipc" else "tcp://127.0.0.1:0"
                with measure.Server([programs.echo_grpc_server, url, kind]) as server:
                    figures = run(clients[name], server, flags)
            figures["detail"] = f"{kind} server, {client} client, {channels} channel(s)"
            return figures
        command = [programs.echo_pipit_server if name == "pipit" else programs.echo_nng_server]
        with measure.serving(command, self.transport) as server:
            return run(clients[name], server, flags)

    def load(self, name, load, variant=None, **flags):
        return self.on_server(name, variant, lambda program, server, more: measure.run_load(
            program, load, server, **{**more, **flags}))

    def processes(self, name, n, seconds, variant=None):
        return self.on_server(name, variant, lambda program, server, more: measure.run_processes(
            program, server, n, seconds, **{**more, "connections": 1}))

    def highest_rate(self, name, seconds, variant=None, **search):
        return measure.highest_rate(
            lambda rate: self.load(name, "open", variant, rate=f"{rate:.0f}", seconds=seconds,
                                   n=measure.waiting_max(rate)),
            OPEN_GUESS[name], **search)


def contestants(echo, run, variants, scout=None, tries=2):
    """name -> function, gRPC in the variant that did best in short runs."""
    found = {}
    for name in echo.names():
        if name != "grpc":
            found[name] = lambda name=name: run(name, None)
            continue
        best = best_of(variants, lambda variant: (scout or run)("grpc", variant), tries=tries)
        if best:
            found[name] = lambda best=best: run("grpc", best)
    return found


def row(report, echo, title, load, quick, **flags):
    """name -> medians, or none where the row is not wanted."""
    if not report.wants(title):
        return {}
    variants = GRPC_BLOCKING_VARIANTS if load == "blocking" else GRPC_VARIANTS
    if quick:
        variants = variants[:1]
    return report.compare(title, contestants(
        echo, lambda name, variant: echo.load(name, load, variant, seconds=report.seconds, **flags),
        variants,
        scout=lambda name, variant: echo.load(name, load, variant, seconds=SCOUT_S, **flags)))


def of_grpc(medians, key):
    return medians.get("grpc", {}).get(key)


def closed_and_blocking(report, echo, quick):
    """The rows of issue's table come from ipc; tcp is shown beside them."""
    transport = echo.transport
    counts = (64,) if quick else (1, 8, 64, 256, 1024)
    for n in counts:
        medians = row(report, echo, f"{transport}, {n} in flight", "closed", quick, n=n)
        if transport == "ipc" and n in (64, 256):
            least, aim = {64: (4, 8), 256: (8, 16)}[n]
            report.target(f"echo, ipc, {n} in flight, asynchronous, to gRPC's best",
                          of_grpc(medians, "rate_ratio"), least, aim)
        if transport == "ipc" and n == 64:
            report.target("echo, ipc, CPU time a call at 64 in flight, to gRPC",
                          of_grpc(medians, "cpu_ratio"), 0.25, 0.1, higher=False)
    for n in (16,) if quick else (1, 16, 64):
        medians = row(report, echo, f"{transport}, {n} thread(s) blocking", "blocking", quick, n=n)
        if transport == "ipc" and n == 64:
            report.target("echo, ipc, 64 threads blocking, to gRPC's best",
                          of_grpc(medians, "rate_ratio"), 2.5, 4)
        if transport == "ipc" and n == 1:
            report.target("echo, ipc, 1 in flight, blocking, p50 to gRPC's blocking stub",
                          of_grpc(medians, "p50_us_ratio"), 1.5, 0.8, higher=False)


def processes(report, echo, quick):
    n = 4 if quick else 16
    title = f"{echo.transport}, {n} processes, 1 call each"
    if not report.wants(title):
        return
    report.compare(title, contestants(
        echo, lambda name, variant: echo.processes(name, n, report.seconds, variant),
        GRPC_BLOCKING_VARIANTS[0:4:3]))


def sizes(report, echo, quick):
    for n_bytes, shown in ((4096, "4 KiB"), (65536, "64 KiB")):
        row(report, echo, f"{echo.transport}, {shown}, 64 in flight", "closed", quick,
            n=64, bytes=n_bytes)


def open_loop(report, echo, quick, p99_ms):
    title = f"{echo.transport}, open loop, p99 < {p99_ms:g} ms"
    if not report.wants(title):
        return
    seconds = min(report.seconds, 1.0)
    variants = GRPC_VARIANTS[:1] if quick else GRPC_VARIANTS
    medians = report.compare(title, contestants(
        echo, lambda name, variant: echo.highest_rate(name, seconds, variant, p99_us=p99_ms * 1000),
        variants,
        scout=lambda name, variant: echo.highest_rate(name, SCOUT_S, variant, p99_us=p99_ms * 1000,
                                                      close=1.3, tries=1), tries=1))
    if echo.transport == "ipc" and p99_ms == 2:
        report.target("echo, ipc, open loop: highest rate with p99 < 2 ms, to gRPC's",
                      of_grpc(medians, "rate_ratio"), 4, 8)


def run(report, programs, options):
    if not programs.echo_grpc:
        report.note("gRPC C++ is left out: not installed (libgrpc++-dev, protobuf-compiler-grpc), or --no-build")
    for transport in ("ipc",) if options.quick else ("ipc", "tcp"):
        echo = Echo(programs, transport)
        report.heading(f"echo over {transport}, 80 bytes unless told, {report.rounds} rounds of "
                       f"{report.seconds} s")
        closed_and_blocking(report, echo, options.quick)
        if transport == "ipc":
            processes(report, echo, options.quick)
            if not options.quick:
                sizes(report, echo, options.quick)
        if not options.quick:
            open_loop(report, echo, options.quick, options.p99_ms)
