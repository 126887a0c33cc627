#!/usr/bin/env python3
"""The dependency rule of ARCHITECTURE.md, "The house": arrows point inwards.

    tests/lint/dependencies.py ROOT

Each file's includes must be in its folder's row. A header that no row of
EXTERNAL names is libc's. Prints each arrow that is not allowed.
"""

import pathlib
import re
import sys

BASE, RPC, ACCESS, JSON, USERS = "core/base", "core/rpc", "core/access", "core/json", "core/users"
RUNTIME, CLIENT, OPERATION = "server/runtime", "client", "server/delivery/users_v1"

# folder -> what it may include besides itself and libc; the longest prefix counts
ALLOWED = {
    "core/base": set(),
    "core/users": {BASE},
    "core/rpc": {BASE, "protobuf-c", "sodium", "gen:pipit/v1", "gen:google"},
    "core/access": {BASE, RPC, "sodium"},
    "core/json": {BASE, RPC, "protobuf-c", "gen:google"},
    "gen": {BASE, "protobuf-c", "gen:google"},
    "server/runtime": {BASE, RPC, ACCESS, "protobuf-c", "nng", "gen:pipit/v1", "gen:google", "gen:grpc",
                       "gen:pipit"},
    "server/delivery": {BASE, USERS, RUNTIME + "/pipit", JSON, RPC, "protobuf-c", "sodium",
                        "gen:users", "gen:google"},
    "server/store/memory": {BASE, USERS},
    "server/store/sqlite": {BASE, USERS, "sqlite3"},
    "server/store/postgres": {BASE, USERS, "libpq"},
    "server": {BASE, ACCESS, JSON, USERS, RUNTIME, "server/delivery", "server/store", "sodium"},
    "client": {BASE, RPC, ACCESS, "protobuf-c", "nng", "gen:pipit/v1", "gen:google"},
    "tools/cli/scenario": {BASE, RPC, JSON, CLIENT, "tools", "protobuf-c", "libyaml"},
    "testkit": {BASE, RPC},
    "tools": {BASE, RPC, ACCESS, JSON, CLIENT, "protobuf-c", "gen:users", "gen:grpc", "gen:google",
              "gen:pipit"},
}

EXTERNAL = {
    "nng/": "nng",
    "protobuf-c/": "protobuf-c",
    "sodium": "sodium",
    "libpq": "libpq",
    "postgres_ext.h": "libpq",
    "sqlite3.h": "sqlite3",
    "yaml.h": "libyaml",
    "curl/": "curl",
    "ares": "c-ares",
}

# What protoc and its plugins write: the folder below proto/ names it.
GENERATED = re.compile(r"\.(pb-c|pipit)\.h$")
PUBLIC = {  # <pipit/NAME.h> lies with its layer
    "macros.h": BASE, "status.h": BASE, "service.h": RPC, "client.h": CLIENT,
    "inprocess.h": CLIENT, "interceptor.h": CLIENT, "queue.h": CLIENT, "server.h": RUNTIME,
    "clock.h": BASE, "log.h": BASE, "test_clock.h": "testkit", "test_faults.h": "testkit",
}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


def target(name):
    """Which row or library an include belongs to; None: libc."""
    if GENERATED.search(name):
        top = name.split("/")[0]
        return "gen:pipit/v1" if name.startswith("pipit/v1/") else f"gen:{top}"
    if name.startswith("pipit/"):
        layer = PUBLIC.get(name.removeprefix("pipit/"))
        return f"{layer}/pipit" if layer else f"unknown public header {name}"
    for prefix, library in EXTERNAL.items():
        if name.startswith(prefix):
            return library
    if "/" in name and name.split("/")[0] in ("core", "server", "client", "gen", "testkit", "tools"):
        return str(pathlib.PurePosixPath(name).parent)
    return None


def allowed(row, what):
    inside = what == row or what.startswith(row + "/")
    return inside or any(what == a or what.startswith(a + "/") for a in ALLOWED[row])


def main():
    root = pathlib.Path(sys.argv[1])
    bad = n = 0
    for row in sorted(ALLOWED):
        for path in sorted(root.glob(row + "/**/*.[ch]")):
            name = path.relative_to(root).as_posix()
            best = max((r for r in ALLOWED if name.startswith(r + "/")), key=len)
            if best != row:
                continue
            for quote, include in INCLUDE.findall(path.read_text(encoding="utf-8")):
                n += 1
                what = target(include)
                if include.startswith("../") or "/../" in include:
                    print(f"{name}: {include}: include from the root")
                    bad += 1
                elif what is not None and not allowed(row, what):
                    print(f"{name}: includes {include}; {row} may not know {what}")
                    bad += 1
    if n == 0:
        print("no includes found: wrong root?")
        bad += 1
    print(f"{'ok' if not bad else 'not ok'} 1 - includes point inwards ({n} checked, {bad} wrong)")
    sys.exit(1 if bad else 0)


main()
