#!/usr/bin/env python3
"""`pipit call` with several requests, in envelopes, and where its output goes.

    many.py PIPIT USERSD ECHO-SERVER ECHO-DIR
"""

import base64
import json
import os
import pathlib
import re
import signal
import subprocess
import sys

import kit
from kit import (FOLDER, INTERNAL, NOT_FOUND, NOWHERE, OK, RPC, UNAVAILABLE, USAGE, equal, holds, holds_not,
                 on_terminal, pipit, test, usage)

PIPIT, USERSD, ECHO, ECHO_DIR = sys.argv[1:5]
kit.PROGRAM.append(PIPIT)
URL = f"ipc://{FOLDER.name}/usersd.sock"
ECHO_URL = f"ipc://{FOLDER.name}/echo.sock"
ECHO_PROTO = ("--proto", "echo/v1/echo.proto", "-I", ECHO_DIR)
NOBODY = '{"email":"nobody@example.com"}'


def echo(*arguments, method="Echo", **named):
    return pipit("call", *ECHO_PROTO, ECHO_URL, method, *arguments, **named)


def numbers(ran):
    return [int(json.loads(line)["number"]) for line in ran.out.splitlines()]


# --- several requests ----------------------------------------------------------------

@test
def several_requests_are_several_calls_in_order():
    for text in ('{"number":1}\n{"number":2}\n{"number":3}\n',
                 '{"number":1}{"number":2} {"number":3}',
                 '\n{"number"\n:1} {"number":2}\n\n\t{"number":3}',
                 '{"number":1,"text":"}{\\"}"}\r\n{"number":2,"text":"[{"}\r\n{"number":3}'):
        ran = echo("-", stdin=text)
        equal((ran.status, ran.err, numbers(ran)), (OK, "", [1, 2, 3]), text)


@test
def the_request_is_a_flag_too():
    path = pathlib.Path(FOLDER.name, "numbers.ndjson")
    path.write_text('{"number":4}\n{"number":5}\n', encoding="ascii")
    equal(numbers(echo("-d", f"@{path}")), [4, 5])
    equal(numbers(echo(f"--data=@{path}")), [4, 5])
    equal(numbers(echo("-d", '{"number":6}')), [6])
    for standard_input in ("-", "@-", "@"):
        equal(numbers(echo("-d", standard_input, stdin='{"number":7}')), [7])
    usage(echo("{}", "-d", "{}"), "--data and '{}' are two requests; give one (see pipit help call)")


@test
def one_wrong_request_stops_all_before_the_first_is_sent():
    email = "never@example.com"
    good = json.dumps({"user": {"email": email, "name": "A", "age": 1}})
    for bad, problem in (
            ('{"user":{"age":"x"}}', '2:16: user.age: "x" is not a number (uint32)'),
            ('{"user":', "2:9: expected a value, but the text ends"),
            ('[', "2:2: "),
            ('}', "2:1: ")):
        ran = pipit("call", URL, "CreateUser", "-", stdin=good + "\n" + bad)
        equal((ran.status, ran.out), (USAGE, ""), bad)
        equal(ran.err.count("\n"), 1, ran.err)
        holds(ran.err, "pipit: standard input:" + problem)
    equal(pipit("call", URL, "GetUser", json.dumps({"email": email})).status, NOT_FOUND)


@test
def places_are_those_of_the_whole_input():
    usage(echo("-", stdin='{"number":1}\n\n  {"number":2} {"numbr":3}'),
          'standard input:3:25: numbr: echo.v1.EchoRequest has no such field; did you mean "number"?')
    usage(echo("-", stdin='{"text":"\u00e4\u00f6"} {"number":-1}'),
          "standard input:1:25: number: -1 is out of range (uint64: 0 to 18446744073709551615)")


@test
def the_first_call_that_fails_ends_them():
    lines = "\n".join(json.dumps({"code": code, "message": "m"}) for code in (5, 9))
    ran = echo("-", method="Fail", stdin=lines)
    equal((ran.status, ran.out), (RPC + 5, ""))
    equal([json.loads(line)["code"] for line in ran.err.splitlines()], [5])
    ran = echo("-k", "-", method="Fail", stdin=lines)
    equal((ran.status, ran.out), (RPC + 5, ""))
    equal([json.loads(line)["code"] for line in ran.err.splitlines()], [5, 9])


# --- envelopes -----------------------------------------------------------------------

@test
def an_envelope_of_success_has_response_metadata_and_timing():
    ran = echo('{"text":"hi"}', "--envelope", "-m", "k=v", "-m", "b-bin=AAE=", "-m", "k=w")
    equal((ran.status, ran.err, ran.out.count("\n")), (OK, "", 1))
    envelope = ran.json()
    equal(list(envelope), ["method", "status", "peer", "metadata", "response", "timing"])
    equal(envelope["method"], "echo.v1.EchoService/Echo")
    equal(envelope["status"], {"code": 0, "name": "OK"})
    equal(envelope["peer"], ECHO_URL)
    equal(envelope["metadata"], {"k": ["v", "w"], "b-bin": [base64.b64encode(b"\0\1").decode()]})
    equal(envelope["response"], {"text": "hi"})
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", envelope["timing"]["startTime"]):
        raise AssertionError(envelope["timing"])
    if not 0 <= envelope["timing"]["durationMs"] < 60000:
        raise AssertionError(envelope["timing"])


@test
def an_envelope_of_failure_is_data_too():
    ran = pipit("call", URL, "GetUser", NOBODY, "-e")
    equal((ran.status, ran.err), (NOT_FOUND, ""))
    envelope = ran.json()
    status = envelope["status"]
    equal((status["code"], status["name"], status["reason"], status["origin"], status["ran"]),
          (5, "NOT_FOUND", "USER_NOT_FOUND", "server", "ran"))
    equal(status["details"][0]["reason"], "USER_NOT_FOUND")
    equal((envelope["response"], envelope["peer"]), (None, URL))


@test
def nobody_there_is_an_envelope_as_well():
    for flags in ((), ECHO_PROTO):
        ran = pipit("call", NOWHERE, "Echo", "--envelope", *flags)
        equal((ran.status, ran.err), (UNAVAILABLE, ""))
        envelope = ran.json()
        equal((envelope["status"]["name"], envelope["status"]["ran"], envelope["response"]),
              ("UNAVAILABLE", "not_run", None))
        holds(envelope, "timing", "metadata", "method")


@test
def envelopes_of_several_calls_are_a_line_each():
    ran = pipit("call", URL, "GetUser", "-", "-k", "-e", "-o", "ndjson", stdin=NOBODY + NOBODY)
    equal((ran.status, ran.err), (NOT_FOUND, ""))
    equal([json.loads(line)["status"]["code"] for line in ran.out.splitlines()], [5, 5])
    holds(pipit("call", URL, "GetUser", NOBODY, "-e", "-o", "text").out, "status.name: NOT_FOUND\n")


# --- pipes and terminals --------------------------------------------------------------

@test
def a_pipe_gets_a_line_and_a_terminal_indented_json_in_colours():
    call = ("call", *ECHO_PROTO, ECHO_URL, "Echo", '{"text":"x","number":1}')
    equal(pipit(*call).out, '{"text":"x","number":"1"}\n')
    equal(pipit(*call, "-o", "json").out, '{\n  "text": "x",\n  "number": "1"\n}\n')
    equal(on_terminal(*call).out,
          '{\n  \x1b[1;34m"text"\x1b[0m: \x1b[32m"x"\x1b[0m,\n  \x1b[1;34m"number"\x1b[0m: \x1b[32m"1"\x1b[0m\n}\n')
    equal(on_terminal(*call, NO_COLOR="1").out, pipit(*call, "-o", "json").out)
    equal(on_terminal(*call, "-o", "ndjson", NO_COLOR="1").out, pipit(*call).out)
    equal(on_terminal(*call, "-o", "text").out, pipit(*call, "-o", "text").out)


@test
def a_server_does_not_write_orders_to_a_terminal():
    request = json.dumps({"text": "a\u009b31mb\x1b[0m\x7f"})
    call = ("call", *ECHO_PROTO, ECHO_URL, "Echo", request)
    out = on_terminal(*call).out
    holds(out, '"a\\u009b31mb\\u001b[0m\\u007f"')
    holds_not(on_terminal(*call, "-o", "text").out, "\u009b", "\x1b", "\x7f")
    equal(json.loads(pipit(*call).out), json.loads(request))


@test
def a_failed_call_is_a_line_in_a_pipe_and_text_on_a_terminal():
    ran = pipit("call", URL, "GetUser", NOBODY)
    equal((ran.status, ran.out, ran.err.count("\n")), (NOT_FOUND, "", 1))
    equal(ran.status_json()["code"], 5)
    ran = on_terminal("call", URL, "GetUser", NOBODY, NO_COLOR="1")
    equal((ran.status, ran.out), (NOT_FOUND, ""))
    equal(ran.err, f"pipit: NOT_FOUND (USER_NOT_FOUND): there is no such user [server {URL}, ran]\n")


@test
def a_reader_that_leaves_ends_pipit_without_a_word():
    reading, writing = os.pipe()
    os.close(reading)
    for arguments in (["list", URL], ["call", *ECHO_PROTO, ECHO_URL, "Echo", '{"number":1}'], ["help"]):
        ran = subprocess.run([PIPIT, *arguments], stdout=writing, stderr=subprocess.PIPE, text=True,
                             env=kit.surroundings({}), timeout=60, check=False)
        equal((ran.returncode, ran.stderr), (-signal.SIGPIPE, ""), arguments[0])
    os.close(writing)


@test
def metadata_of_a_server_writes_no_orders_to_a_terminal():
    values = {"plain": "caf\u00e9".encode(), "c1": "a\u009b31mb".encode(), "del": b"a\x7f", "no-utf8": b"\x9b31m"}
    metadata = [part for key, value in values.items() for part in ("-m", f"{key}=".encode() + value)]
    err = on_terminal("call", *ECHO_PROTO, ECHO_URL, "Echo", "{}", "-v", *metadata).err
    holds(err, "* plain: caf\u00e9\n")
    for key in ("c1", "del", "no-utf8"):
        holds(err, f"* {key}: {base64.b64encode(values[key]).decode()} (base64)\n")
    holds_not(err, "\u009b", "\x7f")


@test
def calls_end_when_their_output_cannot_be_written():
    requests = "".join(json.dumps({"code": 5, "message": "m"}) + "\n" for _ in range(3))
    with open("/dev/full", "w", encoding="ascii") as full:
        ran = subprocess.run([PIPIT, "call", *ECHO_PROTO, ECHO_URL, "Fail", "-k", "-e", "-"], input=requests,
                             stdout=full, stderr=subprocess.PIPE, text=True, env=kit.surroundings({}), timeout=60,
                             check=False)
    equal(ran.returncode, INTERNAL)
    equal(ran.stderr, "pipit: cannot write to standard output: No space left on device\n")
    with open("/dev/full", "w", encoding="ascii") as full:
        ran = subprocess.run([PIPIT, "call", *ECHO_PROTO, ECHO_URL, "Echo", "{}"], stdout=full,
                             stderr=subprocess.PIPE, text=True, env=kit.surroundings({}), timeout=60, check=False)
    equal(ran.returncode, INTERNAL)


with kit.usersd(USERSD, URL), kit.Server([ECHO, "--listen"], ECHO_URL):
    FAILED = kit.run()
kit.finish(FAILED)
