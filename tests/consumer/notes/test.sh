#!/bin/sh
# The service does what its .proto says: test.sh SERVER CLIENT
set -eu

server=$1
client=$2
folder=$(mktemp -d)
url=ipc://$folder/notes.sock

mkfifo "$folder/said"
"$server" "$url" >"$folder/said" &
pid=$!
trap 'kill "$pid" 2>/dev/null || true; rm -rf "$folder"' EXIT
read -r said <"$folder/said"
[ "$said" = "listening on $url" ]

expect() {
        wanted=$1
        shift
        got=$("$client" "$url" "$@" 2>&1) || true
        [ "$got" = "$wanted" ] || {
                echo "$*: '$got' is not '$wanted'" >&2
                exit 1
        }
}

expect "1 water the plants" create "water the plants"
expect "2 feed the cat" create "feed the cat"
expect "2 feed the cat" get 2
expect "" delete 2
expect NOT_FOUND get 2
expect NOT_FOUND delete 2
expect "1 water the plants" list

kill "$pid"
wait "$pid"
