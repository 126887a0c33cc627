#!/usr/bin/env python3
"""usersd and the files that say who may call: what it starts with, refuses, logs and reads again.

    usersd.py USERSD PIPIT
"""

import json
import os
import pathlib
import queue
import signal
import stat
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))

import kit  # noqa: E402
from kit import FOLDER, Skipped, equal, holds, holds_not, test  # noqa: E402

USERSD = sys.argv[1]
kit.PROGRAM.append(sys.argv[2])
HOME = pathlib.Path(FOLDER.name)
PLACE = HOME / "config"
SOCKETS = HOME / "sockets"
SOCKET = SOCKETS / "usersd.sock"
URL = f"ipc://{SOCKET}"
DENIED, UNAUTHENTICATED = kit.RPC + 7, kit.RPC + 16
NOBODY = 65534
GET = ("call", URL, "users.v1.UsersService/GetUser", '{"email":"a@b.c"}')
ALLOW_HEALTH = "allow any grpc.health.v1.Health/Check\n"
WAIT_S = 60


def only_as_root():
    if os.geteuid() != 0:
        raise Skipped("only root can become another user")


def write(name, text, mode=0o600):
    PLACE.mkdir(mode=0o700, exist_ok=True)
    path = PLACE / name
    path.unlink(missing_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return str(path)


def clear():
    for path in PLACE.glob("*"):
        path.unlink()


def environment(extra):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PIPIT_", "USERSD_"))}
    return clean | {"PIPIT_CONFIG_DIR": str(PLACE)} | extra


class Usersd:
    """A usersd that listens at URL, open to all as far as files go; its log can be waited for."""

    def __init__(self, *flags, url=URL, uid=None, **extra):
        self.process = subprocess.Popen(
            [USERSD, "serve", "--store", "memory:", "--listen", url, *flags], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=environment(extra), user=uid, group=uid,
            extra_groups=None if uid is None else [])
        self.lines = queue.Queue()
        self.seen = []
        threading.Thread(target=self.read_log, daemon=True).start()
        listening = self.process.stdout.readline()
        if not listening.startswith("listening on "):
            self.process.wait(WAIT_S)
            raise AssertionError(f"usersd did not start: {self.rest()}")
        self.url = listening.removeprefix("listening on ").strip()
        if url == URL:
            SOCKET.chmod(0o666)

    def read_log(self):
        for line in self.process.stderr:
            self.lines.put(line)
        self.lines.put(None)

    def next_line(self):
        try:
            return self.lines.get(timeout=WAIT_S)
        except queue.Empty:
            return None

    def wait_for(self, msg, **fields):
        """The next line with that msg and fields."""
        while line := self.next_line():
            self.seen.append(line)
            said = json.loads(line) if line.startswith("{") else {}
            if said.items() >= {"msg": msg, **fields}.items():
                return said
        raise AssertionError(f"the log has no {msg!r}: {self.seen}")

    def rest(self):
        while (line := self.lines.get(timeout=WAIT_S)) is not None:
            self.seen.append(line)
        return "".join(self.seen)

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        self.process.terminate()
        equal(self.process.wait(WAIT_S), 0, "exit code of usersd")
        return self.rest()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()


def as_nobody(*arguments):
    ran = subprocess.run([*kit.PROGRAM, *arguments], capture_output=True, text=True, env=environment({}),
                         user=NOBODY, group=NOBODY, extra_groups=[], timeout=WAIT_S, check=False)
    return kit.Ran(ran.returncode, ran.stdout, ran.stderr)


def pipit(*arguments):
    return kit.pipit(*arguments, PIPIT_CONFIG_DIR=str(PLACE))


def refused(*flags, url=URL, store="memory:", code=1, **extra):
    """What usersd says that does not start."""
    ran = subprocess.run([USERSD, "serve", "--store", store, "--listen", url, *flags], capture_output=True,
                         text=True, env=environment(extra), timeout=WAIT_S, check=False)
    equal(ran.returncode, code, f"exit code: {ran.stderr}")
    equal(ran.stdout, "")
    return [line for line in ran.stderr.splitlines() if line.startswith("usersd: ")][-1]


# --- who may call -------------------------------------------------------------------------


@test
def without_a_policy_others_may_ask_for_health_and_each_denial_is_logged():
    only_as_root()
    clear()
    with Usersd() as server:
        equal(pipit(*GET).status, kit.NOT_FOUND)
        equal(pipit("whoami", URL).json(), {"principal": "uid:0", "transport": "TRANSPORT_IPC", "roles": []})
        equal(as_nobody("health", URL).status, kit.OK)
        ran = as_nobody(*GET)
        equal(ran.status, DENIED, ran.err)
        server.wait_for("access denied", level="warning", method=GET[2], principal=f"uid:{NOBODY}",
                        rule="none allows it", line=0)
        equal(as_nobody("whoami", URL).status, DENIED)
        server.wait_for("access denied", method="pipit.v1.Admin/WhoAmI")


@test
def a_policy_holds_for_root_as_for_all_and_its_line_is_logged():
    clear()
    uid = os.geteuid()
    write("policy", f"# ours\nallow any *\ndeny uid:{uid} pipit.v1.Admin/*  # not he\n")
    with Usersd() as server:
        equal(pipit("health", URL).status, kit.OK)
        ran = pipit("whoami", URL)
        equal(ran.status, DENIED)
        holds(ran.err, "you may not call this method: pipit.v1.Admin/WhoAmI")
        server.wait_for("access denied", principal=f"uid:{uid}", line=3,
                        rule=f"deny uid:{uid} pipit.v1.Admin/*")


@test
def roles_are_by_uid_and_by_group_and_whoami_tells_them():
    only_as_root()
    clear()
    write("policy", "role reader = users.v1.UsersService/*\nrole self = pipit.v1.Admin/WhoAmI\nrole other = a.B/*\n"
                    "allow group:nogroup self\nallow user:nobody reader\nallow group:root other\n")
    with Usersd():
        equal(as_nobody("whoami", URL).json()["roles"], ["reader", "self"])
        equal(as_nobody(*GET).status, kit.NOT_FOUND)
        equal(as_nobody("call", URL, "pipit.reflection.v1.ReflectionService/ListServices").status, DENIED)
        equal(as_nobody("health", URL).status, DENIED, "health")


# --- reload -------------------------------------------------------------------------------


@test
def sighup_reads_the_policy_again_and_a_bad_one_changes_nothing():
    clear()
    policy = write("policy", "allow any *\n")
    with Usersd() as server:
        equal(pipit("whoami", URL).status, kit.OK)
        write("policy", ALLOW_HEALTH)
        server.reload()
        line = server.wait_for("access rules read again")
        equal({k: line[k] for k in ("level", "policy", "keys")}, {"level": "info", "policy": policy, "keys": 0})
        equal(pipit("whoami", URL).status, DENIED)

        for text, mode, problem in [
                ("allow any *\nallow everybody *\n", 0o600, f"{policy}:2:7: 'everybody' is no principal"),
                ("allow any *\n", 0o622, f"{policy}: others may write to it (mode 0622)"),
                ("allow any *\nallow group:there-is-none *\n", 0o600, f"{policy}:2:7: "),
                ("allow any nothing\n", 0o600, f"{policy}:1:11: ")]:
            write("policy", text, mode)
            server.reload()
            line = server.wait_for("access rules cannot be read; those from before hold")
            equal(line["level"], "error")
            holds(line["problem"], problem)
            equal(pipit("whoami", URL).status, DENIED, problem)
            equal(pipit("health", URL).status, kit.OK, problem)

        write("policy", "allow any *\n")
        server.reload()
        server.wait_for("access rules read again")
        equal(pipit("whoami", URL).status, kit.OK)


@test
def keys_and_policy_are_checked_against_each_other():
    clear()
    key = pipit("keygen", str(PLACE / "alice.key")).out.strip()
    policy = write("policy", "role reader = users.v1.*\nallow any *\n")
    keys = write("authorized_keys", f"{key} alice roles=reader\n")
    with Usersd() as server:
        write("authorized_keys", f"{key} alice roles=writer\n")
        server.reload()
        holds(server.wait_for("access rules cannot be read; those from before hold")["problem"],
              f"{keys}:1: alice has the role writer, which {policy} does not define")
        write("authorized_keys", f"{key} alice roles=reader\n")
        server.reload()
        equal(server.wait_for("access rules read again")["keys"], 1)


@test
def a_policy_that_comes_or_goes_is_seen_where_it_was_not_named():
    clear()
    with Usersd() as server:
        equal(pipit("whoami", URL).status, kit.OK)
        write("policy", ALLOW_HEALTH)
        server.reload()
        server.wait_for("access rules read again")
        equal(pipit("whoami", URL).status, DENIED)
        clear()
        server.reload()
        server.wait_for("access rules read again")
        equal(pipit("whoami", URL).status, kit.OK)

    named = write("named", "allow any *\n")
    with Usersd(USERSD_POLICY=named) as server:
        os.unlink(named)
        server.reload()
        holds(server.wait_for("access rules cannot be read; those from before hold")["problem"],
              f"{named}: there is no such file")
        equal(pipit("whoami", URL).status, kit.OK)


# --- start --------------------------------------------------------------------------------


@test
def what_is_wrong_with_a_file_is_told_with_what_mends_it():
    clear()
    start = "usersd: cannot serve: FAILED_PRECONDITION ACCESS_FILES_INVALID: "
    policy = write("policy", "allow any *\nallow everybody *\n")
    holds(refused(), f"{start}{policy}:2:7: 'everybody' is no principal: one is key:NAME, ")
    write("policy", "allow any *\n", 0o666)
    equal(refused(), f"{start}{policy}: others may write to it (mode 0666), and could let anybody in: "
                     f"chmod go-w {policy}")
    clear()
    holds(refused("--policy", policy), f"{start}{policy}: there is no such file")
    keys = write("authorized_keys", "nonsense alice\n")
    holds(refused(), f"{start}{keys}:1:1: ")


@test
def tcp_wants_a_key_of_the_servers_and_one_that_may_call():
    clear()
    start = "usersd: cannot serve: FAILED_PRECONDITION ACCESS_FILES_INVALID: "
    url = "tcp://127.0.0.1:0"
    own, keys = str(PLACE / "server.key"), str(PLACE / "authorized_keys")
    equal(refused(url=url), f"{start}{own}: there is no such file: `pipit keygen {own}` makes it")
    equal(pipit("keygen", own).status, kit.OK)
    none = f"{start}{keys}: lists no key that has not expired, and nobody else may call by tcp: " \
           f"`pipit authorize NAME KEY --file {keys}` adds one"
    equal(refused(url=url), none)
    alice = pipit("keygen", str(PLACE / "alice.key")).out.strip()
    write("authorized_keys", f"{alice} alice expires=2001-01-01\n")
    equal(refused(url=url), none)
    os.chmod(own, 0o640)
    equal(refused(url=url), f"{start}{own}: has mode 0640, and a secret key is for you alone: chmod 600 {own}")
    os.chmod(own, 0o600)
    write("authorized_keys", "")
    equal(pipit("authorize", "alice", alice, "--file", keys).status, kit.OK)
    with Usersd(url=url) as server:
        equal(pipit("revoke", "alice", "--file", keys).status, kit.OK)
        server.reload()
        equal(server.wait_for("access rules read again")["keys"], 0)
        equal(server.wait_for("no key is listed that has not expired: nobody may call by tcp")["level"], "warning")
        holds_not(server.stop(), "tcp without keys", pathlib.Path(own).read_text().split()[-1])


@test
def a_key_is_who_it_is_listed_as_until_it_is_revoked():
    clear()
    for name in ("server.key", "id.key"):
        equal(pipit("keygen", str(PLACE / name)).status, kit.OK)
    public = pipit("pubkey", str(PLACE / "id.key")).out.strip()
    equal(pipit("authorize", "alice", public, "--role", "self", "--expires", "2999-01-01").status, kit.OK)
    write("policy", "role self = pipit.v1.Admin/WhoAmI\n")
    with Usersd(url="tcp://127.0.0.1:0") as server:
        equal(pipit("trust", server.url, pipit("pubkey", str(PLACE / "server.key")).out.strip()).status, kit.OK)
        told = pipit("whoami", server.url).json()
        age = float(told.pop("sessionAge").rstrip("s"))
        equal(told, {"principal": "key:alice", "transport": "TRANSPORT_TCP", "roles": ["self"],
                     "keyExpireTime": "2999-01-01T00:00:00Z"})
        if not 0 <= age < 180:
            raise AssertionError(f"sessionAge is {age}")
        equal(pipit("health", server.url).status, DENIED, "health is not for everybody here")
        line = server.wait_for("access denied", principal="key:alice", rule="none allows it")
        equal(line["method"], "grpc.health.v1.Health/Check")

        for command in (("health",), ("list",), ("call", "GetUser")):
            ran = pipit(command[0], server.url, *command[1:], "--insecure-plaintext", "--errors", "text")
            equal((ran.status, ran.out, ran.err), (DENIED, "", (
                f"pipit: PERMISSION_DENIED (ACCESS_DENIED): {server.url}: the server denies access; it may want keys: leave "
                f"out --insecure-plaintext [server {server.url}, not run]\n")), command)

        equal(pipit("revoke", "alice").status, kit.OK)
        equal(pipit("whoami", server.url).status, kit.OK, "the file has not been read again")
        server.reload()
        server.wait_for("access rules read again", keys=0)
        equal(pipit("list", server.url).status, UNAUTHENTICATED, "that it has no reflection is not known")
        ran = pipit("whoami", server.url)
        equal(ran.status, UNAUTHENTICATED, ran.err)
        holds(ran.err, "SESSION_DENIED")


@test
def keys_for_a_server_without_them_are_told_so():
    clear()
    for name in ("server.key", "id.key"):
        equal(pipit("keygen", str(PLACE / name)).status, kit.OK)
    with Usersd("--insecure-plaintext", url="tcp://127.0.0.1:0") as server:
        equal(pipit("trust", server.url, pipit("pubkey", str(PLACE / "server.key")).out.strip()).status, kit.OK)
        ran = pipit("health", server.url, "--errors", "text")
        equal(ran.status, UNAUTHENTICATED, ran.err)
        holds(ran.err, "SESSION_DENIED", "; or it has no keys: --insecure-plaintext [")
        equal(pipit("health", server.url, "--insecure-plaintext").status, kit.OK)


@test
def plain_tcp_is_for_loopback_and_warned_of_at_each_start():
    clear()
    equal(refused("--insecure-plaintext", url="tcp://0.0.0.0:0", code=2),
          "usersd: 'tcp://0.0.0.0:0': without keys tcp is for loopback addresses only, as 127.0.0.1 or [::1]: "
          "leave out --insecure-plaintext")
    for _ in range(2):
        with Usersd("--insecure-plaintext", url="tcp://127.0.0.1:0") as server:
            line = server.wait_for("tcp without keys: anyone on this machine may call")
            equal(line["level"], "warning")
            ran = pipit("whoami", "--insecure-plaintext", line["url"])
            equal(ran.json(), {"principal": "anonymous", "transport": "TRANSPORT_TCP", "roles": []}, ran.err)


@test
def a_warning_stands_before_the_error_that_comes_after_it():
    clear()
    with Usersd("--insecure-plaintext", url="tcp://127.0.0.1:0") as server:
        ran = subprocess.run([USERSD, "serve", "--store", "memory:", "--insecure-plaintext", "--listen",
                              f"tcp://127.0.0.1:0,{server.url}"], capture_output=True, text=True,
                             env=environment({}), timeout=WAIT_S, check=False)
    lines = ran.stderr.splitlines()
    equal(ran.returncode, 1, ran.stderr)
    holds(lines[-2], "tcp without keys")
    holds(lines[-1], f"usersd: cannot serve: UNAVAILABLE ADDRESS_IN_USE: {server.url}: ")


@test
def a_key_that_nothing_uses_is_warned_of():
    clear()
    key = str(HOME / "none" / "server.key")
    for flags, url in [((), URL), (("--insecure-plaintext",), "tcp://127.0.0.1:0")]:
        with Usersd("--key", key, *flags, url=url) as server:
            line = server.wait_for("the key is not used: nothing listens on tcp:// with keys")
            equal((line["level"], line["key"]), ("warning", key))
    with Usersd() as server:
        holds_not(server.stop(), "the key is not used")


@test
def a_wrong_url_is_refused_before_the_store_is_made():
    clear()
    place = HOME / "users.db"
    for url in ("ws://127.0.0.1:1", "tls+tcp://127.0.0.1:1", "abstract://users", "/tmp/users.sock",
                "tcp://127.0.0.1:99999", "ipc://rel", f"{URL},{URL}"):
        holds(refused(url=url, store=f"sqlite:{place}", code=2), f"usersd: --listen: '{url.split(',')[0]}'")
    equal(place.exists(), False, "the store is there")


# --- ipc ----------------------------------------------------------------------------------


@test
def the_socket_is_for_its_group_and_its_default_directory_too():
    clear()
    old = os.umask(0)
    try:
        runtime = HOME / "runtime"
        process = subprocess.Popen([USERSD, "serve", "--store", "memory:"], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True,
                                   env=environment({"RUNTIME_DIRECTORY": str(runtime)}))
    finally:
        os.umask(old)
    equal(process.stdout.readline(), f"listening on ipc://{runtime}/usersd.sock\n")
    equal(oct(stat.S_IMODE((runtime / "usersd.sock").stat().st_mode)), "0o660", "mode of the socket")
    equal(oct(stat.S_IMODE(runtime.stat().st_mode)), "0o750", "mode of its directory")
    process.terminate()
    equal(process.wait(WAIT_S), 0)


@test
def a_directory_where_others_could_put_a_socket_is_refused_or_warned_of():
    clear()
    folder = HOME / "shared"
    folder.mkdir()
    url = f"ipc://{folder}/users.sock"
    folder.chmod(0o777)
    equal(refused(url=url),
          f"usersd: cannot serve: FAILED_PRECONDITION DIRECTORY_UNSAFE: {url}: everybody can write to {folder} (mode "
          f"0777), and could put a socket of his own there: chmod o-w {folder}")
    for mode, problem in [(0o1777, "everybody can write to it"), (0o770, "its group can write to it")]:
        folder.chmod(mode)
        with Usersd(url=url) as server:
            line = server.wait_for("the directory of an ipc socket is not this server's alone")
            equal(line["directory"], str(folder))
            holds(line["problem"], problem)
    folder.chmod(0o755)
    with Usersd(url=url) as server:
        holds_not(server.stop(), "not this server's alone")
    folder.rmdir()
    below = folder / "also" / "missing"
    url = f"ipc://{below}/users.sock"
    said = refused(url=url)
    equal(said, f"usersd: cannot serve: FAILED_PRECONDITION DIRECTORY_MISSING: {url}: there is no "
                f"directory {below}: mkdir -p -m 750 {below}")
    subprocess.run(said.rpartition(": ")[2], shell=True, check=True)  # what it says is what helps
    with Usersd(url=url):
        pass


@test
def it_serves_with_any_of_its_streams_closed_and_its_log_is_the_standard_error_only():
    clear()
    for closed in ("0<&-", "1>&-", "2>&-"):
        with subprocess.Popen(["sh", "-c", f'exec "$0" "$@" {closed}', USERSD, "serve", "--store", "memory:",
                               "--listen", URL], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=environment({})) as process:
            pipit("health", "--wait-for-ready", "--timeout", "30s", URL)
            process.terminate()
            out, err = process.communicate(timeout=WAIT_S)
        equal(process.returncode, 0, f"exit code with {closed}: {err}")
        equal(out, "" if closed == "1>&-" else f"listening on {URL}\n", closed)
        warnings = [line for line in err.splitlines() if json.loads(line)["level"] == "warning"]
        equal([json.loads(line)["msg"] for line in warnings if "sanitizer" not in line],
              ["cannot write to standard output"] if closed == "1>&-" else [], f"{closed}: {err}")
        equal("draining" in err, closed != "2>&-", f"{closed}: {err}")


# --- the process --------------------------------------------------------------------------


@test
def its_memory_is_not_dumped_and_not_read_by_its_own_uid():
    only_as_root()
    clear()
    PLACE.chmod(0o755)
    folder = HOME / "nobodys"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    with Usersd(url=f"ipc://{folder}/users.sock", uid=NOBODY) as server:
        proc = pathlib.Path("/proc") / str(server.process.pid)
        limit = next(line for line in (proc / "limits").read_text().splitlines() if "core file" in line)
        equal(limit.split()[4:6], ["0", "0"], "limits of core files")
        owner = (proc / "mem").stat().st_uid
        if "sanitizer" in server.stop():
            raise Skipped("a build with a sanitizer lets itself be read, and says so")
        equal(owner, 0, "owner of the process's memory")


SOCKETS.mkdir(mode=0o755)
HOME.chmod(0o755)
kit.finish(kit.run())
