#!/bin/sh
# A usersd that serves every method and is told to stop leaks nothing and
# touches no memory that it should not. What is possibly lost are the thread blocks
# of nng, whose threads never end.
#
#   valgrind.sh BUILD-FOLDER
set -eu

build=$1
folder=$(mktemp -d "${TMPDIR:-/tmp}/pipit-valgrind.XXXXXX")
server=
stop() {
        [ -z "$server" ] || kill -KILL "$server" 2>/dev/null || true
        rm -rf "$folder"
}
trap stop EXIT

url=ipc://$folder/s
mkfifo "$folder/ready"
valgrind --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect \
        --errors-for-leak-kinds=definite,indirect --log-file="$folder/valgrind.log" \
        "$build/server/usersd" serve --listen "$url" --store "sqlite:$folder/users.db" \
        >"$folder/ready" 2>"$folder/log" &
server=$!
read -r line <"$folder/ready"
echo "$line"

users=users.v1.UsersService
call() {
        want=$1
        shift
        status=0
        "$build/tools/pipit" call --timeout 30s "$url" "$@" >"$folder/reply" 2>&1 || status=$?
        [ "$status" -eq "$want" ] || {
                cat "$folder/reply" "$folder/log"
                echo "pipit call $*: exit code $status, expected $want"
                exit 1
        }
}
call 0 $users/CreateUser '{"user":{"email":"v@example.com","name":"V","age":1},"requestId":"0190a8b4-0000-4000-8000-000000000001"}'
call 0 $users/CreateUser '{"user":{"email":"v@example.com","name":"V","age":1},"requestId":"0190a8b4-0000-4000-8000-000000000001"}'
call 70 $users/CreateUser '{"user":{"email":"v@example.com","name":"V","age":1}}'
call 67 $users/CreateUser '{"user":{"email":"no","name":"","age":131}}'
call 0 $users/GetUser '{"email":"v@example.com"}'
id=$(sed -n 's/.*"id": *"\([^"]*\)".*/\1/p' "$folder/reply" | head -n 1)
call 0 $users/UpdateUser "{\"user\":{\"id\":\"$id\",\"name\":\"W\"},\"updateMask\":\"name\"}"
call 0 $users/ListUsers '{}'
call 0 $users/DeleteUser "{\"id\":\"$id\"}"
call 69 $users/GetUser "{\"id\":\"$id\"}"

kill -TERM "$server"
status=0
wait "$server" || status=$?
server=
cat "$folder/valgrind.log"
[ "$status" -eq 0 ] || {
        cat "$folder/log"
        echo "usersd under valgrind: exit code $status"
        exit 1
}
