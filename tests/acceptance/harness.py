#!/usr/bin/env python3
"""What `pipit test` makes of scenario files, right and wrong ones.

    harness.py PIPIT USERSD ECHO-SERVER DESCRIPTOR-SET

A scenario that must fail does fail, at its line and with its reason; a wrong
file is told with file, line and column before anything is sent. Prints
`ok N - sentence` a test; the last line is `N passed, N failed`.
"""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile

PIPIT, USERSD, ECHO, ECHO_SET = (os.path.abspath(path) for path in sys.argv[1:5])
OK, FAILED, USAGE, UNAVAILABLE = 0, 1, 2, 64 + 14
FOLDER = tempfile.TemporaryDirectory(prefix="pipit-scenario-")
URL = f"ipc://{FOLDER.name}/echo"
SCHEMA = ["--descriptor-set", ECHO_SET]
TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Ran:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def points(self):
        return re.findall(r"^((?:not )?ok \d+ - .*)$", self.out, re.M)

    def failures(self):
        """What the diagnostics say: each value of their lines is JSON."""
        found = []
        for line in self.out.splitlines():
            if line.startswith("    - at: "):
                found.append({})
            if match := re.fullmatch(r"    [- ] (\w+): (.*)", line):
                found[-1][match[1]] = json.loads(match[2])
        return found


def pipit(*arguments, stdin="", **environment):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PIPIT_")}
    ran = subprocess.run([PIPIT, "test", *arguments], input=stdin, capture_output=True, text=True,
                         env=clean | environment, timeout=100, check=False, cwd=FOLDER.name)
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def write(text, name="t.yaml"):
    pathlib.Path(FOLDER.name, name).write_text(text, encoding="utf-8")
    return name


def run(text, *arguments, name="t.yaml", **environment):
    return pipit("--target", URL, *SCHEMA, "--timeout", "60s", *arguments, write(text, name), **environment)


def equal(actual, expected, what=""):
    if actual != expected:
        raise AssertionError(f"{what or 'value'} is {actual!r}, expected {expected!r}")


def step(expect, request='{text: Ada, number: "18446744073709551615", data: AAH/}', more=""):
    return f"""
scenarios:
  - name: one
    steps:
      - call: echo->echo
        request: {request}
        metadata: {{x-name: value, x-twice: [a, b], x-bytes-bin: AAH/}}
        {more}
        expect: {expect}
"""


def passes(text, *arguments, n=1, **options):
    ran = run(text, *arguments, **options)
    equal((ran.status, ran.err), (OK, ""), ran.out + ran.err)
    equal(ran.out.splitlines()[-1], f"{n} passed, 0 failed")
    return ran


def fails(text, *problems, **options):
    ran = run(text, **options)
    equal((ran.status, ran.err), (FAILED, ""), ran.out + ran.err)
    equal([failure["problem"] for failure in ran.failures()], list(problems), "problems")
    return ran


def refused(text, *lines, name="t.yaml", arguments=()):
    """Wrong use: nothing on stdout, exactly these lines on stderr."""
    ran = run(text, *arguments, name=name)
    equal(ran.err.splitlines(), [f"pipit: {name}:{line}" for line in lines], "stderr")
    equal((ran.status, ran.out), (USAGE, ""))


def call(more):
    """A file with one step: CALL, and what @more says from line 5 on, column 9."""
    return "scenarios:\n  - name: one\n    steps:\n      - call: echo->echo\n" + more


# --- what passes ------------------------------------------------------------------------

@test
def a_reply_holds_what_it_is_expected_to():
    for expect in (
            "{response: {text: Ada}}",
            "{status: OK, response: {number: 18446744073709551615}}",
            '{response: {number: "18446744073709551615", data: AAH/}}',
            "{response: {number: {$range: [18446744073709551614, 18446744073709551615]}}}",
            "{response: {number: {$min: 18446744073709551615, $max: 18446744073709551615}}}",
            '{response: {text: {$regex: "^A.a$"}}}',
            "{response: {text: {$contains: d}}}",
            "{response: {text: {$length: 3}}}",
            "{response: {text: {$length: {$range: [1, 3]}}}}",
            "{response: {text: {$one_of: [Eve, Ada]}}}",
            "{response: {text: {$not: Eve}}}",
            "{response: {text: {$present: true}}}",
            "{response: {text: {$any: true}}}",
            '{response: {$exact: {text: Ada, number: "18446744073709551615", data: AAH/}}}',
            "{metadata: {x-name: value, x-bytes-bin: AAH/}}",
            "{metadata: {x-twice: [a, b]}}",
            "{metadata: {x-twice: {$unordered: [b, a]}}}",
            "{metadata: {x-twice: {$contains: [b]}}}",
            '{metadata: {x-twice: {$each: {$regex: "^[ab]$"}}}}',
            '{peer: {$regex: "^ipc://"}}',
            "{within: 60s}",
            "{retry_after_ms: null, status: OK}",
            "[{status: NOT_FOUND}, {status: OK, times: 1}]"):
        passes(step(expect))


@test
def an_empty_field_is_there_to_be_expected_and_absent_all_the_same():
    passes(step('{response: {text: "", number: 0, data: ""}}', "{}"))
    passes(step("{response: {text: {$absent: true}, number: {$present: false}, data: null}}", "{}"))
    passes(step("{response: {$exact: {}}}", "{}"))


@test
def an_error_is_expected_by_status_reason_message_and_ran():
    passes("""
scenarios:
  - name: fails
    steps:
      - call: echo.v1.EchoService/Fail
        request: {code: 5, message: gone}
        expect: {status: NOT_FOUND, reason: ASKED_FOR, domain: echo.v1, message: gone, ran: ran, origin: server}
      - call: echo.v1.EchoService/Fail
        request: {code: 9}
        expect: {reason: ASKED_FOR}
      - call: echo.v1.EchoService/Fail
        request: {code: 10}
        expect: {status: {$one_of: [ABORTED, CANCELLED]}, response: null}
""")


@test
def a_deadline_ends_a_call():
    passes("""
scenarios:
  - name: sleeps
    steps:
      - call: echo->sleep
        request: {duration_ms: 60000}
        timeout: 20ms
        expect: {status: DEADLINE_EXCEEDED, ran: {$one_of: [not_run, may_have_run]}}
""")


@test
def captured_values_and_variables_are_put_in():
    passes("""
variables: {greeting: "hello ${unique}", one: "${unique}", list: [1, {a: b}]}
setup:
  - call: echo->echo
    request: {text: "${one}", number: 7}
    capture: {set_up: $, seven: $.number}
scenarios:
  - name: uses them
    variables: {two: "${unique}", both: "${greeting}, ${two}", number: 3}
    steps:
      - call: echo->echo
        request: {text: "${both}", number: "${number}"}
        expect: {response: {text: "${greeting}, ${two}", number: "${number}"}}
        capture: {text: $.text, "all": $}
      - call: echo->echo
        request: "${all}"
        expect: {response: "${all}"}
      - call: echo->echo
        request: {text: "$${text} is ${text}, ${list} and ${seven}"}
        expect: {response: {text: {$regex: '^[$][{]text[}] is hello [0-9a-f]{16}, [0-9a-f]{16}, \\[1,[{]"a":"b"[}]\\] and 7$'}}}
      - name: unique is one text in a scenario, and another outside
        call: echo->echo
        request: {text: "${unique}"}
        expect: {response: {text: "${two}", number: {$not: 1}}}
      - call: echo->echo
        request: {text: "${unique}"}
        expect: {response: {text: {$not: "${one}"}}}
      - call: echo->echo
        request: {text: "${uuid} ${now}", number: "${random}"}
        expect: {response: {text: {$regex: "^[0-9a-f-]{36} 20[0-9-]{8}T[0-9:]{8}[.][0-9]{6}Z$"}, number: {$range: [0, 2147483647]}}}
cleanup:
  - call: echo->echo
    request: "${set_up}"
    expect: {response: {text: "${one}", number: 7}}
""".replace("\\\\", "\\"), n=3)


@test
def repeat_until_and_parallel_count_their_calls():
    passes("""
scenarios:
  - name: counts
    steps:
      - call: echo->echo
        repeat: 3
        parallel: 4
        request: {text: "call ${index}", number: "${index}"}
        expect:
          - {response: {number: 0}, times: 1}
          - {response: {number: {$range: [1, 11]}, text: "call ${index}"}, times: 11}
        capture: {first_of_the_last_four: $.number}
      - call: echo->echo
        repeat: 100
        every: 1ms
        request: {number: "${index}"}
        until: {response: {number: "${first_of_the_last_four}"}}
        capture: {last: $.number}
      - call: echo->echo
        request: {number: "${last}"}
        expect: {response: {number: 8}}
""")


@test
def json_says_the_same_as_yaml():
    scenario = {"scenarios": [{"name": "json", "steps": [
        {"call": "echo->echo", "request": {"text": "\U0001f600 \t no", "number": 1e2},
         "expect": {"response": {"text": "\U0001f600 \t no", "number": 100}}}]}]}
    for indent in (None, 2, "\t"):
        text = json.dumps(scenario, indent=indent)
        passes(text, name="t.json")
    passes(json.dumps(scenario, ensure_ascii=False), name="t.yaml")


@test
def standard_input_is_a_file():
    ran = pipit("--target", URL, *SCHEMA, "-", stdin=step("{response: {text: Ada}}"))
    equal((ran.status, ran.err), (OK, ""))
    equal(ran.out, "TAP version 14\n1..1\n# standard input\nok 1 - one\n1 passed, 0 failed\n")


@test
def plain_words_are_texts_but_for_true_false_and_null():
    for word in ("no", "yes", "on", "off", "y", "1.2.3", "12:30", "2026-01-31", "1_000", "-", ".", "a: b"):
        quoted = f'"{word}"'
        plain = quoted if word in ("-", "a: b") else word
        passes(step(f"{{response: {{text: {quoted}}}}}", f"{{text: {plain}}}"))


@test
def names_in_tap_are_on_one_line_and_hold_no_directive():
    equal(run('{"scenarios":[{"name":"a\\u009bb\\u007fc\u00e9","steps":[{"call":"echo->echo"}]}]}', name="t.json").points(),
          ["ok 1 - a b c\u00e9"])
    ran = passes('scenarios: [{name: "a # b\\n\\\\ c", steps: [{call: echo->echo}]}]')
    equal(ran.points(), ["ok 1 - a \\# b \\\\ c"])


# --- what fails ---------------------------------------------------------------------------

@test
def a_reply_that_is_not_as_expected_fails_at_its_line():
    for expect, problem in (
            ("{response: {text: Eve}}", '$.text is "Ada", expected "Eve"'),
            ("{response: {number: 18446744073709551614}}",
             '$.number is "18446744073709551615", expected 18446744073709551614'),
            ('{response: {text: {$regex: "^B"}}}', '$.text is "Ada", expected a match of "^B"'),
            ("{response: {number: {$max: 18446744073709551614}}}",
             '$.number is "18446744073709551615", expected at most 18446744073709551614'),
            ("{response: {number: {$range: [1, 2]}}}",
             '$.number is "18446744073709551615", expected a number in [1,2]'),
            ("{response: {text: {$length: 4}}}", "$.text has the length 3, expected 4"),
            ("{response: {text: {$contains: x}}}", '$.text is "Ada", expected text that holds "x"'),
            ("{response: {text: {$one_of: [a, b]}}}", '$.text is "Ada", expected one of ["a","b"]'),
            ("{response: {text: {$not: Ada}}}", '$.text is "Ada", expected anything but "Ada"'),
            ("{response: {text: {$absent: true}}}", '$.text is "Ada", expected to be absent'),
            ("{response: {text: null}}", '$.text is "Ada", expected to be absent'),
            ("{response: {$exact: {text: Ada, number: {$any: true}}}}",
             '$.data is "AAH/", expected no such member'),
            ("{metadata: {x-twice: [a]}}", "metadata.x-twice has 2 elements, expected 1"),
            ("{metadata: {x-twice: [a, c]}}", 'metadata.x-twice[1] is "b", expected "c"'),
            ("{metadata: {x-twice: {$contains: [c]}}}",
             'metadata.x-twice is ["a","b"], expected an element as "c"'),
            ("{metadata: {x-twice: {$each: a}}}", 'metadata.x-twice[1] is "b", expected "a"'),
            ("{metadata: {x-missing: {$any: true}}}", "metadata.x-missing is not there, expected anything"),
            ("{metadata: {x-missing: a}}", 'metadata.x-missing is not there, expected "a"'),
            ("{status: NOT_FOUND, response: {text: Eve}}", 'status is "OK", expected "NOT_FOUND"'),
            ("{reason: X}", 'status is "OK", expected anything but "OK"'),
            ("[{status: NOT_FOUND}, {response: {text: Eve}}]",
             "the reply is as none of the expectations says")):
        ran = fails(step(expect), problem)
        failure, = ran.failures()
        equal(re.sub(r":\d+$", "", failure["at"]), "t.yaml:9")
        equal(failure["call"], "echo.v1.EchoService/Echo")
        equal(failure["reply"]["response"]["text"], "Ada")


@test
def a_failure_is_told_in_full():
    ran = fails(step("\n          response: {text: Eve}", more="name: greets"), '$.text is "Ada", expected "Eve"')
    failure, = ran.failures()
    equal(failure.pop("reply")["metadata"],
          {"x-name": "value", "x-twice": ["a", "b"], "x-bytes-bin": "AAH/"})
    equal(failure, {"at": "t.yaml:10:28", "step": "greets", "call": "echo.v1.EchoService/Echo",
                    "problem": '$.text is "Ada", expected "Eve"', "path": "$.text",
                    "expected": "Eve", "got": "Ada"})
    equal(ran.out.splitlines()[:5], ["TAP version 14", "1..1", "# t.yaml", "not ok 1 - one", "  ---"])
    equal(ran.out.splitlines()[-2:], ["  ...", "0 passed, 1 failed"])


@test
def all_that_is_wrong_with_a_reply_is_told():
    fails(step("{response: {text: Eve, number: 1}, metadata: {x-name: x}}"),
          '$.text is "Ada", expected "Eve"',
          '$.number is "18446744073709551615", expected 1',
          'metadata.x-name is "value", expected "x"')


@test
def an_optional_field_that_is_absent_is_not_zero():
    text = """
scenarios:
  - name: optional
    steps:
      - call: users->create-user
        request: {user: {email: "a-${unique}@example.com", name: Ada, age: 0}}
        expect: {response: {age: AGE}}
"""
    url = f"ipc://{FOLDER.name}/users"
    with Server([USERSD, "serve", "--listen", url, "--store", "memory:"]):
        for age, status in (("0", OK), ("{$present: true}", OK), ("{$absent: true}", FAILED)):
            ran = pipit("--target", url, "--timeout", "60s", write(text.replace("AGE", age)))
            equal(ran.status, status, ran.out + ran.err)


@test
def a_step_that_fails_stops_its_scenario_unless_told_otherwise():
    text = """
on_failure: %s
scenarios:
  - name: one
    steps:
      - {call: echo->echo, expect: {status: ABORTED}}
      - {call: echo->echo, expect: {status: INTERNAL}}
    cleanup:
      - {call: echo->echo, expect: {status: NOT_FOUND}}
      - {call: echo->echo, expect: {status: CANCELLED}}
  - name: two
    on_failure: stop
    steps: [{call: echo->echo}]
"""
    told = 'status is "OK", expected "%s"'
    cleanup = (told % "NOT_FOUND", told % "CANCELLED")
    ran = fails(text % "stop", told % "ABORTED", *cleanup)
    equal(ran.points(), ["not ok 1 - one", "ok 2 - two"])
    fails(text % "continue", told % "ABORTED", told % "INTERNAL", *cleanup)


@test
def a_setup_that_fails_fails_every_scenario():
    ran = fails("""
setup:
  - {call: echo->echo, expect: {status: ABORTED}}
scenarios:
  - {name: one, steps: [{call: echo->echo}]}
  - {name: two, steps: [{call: echo->echo}]}
cleanup:
  - {call: echo->echo}
""", 'status is "OK", expected "ABORTED"', *["it did not run: the setup failed"] * 2)
    equal(ran.points(), ["not ok 1 - setup", "not ok 2 - one", "not ok 3 - two", "ok 4 - cleanup"])
    equal(ran.out.splitlines()[-1], "1 passed, 3 failed")


@test
def times_that_are_wrong_are_told_at_their_expectation():
    ran = fails(step("\n          - {status: OK, times: 3}\n          - {status: ABORTED, times: 1}", more="parallel: 4"),
                "4 replies are as this says, expected 3", "0 replies are as this says, expected 1")
    equal([failure["at"] for failure in ran.failures()], ["t.yaml:10:13", "t.yaml:11:13"])


@test
def an_until_that_never_holds_fails():
    ran = fails(step("{status: OK}", more="repeat: 3\n        until: {response: {text: Eve}}"),
                '$.text is "Ada", expected "Eve"')
    equal(ran.failures()[0]["index"], 2)


@test
def of_repeats_the_one_that_ends_them_has_to_have_what_is_captured():
    os.symlink("echo", f"{FOLDER.name}/there1")
    passes(f"""
scenarios:
  - name: waited for until it is there
    steps:
      - call: echo->echo
        target: ipc://{FOLDER.name}/there${{index}}
        repeat: 9
        request: {{text: found}}
        expect: [{{status: UNAVAILABLE}}, {{status: OK}}]
        until: {{status: OK}}
        capture: {{what: $.text}}
      - call: echo->echo
        request: {{text: "${{what}}"}}
        expect: {{response: {{text: found}}}}
  - name: and each sees what the one before it told
    variables: {{last: 7}}
    steps:
      - call: echo->echo
        repeat: 3
        request: {{text: "it was ${{last}}", number: "${{index}}"}}
        expect:
          - {{response: {{text: "it was 7", number: 0}}, times: 1}}
          - {{response: {{text: "it was 0", number: 1}}, times: 1}}
          - {{response: {{text: "it was 1", number: 2}}, times: 1}}
        capture: {{last: $.number}}
""", n=2)
    more = "repeat: 2\n        capture: {it: $.text}"
    ran = fails(step("[{status: UNAVAILABLE}, {status: OK}]", more=f"target: ipc://{FOLDER.name}/there${{index}}\n        {more}",
                     request="{text: x}").replace("there$", "here$"), "there is no response to capture $.text of")
    equal(ran.failures()[0]["index"], 1)


@test
def a_reader_that_leaves_ends_the_run():
    reading, writing = os.pipe()
    os.close(reading)
    slow = "scenarios:" + "".join(f"\n  - {{name: s{i}, steps: [{{call: echo->sleep, request: {{duration_ms: 59000}}}}]}}"
                                  for i in range(50))
    ran = subprocess.run([PIPIT, "test", "--target", URL, *SCHEMA, "--timeout", "60s", write(slow)], stdout=writing,
                         stderr=subprocess.PIPE, text=True, timeout=100, check=False, cwd=FOLDER.name)
    os.close(writing)
    equal((ran.returncode, ran.stderr), (-signal.SIGPIPE, ""))


class Listener:
    """Tells that somebody has connected, and answers nothing."""

    def __init__(self, name):
        self.path = os.path.join(FOLDER.name, name)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.path)
        self.socket.listen()
        self.socket.settimeout(50)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        os.unlink(self.path)


def start(text):
    return subprocess.Popen([PIPIT, "test", "--target", URL, *SCHEMA, "--timeout", "60s", write(text)],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=FOLDER.name)


BEGUN = f"{{call: echo->echo, target: 'ipc://{FOLDER.name}/begun', timeout: 60s}}"
CLEAN = f"cleanup: [{{call: echo->echo, target: 'ipc://{FOLDER.name}/clean', timeout: 100ms}}]\n"
INTERRUPTED = "pipit: interrupted: cleanup runs; again to end at once\n"


def interrupted(text, number, ready=None):
    """Runs the file, with a signal once it has called `begun`, or has printed @ready; it calls `clean` at its end."""
    with Listener("begun") as begun, Listener("clean") as clean, start(CLEAN + text) as ran:
        out = "".join(iter(ran.stdout.readline, ready)) if ready else ""
        connection = None if ready else begun.socket.accept()[0]
        ran.send_signal(number)
        clean.socket.accept()
        out, err = out + ran.stdout.read(), ran.stderr.read()
        if connection:
            connection.close()
    return Ran(ran.returncode, out, err)


@test
def an_interrupt_ends_the_steps_but_not_the_cleanup():
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        ran = interrupted("scenarios:\n"
                          f"  - {{name: a, on_failure: continue, steps: [{BEGUN}, {{call: echo->echo}}]}}\n"
                          "  - {name: b, steps: [{call: echo->echo}]}\n", number)
        equal((ran.status, ran.err), (-number, INTERRUPTED), ran.out)
        equal([failure["problem"] for failure in ran.failures()],
              ['status is "CANCELLED", expected "OK"'], "problems")
        equal(ran.points(), ["not ok 1 - a"])
        equal(ran.out.splitlines()[-2:], [f"Bail out! {number.name}", "0 passed, 1 failed"])


@test
def an_interrupt_ends_a_pause():
    """The signal may come before the scenario or in its first call, too; not twenty times."""
    for _ in range(20):
        ran = interrupted("scenarios:\n"
                          "  - {name: a, steps: [{call: echo->echo}]}\n"
                          "  - {name: b, steps: [{call: echo->echo, repeat: 2, every: 60s}]}\n",
                          signal.SIGINT, "ok 1 - a\n")
        equal((ran.status, ran.err), (-signal.SIGINT, INTERRUPTED), ran.out)
        if [failure["problem"] for failure in ran.failures()] == ["interrupted by SIGINT"]:
            return
    raise AssertionError(ran.out)


@test
def a_second_interrupt_ends_the_run_at_once():
    slow = CLEAN.replace("100ms", "60s")
    with Listener("begun") as begun, Listener("clean") as clean, \
            start(f"{slow}scenarios: [{{name: a, steps: [{BEGUN}]}}]\n") as ran:
        connections = [begun.socket.accept()]
        ran.send_signal(signal.SIGINT)
        equal(ran.stderr.readline(), INTERRUPTED)
        connections.append(clean.socket.accept())
        ran.send_signal(signal.SIGTERM)
        equal(ran.wait(timeout=40), -signal.SIGTERM)


@test
def a_run_ends_when_its_output_cannot_be_written():
    with open("/dev/full", "w", encoding="ascii") as full:
        ran = subprocess.run([PIPIT, "test", "--target", URL, *SCHEMA, write(THREE)], stdout=full,
                             stderr=subprocess.PIPE, text=True, timeout=100, check=False, cwd=FOLDER.name)
    equal((ran.returncode, ran.stderr),
          (FAILED, "pipit: cannot write to standard output: No space left on device\n"))


@test
def a_capture_that_finds_nothing_fails_and_so_does_who_wants_it():
    text = """
scenarios:
  - name: one
    on_failure: continue
    steps:
      - call: echo->fail
        request: {code: 5}
        expect: {status: NOT_FOUND}
        capture: {text: $.text}
      - call: echo->echo
        request: {text: "${text}"}
"""
    ran = fails(text, "there is no response to capture $.text of",
                "the variable text has no value: what captures it failed")
    equal([failure["at"] for failure in ran.failures()], ["t.yaml:9:25", "t.yaml:11:25"])


@test
def of_many_failures_of_a_step_ten_are_shown():
    ran = run(step("{status: ABORTED}", more="parallel: 12"))
    equal((ran.status, len(ran.failures())), (FAILED, 10))
    equal("  not_shown: 2\n" in ran.out, True, ran.out)


@test
def where_nobody_is_a_scenario_fails_with_the_cause():
    ran = pipit("--target", f"ipc://{FOLDER.name}/nobody", *SCHEMA, write(step("{}")))
    equal((ran.status, ran.err), (FAILED, ""))
    equal(ran.failures()[0]["reply"]["status"], "UNAVAILABLE")


# --- flags ------------------------------------------------------------------------------------

THREE = """
scenarios:
  - {name: first, steps: [{call: echo->echo}]}
  - {name: second, steps: [{call: echo->echo, expect: {status: ABORTED}}]}
  - {name: third thing, steps: [{call: echo->echo}]}
"""


@test
def only_chooses_by_name_or_pattern():
    equal(passes(THREE, "--only", "first").points(), ["ok 1 - first"])
    equal(passes(THREE, "--only", "*ir*", n=2).points(), ["ok 1 - first", "ok 2 - third thing"])
    equal(passes(THREE, "--only", "first", "--only", "third ?hing", n=2).points(),
          ["ok 1 - first", "ok 2 - third thing"])
    equal(run(THREE, "--only", "secnd").err, "pipit: --only: there is no scenario 'secnd'; did you mean 'second'?\n")


@test
def fail_fast_ends_with_the_first_failure():
    ran = run(THREE, "--fail-fast")
    equal((ran.status, ran.points()), (FAILED, ["ok 1 - first", "not ok 2 - second"]))
    equal(ran.out.splitlines()[-2:], ["Bail out! a scenario failed (--fail-fast)", "1 passed, 1 failed"])


@test
def set_gives_variables_before_all_others():
    text = """
variables: {name: file}
scenarios:
  - name: one
    variables: {number: 1}
    steps:
      - call: echo->echo
        request: {text: "${name}", number: "${number}"}
        expect: {response: {text: Ada, number: 5}}
"""
    passes(text, "--set", "name=Ada", "--set", "number:=5")
    passes(text, "--set", "name:=\"Ada\"", "--set", "number=5")
    for flag, problem in (
            ("nmae=Ada", "--set nmae: no file has a variable of this name"),
            ("name", "--set: 'name' is not NAME=TEXT (see pipit help test)"),
            ("1x=Ada", "--set: '1x' is no name of a variable (see pipit help test)"),
            ("now=1", "--set: 'now' is no name of a variable: it is built in (see pipit help test)"),
            ("name:=[1", "--set name: 1:3: expected ',' or ']', but the text ends (see pipit help test)")):
        ran = run(text, "--set", flag)
        equal((ran.status, ran.out, ran.err), (USAGE, "", f"pipit: {problem}\n"))


@test
def a_target_comes_from_step_flag_file_and_environment():
    nobody = f"ipc://{FOLDER.name}/nobody"
    text = f"""
target: %s
scenarios:
  - {{name: one, steps: [{{call: echo->echo}}]}}
"""
    bare = "scenarios: [{name: one, steps: [{call: echo->echo}]}]"
    equal(pipit(*SCHEMA, write(text % URL), PIPIT_TARGET=nobody).status, OK)
    equal(pipit(*SCHEMA, write(text % nobody), PIPIT_TARGET=URL).status, FAILED)
    equal(pipit(*SCHEMA, "--target", URL, write(text % nobody)).status, OK)
    equal(pipit(*SCHEMA, write(bare), PIPIT_TARGET=URL).status, OK)
    equal(pipit(*SCHEMA, write(bare)).err,
          "pipit: t.yaml has no target; --target URL gives one, or PIPIT_TARGET (see pipit help test)\n")
    equal(pipit(*SCHEMA, "--set", f"where={URL}", write(text % '"${where}"')).status, OK)
    there = f"scenarios: [{{name: one, steps: [{{call: echo->echo, target: \"{URL}\"}}]}}]"
    equal(pipit(*SCHEMA, "--target", nobody, write(there)).status, OK)


@test
def metadata_of_the_step_goes_before_that_of_the_flags():
    text = """
metadata: {x-b: file, x-c: file}
scenarios:
  - name: one
    metadata: {x-c: scenario, x-d: scenario}
    steps:
      - call: echo->echo
        metadata: {x-d: step}
        expect: {metadata: {$exact: {x-a: flag, x-b: file, x-c: scenario, x-d: step}}}
"""
    passes(text, "-m", "x-a=flag", "-m", "x-b=flag", "-m", "x-d=flag")


@test
def several_files_are_one_run():
    one, two = write(THREE, "one.yaml"), write(step("{}"), "two.yaml")
    ran = pipit("--target", URL, *SCHEMA, one, two)
    equal(ran.points(), ["ok 1 - first", "not ok 2 - second", "ok 3 - third thing", "ok 4 - one"])
    equal([line for line in ran.out.splitlines() if line.startswith("#")], ["# one.yaml", "# two.yaml"])
    equal(ran.out.splitlines()[1], "1..4")


@test
def wrong_use_is_told():
    for arguments, problem in (
            ([], "a file is missing (see pipit help test)"),
            (["/nonexistent"], "cannot read /nonexistent: No such file or directory"),
            (["/"], "cannot read /: Is a directory"),
            (["--target", URL, "--target", URL, "x"], "there is one --target (see pipit help test)"),
            (["--tarjet", URL], "there is no flag '--tarjet'; did you mean --target? (see pipit help test)")):
        ran = pipit(*arguments)
        equal((ran.status, ran.out, ran.err), (USAGE, "", f"pipit: {problem}\n"))


@test
def a_server_that_cannot_be_asked_for_its_services_ends_the_run():
    ran = pipit("--target", f"ipc://{FOLDER.name}/nobody", "--errors", "text", write(step("{}")))
    equal((ran.status, ran.out), (UNAVAILABLE, ""))
    equal(ran.err.startswith("pipit: UNAVAILABLE (NOT_CONNECTED)"), True, ran.err)


# --- wrong files --------------------------------------------------------------------------------

@test
def a_target_that_is_none_is_told_once_for_all_files():
    files = [write(step("{}"), name) for name in ("a.yaml", "b.yaml")]
    ran = pipit("--target", "tpc://x", *SCHEMA, *files)
    equal(ran.status, USAGE)
    equal(ran.err, "pipit: tpc://x: the scheme is neither ipc nor tcp; did you mean tcp://x?\n")


@test
def a_target_of_a_file_or_step_is_told_with_its_place():
    ran = pipit(*SCHEMA, write("target: foo\n" + step("{}")))
    equal((ran.status, ran.out), (USAGE, ""))
    equal(ran.err, "pipit: t.yaml:1:9: target: foo: the scheme is neither ipc nor tcp\n")
    refused(step("{}", more="target: foo"), "8:17: target: foo: the scheme is neither ipc nor tcp")
    refused("variables: {at: 'tcp://127.0.0.1:x'}\n" + step("{}", more='target: "${at}"'),
            "9:17: target: tcp://127.0.0.1:x: a port is a number from 1 to 65535")


@test
def a_target_that_only_the_run_knows_is_told_once():
    ran = run("""
scenarios:
  - name: one
    steps:
      - {call: Echo, request: {text: foo}, capture: {at: $.text}}
      - {call: Echo, target: "${at}"}
""")
    equal(ran.status, FAILED)
    equal(ran.failures()[0]["problem"], "foo: the scheme is neither ipc nor tcp")


@test
def yaml_that_is_none_is_told_with_its_place():
    refused("scenarios: [\n", "2:1: did not find expected node content, while parsing a flow node of line 2")
    refused("scenarios:\n\t- x\n", "2:1: found character that cannot start any token, while scanning for the next token "
                                   "of line 2")
    refused("", "1:1: the file is empty")
    refused("a: 1\n---\nb: 2\n", "2:1: a second document begins here; a file has one")
    refused("a: 1\nb: 2\na: 3\n", "3:1: the key 'a' is there already")
    refused("? [a]\n: 1\n", "1:3: a key has to be a text")
    refused("a: *b\n", "1:4: there is no anchor '&b' before this")
    refused("a: !!int 5\n", "1:4: there are no tags here, but for !!str")
    refused('a: "\\0"\n', "1:4: a text cannot hold a NUL")
    refused("- a\n", "1:1: a map is expected here, not a list")
    for word in ("007", "0x1f", "0o17", "+5", ".5", "5.", "-.inf", ".nan", "1.e3"):
        refused(f"a: {word}\n", f"1:4: is {word} a number or a text? Write it as a number of JSON, or in quotes")


@test
def yaml_that_is_too_much_is_refused():
    levels = "".join(f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 10)}]\n" for i in range(9))
    ran = run("a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]\n" + levels)
    equal((ran.status, ran.out), (USAGE, ""))
    equal(ran.err.endswith("this is too much for one file\n"), True, ran.err)
    ran = run("a: " + "[" * 200 + "]" * 200)
    equal(ran.err, "pipit: t.yaml:1:103: this is nested too deeply\n")


@test
def json_that_is_none_is_told_with_its_place():
    refused('{"scenarios": [}', "1:16: expected a value, found '}'", name="t.json")
    refused('{"a": 1,\n "a": 2}', "2:7: \"a\" is in this object already", name="t.json")
    refused("{'a': 1}", "1:2: expected a name in double quotes, found '''", name="t.json")
    refused('{"scenarioz": []}', "1:1: scenarios is missing: a list of them",
            "1:15: there is no key 'scenarioz' in a file; did you mean scenarios?", name="t.json")


@test
def unknown_keys_name_the_nearest():
    refused("scenarois: []\n", "1:1: there is no key 'scenarois' in a file; did you mean scenarios?",
            "1:1: scenarios is missing: a list of them")
    refused(call("        requst: {}\n"), "5:9: there is no key 'requst' in a step; did you mean request?")
    refused(call("    on_falure: stop\n"), "5:5: there is no key 'on_falure' in a scenario; did you mean on_failure?")
    refused(call("        expect: {respons: {}}\n"),
            "5:18: there is no key 'respons' in an expectation; did you mean response?")
    refused(call("        xyzzy: 1\n"), "5:9: there is no key 'xyzzy' in a step")


@test
def values_of_the_wrong_type_are_told():
    for more, line in (
            ("timeout: 5", "5:18: timeout has to be a duration, as 500ms or 2s"),
            ("timeout: 5h", "5:18: timeout has to be a duration, as 500ms or 2s"),
            ("timeout: 61s", "5:18: timeout has to be 1ms to 60s"),
            ("repeat: 0", "5:17: repeat has to be 1 to 100000"),
            ("repeat: many", "5:17: repeat has to be a number, not a text"),
            ("parallel: 1001", "5:19: parallel has to be 1 to 1000"),
            ("parallel: 1.5", "5:19: parallel has to be 1 to 1000"),
            ("wait_for_ready: yes", "5:25: wait_for_ready has to be true or false, not a text"),
            ("metadata: [a]", "5:19: metadata has to be a map, not a list"),
            ("metadata: {a: 1}", "5:23: metadata a has to be a text, or a list of texts"),
            ("capture: {a: 1}", "5:22: a has to be a path, as $.id or $.users[0].id"),
            ("capture: {a: id}", "5:22: 'id' is no path, as $, $.id or $.users[0].id"),
            ("capture: {1a: $}", "5:19: '1a' is no name of a variable: letters, digits, _ and -, no digit first"),
            ("capture: {now: $}", "5:19: ${now} is built in: take another name"),
            ("until: {}", "5:9: until goes with repeat, which says how often at most"),
            ("every: 1s", "5:9: every goes with repeat"),
            ("expect: []", "5:17: there is no expectation"),
            ("expect: OK", "5:17: a map is expected here, not a text"),
            ("name: [a]", "5:15: name has to be a text, not a list")):
        refused(call(f"        {more}\n"), line)
    refused("scenarios: []\n", "1:12: there is no scenario")
    refused("on_failure: go\nscenarios: [{name: a, steps: []}]\n",
            "1:13: on_failure has to be stop or continue, not 'go'", "2:30: there is no step")
    refused("scenarios:\n  - {name: a, steps: [{name: b}]}\n  - {name: a}\n",
            "2:23: call is missing: the method, as users.v1.UsersService/GetUser",
            "3:5: steps is missing: the calls", "3:5: line 2 has a scenario 'a', too")


@test
def what_does_not_fit_the_schema_is_told_before_anything_is_sent():
    for more, line in (
            ("request: {txt: a}", "5:24: txt: echo.v1.EchoRequest has no such field; did you mean \"text\"?"),
            ("request: {number: x}", "5:27: number: \"x\" is not a number (uint64)"),
            ("request: {text: 5}", "5:25: text: 5 is not a string"),
            ("request: {text: \"${now}\", number: -1}", "5:43: number: -1 is out of range (uint64: 0 to 18446744073709551615)"),
            ("expect: {response: {txt: a}}", "5:29: echo.v1.EchoResponse has no field 'txt'; did you mean text?"),
            ("expect: {response: {text: 5}}", "5:35: a text (string) is expected here, not a number"),
            ("expect: {response: {number: many}}", "5:37: a number (uint64) is expected here, not a text"),
            ("expect: {response: [a]}",
             "5:28: a map (echo.v1.EchoResponse) is expected here, not a list"),
            ("expect: {status: NOTFOUND}", "5:26: 'NOTFOUND' is never here; did you mean NOT_FOUND?"),
            ("expect: {status: ABORTED, ran: never}", "5:40: 'never' is never here"),
            ("expect: {response: {text: {$regx: a}}}",
             "5:36: there is no matcher '$regx' here; did you mean $regex?"),
            ("expect: {response: {text: {$regex: \"(\"}}}",
             "5:44: this is no regular expression: Unmatched ( or \\("),
            ("expect: {response: {number: {$range: [1]}}}", "5:46: $range takes [MIN, MAX], not a list"),
            ("expect: {response: {number: {$min: a}}}", "5:44: a number is expected here, not a text"),
            ("expect: {response: {text: {$any: false}}}", "5:42: $any takes true, not true or false"),
            ("expect: {response: {text: {$one_of: a}}}", "5:45: $one_of takes a list, not a text"),
            ("expect: {violations: [{feld: a}]}", "5:32: there is no key 'feld' here; did you mean field?"),
            ("capture: {a: $.txt}", "5:22: echo.v1.EchoResponse has no field 'txt'; did you mean text?"),
            ("capture: {a: \"$[0]\"}", "5:22: there is no list where [0] is looked for"),
            ("capture: {a: $.text.b}", "5:22: there are no fields where 'b' is looked for"),
            ("request: {text: \"${nme}\"}", "5:25: nothing before this gives the variable 'nme'"),
            ("request: {text: \"${nov}\"}", "5:25: nothing before this gives the variable 'nov'; did you mean now?"),
            ("request: {text: \"${now\"}", "5:25: '${now' begins no variable, as ${name}; $${ stands for ${"),
            ("metadata: {a-bin: \"!\"}", "5:27: '!' is not base64, which a-bin wants")):
        refused(call(f"        {more}\n"), line)
    refused("scenarios:\n  - name: one\n    steps:\n      - call: echo->eco\n",
            "4:15: there is no method 'echo->eco'; did you mean echo->echo?")


@test
def all_that_is_wrong_with_a_file_is_told_in_order():
    refused("""
scenarios:
  - name: one
    steps:
      - call: echo->echo
        request: {number: a}
        expect: {response: {txt: 1}, status: 5x}
      - call: echo->ekho
""",
            "6:27: number: \"a\" is not a number (uint64)",
            "7:29: echo.v1.EchoResponse has no field 'txt'; did you mean text?",
            "7:46: '5x' is never here",
            "8:15: there is no method 'echo->ekho'; did you mean echo->echo?")


# --- the run --------------------------------------------------------------------------------------

class Server:
    def __init__(self, command):
        self.command = command

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if not self.process.stdout.readline().startswith("listening on"):
            raise AssertionError(f"{self.command[0]} did not start")
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=60)


def main():
    failed = 0
    with Server([ECHO, "--listen", URL]):
        for number, function in enumerate(TESTS, 1):
            name = function.__name__.replace("_", " ")
            try:
                function()
                print(f"ok {number} - {name}", flush=True)
            except (AssertionError, subprocess.SubprocessError, ValueError, KeyError, IndexError) as problem:
                failed += 1
                print(f"not ok {number} - {name}\n# {problem}", flush=True)
    FOLDER.cleanup()
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
