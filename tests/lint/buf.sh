#!/bin/sh
# Every .proto of ours passes buf's lint; buf.yaml lists the exceptions.
#
#   buf.sh ROOT
#
# buf comes from npm: @bufbuild/buf, in PATH or named by $BUF.
set -eu
cd "$1"
buf=${BUF:-buf}
if ! command -v "$buf" >/dev/null; then
        echo "SKIPPED: no buf in PATH; 'npm install @bufbuild/buf' brings it"
        exit 77
fi
for folder in proto tests/proto; do
        echo "buf lint $folder"
        "$buf" lint "$folder"
done
