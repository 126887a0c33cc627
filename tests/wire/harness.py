"""What the test programs share: servers as processes, and sentences that are ok or not."""

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback


HERE = os.path.dirname(os.path.abspath(__file__))
# freed memory of a sanitized server is to be free
SANITIZERS = {
    "ASAN_OPTIONS": "quarantine_size_mb=0:" + os.environ.get("ASAN_OPTIONS", ""),
    "LSAN_OPTIONS": f"suppressions={HERE}/lsan.supp:print_suppressions=0:" + os.environ.get("LSAN_OPTIONS", ""),
}


class Report:
    """Prints `ok N - sentence` lines and the last line `N passed, N failed`."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def run(self, sentence, function, *arguments):
        try:
            why = function(*arguments)
        except Exception:  # pylint: disable=broad-except
            self.line("not ok", sentence)
            self.failed += 1
            print("# " + traceback.format_exc().strip().replace("\n", "\n# "), flush=True)
            return False
        if isinstance(why, Skip):
            self.skipped += 1
            self.line("ok", f"{sentence} # skip {why.why}")
            return True
        self.passed += 1
        self.line("ok", sentence)
        return True

    def line(self, word, sentence):
        print(f"{word} {self.passed + self.failed + self.skipped + (word != 'ok')} - {sentence}", flush=True)

    def exit(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        print(f"{self.passed} passed, {self.failed} failed{skipped}", flush=True)
        sys.exit(1 if self.failed or not self.passed else 0)


class Skip:
    """What a scenario returns that cannot run here."""

    def __init__(self, why):
        self.why = why


def equal(got, want, what=""):
    if got != want:
        raise AssertionError(f"{what}: got {got!r}, want {want!r}")


def true(condition, what):
    if not condition:
        raise AssertionError(what)


class Server:
    """A server program on an address of its own, from the first `listening on` line to its end.

    Its standard output after that is kept in .lines.
    """

    def __init__(self, command, url="ipc", folder=None):
        self.folder = folder or tempfile.mkdtemp(prefix="pipit-wire-")
        self.own_folder = folder is None
        if url == "ipc":
            os.chmod(self.folder, 0o755)
            url = f"ipc://{self.folder}/s.sock"
        self.command = command
        self.log = open(os.path.join(self.folder, "log"), "ab")
        self._start(url)

    def _start(self, url):
        self.process = subprocess.Popen(
            [*self.command, "--listen", url],
            stdout=subprocess.PIPE,
            stderr=self.log,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **SANITIZERS},
        )
        self.pid = self.process.pid
        self.lines, self.changed = [], threading.Condition()
        self.reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self.reader.start()
        try:
            self.url = self.line(r"listening on (\S+)")[1]
        except AssertionError:
            self.kill()
            with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as log:
                raise AssertionError("the server did not start: " + log.read()[-2000:]) from None

    def restart(self, kill=False):
        """Ends the process and starts another on the same address."""
        if kill:
            self.kill()
        elif self.process.poll() is None:
            self.terminate()
            self.wait()
        self.reader.join()
        self.process.stdout.close()
        self._start(self.url)

    def _read(self, stdout):
        for line in stdout:
            with self.changed:
                self.lines.append(line.decode(errors="replace").rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.lines.append(None)
            self.changed.notify_all()

    def line(self, pattern, timeout=30):
        """Waits for a line of output that matches."""
        until = time.monotonic() + timeout
        with self.changed:
            while True:
                for line in self.lines:
                    if line is not None and (match := re.fullmatch(pattern, line)):
                        return match
                if None in self.lines or not self.changed.wait(max(0, until - time.monotonic())):
                    raise AssertionError(f"no line {pattern!r} in {self.lines[-20:]}")

    def count(self, line):
        with self.changed:
            return self.lines.count(line)

    def memory_kb(self):
        """The memory that is the process's alone, whoever else runs the same program, and RSS, in kB."""
        found = {}
        with open(f"/proc/{self.pid}/smaps_rollup", encoding="ascii") as rollup:
            for line in rollup:
                if match := re.match(r"(Anonymous|Rss):\s+(\d+) kB", line):
                    found[match[1]] = int(match[2])
        return found["Anonymous"], found["Rss"]

    def is_sanitized(self):
        with open(f"/proc/{self.pid}/maps", encoding="utf-8") as maps:
            return re.search(r"lib(a|t)san|clang_rt|/.*san\.so", maps.read()) is not None

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait(self, timeout=60):
        return self.process.wait(timeout)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def stop(self):
        """SIGTERM; the exit code. Kills what does not stop."""
        if self.process.poll() is None:
            self.terminate()
        try:
            return self.wait()
        finally:
            self.close()

    def close(self):
        self.kill()
        self.reader.join()
        self.process.stdout.close()
        self.log.close()
        if self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
