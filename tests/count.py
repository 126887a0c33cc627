#!/usr/bin/env python3
"""Counts what the tests of one or more Meson runs did.

    tests/count.py LABEL=BUILD-FOLDER...

Reads BUILD-FOLDER/meson-logs/testlog.json and counts test cases, not
programs: cmocka's and TAP's lines, or a last line `N passed, N failed`; a
program that prints none of them is one case. Prints a line a run and the
programs that failed or skipped; the last line is `N passed, N failed`, with
`, N skipped` where there are any. Exits 1 if a case failed or none ran.

A program that ran in several runs (plain, under sanitizers) must have the same
number of cases in each, else it counts as failed: a test that steps aside under
a sanitizer is no test there. Nor is one that is left out: what ran in the first
run counts as failed in those of SANITIZED where it did not, but for ABSENT.
"""

import json
import re
import sys

SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)
CMOCKA_RUN = re.compile(r"^\[=+\] (?:.*: )?(\d+) test\(s\) run\.", re.M)
CMOCKA_PASSED = re.compile(r"^\[  PASSED  \] (\d+) test\(s\)", re.M)
CMOCKA_SKIPPED = re.compile(r"^\[  SKIPPED \] (\d+) test\(s\)", re.M)
TAP = re.compile(r"^(not )?ok \d+\b(?:.*?(# *skip))?", re.M | re.I)

SANITIZED = ("asan", "tsan")
# lint looks at sources; consumer builds by itself, with compilers and flags of its own.
ABSENT = re.compile(r"pipit:lint / |pipit:integration / consumer$")


def left_out(label, names, first):
    """The programs that only earlier runs had and this one should."""
    if label not in SANITIZED:
        return []
    return sorted(name for name in first if name not in names and not ABSENT.match(name))


def count(test):
    """(passed, failed, skipped) of one program."""
    text = (test.get("stdout") or "") + "\n" + (test.get("stderr") or "")
    bad = test["result"] not in ("OK", "SKIP", "EXPECTEDFAIL")
    if test["result"] == "SKIP":
        return 0, 0, 1
    if summaries := SUMMARY.findall(text):
        passed, failed, skipped = (int(n or 0) for n in summaries[-1])
    elif CMOCKA_RUN.search(text):
        run = sum(int(n) for n in CMOCKA_RUN.findall(text))
        passed = sum(int(n) for n in CMOCKA_PASSED.findall(text))
        skipped = sum(int(n) for n in CMOCKA_SKIPPED.findall(text))
        failed = run - passed - skipped
    elif lines := TAP.findall(text):
        skipped = sum(1 for line in lines if line[1])
        failed = sum(1 for line in lines if line[0])
        passed = len(lines) - failed - skipped
    else:
        passed, failed, skipped = (0, 1, 0) if bad else (1, 0, 0)
    if bad and failed == 0:
        failed = 1  # it said that all is well, and died
    return passed, failed, skipped


def main():
    total = [0, 0, 0]
    first = {}  # program -> where it ran first, and how many cases it had there
    for argument in sys.argv[1:]:
        label, folder = argument.split("=", 1)
        run = [0, 0, 0]
        names = set()
        with open(folder + "/meson-logs/testlog.json", encoding="utf-8") as log:
            for line in log:
                test = json.loads(line)
                counts = count(test)
                names.add(test["name"])
                where, n_cases = first.setdefault(test["name"], (label, sum(counts)))
                if sum(counts) != n_cases:
                    print(f"{label}: FAILED: {test['name']} has {sum(counts)} cases, {n_cases} in {where}")
                    counts = (counts[0], counts[1] + 1, counts[2])
                run = [a + b for a, b in zip(run, counts)]
                if counts[1] or counts[2]:
                    word = "FAILED" if counts[1] else "skipped"
                    print(f"{label}: {word}: {test['name']}")
                if counts[1]:
                    output = (test.get("stdout") or "") + (test.get("stderr") or "")
                    print("\n".join("    " + l for l in output.splitlines()[-40:]))
        for name in left_out(label, names, first):
            print(f"{label}: FAILED: {name} did not run")
            run[1] += 1
        print(f"{label}: {run[0]} passed, {run[1]} failed, {run[2]} skipped")
        total = [a + b for a, b in zip(total, run)]
    skipped = f", {total[2]} skipped" if total[2] else ""
    print(f"{total[0]} passed, {total[1]} failed{skipped}")
    sys.exit(1 if total[1] or not total[0] else 0)


main()
