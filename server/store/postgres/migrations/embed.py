#!/usr/bin/env python3
"""Writes the migrations as a C table, in the order of their numbers.

Usage: embed.py OUTPUT.c 0001_name.sql 0002_name.sql ...
"""

import os
import sys


def c_string(text):
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return "\n".join(f'        "{line}\\n"' for line in escaped.splitlines())


def main(output, *inputs):
    entries = []
    for number, path in enumerate(inputs, start=1):
        name = os.path.basename(path)
        if not name.startswith(f"{number:04}_"):
            sys.exit(f"{path}: expected migration {number:04}")
        with open(path, encoding="utf-8") as file:
            entries.append(f'        {{"{name}",\n{c_string(file.read())}}},')
    with open(output, "w", encoding="utf-8") as file:
        file.write('#include "server/store/postgres/pg_migrate.h"\n\n')
        file.write("const struct pg_migration pg_migrations[] = {\n")
        file.write("\n".join(entries))
        file.write("\n};\n\nconst uint32_t pg_n_migrations = PIPIT_N_ELEMENTS(pg_migrations);\n")


main(*sys.argv[1:])
