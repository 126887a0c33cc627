#!/usr/bin/env python3
"""Compares the tables of docs/wire.md with what the code holds.

    tables.py TABLE_DUMP
"""

import subprocess
import sys

import wire
import wire_doc
from harness import Report, equal


def dumped(program):
    rows = {}
    for line in subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines():
        kind, *words = line.split()
        rows.setdefault(kind, []).append(words)
    return rows


def states_and_events(code):
    page = {}
    for state, row in wire_doc.table(6, "arrive", "await").items():
        for event in ("arrive", "start", "finish", "send", "cancel", "await"):
            after, _, action = row[event].partition(": ")
            page[state, event] = (state, "impossible") if after == "-" else (after, action.split(" or ")[0])
    equal(page, {(state, event): (after, action) for state, event, after, action in code["cell"]}, "cells")


def limits(code):
    page = wire_doc.limits()
    for local in ("response_min", "ready_bytes"):
        page.pop(local)  # of no header that a test can read
    equal(page, {name: int(value) for name, value in code["limit"]}, "limits")


def reasons(code):
    page = {}
    for reason, row in wire_doc.table(9, "status", "ran").items():
        for ran in row["ran"].split(", "):
            page.setdefault(reason, set()).add((row["status"], ran))
    known = {}
    for reason, status, ran in code["error"]:
        known.setdefault(reason, set()).add((status, ran))
    equal(page, known, "reasons")


def client_reasons(code):
    known = dict(code["client"])
    for reason, row in wire_doc.table(12, "code", "ran").items():
        equal(known.get(reason), row["code"], reason)


def statuses(code):
    page = [("OK", 0)] + [(n, int(row["code"])) for n, row in wire_doc.table(9, "code").items()]
    equal(page, [(name, int(number)) for name, number in code["status"]], "statuses")
    equal([name for name, _ in page], wire.STATUSES, "the peer's statuses")


def kinds(code):
    page = [[row["kind"].strip("`"), *row["bytes"].strip("`").split()] for row in wire_doc.table(2, "kind").values()]
    equal(sorted(page), sorted(code["kind"]), "kinds")


def rejects(code):
    page = [[name, row["code"]] for name, row in wire_doc.table(2, "code", "sent for").items()]
    equal(page, code["reject"], "reject codes")
    equal({name: int(number) for name, number in page}, wire.REJECT_CODES, "the peer's reject codes")


def sessions(code):
    page = {name: int(row["value"]) for name, row in wire_doc.table(14, "constant", "value").items()}
    equal(page, {name: int(value) for name, value in code["session"]}, "sessions")


def session_offsets(_code):
    for first, total in (("hello.header", 124), ("welcome.header", 92)):
        rows = [row for name, row in wire_doc.table(14, "offset", "bytes").items()
                if name.startswith(first.split(".", maxsplit=1)[0])]
        end = 0
        for row in rows:
            equal(int(row["offset"]), end, first)
            end += int(row["bytes"])
        equal(end, total, first)


def main():
    code = dumped(sys.argv[1])
    report = Report()
    report.run("the table of states and events is the mailbox's", states_and_events, code)
    report.run("the limits are the code's", limits, code)
    report.run("the reasons are the runtime's", reasons, code)
    report.run("the reasons of the client are the client's", client_reasons, code)
    report.run("the statuses are the code's", statuses, code)
    report.run("the kinds of frames are the code's", kinds, code)
    report.run("the reject codes are the code's", rejects, code)
    report.run("the constants of sessions are the code's", sessions, code)
    report.run("hello and welcome are what their fields add up to", session_offsets, code)
    report.exit()


if __name__ == "__main__":
    main()
