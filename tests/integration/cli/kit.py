"""What the tests of `pipit` share: running it as a user would, in a pipe or on a terminal."""

import json
import os
import pty
import subprocess
import sys
import tempfile
import threading

OK, INTERNAL, USAGE, NOT_SERVING, RPC = 0, 1, 2, 4, 64
INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, UNIMPLEMENTED, UNAVAILABLE = RPC + 3, RPC + 5, RPC + 6, RPC + 12, RPC + 14
NOWHERE = "ipc:///nonexistent/pipit.sock"

FOLDER = tempfile.TemporaryDirectory(prefix="pipit-cli-")
TESTS = []
PROGRAM = []


def test(function):
    TESTS.append(function)
    return function


class Skipped(Exception):
    """It cannot be tried here; said loudly."""


class Ran:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def json(self):
        return json.loads(self.out)

    def status_json(self):
        return json.loads(self.err)


def surroundings(extra):
    """The environment without what a developer may have set for pipit."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PIPIT_") and k != "NO_COLOR"}
    return clean | extra


def pipit(*arguments, stdin="", **environment):
    ran = subprocess.run([*PROGRAM, *arguments], input=stdin, capture_output=True, text=True,
                         env=surroundings(environment), timeout=60, check=False)
    return Ran(ran.returncode, ran.stdout, ran.stderr)


class Screen:
    """A terminal that keeps what is written to it."""

    def __init__(self):
        self.leader, self.follower = pty.openpty()
        self.chunks = []
        self.reader = threading.Thread(target=self.read)

    def read(self):
        while True:
            try:
                chunk = os.read(self.leader, 65536)
            except OSError:  # EIO: nobody holds the other end any more
                chunk = b""
            if not chunk:
                return
            self.chunks.append(chunk)

    def text(self):
        self.reader.join()
        os.close(self.leader)
        return b"".join(self.chunks).decode().replace("\r\n", "\n")


def on_terminal(*arguments, **environment):
    """The same as pipit(), with a terminal for each of stdout and stderr."""
    out, err = Screen(), Screen()
    process = subprocess.Popen([*PROGRAM, *arguments], stdin=subprocess.DEVNULL,
                               stdout=out.follower, stderr=err.follower,
                               env=surroundings({"TERM": "xterm"} | environment))
    for screen in (out, err):
        os.close(screen.follower)
        screen.reader.start()
    status = process.wait(timeout=60)
    return Ran(status, out.text(), err.text())


def equal(actual, expected, what=""):
    if actual != expected:
        raise AssertionError(f"{what or 'value'} is {actual!r}, expected {expected!r}")


def holds(text, *parts):
    for part in parts:
        if part not in text:
            raise AssertionError(f"{text!r} does not hold {part!r}")


def holds_not(text, *parts):
    for part in parts:
        if part in text:
            raise AssertionError(f"{text!r} holds {part!r}")


def usage(ran, line):
    """Wrong use: nothing on stdout, exactly this line on stderr, exit 2."""
    equal(ran.err, f"pipit: {line}\n", "stderr")
    equal(ran.out, "", "stdout")
    equal(ran.status, USAGE, "exit code")


class Server:
    """A server process on @url, ready; @command ends with what takes the URL."""

    def __init__(self, command, url):
        self.name = command[0]
        self.log = tempfile.TemporaryFile(mode="w+", dir=FOLDER.name)
        self.process = subprocess.Popen([*command, url], stdout=subprocess.PIPE, stderr=self.log, text=True)
        if not self.process.stdout.readline().startswith("listening on "):
            self.process.wait()
            self.log.seek(0)
            raise SystemExit(f"{self.name} did not start:\n" + self.log.read())
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        equal(self.process.wait(timeout=60), 0, f"exit code of {self.name}")
        self.log.close()


def usersd(program, url):
    return Server([program, "serve", "--store", "memory:", "--listen"], url)


def run():
    """All tests, in order; the last line is `N passed, N failed`."""
    failed = 0
    for number, function in enumerate(TESTS, 1):
        name = function.__name__.replace("_", " ")
        try:
            function()
            print(f"ok {number} - {name}", flush=True)
        except Skipped as why:
            print(f"ok {number} - {name} # SKIP {why}", flush=True)
        except Exception as problem:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} - {name}\n#   {problem}", flush=True)
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    return failed


def finish(failed):
    FOLDER.cleanup()
    sys.exit(1 if failed else 0)
