"""sealed: echo by tcp with keys beside the same by plain tcp."""

import os
import statistics
import subprocess

from . import measure

ROUNDS = 20  # of the target; a quick run makes one
SECONDS_MAX = 0.5


def pipit(programs, *words):
    done = subprocess.run([programs.pipit, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise measure.Failed(f"pipit {' '.join(map(str, words))}: {done.stderr.strip()}")
    return done.stdout.strip()


class Keys:
    """A folder with a server's key and a client's, who know each other."""

    def __init__(self, programs, folder):
        self.programs = programs
        self.folder = folder
        self.server_key = pipit(programs, "keygen", folder / "server.key")
        pipit(programs, "authorize", "bench", pipit(programs, "keygen", folder / "id.key"),
              "--role", "admin", "--file", folder / "authorized_keys")

    def run(self, load, **flags):
        with measure.Server([self.programs.echo_pipit_server, "tcp://127.0.0.1:0", "-1", self.folder]) as server:
            known = self.folder / "known_servers"
            known.unlink(missing_ok=True)
            pipit(self.programs, "trust", server.url, self.server_key, "--file", known)
            os.environ["PIPIT_CONFIG_DIR"] = str(self.folder)
            return measure.run_load(self.programs.echo_pipit, load, server, variant="sealed", **flags)


def plain(programs, load, **flags):
    with measure.serving([programs.echo_pipit_server], "tcp") as server:
        return measure.run_load(programs.echo_pipit, load, server, **flags)


def compare(report, programs, keys, title, load, n):
    """The rounds of (sealed, plain), or none where the row is not wanted."""
    if not report.wants(title):
        return []
    flags = {"n": n, "seconds": min(report.seconds, SECONDS_MAX)}
    report.compare(title, {"pipit": lambda: keys.run(load, **flags),
                           "plain tcp": lambda: plain(programs, load, **flags)})
    return list(zip(*(row["rounds"] for row in report.rows[-2:])))


def run(report, programs, options):
    rounds, report.rounds = report.rounds, report.rounds if options.quick else max(ROUNDS, report.rounds)
    report.heading(f"echo by tcp with keys, beside plain tcp, {report.rounds} rounds of "
                   f"{min(report.seconds, SECONDS_MAX)} s")
    with measure.folder() as folder:
        keys = Keys(programs, folder)
        alone = compare(report, programs, keys, "sealed, 1 thread(s) blocking", "blocking", 1)
        compare(report, programs, keys, "sealed, 64 in flight", "closed", 64)
        crowd = compare(report, programs, keys, "sealed, 256 in flight", "closed", 256)
    report.rounds = rounds
    if alone:
        report.target("sealed, 1 in flight: p50 over that of plain tcp",
                      statistics.median(a["p50_us"] - b["p50_us"] for a, b in alone), 10, 10,
                      higher=False, unit="us")
    if crowd:
        report.target("sealed, 256 in flight, rate to plain tcp",
                      statistics.median(a["rate"] / b["rate"] for a, b in crowd), 0.7, 0.7)
