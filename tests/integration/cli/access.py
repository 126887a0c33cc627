#!/usr/bin/env python3
"""The commands that keep keys and policy: what they write, refuse and explain.

    access.py PIPIT
"""

import os
import pathlib
import stat
import subprocess
import sys

import kit
from kit import FOLDER, equal, holds, pipit, test, usage

kit.PROGRAM.append(sys.argv[1])
PLACE = pathlib.Path(FOLDER.name) / "config" / "pipit"
KEYS, SERVERS = PLACE / "authorized_keys", PLACE / "known_servers"
GET = "users.v1.UsersService/GetUser"


def run(*arguments, **environment):
    return pipit(*arguments, PIPIT_CONFIG_DIR=str(PLACE), **environment)


def ok(*arguments, **environment):
    ran = run(*arguments, **environment)
    equal(ran.status, kit.OK, f"{arguments}: {ran.err}")
    return ran


def keygen(name):
    return ok("keygen", str(PLACE / name)).out.strip()


def write(name, text, mode=0o644):
    path = PLACE / name
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return str(path)


@test
def a_new_key_is_for_nobody_else_and_is_not_overwritten():
    made = ok("keygen")
    path = PLACE / "id.key"
    equal(stat.S_IMODE(path.stat().st_mode), 0o600, "mode of the key")
    equal(stat.S_IMODE(PLACE.stat().st_mode), 0o700, "mode of the folder")
    equal(made.out[:10], "pipit-pk1_")
    equal(made.err, "")
    equal(ok("pubkey").out, made.out, "pubkey")
    holds(path.read_text(), "pipit-sk1_", made.out)
    before = path.read_bytes()
    usage(run("keygen", ""), "FILE is empty (see pipit help keygen)")
    usage(run("keygen"), f"{path}: is there already, and is not overwritten")
    equal(path.read_bytes(), before)


@test
def a_key_that_others_can_read_is_refused_with_what_mends_it():
    path = PLACE / "open.key"
    keygen("open.key")
    path.chmod(0o644)
    ran = run("pubkey", str(path))
    usage(ran, f"{path}: has mode 0644, and a secret key is for you alone: chmod 600 {path}")
    subprocess.run(ran.err.strip().split(": ")[-1].split(), check=True)
    ok("pubkey", str(path))
    usage(run("pubkey", str(PLACE / "no.key")),
          f"{PLACE}/no.key: there is no such file: `pipit keygen {PLACE}/no.key` makes it")


@test
def keys_are_authorized_listed_and_revoked():
    alice, bob = keygen("alice.key"), keygen("bob.key")
    equal(ok("authorize", "alice", alice, "--role", "admin", "-r", "reader", "--expires", "2999-01-31").err,
          f"pipit: alice is authorized in {KEYS}; a server that runs lets it in once it reads the file again "
          "(usersd: at SIGHUP)\n")
    KEYS.write_text("# ours\n" + KEYS.read_text() + "# the end", encoding="utf-8")
    KEYS.chmod(0o600)
    ok("authorize", "bob", bob)
    equal(KEYS.read_text(), f"# ours\n{alice} alice roles=admin,reader expires=2999-01-31\n# the end\n{bob} bob\n")
    equal(stat.S_IMODE(KEYS.stat().st_mode), 0o600, "mode is kept")
    equal(ok("peers").out,
          f"alice {alice} roles=admin,reader expires=2999-01-31\nbob {bob}\n")
    equal(ok("peers", "-o", "ndjson").out,
          f'{{"name":"alice","key":"{alice}","roles":["admin","reader"],"expires":"2999-01-31"}}\n'
          f'{{"name":"bob","key":"{bob}","roles":[]}}\n')

    before = KEYS.read_text()
    usage(run("authorize", "carol", bob), f"{KEYS}:5:1: this key is listed in line 4 already, as bob")
    usage(run("authorize", "bob", keygen("bob2.key")),
          f"{KEYS}:5:70: the name bob is of the key in line 4 already, and a name is of one key: choose another one, "
          "or `pipit revoke bob`")
    equal(KEYS.read_text(), before)

    equal(ok("revoke", "alice").err, f"pipit: alice is no longer in {KEYS}; a server that runs lets it in until it "
                                     "reads the file again (usersd: at SIGHUP)\n")
    equal(KEYS.read_text(), f"# ours\n# the end\n{bob} bob\n")
    usage(run("revoke", "alice"), f"{KEYS} has no key of the name 'alice': `pipit peers` lists them")
    ok("revoke", "bob")
    equal(ok("peers").out, "")
    equal(sorted(p.name for p in PLACE.iterdir() if "XXXX" in p.name or p.name.startswith("authorized_keys.")), [])


@test
def wrong_words_are_told_before_anything_is_written():
    good = keygen("good.key")
    for arguments, problem in (
            (["x/y", good], "NAME: 'x/y' is no name: one has 1 to 63 letters, digits, and . _ - @, and begins "
                            "with a letter or digit"),
            (["", good], "NAME: '' is no name: one has 1 to 63 letters, digits, and . _ - @, and begins "
                         "with a letter or digit"),
            (["x\nz", good], "NAME: 'x\\x0az' is no name: one has 1 to 63 letters, digits, and . _ - @, and begins "
                             "with a letter or digit"),
            (["x", good[:-1]], "KEY: this is a key that was cut: one has 68 characters; `pipit pubkey FILE` "
                               "prints the key of a key file"),
            (["x", good, "--expires", "soon"], "--expires: 'soon' is no day, as 2027-01-31"),
            (["x", good, "--expires", "2020-01-01"],
             "--expires: 2020-01-01 is over already: it is the first day, UTC, on which the key is no longer good"),
            (["x", good, "--role", "a b"], "--role: 'a b' is no role: one has 1 to 63 letters, digits, and . _ - @, and "
                                           "begins with a letter or digit"),
            (["x", good, "--role", "a,"], "--role: '' is no role: one has 1 to 63 letters, digits, and . _ - @, and "
                                          "begins with a letter or digit"),
            (["x", good, *["--role=r"] * 17], "--role: a key has at most 16 roles"),
    ):
        usage(run("authorize", *arguments, "--file", str(PLACE / "unwritten")), problem)
    equal((PLACE / "unwritten").exists(), False)
    usage(run("authorize", "x"), "a name and a public key are missing (see pipit help authorize)")


@test
def a_role_is_one_of_the_policy_beside_the_keys():
    folder = PLACE / "server"
    folder.mkdir()
    key, keys = keygen("role.key"), folder / "authorized_keys"
    policy = write("server/policy", "role admin = *\nrole reader = a.B/Get*\nallow any grpc.health.v1.Health/*\n")

    def refused(role, problem):
        usage(run("authorize", "x", key, "--file", str(keys), "--role", role), problem)
        equal(keys.exists(), False)

    refused("admim", f"--role: {policy} does not define 'admim'; did you mean admin?")
    refused("reader,boss", f"--role: {policy} does not define 'boss'; it has admin, reader")
    write("server/policy", "role admin == *\n")
    holds(ok("authorize", "y", keygen("role2.key"), "--file", str(folder / "others"), "--role", "admim").err,
          f"pipit: roles are not checked: {policy}:1:")
    write("server/policy", "role admin = *\nallow any grpc.health.v1.Health/*\n")
    ok("authorize", "x", key, "--file", str(keys), "--role", "admin")
    equal(keys.read_text(), f"{key} x roles=admin\n")
    ok("policy", "check", policy, "--file", str(keys))


@test
def many_at_once_lose_nothing():
    keys = [keygen(f"many{i}.key") for i in range(12)]
    path = str(PLACE / "many")
    running = [subprocess.Popen([*kit.PROGRAM, "authorize", f"n{i}", key, "--file", path], stderr=subprocess.DEVNULL)
               for i, key in enumerate(keys)]
    for process in running:
        equal(process.wait(timeout=60), 0)
    equal(len(ok("peers", "-f", path).out.splitlines()), 12)


@test
def a_server_is_trusted_by_one_key():
    one, other = keygen("one.key"), keygen("other.key")
    ok("trust", "tcp://LocalHost:7000", one)
    ok("trust", "tcp://10.0.0.2:7000", one)
    equal(ok("trust", "tcp://localhost:7000", other).err,
          f"pipit: tcp://localhost:7000 is trusted by this key in {SERVERS}; it replaces the one before\n")
    before = f"tcp://10.0.0.2:7000 {one}\ntcp://localhost:7000 {other}\n"
    equal(SERVERS.read_text(), before)
    for url, problem in (
            ("ipc:///run/x", "'ipc:///run/x' is no URL of a server with a key: one is tcp://HOST:PORT"),
            ("", "'' is no URL of a server with a key: one is tcp://HOST:PORT"),
            ("tcp://myhost:7000", "tcp://myhost:7000: tcp:// wants a numeric address, or localhost"),
    ):
        usage(run("trust", url, one), f"URL: {problem}")
    usage(run("trust", "tcp://10.0.0.3:7000", "x"), "KEY: this is no public key: one begins with pipit-pk1_; "
                                                    "`pipit pubkey FILE` prints the key of a key file")
    equal(SERVERS.read_text(), before)


@test
def a_policy_is_checked_and_explained():
    path = write("policy", "role reader = users.v1.UsersService/Get*\n"
                           "deny  key:old-ci   *\n"
                           "allow key:alice    reader\n"
                           "allow user:root    *\n"
                           "allow any          grpc.health.v1.Health/Check\n")
    equal(ok("policy", "check", path).out, f"{path}: ok\n")

    def explain(who, method, status, out):
        ran = run("policy", "explain", "--as", who, "--policy", path, method)
        equal(ran.out, out + "\n", who)
        equal(ran.status, status, who)

    denied = kit.RPC + 7
    explain("key:alice", GET, 0, f"allowed by {path}:3: allow key:alice    reader")
    explain("key:old-ci", "grpc.health.v1.Health/Check", denied, f"denied by {path}:2: deny  key:old-ci   *")
    explain("key:bob", GET, denied, f"denied: no rule of {path} allows it")
    explain("uid:0", "a.B/C", 0, f"allowed by {path}:4: allow user:root    *")
    explain("user:root", "a.B/C", 0, f"allowed by {path}:4: allow user:root    *")
    explain("anonymous", "a.B/C", denied, f"denied: no rule of {path} allows it")
    explain("inproc", "grpc.health.v1.Health/Check", 0, f"allowed by {path}:5: allow any          grpc.health.v1.Health/Check")

    keys = write("explained", f"{keygen('explained.key')} carol roles=reader\n")
    ran = ok("policy", "explain", "--as", "key:carol", "--policy", path, "--file", keys, GET)
    equal(ran.out, f"allowed by {path}:1: role reader = users.v1.UsersService/Get* (the key has the role reader)\n")
    usage(run("policy", "explain", "--as", "key:dave", "--policy", path, "--file", keys, GET),
          "--as: there is no key of the name 'dave': `pipit peers` lists them")
    equal(ok("policy", "explain", "--as", f"uid:{os.geteuid()}", GET).out,
          f"allowed by built-in policy:2: allow inproc uid:0 uid:{os.geteuid()} *\n")


@test
def a_bad_policy_is_refused_with_its_place():
    usage(run("policy", "check", write("bad", "allow any *\nallow alice *\n")),
          f"{PLACE}/bad:2:7: 'alice' is no principal: one is key:NAME, uid:N, user:NAME, group:NAME, inproc, anonymous "
          "or any")
    usage(run("policy", "check", write("bad", "allow any *\n", 0o666)),
          f"{PLACE}/bad: others may write to it (mode 0666), and could let anybody in: chmod go-w {PLACE}/bad")
    keys = write("roles", f"{keygen('roles.key')} carol roles=reader\n")
    usage(run("policy", "check", write("bad", "allow any *\n"), "--file", keys),
          f"{keys}:1: carol has the role reader, which {PLACE}/bad does not define: add a line `role reader = METHOD...` "
          "there")
    usage(run("policy", "chekc"), "'chekc' is neither check nor explain (see pipit help policy)")
    usage(run("policy", "explain", GET), "--as PRINCIPAL is missing (see pipit help policy)")
    usage(run("policy", "explain", "--as", "alice", GET),
          "--as: 'alice' is none of key:NAME, uid:N, user:NAME, inproc and anonymous")


@test
def without_a_place_a_file_must_be_named():
    ran = subprocess.run([*kit.PROGRAM, "pubkey"], capture_output=True, text=True, env={"PATH": os.environ["PATH"]},
                         timeout=60, check=False)
    equal(ran.returncode, kit.USAGE)
    holds(ran.stderr, "there is no place for id.key: name a file, or set PIPIT_CONFIG_DIR")


kit.finish(kit.run())
