#!/usr/bin/env python3
"""Every wrong input to `pipit` gets one line that says what, where, and what would be right.

    wrong.py PIPIT USERSD ECHO-SERVER ECHO-DIR

Each row is tried twice: in a pipe, and on a terminal.
"""

import sys

import kit
from kit import FOLDER, OK, RPC, UNAVAILABLE, USAGE, equal, holds, on_terminal, pipit, test

PIPIT, USERSD, ECHO, ECHO_DIR = sys.argv[1:5]
kit.PROGRAM.append(PIPIT)
URL = f"ipc://{FOLDER.name}/usersd.sock"
GET, CREATE, ECHO_CALL = "users.v1.UsersService/GetUser", "users.v1.UsersService/CreateUser", "echo.v1.EchoService/Echo"
ECHO_PROTO = ("--proto", "echo/v1/echo.proto", "-I", ECHO_DIR)

# what is typed after `pipit call`, and the line behind "pipit: "
WRONG = {
    "a scheme": (["tpc://127.0.0.1:1", GET], "tpc://127.0.0.1:1: the scheme is neither ipc nor tcp; "
                                             "did you mean tcp://127.0.0.1:1?"),
    "a host": (["tcp://localhots:7000", GET, "--insecure-plaintext"],
               "tcp://localhots:7000: without keys, tcp:// wants a loopback address (127.0.0.1, [::1] or localhost); "
               "did you mean tcp://localhost:7000?"),
    "a port": (["tcp://localhost:port", GET, "--insecure-plaintext"],
               "tcp://localhost:port: a port is a number from 1 to 65535"),
    "a port that is too large": (["tcp://127.0.0.1:65536", GET, "--insecure-plaintext"],
                                 "tcp://127.0.0.1:65536: a port is a number from 1 to 65535"),
    "no port": (["tcp://localhost:", GET, "--insecure-plaintext"], "tcp://localhost:: tcp:// wants HOST:PORT"),
    "gRPC's scheme": (["unix:///tmp/u.sock", GET],
                      "unix:///tmp/u.sock: the scheme is neither ipc nor tcp; did you mean ipc:///tmp/u.sock?"),
    "gRPC's other scheme": (["unix:/tmp/u.sock", GET],
                            "'unix:/tmp/u.sock' is not a target; did you mean ipc:///tmp/u.sock? (see pipit help call)"),
    "a scheme of this process": (["inproc://x", GET],
                                 "inproc://x: inproc:// is within one process, and the server is in another: it listens "
                                 "at ipc:// or tcp://"),
    "a long path": ([f"ipc:///{'x' * 107}", GET],
                    f"ipc:///{'x' * 107}: the path is too long for a socket: 107 bytes at most"),
    "a longer path": ([f"ipc:///{'x' * 200}", GET],
                      f"ipc:///{'x' * 200}: the path is too long for a socket: 107 bytes at most"),
    "a comma": ([URL + ",", GET], f"'{URL},': there is no address beside a comma"),
    "a blank": ([f"{URL}, {URL}", GET], f"' {URL}': it begins with a blank; several addresses have a comma between "
                                        "them, and nothing else"),
    "a uid": ([URL, GET, "--server-uid", "abc"],
              "--server-uid: 'abc' is no uid, as 0 or 1000 (see pipit help call)"),
    "a service": ([URL, "users.v1.UserService/GetUser"],
                  "there is no method 'users.v1.UserService/GetUser'; did you mean users.v1.UsersService/GetUser?"),
    "a package": ([URL, "user.v1.UsersService/GetUser"],
                  "there is no method 'user.v1.UsersService/GetUser'; did you mean users.v1.UsersService/GetUser?"),
    "a method": ([URL, "users.v1.UsersService/GetUsr"],
                 "there is no method 'users.v1.UsersService/GetUsr'; did you mean users.v1.UsersService/GetUser?"),
    "the end of a method": ([URL, "GetUsr"], "there is no method 'GetUsr'; did you mean users.v1.UsersService/GetUser?"),
    "the case of a method": ([URL, "getuser"],
                             "there is no method 'getuser'; did you mean users.v1.UsersService/GetUser?"),
    "the end of a service": ([URL, "UserService/GetUser"],
                             "there is no method 'UserService/GetUser'; did you mean users.v1.UsersService/GetUser?"),
    "the beginning of a method": ([URL, "Create"],
                                  "there is no method 'Create'; did you mean users.v1.UsersService/CreateUser?"),
    "a friendly name": ([URL, "shop.users->get-usr"],
                        "there is no method 'shop.users->get-usr'; did you mean shop.users->get-user?"),
    "a service for a method": ([URL, "grpc.health.v1.Health"],
                               "'grpc.health.v1.Health' is a service; write grpc.health.v1.Health/METHOD, "
                               "its methods are Check"),
    "a field": ([URL, GET, '{"emial":"x"}'],
                'request:1:10: emial: users.v1.GetUserRequest has no such field; did you mean "email"?'),
    "a field in a field": ([URL, CREATE, '{"user":\n  {"name":"A","aeg":3}}'],
                           'request:2:21: user.aeg: users.v1.User has no such field; did you mean "age"?'),
    "a field that is like none": ([URL, GET, '{"zzzzzz":1}'],
                                  "request:1:11: zzzzzz: users.v1.GetUserRequest has no such field; "
                                  "it has id, email"),
    "an enum's value": (["--proto", "wrong.proto", "-I", FOLDER.name, URL, "W/M", '{"colour":"GREN"}'],
                        'request:1:11: colour: "GREN" is not a value of Colour; did you mean "GREEN"?'),
    "a type": ([URL, CREATE, '{"user":{"age":"old"}}'], 'request:1:16: user.age: "old" is not a number (uint32)'),
    "a negative number": ([URL, CREATE, '{"user":{"age":-1}}'],
                          "request:1:16: user.age: -1 is out of range (uint32: 0 to 4294967295)"),
    "a number that is too large": ([URL, CREATE, '{"user":{"age":4294967296}}'],
                                   "request:1:16: user.age: 4294967296 is out of range (uint32: 0 to 4294967295)"),
    "a fraction": ([URL, CREATE, '{"user":{"age":1.5}}'],
                   "request:1:16: user.age: 1.5 is not a whole number (uint32)"),
    "a list for a value": ([URL, GET, '{"id":["x"]}'], "request:1:7: id: an array is not a string"),
    "two of a oneof": ([URL, GET, '{"id":"x","email":"y"}'],
                       'request:1:19: email: "id" is set already, and users.v1.GetUserRequest takes only one of them '
                       "(oneof)"),
    "a field twice": ([URL, GET, '{"id":"x","id":"y"}'], 'request:1:16: "id" is in this object already'),
    "JSON without its end": ([URL, GET, '{"id":"x"'], "request:1:10: expected ',' or '}', but the text ends"),
    "JSON with a comma too many": ([URL, GET, '{"id":"x",}'], "request:1:11: expected a name in double quotes, found '}'"),
    "JSON with single quotes": ([URL, GET, "{'id':'x'}"], "request:1:2: expected a name in double quotes, found '''"),
    "no JSON": ([URL, GET, "hello"], "request:1:1: expected a value, found 'h'"),
    "an array": ([URL, GET, "[]"], "request:1:1: an array is not an object (users.v1.GetUserRequest)"),
    "nothing": ([URL, GET, ""], "request:1:1: there is no JSON; an empty message is {}"),
    "a file": ([URL, GET, "@/nonexistent.json"], "cannot read /nonexistent.json: No such file or directory"),
    "a flag": ([URL, GET, "--timeuot", "1s"],
               "there is no flag '--timeuot'; did you mean --timeout? (see pipit help call)"),
    "an output": ([URL, GET, "-o", "yaml"],
                  "-o: 'yaml' is none of json, ndjson and text (see pipit help call)"),
}


def check(name, ran):
    line = WRONG[name][1]
    equal((ran.status, ran.out), (USAGE, ""), name)
    equal(ran.err, f"pipit: {line}\n", name)


def each(run):
    with open(f"{FOLDER.name}/wrong.proto", "w", encoding="ascii") as file:
        file.write('syntax = "proto3";\nenum Colour {\n  NONE = 0;\n  RED = 1;\n  GREEN = 2;\n}\n'
                   "message A {\n  Colour colour = 1;\n}\nservice W {\n  rpc M(A) returns (A);\n}\n")
    problems = []
    for name, (arguments, _) in WRONG.items():
        try:
            check(name, run("call", *arguments))
        except AssertionError as problem:
            problems.append(str(problem))
    equal(problems, [])


@test
def in_a_pipe_each_wrong_input_gets_one_line():
    each(pipit)


@test
def on_a_terminal_each_wrong_input_gets_one_line():
    each(on_terminal)


@test
def a_wrong_value_of_a_variable_names_the_variable():
    for command, variables, line in (
            (["health"], {"PIPIT_TARGET": "foo"}, "PIPIT_TARGET: foo: the scheme is neither ipc nor tcp"),
            (["list"], {"PIPIT_DESCRIPTOR_SET": "/nonexist"},
             "PIPIT_DESCRIPTOR_SET: cannot read /nonexist: No such file or directory"),
            (["list"], {"PIPIT_DESCRIPTOR_SET": "/"}, "PIPIT_DESCRIPTOR_SET: cannot read /: Is a directory"),
            (["list", "--descriptor-set", "/nonexist"], {"PIPIT_DESCRIPTOR_SET": "/other"},
             "cannot read /nonexist: No such file or directory"),
            (["health", "tcp://10.1.2.3:7"], {"PIPIT_KEY": "/nonexist"},
             "PIPIT_KEY: /nonexist: there is no such file: `pipit keygen /nonexist` makes it"),
    ):
        kit.usage(pipit(*command, **variables), line)


@test
def a_wrong_socket_names_the_one_beside_it():
    wrong = URL.replace("usersd", "userd")
    for command in (["list", wrong], ["describe", wrong], ["health", wrong], ["call", wrong, GET]):
        ran = pipit(*command)
        equal((ran.status, ran.out, ran.err.count("\n")), (UNAVAILABLE, "", 1))
        holds(ran.status_json()["message"], wrong, "No such file or directory", f"did you mean {URL}?")
        ran = on_terminal(*command)
        equal((ran.status, ran.out, ran.err.count("\n")), (UNAVAILABLE, "", 1))
        holds(ran.err, f"did you mean {URL}?")


@test
def a_status_has_its_exit_code():
    for code in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16):
        ran = pipit("call", f"ipc://{FOLDER.name}/echo.sock", "Fail", f'{{"code":{code},"message":"asked"}}', *ECHO_PROTO)
        equal((ran.status, ran.out, ran.status_json()["code"]), (RPC + code, "", code))
    equal(pipit("call", f"ipc://{FOLDER.name}/echo.sock", ECHO_CALL, *ECHO_PROTO).status, OK)


with kit.usersd(USERSD, URL), kit.Server([ECHO, "--listen"], f"ipc://{FOLDER.name}/echo.sock"):
    FAILED = kit.run()
kit.finish(FAILED)
