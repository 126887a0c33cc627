#!/usr/bin/env python3
"""The C client against servers that misbehave, each in a way of its own.

    rogue_server.py CLIENT_PROBE [WORDS]

Every call must end by its deadline, as docs/wire.md, section 12, tells.
"""

import sys

import rogue_refusals  # noqa: F401  pylint: disable=unused-import
import rogue_replies  # noqa: F401  pylint: disable=unused-import
from harness import Report
from rogue_probe import ALL, PROGRAM


def main():
    PROGRAM.append(sys.argv[1])
    only = sys.argv[2] if len(sys.argv) > 2 else ""
    report = Report()
    for sentence, function in ALL:
        if only in sentence:
            report.run(sentence, function, None)
    report.exit()


if __name__ == "__main__":
    main()
