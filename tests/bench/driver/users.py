"""users: usersd end to end, beside pgbench on the same PostgreSQL, and a plain loop on SQLite."""

import contextlib
import math
import os
import pathlib
import re
import sqlite3
import subprocess

from . import measure
from .measure import Failed
from .table import best_of

N_USERS = 100000
SCOUT_S = 0.5
IN_FLIGHT = (64, 256, 1024)
CLIENTS = (4, 8, 16, 32, 64, 128)
WORKS = ("get", "create", "create-id", "update", "mix")
NAMES = {"get": "GetUser", "create": "CreateUser", "create-id": "CreateUser, request_id",
         "update": "UpdateUser", "mix": "80/10/5/5 get/create/update/list"}
TARGETS = {"get": ("GetUser", 2, 3), "create": ("CreateUser without request_id", 2, 2.5),
           "create-id": ("CreateUser with request_id (pgbench: plain insert)", 1.3, 1.8)}

COLUMNS = "id, email, email_key, name, age, create_time_us, update_time_us, version"

# The ids of users.h, made from a number. They are digits, so that pgbench can make them, too.
FIRST_ID = 8000000000000000

POPULATE = f"""
insert into users ({COLUMNS})
 select ('0190000000007000' || ({FIRST_ID} + n))::uuid, 'u' || n || '@example.com',
  'u' || n || '@example.com', 'Grace Hopper', 36, 1700000000000000, 1700000000000000, 1
 from generate_series(1, {{n}}) n;
vacuum analyze users;
checkpoint
"""

# The statements that usersd's batches are made of, one at a time. Ids of new users grow,
# as usersd's do: a client's one after the other.
SCRIPTS = {
    "get": f"""\\set id random({FIRST_ID + 1}, {FIRST_ID} + :users)
select {COLUMNS} from users where id = ('0190000000007000' || :id)::uuid;
""",
    "create": f"""\\set i :i + 1
\\set id {FIRST_ID} + :client_id * 10000000000 + :i
insert into users ({COLUMNS}) values (('0191000000007000' || :id)::uuid, 'p' || :id || '@example.com',
 'p' || :id || '@example.com', 'Grace Hopper', 36, 1700000000000000, 1700000000000000, 1);
""",
    "update": f"""\\set id random({FIRST_ID + 1}, {FIRST_ID} + :users)
\\set r random(1, 1000000)
update users set name = 'Grace Hopper ' || :r, update_time_us = 1700000000000001, version = version + 1
 where id = ('0190000000007000' || :id)::uuid returning {COLUMNS};
""",
    "list": f"select {COLUMNS} from users order by id limit 10;\n",
}
SCRIPTS_OF = {"get": ["get"], "create": ["create"], "create-id": ["create"], "update": ["update"],
              "mix": ["get@80", "create@10", "update@5", "list@5"]}


# --- PostgreSQL ------------------------------------------------------------------


class Database:
    """A database of usersd's with @n users in it, on the server of tools/with-postgres."""

    def __init__(self, programs, n_users, name="bench"):
        self.programs = programs
        self.n_users = n_users
        self.name = name
        self.conninfo = dict(part.split("=", 1) for part in os.environ["PIPIT_TEST_POSTGRES"].split())
        self.url = (f"postgresql:///{name}?host={self.conninfo['host']}"
                    f"&user={self.conninfo['user']}")
        self.n_runs = 0

    def environment(self):
        return dict(os.environ, PGHOST=self.conninfo["host"], PGUSER=self.conninfo["user"],
                    PGDATABASE=self.name)

    def psql(self, *statements, database=None):
        words = [word for statement in statements for word in ("-c", statement)]
        done = subprocess.run(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-d", database or self.name,
                               *words], env=self.environment(), capture_output=True, text=True,
                              check=False)
        if done.returncode:
            raise Failed(f"psql: {done.stderr}")
        return done.stdout.strip()

    def __enter__(self):
        self.psql(f"drop database if exists {self.name} with (force)", f"create database {self.name}",
                  database="postgres")
        done = subprocess.run([self.programs.usersd, "migrate", "--store", self.url],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"usersd migrate: {done.stderr}")
        for statement in POPULATE.format(n=self.n_users).split(";"):
            self.psql(statement.strip())
        return self

    def __exit__(self, *_):
        self.psql(f"drop database {self.name} with (force)", database="postgres")

    def durability(self):
        return {name: self.psql(f"show {name}") for name in ("fsync", "synchronous_commit")}


@contextlib.contextmanager
def usersd(programs, store):
    """Its log goes into a file, as it does where it serves for good."""
    with measure.folder() as path:
        command = [programs.usersd, "serve", "--store", store, "--listen", f"ipc://{path}/s"]
        with measure.Server(command, log=path / "log") as server:
            yield server


def run_pipit(programs, store, n_users, load, **flags):
    with usersd(programs, store) as server:
        return measure.run_load(programs.users_pipit, load, server, users=n_users, **flags)


def run_pgbench(database, work, clients, seconds, rate=None):
    """pgbench -M prepared: transactions a second, and latencies of a sample of them."""
    database.psql("checkpoint")
    database.n_runs += 1
    seconds = max(1, math.ceil(seconds))
    with measure.folder() as path:
        command = [database.programs.pgbench, "-n", "-M", "prepared", "-c", str(clients),
                   "-j", str(min(clients, os.cpu_count())), "-T", str(seconds),
                   "-D", f"users={database.n_users}", "-D", f"i={database.n_runs * 10**7}",
                   "-l", "--log-prefix", str(path / "log"),
                   "--sampling-rate", "1" if rate else "0.1"]
        if rate:
            command += ["-R", f"{rate:.0f}"]
        for script in SCRIPTS_OF[work]:
            file = path / script.split("@")[0]
            file.write_text(SCRIPTS[file.name], encoding="ascii")
            command += ["-f", str(path / script)]
        done = subprocess.run(command, env=database.environment(), capture_output=True, text=True,
                              check=False)
        tps = re.search(r"^tps = ([0-9.]+)", done.stdout, re.M)
        if done.returncode or not tps:
            raise Failed(f"pgbench: {done.stderr}")
        latencies = sorted(int(line.split()[2]) for log in path.glob("log.*")
                           for line in log.read_text(encoding="ascii").splitlines())
    figures = dict(measure.figures_of_none(), rate=float(tps[1]), detail=f"{clients} clients")
    if latencies:
        figures.update(p50_us=latencies[len(latencies) // 2],
                       p99_us=latencies[len(latencies) * 99 // 100])
    return figures


def pipit_on_postgres(programs, database, work, n, seconds):
    database.psql("checkpoint")
    figures = run_pipit(programs, database.url, database.n_users, "closed", work=work, n=n,
                        seconds=seconds)
    return dict(figures, detail=f"{n} in flight")


def one_work(report, programs, database, work, quick):
    """A row: the best number of calls in flight of ours, of clients of pgbench's."""
    n = best_of(IN_FLIGHT[1:2] if quick else IN_FLIGHT,
                lambda n: pipit_on_postgres(programs, database, work, n, SCOUT_S))
    found = {"pipit": lambda: pipit_on_postgres(programs, database, work, n, report.seconds)}
    if programs.pgbench:
        clients = best_of(CLIENTS[2:3] if quick else CLIENTS,
                          lambda clients: run_pgbench(database, work, clients, 1))
        found["pgbench"] = lambda: run_pgbench(database, work, clients, report.seconds)
    return report.compare(NAMES[work], found)


def half_of_peak(report, programs, database, medians):
    """Both can do that rate: half of the lower of the two peaks."""
    rate = min(figures["rate"] for figures in medians.values()) / 2
    clients = best_of(CLIENTS, lambda n: {"quickness": 1 / max(
        run_pgbench(database, "get", n, 1, rate)["p99_us"], 1)}, "quickness")
    found = {
        "pipit": lambda: run_pipit(programs, database.url, database.n_users, "open", work="get",
                                   rate=f"{rate:.0f}", seconds=report.seconds),
        "pgbench": lambda: run_pgbench(database, "get", clients, report.seconds, rate)}
    medians = report.compare(f"GetUser, {rate:,.0f}/s, open loop", found)
    report.target("p99 of GetUser at half of the peak, open loop, to pgbench -R",
                  medians.get("pgbench", {}).get("p99_us_ratio"), 1.0, 0.7, higher=False)


def on_postgres(report, programs, options):
    n_users = 1000 if options.quick else N_USERS
    with Database(programs, n_users) as database:
        durability = database.durability()
    if set(durability.values()) != {"on"}:
        raise Failed(f"the server is not durable: {durability}")
    report.heading(f"users on PostgreSQL, fsync and synchronous_commit on, uniform over {n_users:,} "
                   f"users, {report.rounds} rounds of {report.seconds} s")
    for work in ("get", "create-id") if options.quick else WORKS:
        if not report.wants("PostgreSQL, " + NAMES[work]):
            continue
        with Database(programs, n_users) as database:
            medians = one_work(report, programs, database, work, options.quick)
            if work in TARGETS:
                what, least, aim = TARGETS[work]
                report.target(f"{what} on PostgreSQL, to pgbench's best",
                              medians.get("pgbench", {}).get("rate_ratio"), least, aim)
            if work == "get" and "pgbench" in medians and not options.quick:
                half_of_peak(report, programs, database, medians)


# --- SQLite ----------------------------------------------------------------------


def sqlite_file(programs, path, n_users):
    """A file that usersd has set up, with @n_users in it."""
    store = f"sqlite:{path}"
    done = subprocess.run([programs.usersd, "migrate", "--store", store], capture_output=True,
                          text=True, check=False)
    if done.returncode:
        raise Failed(f"usersd migrate: {done.stderr}")
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            f"insert into users ({COLUMNS}) values (?, ?, ?, 'Grace Hopper', 36, ?, ?, 1)",
            ((bytes.fromhex(f"0190000000007000{FIRST_ID + n}"), f"u{n}@example.com",
              f"u{n}@example.com", 1700000000000000, 1700000000000000)
             for n in range(1, n_users + 1)))
    return store


def run_loop(programs, store, n_users, work, seconds):
    process = subprocess.Popen(
        [programs.users_sqlite, "blocking", "--url", store, "--work", work, "--users", str(n_users),
         "--seconds", str(seconds)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return measure.derive([measure.finish_load(process)])


def on_sqlite(report, programs, options):
    n_users = 1000 if options.quick else N_USERS
    report.heading(f"users on SQLite, WAL, synchronous=FULL, uniform over {n_users:,} users; beside "
                   "a plain loop that commits each write")
    with measure.folder() as path:
        store = sqlite_file(programs, pathlib.Path(path) / "users.db", n_users)
        for work in ("create",) if options.quick else ("get", "create", "create-id", "update"):
            if not report.wants("SQLite, " + NAMES[work]):
                continue

            def pipit(n, seconds, work=work):
                figures = run_pipit(programs, store, n_users, "closed", work=work, n=n,
                                    seconds=seconds)
                return dict(figures, detail=f"{n} in flight")

            n = best_of(IN_FLIGHT[1:2] if options.quick else IN_FLIGHT,
                        lambda n: pipit(n, SCOUT_S))
            loop = work.removesuffix("-id")
            report.compare(NAMES[work], {
                "pipit": lambda n=n: pipit(n, report.seconds),
                "plain loop": lambda loop=loop: run_loop(programs, store, n_users, loop,
                                                         report.seconds)})


def run(report, programs, options):
    if not programs.pgbench:
        report.note("pgbench is left out: it is not installed (postgresql-contrib)")
    on_postgres(report, programs, options)
    on_sqlite(report, programs, options)
