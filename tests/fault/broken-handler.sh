#!/bin/sh
# A usersd whose GetUser answers wrongly makes `tools/run --once` fail: its checks
# look at the replies, not only at whether there were some.
#
#   broken-handler.sh ROOT
set -eu

root=$1
folder=$(mktemp -d "${TMPDIR:-/tmp}/pipit-broken.XXXXXX")
trap 'rm -rf "$folder"' EXIT

cd "$root"
find . -maxdepth 1 ! -name . ! -name '.git' ! -name 'build*' -exec cp -a {} "$folder/" \;
cd "$folder"

# The user that GetUser finds loses the email that was asked for.
sed -i 's/view->message.email = (char \*)user->email;/view->message.email = (char *)"nobody@example.com";/' \
        server/delivery/users_v1/operation.c
if cmp -s server/delivery/users_v1/operation.c "$root/server/delivery/users_v1/operation.c"; then
        echo "not ok 1 - the handler could not be broken: mend this test"
        exit 1
fi

status=0
BUILD=build tools/run --once >"$folder/out" 2>&1 || status=$?
tail -n 12 "$folder/out"
grep -q "^listening on " "$folder/out" || { echo "not ok 1 - it did not get as far as a call"; exit 1; }
[ "$status" -ne 0 ] || { echo "not ok 1 - tools/run --once exits 0 with a broken handler"; exit 1; }
echo "ok 1 - tools/run --once exits $status with a broken handler"
