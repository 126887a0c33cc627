#!/usr/bin/env python3
"""What `pipit` prints and exits with.

    cli.py PIPIT USERSD DESCRIPTOR-SET

Runs the programs as a user would. Prints `ok N - sentence` a test; the last
line is `N passed, N failed`.
"""

import json
import pathlib
import socket
import subprocess
import sys
import threading

import kit
from kit import (ALREADY_EXISTS, FOLDER, INTERNAL, INVALID_ARGUMENT, NOT_FOUND, NOT_SERVING, NOWHERE, OK, RPC,
                 UNAVAILABLE, USAGE, equal, holds, holds_not, on_terminal, pipit, test, usage)

PIPIT, USERSD, SAMPLES = sys.argv[1:4]
kit.PROGRAM.append(PIPIT)
USERS = "users.v1.UsersService/"
URL = f"ipc://{FOLDER.name}/usersd.sock"


def call(method, request=None, *flags, **environment):
    body = [] if request is None else [request if isinstance(request, str) else json.dumps(request)]
    return pipit("call", URL, USERS + method, *body, *flags, **environment)


def create(email, **fields):
    ran = call("CreateUser", {"user": {"email": email, "name": "Ada", "age": 36} | fields})
    equal(ran.status, OK, ran.err)
    return ran.json()


# --- help and wrong use ------------------------------------------------------------

@test
def help_is_on_stdout_and_lists_every_command():
    for arguments in (["help"], ["--help"], ["-h"]):
        ran = pipit(*arguments)
        equal((ran.status, ran.err), (OK, ""))
        holds(ran.out, "call", "health", "version", "Exit codes")


@test
def each_command_has_help_with_examples():
    for command in ("call", "health", "version", "help"):
        ran = pipit("help", command)
        equal((ran.status, ran.err), (OK, ""))
        holds(ran.out, f"pipit {command}", "Flags", "Examples")
        equal(pipit(command, "--help").out, ran.out)


@test
def no_arguments_is_wrong_use_that_shows_the_help():
    ran = pipit()
    equal((ran.status, ran.out), (USAGE, ""))
    holds(ran.err, "Commands")


@test
def version_is_one_line():
    ran = pipit("version")
    equal((ran.status, ran.err), (OK, ""))
    equal(ran.out.split()[0], "pipit")
    equal(pipit("--version").out, ran.out)


@test
def an_unknown_command_names_the_nearest():
    usage(pipit("cal"), "there is no command 'cal'; did you mean call? (see pipit help)")
    usage(pipit("zzz"), "there is no command 'zzz' (see pipit help)")
    usage(pipit("help", "heath"), "there is no command 'heath'; did you mean health? (see pipit help)")


@test
def a_flag_before_the_command_is_told_where_it_belongs():
    usage(pipit("--timeout", "2s", "list"), "'--timeout' stands before the command: the command comes first, as in "
                                            "`pipit list --timeout 2s` (see pipit help)")


@test
def an_unknown_flag_names_the_nearest():
    usage(pipit("call", "--timout", "5s"),
          "there is no flag '--timout'; did you mean --timeout? (see pipit help call)")
    usage(pipit("call", "-z"), "there is no flag '-z' (see pipit help call)")


@test
def a_flag_without_its_value_says_what_is_missing():
    usage(pipit("call", "--timeout"), "--timeout needs a value: DURATION (see pipit help call)")
    usage(pipit("health", "-o"), "-o needs a value: json|ndjson|text (see pipit help health)")
    usage(pipit("call", "--verbose=1"), "--verbose takes no value (see pipit help call)")


@test
def wrong_values_of_flags_are_told():
    for value in ("5", "5h", "x", "", "-1s", "1.5.2s", "1e3s"):
        usage(pipit("health", URL, "--timeout=" + value),
              f"--timeout: '{value}' is not a duration, as 500ms or 2s (see pipit help health)")
    for value in ("0s", "61s", "0.1ms"):
        usage(pipit("health", URL, "--timeout", value),
              f"--timeout: '{value}' is not between 1ms and 60s (see pipit help health)")
    usage(pipit("call", "-o", "yaml"), "-o: 'yaml' is none of json, ndjson and text (see pipit help call)")
    usage(pipit("health", URL, PIPIT_TIMEOUT="x"),
          "PIPIT_TIMEOUT: 'x' is not a duration, as 500ms or 2s (see pipit help health)")


@test
def wrong_metadata_is_told():
    for value, problem in (
            ("foo", "'foo' is not KEY=VALUE"),
            ("=x", "'=x' is not KEY=VALUE"),
            ("a-bin=!", "'!' is not base64, which a-bin wants")):
        usage(call("ListUsers", None, "-m", value),
              f"metadata: {problem} (see pipit help call)")
    ran = call("ListUsers", None, "-m", "Upper=1")
    equal(ran.status, USAGE)
    equal(ran.err, "pipit: metadata: 'Upper' is no key: one is 1 to 64 of a-z 0-9 . _ - (see pipit help call)\n")
    usage(pipit("health", URL, *["-mk=v"] * 65),
          "metadata: there are 65 entries, and at most 64 go (see pipit help health)")
    usage(pipit("health", URL, "-ma=" + "x" * 5000, "-mb=" + "x" * 5000),
          "metadata: with 'b' there are more than the 8192 bytes that go, of keys and values in all "
          "(see pipit help health)")


@test
def missing_arguments_and_too_many_are_told():
    usage(pipit("call"), "a target is missing, as ipc:///run/usersd.sock or tcp://127.0.0.1:7000 "
                         "(PIPIT_TARGET names one, too) (see pipit help call)")
    usage(pipit("call", URL), "a method is missing, as users.v1.UsersService/GetUser (see pipit help call)")
    usage(call("GetUser", "{}", "more"), "'more' is one argument too many (see pipit help call)")
    usage(pipit("health", URL, "a", "b"), "'b' is one argument too many (see pipit help health)")
    usage(pipit("version", "x"), "'x' is one argument too many (see pipit help version)")


@test
def what_is_no_target_is_told():
    usage(pipit("call", USERS + "GetUser"),
          "'users.v1.UsersService/GetUser' is not a target, as ipc:///run/usersd.sock or "
          "tcp://127.0.0.1:7000 (PIPIT_TARGET names one, too) (see pipit help call)")
    ran = pipit("health", "http://localhost")
    equal((ran.status, ran.out), (USAGE, ""))
    holds(ran.err, "http://localhost", "scheme")
    place = kit.FOLDER.name + "/nothing-there"
    usage(pipit("health", "tcp://127.0.0.1:1", PIPIT_CONFIG_DIR=place),
          f"{place}/id.key: there is no such file: `pipit keygen {place}/id.key` makes it "
          "(a server without keys, on this machine, needs --insecure-plaintext)")


@test
def a_wrong_method_names_the_nearest():
    usage(call("GetUsr"),
          "there is no method 'users.v1.UsersService/GetUsr'; did you mean users.v1.UsersService/GetUser?")
    usage(pipit("call", URL, "GetUsr"),
          "there is no method 'GetUsr'; did you mean users.v1.UsersService/GetUser?")
    usage(pipit("call", URL, "shop.users->get-usr"),
          "there is no method 'shop.users->get-usr'; did you mean shop.users->get-user?")
    holds(pipit("call", URL, "users.v1.UsersService").err, "is a service", "CreateUser, GetUser")
    for wrong, near in (("usrs->get-user", "users->get-user"), ("shop.usrs->get-usr", "shop.users->get-user"),
                        ("user-service->list-users", "users-service->list-users"), ("helth->check", "health->check")):
        usage(pipit("call", URL, wrong), f"there is no method '{wrong}'; did you mean {near}?")
    for arguments in (("UsersService",), ("UsersService", "GetUser")):
        usage(pipit("call", URL, *arguments), "'UsersService' is a service; write UsersService/METHOD, its methods are "
                                              "CreateUser, GetUser, UpdateUser, DeleteUser, ListUsers")
    holds(pipit("call", URL, "shop.posts->get").err, "no service fits 'shop.posts'",
          "grpc.health.v1.Health, ", "users.v1.UsersService")
    holds(pipit("call", URL, "zzzzzz").err, "there is no method 'zzzzzz'", "users.v1.UsersService")


@test
def a_wrong_request_names_line_column_and_path():
    usage(call("CreateUser", '{"user":{"age":"131x"}}'),
          'request:1:16: user.age: "131x" is not a number (uint32)')
    usage(call("CreateUser", '{"user":\n {"nmae":"x"}}'),
          'request:2:10: user.nmae: users.v1.User has no such field; did you mean "name"?')
    usage(call("GetUser", '{"id":"x"'), "request:1:10: expected ',' or '}', but the text ends")
    usage(call("GetUser", '{"id":"x","email":"y"}'),
          'request:1:19: email: "id" is set already, and users.v1.GetUserRequest takes only one of '
          'them (oneof)')
    usage(call("GetUser", ""), "request:1:1: there is no JSON; an empty message is {}")
    usage(pipit("call", URL, USERS + "GetUser", "-", stdin='{"id":1}'),
          "standard input:1:7: id: 1 is not a string")


@test
def files_that_cannot_be_read_are_told():
    usage(call("GetUser", "@/nonexistent"), "cannot read /nonexistent: No such file or directory")
    usage(call("GetUser", "@/"), "cannot read /: Is a directory")
    usage(call("GetUser", "{}", "--descriptor-set", "/nonexistent"),
          "cannot read /nonexistent: No such file or directory")
    junk = pathlib.Path(FOLDER.name, "junk")
    junk.write_bytes(b"\xff" * 40)
    ran = call("GetUser", "{}", "--descriptor-set", str(junk))
    equal((ran.status, ran.out), (USAGE, ""))
    holds(ran.err, f"pipit: {junk}: this is not a FileDescriptorSet", "--descriptor_set_out")


@test
def output_that_cannot_be_written_is_an_error():
    with open("/dev/full", "w", encoding="ascii") as full:
        ran = subprocess.run([PIPIT, "help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    equal(ran.returncode, INTERNAL)
    holds(ran.stderr, "cannot write to standard output: No space left on device")


# --- nobody there -------------------------------------------------------------------

@test
def an_unreachable_server_is_78_with_address_and_cause():
    for command in (["health", NOWHERE], ["call", NOWHERE, USERS + "ListUsers"]):
        ran = pipit(*command, "--errors", "text")
        equal((ran.status, ran.out), (UNAVAILABLE, ""))
        holds(ran.err, "pipit: UNAVAILABLE (NOT_CONNECTED)", NOWHERE, "No such file or directory", "not run]")
    ran = pipit("health", "tcp://127.0.0.1:1", "--insecure-plaintext", "--errors=text")
    equal(ran.status, UNAVAILABLE)
    holds(ran.err, "tcp://127.0.0.1:1", "Connection refused")


@test
def waiting_for_a_server_ends_at_the_timeout():
    ran = pipit("health", NOWHERE, "--wait-for-ready", "--timeout", "50ms", "--errors", "text")
    equal(ran.status, RPC + 4, ran.err)
    holds(ran.err, "DEADLINE_EXCEEDED", "not run]")


@test
def a_path_may_have_a_blank_in_it():
    pathlib.Path(FOLDER.name, "a blank.sock").symlink_to("usersd.sock")
    ran = pipit("health", f"ipc://{FOLDER.name}/a blank.sock")
    equal((ran.status, ran.json()), (OK, {"status": "SERVING"}), ran.err)


@test
def waiting_for_a_server_finds_one_that_comes_later():
    url = f"ipc://{FOLDER.name}/later.sock"
    waiting = subprocess.Popen([PIPIT, "health", "-w", "-t", "30s", url], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with kit.usersd(USERSD, url):
        out, err = waiting.communicate(timeout=60)
    equal((waiting.returncode, err), (OK, ""))
    equal(json.loads(out), {"status": "SERVING"})


# --- calls that succeed -------------------------------------------------------------

@test
def health_of_a_server_is_serving():
    for arguments in ([URL], [URL, "users.v1.UsersService"]):
        ran = pipit("health", *arguments)
        equal((ran.status, ran.err), (OK, ""))
        equal(ran.json(), {"status": "SERVING"})


@test
def a_user_is_created_read_changed_listed_and_deleted():
    user = create("crud@example.com")
    equal((user["email"], user["name"], user["age"]), ("crud@example.com", "Ada", 36))
    equal(call("GetUser", {"id": user["id"]}).json(), user)
    changed = call("UpdateUser", {"user": {"id": user["id"], "name": "Ada King", "etag": user["etag"]},
                                  "updateMask": "name"}).json()
    equal(changed["name"], "Ada King")
    holds(str(call("ListUsers").json()["users"]), user["id"])
    ran = call("DeleteUser", {"id": user["id"]})
    equal((ran.status, ran.out), (OK, "{}\n"))
    equal(call("GetUser", {"id": user["id"]}).status, NOT_FOUND)


@test
def a_name_comes_back_as_it_went_in():
    name = 'Zo\u00eb "\\, { } NULL \U0001f600'
    equal(create("odd@example.com", name=name)["name"], name)


@test
def the_method_has_three_forms():
    user = create("forms@example.com")
    for method in ("users.v1.UsersService/GetUser", "users.v1.UsersService.GetUser", "my-namespace.users->get-user",
                   "users->get-user", "users.v1.UsersService->get-user", "my-namespace.users-service->GetUser"):
        ran = pipit("call", URL, method, json.dumps({"id": user["id"]}))
        equal((ran.status, ran.err), (OK, ""), method)
        equal(ran.json(), user, method)


@test
def the_request_comes_from_a_file_or_standard_input():
    user = create("input@example.com")
    request = json.dumps({"email": "input@example.com"})
    path = pathlib.Path(FOLDER.name, "request.json")
    path.write_text(request, encoding="ascii")
    equal(call("GetUser", f"@{path}").json(), user)
    equal(pipit("call", URL, USERS + "GetUser", "-", stdin=request).json(), user)


@test
def the_target_comes_from_the_environment_when_none_is_given():
    equal(pipit("health", PIPIT_TARGET=URL).status, OK)
    equal(pipit("health", "users.v1.UsersService", PIPIT_TARGET=URL).status, OK)
    equal(pipit("call", USERS + "ListUsers", '{"pageSize":1}', PIPIT_TARGET=URL).status, OK)
    equal(pipit("health", URL, PIPIT_TARGET=NOWHERE).status, OK)
    equal(pipit("health", PIPIT_TARGET=NOWHERE).status, UNAVAILABLE)


@test
def one_of_several_addresses_is_enough():
    equal(pipit("health", "-w", f"{NOWHERE},{URL}").status, OK)


@test
def flags_stand_anywhere_and_two_dashes_end_them():
    equal(pipit("health", "-v", URL, "-ojson", "--timeout=2s").status, OK)
    usage(pipit("health", URL, "--", "-v", "x"), "'x' is one argument too many (see pipit help health)")


@test
def text_output_is_a_line_a_field():
    user = create("text@example.com")
    out = call("GetUser", {"id": user["id"]}, "-o", "text").out
    equal(dict(line.split(": ", 1) for line in out.splitlines()), {k: str(v) for k, v in user.items()})
    holds(call("ListUsers", None, "--output=text").out, "users[0].id: ")


@test
def compact_output_is_one_line():
    equal(call("ListUsers", None, "--compact").out.count("\n"), 1)
    equal(call("ListUsers", None, "-c").json(), call("ListUsers").json())


@test
def defaults_shows_empty_fields_too():
    create("defaults@example.com")
    equal(call("ListUsers", {"pageSize": 1000}).json().keys(), {"users"})
    equal(call("ListUsers", {"pageSize": 1000}, "--defaults").json().keys(), {"users", "nextPageToken"})


@test
def verbose_tells_peer_and_time_on_stderr_only():
    ran = call("ListUsers", None, "-v")
    equal(ran.status, OK)
    ran.json()
    holds(ran.err, f"* users.v1.UsersService/ListUsers OK at {URL} after ", " ms\n")


@test
def a_descriptor_set_adds_its_services():
    ran = pipit("call", NOWHERE, "x.samples->get-scalars", "--descriptor-set", SAMPLES, "--errors=text", "-v")
    equal(ran.status, UNAVAILABLE)
    holds(ran.err, "samples.v1.SamplesService/GetScalars UNAVAILABLE")
    equal(pipit("call", URL, USERS + "ListUsers", PIPIT_DESCRIPTOR_SET=SAMPLES).status, OK)
    ran = pipit("call", URL, "samples.v1.SamplesService/GetScalars", "--descriptor-set", SAMPLES, "--errors=text")
    equal(ran.status, RPC + 12)
    holds(ran.err, "UNIMPLEMENTED")


# --- calls that fail ------------------------------------------------------------------

@test
def a_failed_call_is_a_status_in_json_where_no_terminal_is():
    ran = call("GetUser", {"email": "nobody@example.com"})
    equal((ran.status, ran.out), (NOT_FOUND, ""))
    status = ran.status_json()
    equal(status["code"], 5)
    equal(status["details"][0], {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "USER_NOT_FOUND",
                                 "domain": "users.v1", "metadata": {"ran": "ran"}})
    equal(call("GetUser", {"email": "nobody@example.com"}, "-c").err.count("\n"), 1)


@test
def a_failed_call_is_one_line_as_text():
    ran = call("GetUser", {"email": "nobody@example.com"}, "--errors", "text")
    equal((ran.status, ran.out), (NOT_FOUND, ""))
    holds(ran.err, "pipit: NOT_FOUND (USER_NOT_FOUND): ", f" [server {URL}, ran]\n")
    equal(ran.err.count("\n"), 1)
    equal(call("GetUser", {"email": "nobody@example.com"}, PIPIT_ERRORS="text").err, ran.err)


@test
def every_violation_has_a_line():
    ran = call("CreateUser", {"user": {"email": "no", "age": 131}}, "--errors=text")
    equal(ran.status, INVALID_ARGUMENT)
    lines = ran.err.splitlines()
    holds(lines[0], "INVALID_ARGUMENT (FIELD_INVALID)")
    equal([line.split(":")[0] for line in lines[1:]], ["  user.email", "  user.name", "  user.age"])
    details = call("CreateUser", {"user": {"email": "no", "age": 131}}, "--errors=json").status_json()["details"]
    equal([v["field"] for v in details[1]["fieldViolations"]], ["user.email", "user.name", "user.age"])


@test
def a_taken_email_is_70():
    create("taken@example.com")
    ran = call("CreateUser", {"user": {"email": "TAKEN@example.com", "name": "B", "age": 1}}, "--errors=text")
    equal(ran.status, ALREADY_EXISTS)
    holds(ran.err, "ALREADY_EXISTS (EMAIL_TAKEN)")


@test
def health_of_an_unknown_service_is_69():
    ran = pipit("health", URL, "nope.v1.NoService", "--errors=text")
    equal((ran.status, ran.out), (NOT_FOUND, ""))
    holds(ran.err, "NOT_FOUND (SERVICE_UNKNOWN)")


@test
def a_terminal_sees_text_in_colour_unless_no_color():
    failing = ("call", URL, USERS + "GetUser", '{"email":"nobody@example.com"}')
    holds(on_terminal(*failing).err, "\x1b[1;31mNOT_FOUND\x1b[0m")
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        text = on_terminal(*failing, **environment).err
        holds(text, "pipit: NOT_FOUND (USER_NOT_FOUND)")
        holds_not(text, "\x1b")


def take_varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def fields(data):
    """(number, value) of a message's varints and length-delimited fields."""
    at = 0
    while at < len(data):
        tag, at = take_varint(data, at)
        value, at = take_varint(data, at)
        if tag & 7 == 2:
            value, at = data[at:at + value], at + value
        yield tag >> 3, value


def answer(connection, answers):
    """A REP peer as docs/wire.md has it: every Check is answered with answers["status"]."""
    connection.sendall(b"\0SP\0\0\x31\0\0")
    read = connection.makefile("rb").read
    read(8)
    while header := read(9):
        message = read(int.from_bytes(header[1:], "big"))
        replies = b""
        for number, call_ in fields(message[8:]):
            if number == 2:
                identity = dict(fields(call_))[1]
                reply = b"\x08" + bytes([identity]) + b"\x1a\x02\x08" + bytes([answers["status"]])
                replies += b"\x0a" + bytes([len(reply)]) + reply
        body = message[:4] + b"PI\x01\x11" + replies + b"\x11" + b"i" * 8
        connection.sendall(b"\1" + len(body).to_bytes(8, "big") + body)


@test
def a_server_that_does_not_serve_is_4():
    path = f"{FOLDER.name}/fake.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()

        answers = {}

        def serve():
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=answer, args=(connection, answers), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        for answers["status"], name in ((2, "NOT_SERVING"), (0, "UNKNOWN"), (3, "SERVICE_UNKNOWN"), (9, 9)):
            ran = pipit("health", f"ipc://{path}")
            equal((ran.status, ran.err), (NOT_SERVING, ""))
            equal(ran.json(), {"status": name})


with kit.usersd(USERSD, URL):
    FAILED = kit.run()
kit.finish(FAILED)
