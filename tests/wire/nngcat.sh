#!/bin/sh
# nngcat and protoc are a whole client: docs/wire.md, "Simple client".
#
#   nngcat.sh PROTO-FOLDER usersd PROGRAM
#   nngcat.sh PROTO-FOLDER echo PROGRAM
#
# PROTO-FOLDER holds pipit/v1/frame.proto. Compares bytes, for nngcat exits with
# 0 though nothing came. Last line `N passed, N failed`.
set -u

proto=$1 kind=$2 program=$3
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d "${TMPDIR:-/tmp}/pipit-nngcat-XXXXXX")
url=ipc://$folder/s.sock
passed=0 failed=0 server=

finish() {
        [ -n "$server" ] && kill "$server" 2>/dev/null && wait "$server" 2>/dev/null
        rm -rf "$folder"
}
trap finish EXIT
trap 'exit 1' INT TERM

result() { # ok|not-ok, sentence
        if [ "$1" = ok ]; then
                passed=$((passed + 1))
                echo "ok $((passed + failed)) - $2"
        else
                failed=$((failed + 1))
                echo "not ok $((passed + failed)) - $2"
                sed 's/^/# /' "$folder/text" 2>/dev/null
        fi
}

encode() { # TYPE, from stdin
        protoc -I "$proto" -I "$here/../proto" --encode="$1" $files
}
files="pipit/v1/frame.proto google/rpc/error_details.proto users/v1/users.proto grpc/health/v1/health.proto echo/v1/echo.proto"

# A payload as protoc's text format wants bytes: every one escaped.
payload() { # TYPE TEXT
        printf '%s' "$2" | encode "$1" | od -An -v -to1 | tr -d '\n' | sed 's/ /\\/g'
}

ask() { # frame in $folder/frame; the answer's bytes to $folder/answer
        : >"$folder/answer"
        nngcat --req --dial "$url" --raw --recv-timeout 20 --file "$folder/frame" >"$folder/answer" 2>"$folder/text"
}

# The answer must be 50 49 01 11 and a Response that holds each of the words.
call_is() { # sentence, Request as text, words...
        sentence=$1
        { printf 'PI\001\020'; printf '%s' "$2" | encode pipit.v1.Request; } >"$folder/frame"
        shift 2
        ask
        header=$(head -c 4 "$folder/answer" | od -An -tx1 | tr -d ' \n')
        tail -c +5 "$folder/answer" | protoc -I "$proto" --decode=pipit.v1.Response pipit/v1/frame.proto \
                >"$folder/text" 2>&1
        verdict=ok
        [ "$header" = 50490111 ] || verdict=not-ok
        grep -q 'instance: ' "$folder/text" || verdict=not-ok
        for words in "$@"; do
                case $words in
                !*) ! grep -qF -- "${words#!}" "$folder/text" || verdict=not-ok ;;
                *) grep -qF -- "$words" "$folder/text" || verdict=not-ok ;;
                esac
        done
        result $verdict "$sentence"
}

# The frame, in hex after the four bytes or instead of them, is answered by these 14 bytes.
reject_is() { # sentence, printf format of the frame, hex of the answer
        printf "$2" >"$folder/frame"
        ask
        got=$(od -An -v -tx1 "$folder/answer" | tr -d ' \n')
        echo "got $got, want $3" >"$folder/text"
        if [ "$got" = "$3" ]; then result ok "$1"; else result not-ok "$1"; fi
}

if [ "$kind" = usersd ]; then
        "$program" serve --listen "$url" --store memory: >"$folder/out" 2>"$folder/log" &
else
        "$program" --listen "$url" >"$folder/out" 2>"$folder/log" &
fi
server=$!
tries=0
while ! grep -qs '^listening on ' "$folder/out"; do
        tries=$((tries + 1))
        if ! kill -0 "$server" 2>/dev/null || [ $tries -gt 600 ]; then
                echo "# the server did not start: $(cat "$folder/log")"
                echo "0 passed, 1 failed"
                exit 1
        fi
        sleep 0.05
done

call_is "a success" 'calls { id: 1 method: "grpc.health.v1.Health/Check" }' 'id: 1' 'payload: "\010\001"' '!status'
call_is "no calls" '' '!replies'
call_is "two calls, two replies" \
        'calls { id: 7 method: "grpc.health.v1.Health/Check" } calls { id: 9 method: "x.Y/Z" }' \
        'id: 7' 'id: 9' 'payload: "\010\001"' 'code: 12' 'METHOD_NOT_FOUND'
call_is "an unknown method" 'calls { id: 1 method: "no.Such/Method" }' 'code: 12' 'METHOD_NOT_FOUND' 'not_run'
call_is "a malformed payload" 'calls { id: 1 method: "grpc.health.v1.Health/Check" payload: "\377" }' \
        'code: 3' 'MALFORMED' 'not_run' 'type.googleapis.com/google.rpc.ErrorInfo'
call_is "bad metadata" 'calls { id: 1 method: "grpc.health.v1.Health/Check" metadata { key: "Upper" } }' \
        'code: 3' 'METADATA_INVALID' 'not_run'
call_is "good metadata" 'calls { id: 1 method: "grpc.health.v1.Health/Check" metadata { key: "a.b-c_1" value: "\377" } }' \
        '!status'
unknown=$(payload grpc.health.v1.HealthCheckRequest 'service: "no.such.Service"')
call_is "a service that is not here" "calls { id: 1 method: \"grpc.health.v1.Health/Check\" payload: \"$unknown\" }" \
        'code: 5' 'SERVICE_UNKNOWN' 'ran'

if [ "$kind" = usersd ]; then
        users=users.v1.UsersService
        ada=$(payload users.v1.CreateUserRequest 'user { email: "ada@example.com" name: "Ada" age: 36 }')
        bad=$(payload users.v1.CreateUserRequest 'user { email: "x" age: 131 }')
        find=$(payload users.v1.GetUserRequest 'email: "ADA@example.com"')
        none=$(payload users.v1.GetUserRequest 'email: "nobody@example.com"')
        token=$(payload users.v1.ListUsersRequest 'page_token: "forged"')
        call_is "a user is created" "calls { id: 1 method: \"$users/CreateUser\" payload: \"$ada\" }" \
                'ada@example.com' '!status'
        call_is "ALREADY_EXISTS" "calls { id: 1 method: \"$users/CreateUser\" payload: \"$ada\" }" \
                'code: 6' 'EMAIL_TAKEN' 'users.v1'
        call_is "INVALID_ARGUMENT with every violation" "calls { id: 1 method: \"$users/CreateUser\" payload: \"$bad\" }" \
                'code: 3' 'FIELD_INVALID' 'user.email' 'user.name' 'user.age' 'google.rpc.BadRequest'
        call_is "the user is found" "calls { id: 1 method: \"$users/GetUser\" payload: \"$find\" }" \
                'ada@example.com' '!status'
        call_is "NOT_FOUND" "calls { id: 1 method: \"$users/GetUser\" payload: \"$none\" }" \
                'code: 5' 'USER_NOT_FOUND'
        call_is "a forged page token" "calls { id: 1 method: \"$users/ListUsers\" payload: \"$token\" }" \
                'code: 3' 'PAGE_TOKEN_INVALID'
        # the user's id, to change it under a stale etag
        { printf 'PI\001\020'; printf 'calls { id: 1 method: "%s/GetUser" payload: "%s" }' "$users" "$find" |
                encode pipit.v1.Request; } >"$folder/frame"
        ask
        id=$(grep -aoE '[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}' "$folder/answer" | head -1)
        # as protoc writes a string: escaped, with its quotes
        etag=$(tail -c +5 "$folder/answer" | protoc --decode_raw | sed -n 's/^ *7: \(".*"\)$/\1/p' | head -1)
        older=$(payload users.v1.UpdateUserRequest "user { id: \"$id\" age: 37 }")
        stale=$(payload users.v1.UpdateUserRequest "user { id: \"$id\" age: 38 etag: $etag }")
        call_is "the user is changed" "calls { id: 1 method: \"$users/UpdateUser\" payload: \"$older\" }" '!status'
        call_is "ABORTED" "calls { id: 1 method: \"$users/UpdateUser\" payload: \"$stale\" }" 'code: 10' 'ETAG_MISMATCH'
else
        echo=echo.v1.EchoService
        hello=$(payload echo.v1.EchoRequest 'text: "hello" number: 7')
        long=$(payload echo.v1.SleepRequest 'duration_ms: 60000')
        large=$(payload echo.v1.EchoRequest 'text: "grow" number: 1048576')
        call_is "an echo" "calls { id: 1 method: \"$echo/Echo\" payload: \"$hello\" }" 'hello' '!status'
        for code in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
                fail=$(payload echo.v1.FailRequest "code: $code message: \"so it is\"")
                call_is "a handler fails with status $code" \
                        "calls { id: 1 method: \"$echo/Fail\" payload: \"$fail\" }" \
                        "code: $code" 'so it is' 'ASKED_FOR' 'echo.v1'
        done
        call_is "DEADLINE_EXCEEDED" "calls { id: 1 method: \"$echo/Sleep\" payload: \"$long\" timeout_ms: 50 }" \
                'code: 4' 'DEADLINE' 'may_have_run'
        call_is "RESPONSE_TOO_LARGE" "calls { id: 1 method: \"$echo/Echo\" payload: \"$large\" }" \
                'code: 8' 'RESPONSE_TOO_LARGE' 'ran'
fi

reject_is "BAD_FRAME: no magic" 'HTTP' 5049010501000000000000000000
reject_is "BAD_FRAME: another kind" 'PI\001\021' 5049010501000000000000000000
reject_is "BAD_FRAME: cut protobuf" 'PI\001\020\022' 5049010501000000000000000000
reject_is "VERSION" 'PI\002\020' 5049010502000000000001000000
reject_is "NO_SESSION" 'PI\001\003' 5049010504000000000000000000
reject_is "DENIED" 'PI\001\001' 5049010505000000000000000000
{ printf 'PI\001\020'; head -c 1048573 /dev/zero; } >"$folder/frame"
ask
got=$(od -An -v -tx1 "$folder/answer" | tr -d ' \n')
echo "got $got" >"$folder/text"
if [ "$got" = 5049010503000000000000001000 ]; then result ok TOO_LARGE; else result not-ok TOO_LARGE; fi

if [ "$kind" != usersd ]; then
        # one context in all: what comes while it is held finds no room
        kill "$server" && wait "$server"
        rm "$folder/out" # its line is the old server's
        "$program" --listen "$url" --contexts-max 1 >"$folder/out" 2>"$folder/log" &
        server=$!
        while ! grep -qs '^listening on ' "$folder/out"; do sleep 0.05; done
        { printf 'PI\001\020'; printf 'calls { id: 1 method: "%s/Sleep" payload: "%s" timeout_ms: 5000 }' \
                "$echo" "$(payload echo.v1.SleepRequest 'duration_ms: 5000')" | encode pipit.v1.Request; } \
                >"$folder/frame"
        ask
        got=$(od -An -v -tx1 "$folder/answer" | tr -d ' \n')
        echo "got $got" >"$folder/text"
        case $got in
        504901050600????????00000000) result ok BUSY ;;
        *) result not-ok BUSY ;;
        esac
fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
