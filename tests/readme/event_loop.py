#!/usr/bin/env python3
"""The program of docs/event-loop.md is the one that is tested, and it works.

    event_loop.py ROOT BUILD-FOLDER EXAMPLE
"""

import pathlib
import re
import subprocess
import sys
import tempfile

ROOT, BUILD, EXAMPLE = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
counts = {True: 0, False: 0}


def check(good, sentence):
    counts[bool(good)] += 1
    print(f"{'ok' if good else 'not ok'} {sum(counts.values())} - {sentence}")


def run_example():
    with tempfile.TemporaryDirectory() as folder:
        url = f"ipc://{folder}/s"
        server = subprocess.Popen([BUILD / "server/usersd", "serve", "--listen", url, "--store", "memory:"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            check(server.stdout.readline() == f"listening on {url}\n", "usersd says where it listens")
            done = subprocess.run([EXAMPLE, url], capture_output=True, text=True, timeout=60, check=False)
            check(done.returncode == 0 and done.stdout == "0 users\n" * 3,
                  f"each call of the loop is answered: {done.stdout!r} {done.stderr.strip()}")
        finally:
            server.terminate()
            server.wait()


def main():
    shown = re.findall(r"^```c\n(.*?)^```$", (ROOT / "docs/event-loop.md").read_text(encoding="utf-8"), re.M | re.S)
    source = (ROOT / "tests/readme/event_loop.c").read_text(encoding="utf-8")
    check(shown == [source], "docs/event-loop.md shows the program that is tested")
    run_example()
    print(f"{counts[True]} passed, {counts[False]} failed")
    sys.exit(1 if counts[False] else 0)


main()
