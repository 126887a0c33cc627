#!/usr/bin/env python3
"""What a shared library exports: writes its version script.

    version_script.py OUTPUT --public VERSION [--private VERSION]
                      [--headers FOLDER...] [--generated ARCHIVE...]
                      [--own ARCHIVE...] [--users ARCHIVE...] [--interposes]

Public are the functions that the headers declare PIPIT_PUBLIC, and all that
the generated archives define, where the library has them. Private is what
its sister libraries (--users) need besides: it has a version of its own,
that of one release, so that a mixture of releases fails when it is loaded.
All else is local. A library that interposes functions of libc hides the rest by
its visibility alone: a symbol that has a version of ours is not taken for libc's.
"""

import argparse
import pathlib
import re
import subprocess
import sys

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*|^\s*#\s*(?:[^\n\\]|\\\n|\\.)*", re.S | re.M)
# Of frame.proto: what travels between the two libraries' halves only.
FRAMES = tuple(f"pipit__v1__{name}__" for name in ("call", "metadata", "reply", "request", "response")) + (
    "pipit_v1_frame_",)


def declared(folders):
    """The names that the headers of @folders declare PIPIT_PUBLIC."""
    names = set()
    for folder in folders:
        for header in sorted(pathlib.Path(folder).glob("*.h")):
            text = COMMENT.sub("", header.read_text(encoding="utf-8"))
            for part in text.split("PIPIT_PUBLIC")[1:]:
                declaration = re.sub(r"__attribute__\s*\(\(.*?\)\)", "", part.split(";")[0])
                declaration = re.sub(r"\bPIPIT_[A-Z_]+\b(\([^)]*\))?", "", declaration)
                names.add(re.search(r"(\w+)\s*(?:\(|\[|=|$)", declaration).group(1))
    return names


def symbols(nm, archives, which):
    if not archives:
        return set()
    listed = subprocess.run([nm, "--format=posix", "--extern-only", which, *archives],
                            capture_output=True, text=True, check=True).stdout
    fields = (line.split() for line in listed.splitlines())
    return {field[0] for field in fields if len(field) >= 2 and len(field[1]) == 1}


def node(version, names, base, rest=""):
    body = "".join(f"        {name};\n" for name in sorted(names))
    exports = f"global:\n{body}" if body else ""
    return f"{version} {{\n{exports}{rest}}}{' ' + base if base else ''};\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--public", required=True)
    parser.add_argument("--private")
    parser.add_argument("--interposes", action="store_true")
    for name in ("headers", "generated", "own", "users"):
        parser.add_argument("--" + name, nargs="*", default=[])
    options = parser.parse_args()

    generated = {name for name in symbols(options.nm, options.generated, "--defined-only")
                 if not name.startswith(FRAMES)}
    own = symbols(options.nm, options.own + options.generated, "--defined-only")
    public = (declared(options.headers) & own) | generated
    private = (symbols(options.nm, options.users, "--undefined-only") & own) - public

    rest = "" if options.interposes else "local:\n        *;\n"
    text = node(options.public, public, "", "" if options.private else rest)
    if options.private:
        text += node(options.private, private, options.public, rest)
    stray = sorted(name for name in private if not name.startswith("pipit_"))
    if stray:
        sys.exit(f"{options.output}: sister libraries need names that are not ours alone: {', '.join(stray)}")
    options.output.write_text(text, encoding="utf-8")


main()
