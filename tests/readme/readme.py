#!/usr/bin/env python3
"""What the README shows is what happens.

    readme.py ROOT BUILD-FOLDER EXAMPLE

- its C example is tests/readme/create_user.c, to the letter, and that program
  (EXAMPLE, built) creates a user, and is told when it exists already;
- its `tools/run --once` prints what it shows, but for ids, times and folders;
- the files that it names are there.
"""

import difflib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT, BUILD, EXAMPLE = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
README = (ROOT / "README.md").read_text(encoding="utf-8")
counts = {True: 0, False: 0}

# What differs from run to run.
VARYING = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
    (re.compile(r"[\w/.+-]*/usersd\.\w{6}"), "FOLDER"),
]


def check(good, sentence):
    counts[bool(good)] += 1
    print(f"{'ok' if good else 'not ok'} {sum(counts.values())} - {sentence}")


def block(language, start=""):
    """The first fenced block of @language whose text begins with @start."""
    for text in re.findall(rf"^```{language}\n(.*?)^```$", README, re.M | re.S):
        if text.startswith(start):
            return text
    return ""


def plain(text):
    for pattern, word in VARYING:
        text = pattern.sub(word, text)
    return [line.rstrip() for line in text.strip().splitlines()]


def compare(wanted, got, sentence):
    difference = list(difflib.unified_diff(wanted, got, "README.md", "what happened", lineterm=""))
    print("\n".join("# " + line for line in difference))
    check(wanted and not difference, sentence)


def run_shown():
    done = subprocess.run(["tools/run", "--once"], cwd=ROOT, env={**os.environ, "BUILD": str(BUILD)},
                          capture_output=True, text=True, check=False)
    print("".join("# " + line + "\n" for line in done.stderr.splitlines()), end="")
    check(done.returncode == 0, "tools/run --once exits 0")
    compare(plain(block("console")), plain(done.stdout), "tools/run --once prints what the README shows")


def run_example():
    with tempfile.TemporaryDirectory() as folder:
        url = f"ipc://{folder}/s"
        server = subprocess.Popen([BUILD / "server/usersd", "serve", "--listen", url, "--store", "memory:"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            check(server.stdout.readline() == f"listening on {url}\n", "usersd says where it listens")
            first = subprocess.run([EXAMPLE, url], capture_output=True, text=True, check=False)
            check(first.returncode == 0 and first.stdout.startswith("grace@example.com is "),
                  f"the example creates a user: {first.stdout.strip()}{first.stderr.strip()}")
            second = subprocess.run([EXAMPLE, url], capture_output=True, text=True, check=False)
            check(second.returncode == 1 and second.stderr.startswith("ALREADY_EXISTS: "),
                  f"and is told when it is there: {second.stderr.strip()}")
        finally:
            server.terminate()
            server.wait()


def main():
    source = (ROOT / "tests/readme/create_user.c").read_text(encoding="utf-8")
    compare(block("c").splitlines(), source.splitlines(), "the C example is the program that is tested")
    for name in re.findall(r"\]\(([^):]+)\)", README):
        check((ROOT / name).exists(), f"{name} is there")
    run_example()
    run_shown()
    print(f"{counts[True]} passed, {counts[False]} failed")
    sys.exit(1 if counts[False] else 0)


main()
