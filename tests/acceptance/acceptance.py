#!/usr/bin/env python3
"""usersd's acceptance scenarios, over one store.

    acceptance.py PIPIT USERSD STORE-URL FILE...

Starts a usersd on an empty store, runs the scenarios, and stops it. What is
printed is what `pipit test` prints. Exits 1 if a scenario failed, or usersd did.
"""

import signal
import subprocess
import sys
import tempfile

pipit, usersd, store, *files = sys.argv[1:]


def main():
    with tempfile.TemporaryDirectory(prefix="pipit-acceptance-") as folder:
        url = f"ipc://{folder}/s"
        with open(f"{folder}/log", "w+", encoding="utf-8") as log:
            server = subprocess.Popen([usersd, "serve", "--listen", url, "--store", store],
                                      stdout=subprocess.PIPE, stderr=log, text=True)
            if not server.stdout.readline().startswith("listening on"):
                log.seek(0)
                sys.exit(f"usersd did not start: {log.read()}")
            # Long enough for a sanitizer on a busy machine: no scenario is about time.
            status = subprocess.run([pipit, "test", "--target", url, "--timeout", "60s", *files],
                                    check=False).returncode
            server.send_signal(signal.SIGTERM)
            stopped = server.wait(timeout=60)
            if status or stopped:
                log.seek(0)
                print(f"pipit test exited with {status}, usersd with {stopped}:\n{log.read()}", file=sys.stderr)
            sys.exit(1 if status or stopped else 0)


main()
