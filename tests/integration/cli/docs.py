#!/usr/bin/env python3
"""What docs/cli.md shows is what happens.

    docs.py PIPIT USERSD CLI.MD

Runs each line that begins with `$ ` in its console blocks, in order, against
one usersd, and compares what comes out with what stands below.
"""

import os
import pathlib
import re
import subprocess
import sys

import kit
from kit import FOLDER, equal, test

PIPIT, USERSD, DOCUMENT = sys.argv[1:4]
kit.PROGRAM.append(PIPIT)
URL = f"ipc://{FOLDER.name}/usersd.sock"
TEXT = pathlib.Path(DOCUMENT).read_text(encoding="utf-8")

# What differs from run to run.
VARYING = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
    (re.compile(r'("durationMs": ?)[\d.]+'), r"\1N"),
    (re.compile(r'"uid:\d+"'), '"uid:N"'),
    (re.compile(r"ipc://[^\s,\"]*/usersd\.sock"), "URL"),
]


def steady(text):
    for pattern, name in VARYING:
        text = pattern.sub(name, text)
    return text


def shown():
    """(command, output) of each console block."""
    for block in re.findall(r"^```console\n(.*?)^```$", TEXT, re.M | re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            yield command, output


@test
def what_the_document_shows_is_what_happens():
    environment = kit.surroundings({"PIPIT_TARGET": URL, "PATH": f"{FOLDER.name}/bin:{os.environ['PATH']}"})
    n_commands = 0
    for command, output in shown():
        ran = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             env=environment, timeout=60, check=False)
        equal(steady(ran.stdout), steady(output), command)
        n_commands += 1
    if n_commands < 10:
        raise AssertionError(f"only {n_commands} commands were found")


@test
def every_command_and_flag_is_in_the_document():
    names = set()
    for line in kit.pipit("help").out.splitlines():
        if match := re.match(r"  ([a-z]+) +[A-Z]", line):
            names.add(match[1])
    for name in sorted(names):
        if f"`{name}" not in TEXT:
            raise AssertionError(f"nothing is said of pipit {name}")
        if name == "test":  # has a document of its own
            continue
        for flag in re.findall(r"--[a-z-]+", kit.pipit("help", name).out.split("\nExamples\n")[0]):
            if flag not in TEXT:
                raise AssertionError(f"nothing is said of {flag} of pipit {name}")


os.mkdir(f"{FOLDER.name}/bin")
os.symlink(os.path.abspath(PIPIT), f"{FOLDER.name}/bin/pipit")
with kit.usersd(USERSD, URL):
    FAILED = kit.run()
kit.finish(FAILED)
