#!/usr/bin/env python3
"""What `usersd invoke` prints and exits with: each method, without a socket.

    invoke.py USERSD STORE

STORE is memory:, sqlite:PATH or a migrated postgresql:///. Prints `ok N - sentence`
a test; the last line is `N passed, N failed`.
"""

import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid

USERSD, STORE = sys.argv[1:3]
KEEPS = STORE != "memory:"
OK, INTERNAL, USAGE, RPC = 0, 1, 2, 64
INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND, ALREADY_EXISTS, ABORTED = (
    RPC + 3, RPC + 4, RPC + 5, RPC + 6, RPC + 10)

CANNOT_WRITE = "usersd: cannot write to standard output: "

TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Ran:
    def __init__(self, ran):
        self.status, self.out, self.err = ran.returncode, ran.stdout, ran.stderr


def usersd(*arguments, stdin="", **environment):
    """Without a runtime directory: no socket is needed."""
    clean = {k: v for k, v in os.environ.items()
             if not k.startswith("USERSD_") and k not in ("RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR")}
    return Ran(subprocess.run([USERSD, *arguments], input=stdin, capture_output=True, text=True,
                              env=clean | environment, timeout=60, check=False))


def invoke(method, request="{}", *flags, **environment):
    body = request if isinstance(request, str) else json.dumps(request)
    return usersd("invoke", method, "--store", STORE, "--log-level", "off", *flags, stdin=body,
                  **environment)


def equal(actual, expected, what=""):
    if actual != expected:
        raise AssertionError(f"{what}{actual!r}, not {expected!r}")


def good(ran):
    equal((ran.status, ran.err), (OK, ""), "exit code and errors: ")
    return json.loads(ran.out)


def bad(ran, status, reason):
    equal(ran.status, status, "exit code: " + ran.err)
    equal(ran.out, "", "standard output: ")
    rpc = json.loads(ran.err)
    equal(rpc["code"], status - RPC)
    info = next(d for d in rpc["details"] if d["@type"].endswith("google.rpc.ErrorInfo"))
    equal((info["reason"], info["domain"]), (reason, "users.v1"))
    return rpc


def refused(ran, text):
    equal((ran.status, ran.out), (USAGE, ""), "exit code and output: " + ran.err)
    if text not in ran.err or not ran.err.startswith("usersd: ") or ran.err.count("\n") != 1:
        raise AssertionError(f"{ran.err!r} is not a line with {text!r}")


def ada(number=0, **fields):
    return {"email": f"Ada{number}.{uuid.uuid4().hex[:8]}@example.com", "name": "Ada", "age": 36} | fields


@test
def create_user_gives_the_user_with_id_times_and_etag():
    given = ada(name='"\\ , {NULL} ÅÄÖ 日本')
    user = good(invoke("CreateUser", {"user": given}))
    equal({k: user[k] for k in given}, given)
    equal(user["etag"], '"1"')
    equal(user["createTime"], user["updateTime"])
    uuid.UUID(user["id"])


@test
def get_user_finds_by_id_and_by_email_or_says_not_found():
    if KEEPS:
        user = good(invoke("CreateUser", {"user": ada()}))
        equal(good(invoke("GetUser", {"id": user["id"]})), user)
        equal(good(invoke("GetUser", {"email": user["email"].upper()})), user)
    bad(invoke("GetUser", {"id": str(uuid.uuid4())}), NOT_FOUND, "USER_NOT_FOUND")
    bad(invoke("GetUser", {"email": "nobody@example.com"}), NOT_FOUND, "USER_NOT_FOUND")


@test
def update_user_changes_what_the_mask_names_under_its_etag():
    if KEEPS:
        user = good(invoke("CreateUser", {"user": ada()}))
        change = {"user": {"id": user["id"], "name": "Lovelace", "age": 1, "etag": user["etag"]},
                  "updateMask": "name"}
        after = good(invoke("UpdateUser", change))
        equal((after["name"], after["age"], after["etag"]), ("Lovelace", 36, '"2"'))
        bad(invoke("UpdateUser", change), ABORTED, "ETAG_MISMATCH")
    bad(invoke("UpdateUser", {"user": {"id": str(uuid.uuid4()), "age": 1}}), NOT_FOUND,
        "USER_NOT_FOUND")
    bad(invoke("UpdateUser", {"user": {"id": str(uuid.uuid4())}, "updateMask": "id"}),
        INVALID_ARGUMENT, "MASK_INVALID")


@test
def delete_user_answers_an_empty_object_and_not_found_the_next_time():
    user = {"id": str(uuid.uuid4())}
    if KEEPS:
        user = good(invoke("CreateUser", {"user": ada()}))
        equal(good(invoke("DeleteUser", {"id": user["id"]})), {})
    bad(invoke("DeleteUser", {"id": user["id"]}), NOT_FOUND, "USER_NOT_FOUND")


@test
def list_users_goes_page_by_page_through_processes():
    made = []
    if KEEPS:
        made = [good(invoke("CreateUser", {"user": ada(n)}))["id"] for n in range(3)]
    seen, token = [], ""
    while True:
        page = good(invoke("ListUsers", {"pageSize": 2, "pageToken": token}))
        seen += [user["id"] for user in page.get("users", [])]
        token = page.get("nextPageToken", "")
        if not token:
            break
    equal(seen, sorted(set(seen)))
    equal([i for i in made if i not in seen], [])
    if not KEEPS:
        equal(seen, [])
    bad(invoke("ListUsers", {"pageToken": "AAAA"}), INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")
    bad(invoke("ListUsers", {"pageSize": -1}), INVALID_ARGUMENT, "FIELD_INVALID")


@test
def every_violation_is_in_the_status():
    rpc = bad(invoke("CreateUser", {"user": {"email": "x", "age": 131}, "requestId": "7"}),
              INVALID_ARGUMENT, "FIELD_INVALID")
    request = next(d for d in rpc["details"] if d["@type"].endswith("google.rpc.BadRequest"))
    equal([v["field"] for v in request["fieldViolations"]],
          ["user.email", "user.name", "user.age", "request_id"])


@test
def a_repeat_of_a_request_id_gets_the_first_answer_and_another_body_does_not():
    if not KEEPS:
        return
    request = {"user": ada(), "requestId": str(uuid.uuid4())}
    user = good(invoke("CreateUser", request))
    equal(good(invoke("CreateUser", request)), user)
    request["user"]["age"] = 37
    bad(invoke("CreateUser", request), INVALID_ARGUMENT, "REQUEST_ID_REUSED")
    bad(invoke("CreateUser", {"user": ada(email=user["email"])}), ALREADY_EXISTS, "EMAIL_TAKEN")


@test
def a_method_has_its_short_and_its_full_names():
    for name in ("ListUsers", "users.v1.UsersService/ListUsers", "users.v1.UsersService.ListUsers"):
        good(invoke(name))


@test
def a_method_that_is_not_there_is_told_before_a_store_is_opened():
    with tempfile.TemporaryDirectory(prefix="pipit-invoke-") as folder:
        for name in ("listusers", "ListUser", "users.v1.UsersServiceListUsers", "v1/ListUsers", ""):
            refused(usersd("invoke", name, "--store", f"sqlite:{folder}/users.db"),
                    f"unknown method '{name}': one of CreateUser GetUser UpdateUser DeleteUser ListUsers")
        equal(os.listdir(folder), [])


@test
def wrong_json_is_told_by_line_and_column():
    refused(invoke("GetUser", ""), "standard input: 1:")
    refused(invoke("GetUser", '{\n  "id": }'), "standard input: 2:9: ")
    refused(invoke("GetUser", '{"id": "a"} x'), "standard input: 1:13: ")
    refused(invoke("GetUser", '{"mail": "a"}'), "mail")
    refused(invoke("CreateUser", '{"user": {"age": "131x"}}'), "user.age")
    refused(invoke("CreateUser", '{"user": {"name": "a\\u0000b"}}'), "standard input: 1:")
    refused(invoke("GetUser", '{"id": "a", "email": "b"}'), "standard input: 1:")
    refused(invoke("GetUser", "[" * 100000), "standard input: 1:")


@test
def a_request_of_a_mebibyte_is_read_and_a_byte_more_is_not():
    padding = " " * (1024 * 1024 - 2)
    good(invoke("ListUsers", "{}" + padding))
    refused(invoke("ListUsers", "{}" + padding + " "), "cannot read standard input: it is too large")


@test
def a_standard_input_that_cannot_be_read_is_told():
    with open(os.devnull, "w", encoding="utf-8") as unreadable:
        ran = subprocess.run([USERSD, "invoke", "ListUsers", "--store", STORE], stdin=unreadable,
                             capture_output=True, text=True, timeout=60, check=False)
    refused(Ran(ran), "cannot read standard input: ")


@test
def an_answer_that_cannot_be_written_is_a_failure():
    with open("/dev/full", "w", encoding="utf-8") as full:
        ran = subprocess.run([USERSD, "invoke", "ListUsers", "--store", STORE], input="{}",
                             stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    equal((ran.returncode, ran.stderr), (INTERNAL, CANNOT_WRITE + "No space left on device\n"))


@test
def what_other_commands_cannot_write_is_a_failure_too():
    with tempfile.TemporaryDirectory(prefix="pipit-invoke-") as folder:
        for command in (["version"], ["help"], ["migrate", "--store", f"sqlite:{folder}/users.db"]):
            with open("/dev/full", "w", encoding="utf-8") as full:
                ran = subprocess.run([USERSD, *command], stdout=full, stderr=subprocess.PIPE, text=True,
                                     timeout=60, check=False)
            equal((ran.returncode, ran.stderr), (INTERNAL, CANNOT_WRITE + "No space left on device\n"),
                  f"{command[0]}: ")


@test
def a_reader_that_has_gone_is_told_by_a_signal_as_to_other_programs():
    reader, writer = os.pipe()
    os.close(reader)
    ran = subprocess.run([USERSD, "help"], stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60,
                         check=False)
    os.close(writer)
    equal((ran.returncode, ran.stderr), (-signal.SIGPIPE, ""))


def run_closed(closed, *arguments):
    """By a shell, which closes what @closed says: 0<&-, 1>&- or 2>&-."""
    ran = subprocess.run(["sh", "-c", f'exec "$0" "$@" {closed}', USERSD, *arguments], input="{}",
                         capture_output=True, text=True, timeout=60, check=False)
    return ran.returncode, ran.stdout, ran.stderr


@test
def a_stream_that_is_closed_is_nothing_else_s():
    command = ("invoke", "ListUsers", "--store", STORE, "--log-level", "off")
    equal(run_closed("1>&-", *command), (INTERNAL, "", CANNOT_WRITE + "Bad file descriptor\n"))
    equal(run_closed("0<&-", *command),
          (USAGE, "", "usersd: cannot read standard input: Bad file descriptor\n"))
    status, out, err = run_closed("2>&-", *command)
    equal((status, err), (OK, ""))
    json.loads(out)
    equal(run_closed("1>&-", "version"), (INTERNAL, "", CANNOT_WRITE + "Bad file descriptor\n"))


@test
def migrate_names_the_store_and_no_password():
    if STORE == "memory:":
        equal(usersd("migrate", "--store", STORE).out, "schema 0: nothing to do in memory:\n")
        return
    if STORE.startswith("sqlite:"):
        with tempfile.TemporaryDirectory(prefix="pipit-invoke-") as folder:
            os.mkdir(f"{folder}/a:")
            store = f"sqlite:{folder}/a://b?c.db"
            equal(usersd("migrate", "--store", store).out, f"schema 0 -> 1 in {store}\n")
            equal(usersd("migrate", "--store", store).out, f"schema 1: nothing to do in {store}\n")
        return
    bare, settings = STORE.split("?")
    host, user = (part.partition("=")[2] for part in settings.split("&"))
    for store, shown in [(STORE, bare),
                         (STORE + "&password=secret", bare),
                         (bare.replace("///", f"//{user}:secret@/") + f"?host={host}",
                          bare.replace("///", f"//{user}@/"))]:
        equal(usersd("migrate", "--store", store).out, f"schema 1: nothing to do in {shown}\n")


@test
def a_store_that_cannot_be_opened_is_a_failure():
    ran = usersd("invoke", "ListUsers", "--store", "sqlite:/nonexistent/users.db", stdin="{}")
    equal((ran.status, ran.out), (INTERNAL, ""))
    if "FAILED_PRECONDITION STORE_UNUSABLE" not in ran.err:
        raise AssertionError(ran.err)


@test
def a_call_that_is_stuck_ends_at_its_deadline():
    if not STORE.startswith("sqlite:"):
        return
    user = good(invoke("CreateUser", {"user": ada()}))
    other = sqlite3.connect(STORE.removeprefix("sqlite:"), isolation_level=None)
    other.execute("begin immediate")
    began = time.monotonic()
    ran = invoke("UpdateUser", {"user": {"id": user["id"], "age": 1}}, USERSD_TIMEOUT_MS="300")
    took = time.monotonic() - began
    equal(good(invoke("GetUser", {"id": user["id"]})), user)
    other.execute("rollback")
    other.close()
    bad(ran, DEADLINE_EXCEEDED, "DEADLINE")
    if took < 0.3:
        raise AssertionError(f"it took {took} s")


@test
def the_time_in_which_a_request_is_typed_is_not_the_call_s():
    ran = subprocess.Popen([USERSD, "invoke", "ListUsers", "--store", STORE, "--timeout-ms", "400"],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True)
    wait_until_it_reads(ran.pid)
    time.sleep(0.6)  # longer than its timeout is what is tested
    out, err = ran.communicate("{}", timeout=60)
    equal(ran.returncode, OK, err)
    json.loads(out)


def wait_until_it_reads(pid):
    """The pipe is empty: it sleeps in read()."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if "pipe" in pathlib.Path(f"/proc/{pid}/wchan").read_text(encoding="utf-8"):
            return
        time.sleep(0.01)


def main():
    n_failed = 0
    for number, function in enumerate(TESTS, 1):
        name = function.__name__.replace("_", " ")
        try:
            function()
            print(f"ok {number} - {name}", flush=True)
        except Exception as error:  # pylint: disable=broad-except
            n_failed += 1
            print(f"not ok {number} - {name}\n# {type(error).__name__}: {error}", flush=True)
    print(f"{len(TESTS) - n_failed} passed, {n_failed} failed")
    sys.exit(n_failed > 0)


main()
