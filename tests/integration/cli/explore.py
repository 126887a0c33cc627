#!/usr/bin/env python3
"""`pipit list`, `pipit describe`, and where they learn what there is.

    explore.py PIPIT USERSD ECHO-SERVER DESCRIPTOR-SET PROTOC PROTOBUF-DIR PROTO-DIR ECHO-DIR LARGE-SERVER

The folders: protoc's own .proto files, the project's, and the one that
echo/v1/echo.proto lies in.
"""

import json
import os
import pathlib
import subprocess
import sys

import kit
from kit import FOLDER, NOWHERE, OK, UNAVAILABLE, UNIMPLEMENTED, USAGE, equal, holds, holds_not, on_terminal, pipit, test, usage

PIPIT, USERSD, ECHO, SAMPLES, PROTOC, PROTOBUF_DIR, PROTO_DIR, ECHO_DIR, LARGE = sys.argv[1:10]
kit.PROGRAM.append(PIPIT)
URL = f"ipc://{FOLDER.name}/usersd.sock"
ECHO_URL = f"ipc://{FOLDER.name}/echo.sock"
USERS_METHODS = ["CreateUser", "GetUser", "UpdateUser", "DeleteUser", "ListUsers"]
ECHO_PROTO = ("--proto", "echo/v1/echo.proto", "-I", ECHO_DIR)
USERS_PROTO = ("--proto", "users/v1/users.proto", "-I", PROTO_DIR, "-I", PROTOBUF_DIR)


def good(ran):
    equal((ran.status, ran.err), (OK, ""))
    return ran.out


# --- list ---------------------------------------------------------------------------

@test
def list_has_a_line_a_service():
    holds(good(pipit("list", URL)).splitlines(), "users.v1.UsersService", "grpc.health.v1.Health")
    equal(pipit("list", PIPIT_TARGET=URL).out, pipit("list", URL).out)


@test
def list_of_a_service_has_a_line_a_method_that_call_takes():
    lines = good(pipit("list", URL, "users.v1.UsersService")).splitlines()
    equal(lines, [f"users.v1.UsersService/{name}" for name in USERS_METHODS])
    equal(good(pipit("list", URL, "UsersService")).splitlines(), lines)
    good(pipit("call", URL, lines[-1]))


@test
def list_long_has_types():
    holds(good(pipit("list", "--long", URL)),
          "users.v1.UsersService/GetUser (users.v1.GetUserRequest) returns (users.v1.User)\n",
          "grpc.health.v1.Health/Check (grpc.health.v1.HealthCheckRequest) returns")
    equal(good(pipit("list", "-l", URL, "Health")).count("\n"), 1)


@test
def list_in_json_has_types_too():
    services = [json.loads(line) for line in good(pipit("list", URL, "-o", "ndjson")).splitlines()]
    users = next(service for service in services if service["name"] == "users.v1.UsersService")
    equal([method["name"] for method in users["methods"]], USERS_METHODS)
    equal(users["methods"][1], {"name": "GetUser", "request": "users.v1.GetUserRequest", "response": "users.v1.User"})
    equal(json.loads(good(pipit("list", URL, "UsersService", "-o", "json"))), users)


@test
def list_of_a_wrong_service_names_the_nearest():
    usage(pipit("list", URL, "users.v1.UserService"),
          "there is no service 'users.v1.UserService'; did you mean users.v1.UsersService?")
    usage(pipit("list", URL, "Helth"), "there is no service 'Helth'; did you mean grpc.health.v1.Health?")
    usage(pipit("list", URL, "Usrs"), "there is no service 'Usrs'; did you mean users.v1.UsersService?")
    usage(pipit("list", URL, "zzz"), f"there is no service 'zzz'; `pipit list {URL}` tells which there are")
    usage(pipit("list", URL, "Health", "more"), "'more' is one argument too many (see pipit help list)")


@test
def files_are_listed_without_a_server():
    equal(good(pipit("list", *ECHO_PROTO)), "echo.v1.EchoService\n")
    equal(good(pipit("list", "--descriptor-set", SAMPLES)), "samples.v1.SamplesService\nsamples.old.OldService\n")
    equal(good(pipit("list", NOWHERE, *ECHO_PROTO, "EchoService")).splitlines(),
          ["echo.v1.EchoService/Echo", "echo.v1.EchoService/Sleep", "echo.v1.EchoService/Fail"])


# --- reflection ------------------------------------------------------------------------

@test
def a_server_that_nobody_knows_tells_its_services_and_is_called():
    lines = good(pipit("list", ECHO_URL)).splitlines()
    equal(lines, sorted(lines))
    holds(lines, "echo.v1.EchoService", "grpc.health.v1.Health", "pipit.reflection.v1.ReflectionService")
    holds(good(pipit("describe", ECHO_URL, "EchoService/Echo")), "message EchoRequest {\n  string text = 1;\n")
    equal(json.loads(good(pipit("call", ECHO_URL, "Echo", '{"text":"hello","number":"7"}'))),
          {"text": "hello", "number": "7"})
    usage(pipit("call", ECHO_URL, "GetUser"),
          "there is no method 'GetUser'; the known services are " + ", ".join(lines) +
          " (--proto FILE and --descriptor-set FILE bring others)")


@test
def files_that_do_not_fit_a_response_together_are_fetched_one_by_one():
    url = f"ipc://{FOLDER.name}/large.sock"
    with kit.Server([LARGE, "--listen"], url):
        holds(good(pipit("list", url)).splitlines(), "large.v1.LargeService")
        for number in range(4):
            holds(good(pipit("describe", url, f"large.v1.Large{number}")), f"message Large{number} {{")


@test
def without_reflection_what_is_built_in_has_to_do_and_stderr_says_so():
    url = f"ipc://{FOLDER.name}/silent.sock"
    said = f"pipit: {url} has no reflection; what is built into pipit has to do " \
           "(--proto FILE and --descriptor-set FILE bring other services)\n"
    with kit.Server([USERSD, "serve", "--store", "memory:", "--no-reflection", "--listen"], url):
        ran = pipit("list", url)
        equal((ran.status, ran.err), (OK, said))
        holds(ran.out.splitlines(), "users.v1.UsersService", "grpc.health.v1.Health")
        ran = pipit("call", url, "Check")
        equal((ran.status, ran.err, ran.json()), (OK, said, {"status": "SERVING"}))
        ran = pipit("call", url, "Echo", "{}")
        equal((ran.status, ran.out), (USAGE, ""))
        holds(ran.err, said + "pipit: there is no method 'Echo'")
        ran = pipit("call", url, "Echo", "{}", "--errors", "text", *ECHO_PROTO)
        equal((ran.status, ran.out), (UNIMPLEMENTED, ""))
        holds_not(ran.err, "reflection")


@test
def a_server_that_is_not_there_is_78_for_list_and_describe():
    for command in ("list", "describe"):
        ran = pipit(command, NOWHERE, "--errors", "text")
        equal((ran.status, ran.out), (UNAVAILABLE, ""))
        holds(ran.err, "pipit: UNAVAILABLE (NOT_CONNECTED)", NOWHERE, "No such file or directory")


# --- describe --------------------------------------------------------------------------

USER_TEXT = """\
// users/v1/users.proto
syntax = "proto3";

package users.v1;

message User {
  string id = 1;
  string email = 2;
  string name = 3;
  optional uint32 age = 4;
  google.protobuf.Timestamp create_time = 5;
  google.protobuf.Timestamp update_time = 6;
  string etag = 7;
}
"""


@test
def describe_shows_a_message_as_proto_text():
    for name in ("users.v1.User", ".users.v1.User", "User"):
        equal(good(pipit("describe", URL, name)), USER_TEXT, name)
    equal(good(pipit("describe", URL, "users.v1.User.email")),
          '// users/v1/users.proto\nsyntax = "proto3";\n\npackage users.v1;\n\n'
          "message User {\n  string email = 2;\n}\n")


@test
def describe_shows_a_method_with_its_messages():
    out = good(pipit("describe", URL, "users.v1.UsersService/GetUser"))
    holds(out, "service UsersService {\n  rpc GetUser(GetUserRequest) returns (User) {\n"
               "    option idempotency_level = NO_SIDE_EFFECTS;\n  }\n}\n",
          "message GetUserRequest {\n  oneof key {\n    string id = 1;\n    string email = 2;\n  }\n}\n",
          "message User {\n")
    holds_not(out, "CreateUser")
    for name in ("users.v1.UsersService.GetUser", "UsersService/GetUser", "GetUser"):
        equal(good(pipit("describe", URL, name)), out, name)


@test
def describe_shows_services_enums_and_files():
    holds(good(pipit("describe", URL, "UsersService")), *(f"  rpc {name}(" for name in USERS_METHODS))
    holds(good(pipit("describe", URL, "ServingStatus")), "enum ServingStatus {\n  UNKNOWN = 0;\n")
    holds(good(pipit("describe", URL, "users.proto")), 'syntax = "proto3";\n\npackage users.v1;\n\nimport "',
          "service UsersService {", "message User {")
    holds(good(pipit("describe", URL)), "service UsersService {", "service Health {")


@test
def describe_shows_comments_where_the_descriptor_has_them():
    out = good(pipit("describe", *USERS_PROTO, "User"))
    holds(out, "// A person with an email address.\nmessage User {\n", "\n  // Given by the server.\n")
    holds_not(good(pipit("describe", URL, "User")), "person")


@test
def describe_of_a_field_takes_the_end_of_its_name():
    full = good(pipit("describe", URL, "users.v1.User.email"))
    holds(full, "email")
    equal(good(pipit("describe", URL, "User.email")), full)
    equal(good(pipit("describe", URL, "v1.User.email")), full)
    equal(good(pipit("describe", URL, "ServingStatus.SERVING")),
          good(pipit("describe", URL, "grpc.health.v1.HealthCheckResponse.ServingStatus.SERVING")))


@test
def health_of_a_wrong_service_names_it_and_the_nearest():
    ran = pipit("health", URL, "users.v1.UserService", "--errors", "text")
    equal((ran.status, ran.out), (kit.NOT_FOUND, ""))
    holds(ran.err, "NOT_FOUND (SERVICE_UNKNOWN): this server has no such service: 'users.v1.UserService'; did you mean "
                   "users.v1.UsersService? [server ")
    ran = pipit("health", URL, "zzz", "--errors", "text")
    holds(ran.err, "this server has no such service: 'zzz' [server ")


@test
def describe_of_a_wrong_name_names_the_nearest():
    usage(pipit("describe", URL, "users.v1.Usr"), "there is no 'users.v1.Usr'; did you mean users.v1.User?")
    usage(pipit("describe", URL, "UsersServise"),
          "there is no 'UsersServise'; did you mean users.v1.UsersService?")
    usage(pipit("describe", URL, "users.v1.User.emial"),
          "there is no 'users.v1.User.emial'; did you mean users.v1.User.email?")
    usage(pipit("describe", URL, "User.emial"), "there is no 'User.emial'; did you mean users.v1.User.email?")
    usage(pipit("describe", URL, "email"), "there is no 'email'; `pipit list` tells the services")
    usage(pipit("describe", URL, "qqqqqq"), "there is no 'qqqqqq'; `pipit list` tells the services")


ROUND_TRIPS = ["google/protobuf/descriptor.proto", "google/protobuf/struct.proto", "google/protobuf/type.proto",
               "google/protobuf/api.proto", "google/protobuf/any.proto", "users/v1/users.proto",
               "google/rpc/error_details.proto", "grpc/health/v1/health.proto", "pipit/v1/frame.proto",
               "pipit/reflection/v1/reflection.proto"]


def compile_proto(root, name, output):
    subprocess.run([PROTOC, "-I", root, "-I", PROTO_DIR, "-I", PROTOBUF_DIR, f"--descriptor_set_out={output}", name],
                   check=True, cwd=root)
    return pathlib.Path(output).read_bytes()


@test
def what_describe_shows_of_a_file_is_the_same_file_to_protoc():
    copy = os.path.join(FOLDER.name, "copy")
    names = [name for name in ROUND_TRIPS
             if any(os.path.exists(os.path.join(root, name)) for root in (PROTO_DIR, PROTOBUF_DIR))]
    if len(names) < 9:
        raise AssertionError(f"only {names} were found")
    for name in names:
        root = PROTO_DIR if os.path.exists(os.path.join(PROTO_DIR, name)) else PROTOBUF_DIR
        text = good(pipit("describe", "--proto", name, "-I", PROTO_DIR, "-I", PROTOBUF_DIR, name))
        path = pathlib.Path(copy, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        equal(compile_proto(copy, name, copy + ".out"), compile_proto(root, name, copy + ".in"), name)


# --- templates -------------------------------------------------------------------------

@test
def a_template_has_every_field_and_is_a_request():
    template = json.loads(good(pipit("describe", "--template", URL, "CreateUser")))
    equal(template, {"user": {"id": "", "email": "", "name": "", "age": 0, "createTime": "1970-01-01T00:00:00Z",
                              "updateTime": "1970-01-01T00:00:00Z", "etag": ""},
                     "requestId": "", "validateOnly": False})
    equal(json.loads(good(pipit("describe", "--template", URL, "GetUser"))), {"id": ""})
    usage(pipit("describe", "--template", URL, "UsersService"),
          "--template: 'users.v1.UsersService' is neither a method nor a message")
    usage(pipit("describe", "--template", URL), "--template: a method or message is missing (see pipit help describe)")


@test
def a_template_of_any_message_is_read_back():
    methods = good(pipit("list", "--descriptor-set", SAMPLES, "SamplesService")).splitlines()
    for method in methods:
        template = good(pipit("describe", "--template", "--descriptor-set", SAMPLES, method))
        ran = pipit("call", "--descriptor-set", SAMPLES, NOWHERE, method, "-", stdin=template)
        equal(ran.status, UNAVAILABLE, f"{method} with {template}: {ran.err}")


@test
def names_of_others_do_not_write_orders_to_a_terminal():
    path = pathlib.Path(FOLDER.name, "evil.binpb")
    compile_proto(ECHO_DIR, "echo/v1/echo.proto", path)
    evil = path.read_bytes().replace(b"EchoRequest", b"Ec\x1b[31mRest").replace(b"SleepRequest", b"Sleep\xc2\x9bquest")
    path.write_bytes(evil)
    out = good(pipit("describe", "--descriptor-set", str(path), "echo.v1.EchoService/Echo"))
    holds(out, "message Ec?[31mRest {")
    for arguments in (["describe"], ["list", "-l"]):
        holds_not(good(pipit(*arguments, "--descriptor-set", str(path))), "\x1b", "\x9b")


@test
def defaults_of_others_do_not_either():
    path = pathlib.Path(FOLDER.name, "defaults.proto")
    path.write_text("""syntax = "proto2";
package d;
enum Kind { XXXX = 0; }
message Defaults {
  optional string text = 1 [default = "AAAA"];
  optional bytes data = 2 [default = "BBBB\\n\\001"];
  optional int32 number = 3 [default = 1234];
  optional Kind kind = 4 [default = XXXX];
}
""", encoding="utf-8")
    compiled = path.with_suffix(".binpb")
    compile_proto(FOLDER.name, path.name, compiled)
    described = ("describe", "--descriptor-set", str(compiled), "d.Defaults")
    holds(good(pipit(*described)), '[default = "AAAA"]', '[default = "BBBB\\n\\001"]', "[default = 1234]", "[default = XXXX]")
    tame = compiled.read_bytes()
    for default, shown in ((b"AAAA", '"\\033\\302\\233m"'), (b"BBBB", '"\\033\\302\\233m\\n'), (b"1234", ""), (b"XXXX", "")):
        at = tame.rindex(default)
        compiled.write_bytes(tame[:at] + b"\x1b\xc2\x9bm" + tame[at + 4:])
        ran = pipit(*described)
        holds(ran.out, f"[default = {shown}" if shown else "")
        holds_not(ran.out + ran.err, "\x1b", "\x9b")


# --- protoc ----------------------------------------------------------------------------

@test
def errors_of_protoc_are_passed_on_with_their_place():
    path = pathlib.Path(FOLDER.name, "bad.proto")
    path.write_text('syntax = "proto3";\nmessage A {\n  strin x = 1;\n}\n', encoding="ascii")
    ran = pipit("list", "--proto", str(path))
    equal((ran.status, ran.out, ran.err), (USAGE, "", 'bad.proto:3:3: "strin" is not defined.\n'))
    ran = pipit("call", NOWHERE, "X/Y", "--proto", "nothing.proto", "-I", FOLDER.name)
    equal((ran.status, ran.out), (USAGE, ""))
    holds(ran.err, "nothing.proto: ")


@test
def a_proto_file_needs_no_include_if_it_imports_nothing():
    path = pathlib.Path(FOLDER.name, "lone.proto")
    path.write_text('syntax = "proto3";\nmessage A {}\nservice S {\n  rpc M(A) returns (A);\n}\n', encoding="ascii")
    equal(good(pipit("list", "--proto", str(path), "S")), "S/M\n")


@test
def a_missing_protoc_is_told():
    usage(pipit("list", *ECHO_PROTO, PIPIT_PROTOC="/nonexistent/protoc"),
          "--proto: cannot run /nonexistent/protoc: No such file or directory; PIPIT_PROTOC names another one, "
          "and --descriptor-set needs none")


@test
def a_stream_is_shown_but_not_called():
    path = pathlib.Path(FOLDER.name, "stream.proto")
    path.write_text('syntax = "proto3";\nmessage A {}\nservice S {\n  rpc M(A) returns (stream A);\n'
                    '  rpc N(A) returns (A);\n}\n', encoding="ascii")
    holds(good(pipit("describe", "--proto", str(path), "S")), "  rpc M(A) returns (stream A);\n")
    equal(good(pipit("list", "-l", "--proto", str(path))), "S/M (A) returns (stream A)\nS/N (A) returns (A)\n")
    usage(pipit("call", NOWHERE, "--proto", str(path), "S/M"),
          "S/M is a stream, and pipit calls methods with one request and one response only")


# --- terminals -------------------------------------------------------------------------

@test
def on_a_terminal_proto_text_and_templates_have_colours():
    ran = on_terminal("describe", *USERS_PROTO, "User")
    equal((ran.status, ran.err), (OK, ""))
    holds(ran.out, "\x1b[1;34mmessage\x1b[0m User {", "\x1b[2m// A person with an email address.\x1b[0m")
    equal(on_terminal("describe", *USERS_PROTO, "User", NO_COLOR="1").out, pipit("describe", *USERS_PROTO, "User").out)
    holds(on_terminal("describe", "--template", URL, "GetUser").out, '\x1b[1;34m"id"\x1b[0m: \x1b[32m""\x1b[0m')


with kit.usersd(USERSD, URL), kit.Server([ECHO, "--listen"], ECHO_URL):
    FAILED = kit.run()
kit.finish(FAILED)
